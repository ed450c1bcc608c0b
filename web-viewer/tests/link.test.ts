// Our connection to the relay, against real Socket.IO servers of every temper.

import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { Server, type Socket } from "socket.io";
import { destination } from "../src/address";
import { BACK_OFF_LONGEST_MS, JOIN_ACK_MS, Link } from "../src/link";
import { join } from "../src/wire";

const JOIN = join("porthole", "viewer-1", "Web page");

test("a relay that says who is here has let us in", async (t) => {
  const { url } = await relay(t, (socket) => socket.on("join", () => socket.emit("room", { peers: [] })));
  const said = open(t, url);
  await said.until("message room");
  assert.deepEqual(said.lines, ["up", "message room"]);
});

test("a relay is found under the path that stands in the link", async (t) => {
  const { url } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})), 0, "/cam/socket.io/");
  await open(t, `${url}/cam/socket.io/`).until("up");
});

test("a relay that only confirms has let us in", async (t) => {
  const { url } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})));
  const said = open(t, url);
  await said.until("up");
  assert.deepEqual(said.lines, ["up"]);
});

test("to a relay that confirms nothing the join is said once more, also with the room's name alone, and then we are in", async (t) => {
  const heard: unknown[] = [];
  const { url } = await relay(t, (socket) => socket.onAny((event, said) => void heard.push([event, said])));
  const said = open(t, url);
  await said.until("up, unconfirmed");
  said.link.send({ event: "bye", payload: {} });
  await said.settle(() => heard.length === 4);
  assert.deepEqual(heard, [["join", JOIN.payload], ["join", JOIN.payload], ["join", "porthole"], ["bye", {}]]);
});

test("a relay that does not let us in is heard, and we are not in", async (t) => {
  const { url } = await relay(t, (socket) => socket.on("join", (_, reply) => {
    socket.emit("notice", { what: "camera-lost" });
    socket.emit("refused", { reason: "not-allowed" });
    reply({ reason: "not-allowed", text: "" });
  }));
  const said = open(t, url);
  await said.until("message refused");
  assert.deepEqual(said.lines, ["message refused"]);
});

test("a relay that only says in its reply that it does not let us in is heard too", async (t) => {
  const { url } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({ reason: "busy" })));
  const said = open(t, url);
  await said.until("message refused");
  assert.deepEqual(said.lines, ["message refused"]);
});

test("what is said before we are in waits, and follows the join", async (t) => {
  const heard: string[] = [];
  const { url } = await relay(t, (socket) => {
    socket.onAny((event) => void heard.push(event));
    socket.on("join", (_, reply) => reply({}));
  });
  const said = open(t, url);
  said.link.send({ event: "bye", payload: { call: "one" } });
  said.link.send({ event: "candidate", payload: { call: "one" } });
  await said.settle(() => heard.length === 3);
  assert.deepEqual(heard, ["join", "bye", "candidate"]);
});

test("a relay that is restarted is joined again", async (t) => {
  const welcome = (socket: Socket) => socket.on("join", (_: unknown, reply: (said: object) => void) => reply({}));
  const first = await relay(t, welcome);
  const said = open(t, first.url);
  await said.until("up");
  await first.stop();
  await said.until("down");
  await relay(t, welcome, first.port);
  await said.settle(() => said.lines.at(-1) === "up");
  assert.deepEqual(said.lines.filter((line) => line !== "unreached"), ["up", "down", "up"]);
});

test("a relay that is not there is told after the first attempt, and found when it is", async (t) => {
  const welcome = (socket: Socket) => socket.on("join", (_: unknown, reply: (said: object) => void) => reply({}));
  const { port, url, stop } = await relay(t, welcome);
  await stop();
  const said = open(t, url);
  await said.until("unreached");
  await relay(t, welcome, port);
  await said.until("up");
  assert.deepEqual(said.lines.filter((line) => line !== "unreached"), ["up"]);
});

test("a web server without Socket.IO is no relay", async (t) => {
  const http = createServer((_, answer) => answer.writeHead(404).end("no"));
  await new Promise<void>((ready) => http.listen(0, "127.0.0.1", ready));
  t.after(() => http.close());
  await open(t, `http://127.0.0.1:${(http.address() as AddressInfo).port}`).until("unreached");
});

test("however long a relay that confirms nothing was away, we are in the room within five seconds of its return", () => {
  const connecting = 1_000;
  assert.ok(BACK_OFF_LONGEST_MS + connecting + JOIN_ACK_MS <= 5_000);
});

test("a relay that sends us away is visited again", async (t) => {
  const { url, io } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})));
  const said = open(t, url);
  await said.until("up");
  io.disconnectSockets();
  await said.settle(() => said.lines.length === 3);
  assert.deepEqual(said.lines, ["up", "down", "up"]);
});

test("a relay that turns us away at the door is visited again", async (t) => {
  let visits = 0;
  const { url, io } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})));
  io.use((_, next) => (++visits === 1 ? next(new Error("not now")) : next()));
  const said = open(t, url);
  await said.until("up");
  assert.equal(visits, 2);
});

test("a relay that turns us away with a word is heard, and visited again", async (t) => {
  let visits = 0;
  const { url, io } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})));
  io.use((_, next) => (++visits === 1 ? next(new Error("not-allowed")) : next()));
  const said = open(t, url);
  await said.until("up");
  assert.deepEqual(said.lines, ["turned away not-allowed", "up"]);
});

test("a relay that turns us away with words of its own is heard, and visited again", async (t) => {
  let visits = 0;
  const { url, io } = await relay(t, (socket) => socket.on("join", (_, reply) => reply({})));
  io.use((_, next) => (++visits === 1 ? next(new Error("toString")) : next()));
  const said = open(t, url);
  await said.until("up");
  assert.deepEqual(said.lines, ["turned away in other words", "up"]);
});

test("who closes because of the word does not come again", async (t) => {
  const { url, io } = await relay(t, () => assert.fail("let in"));
  let visits = 0;
  io.use((_, next) => {
    visits += 1;
    next(new Error("revoked-key"));
  });
  const said = open(t, url);
  await said.until("turned away revoked-key");
  said.link.close();
  said.link.tryNow();
  // Another one that is turned away three times has waited longer than the first would have, once.
  const other = open(t, url);
  await other.settle(() => other.lines.length === 3);
  assert.equal(visits, 4);
  assert.deepEqual(said.lines, ["turned away revoked-key"]);
});

test("what shows that we may enter comes with the connection, each time", async (t) => {
  const shown: unknown[] = [];
  const { url, io } = await relay(t, (socket) => {
    shown.push(socket.handshake.auth);
    socket.on("join", (_, reply) => reply({}));
  });
  const auth = { key: "k7", admission: "proof", room: "porthole" };
  const said = open(t, url, auth);
  await said.until("up");
  io.disconnectSockets();
  await said.settle(() => said.lines.length === 3);
  assert.deepEqual(shown, [auth, auth]);
});

test("after closing nothing is said and nothing is heard", async (t) => {
  const heard: string[] = [];
  const { url, io } = await relay(t, (socket) => {
    socket.onAny((event) => void heard.push(event));
    socket.on("join", (_, reply) => reply({}));
  });
  const said = open(t, url);
  await said.until("up");
  said.link.close();
  said.link.send({ event: "bye", payload: {} });
  await said.settle(() => io.sockets.sockets.size === 0);
  assert.deepEqual(said.lines, ["up"]);
  assert.deepEqual(heard, ["join"]);
});

/** A Socket.IO server on loopback that stops with the test. */
async function relay(t: TestContext, onSocket: (socket: Socket) => void, port = 0, path = "/socket.io/") {
  const http: HttpServer = createServer();
  const io = new Server(http, { path });
  io.on("connection", onSocket);
  await new Promise<void>((ready) => http.listen(port, "127.0.0.1", ready));
  const bound = (http.address() as AddressInfo).port;
  const stop = () => new Promise<void>((done) => void io.close(() => done()));
  t.after(() => (http.listening ? stop() : undefined));
  return { io, port: bound, url: `http://127.0.0.1:${bound}`, stop };
}

/** A link whose events are lines. The deadline only bounds a hang. */
function open(t: TestContext, url: string, auth: Record<string, string> = {}) {
  const lines: string[] = [];
  let wake = () => {};
  const note = (line: string) => {
    lines.push(line);
    wake();
  };
  const to = destination(`#room=porthole&relay=${url}`, "");
  assert.ok(to.is === "room", url);
  const link = new Link(to.relay, JOIN, auth, {
    up: (confirmed) => note(confirmed ? "up" : "up, unconfirmed"),
    down: () => note("down"),
    unreached: () => note("unreached"),
    turnedAway: (reason) => note(`turned away ${reason ?? "in other words"}`),
    message: (event) => note(`message ${event}`),
  });
  t.after(() => link.close());
  const settle = async (done: () => boolean) => {
    const end = Date.now() + 30_000;
    while (!done()) {
      assert.ok(Date.now() < end, `still waiting; so far ${lines.join(", ")}`);
      await new Promise<void>((look) => {
        wake = look;
        setTimeout(look, 50);
      });
    }
  };
  return { link, lines, settle, until: (line: string) => settle(() => lines.includes(line)) };
}
