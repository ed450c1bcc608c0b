// The relay inside the real binary, as the official Socket.IO client sees it: who hears what, what strangers may not
// do, and that none of it costs anybody else anything.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { launch, start } from "./porthole.mjs";

/** Only bounds a hang. */
const HANG_MS = 20_000;
/** Every word a refusal may carry, as the daemon's own list has them. */
const WORDS = [...readFileSync(new URL("../../daemon/core/src/wire/reason.rs", import.meta.url), "utf8")
  .matchAll(/^ {4}\w+ = "([a-z-]+)":/gm)].map((found) => found[1]);

let porthole;
let callers = [];

for (const transport of ["websocket", "polling"]) {
  describe(`over ${transport}`, { timeout: 120_000 }, () => {
    const enter = (from, more) => join({ transports: [transport] }, from, more);
    withPorthole({});

    test("who joins is told who is there, and may ask for it to be confirmed", async () => {
      const ann = caller({ transports: [transport] });
      const confirmed = ann.ask("join", { room: porthole.room, from: "ann", role: "viewer", name: "Ann" });
      const room = await ann.hears("room");
      assert.deepEqual(await confirmed, room);
      assert.equal(room.room, porthole.room);
      assert.equal(room.to, "ann");
      assert.equal(room.peers.length, 1);
      assert.equal(room.peers[0].role, "camera");
      assert.equal(room.peers[0].name, "Camera");
      assert.ok(Array.isArray(room.iceServers));
    });

    test("an offer is answered to its own caller, and two viewers never hear each other", async () => {
      const [ann, bob] = [await enter("ann"), await enter("bob")];
      for (const [one, call] of [[ann, "call-a"], [bob, "call-b"]]) {
        one.say("offer", unreadable(one, call));
        one.say("candidate", { room: porthole.room, from: one.id, call, candidate: null });
        const refused = await one.hears("refused");
        assert.equal(refused.call, call);
        assert.ok(WORDS.includes(refused.reason), refused.reason);
      }
      await settled(ann, bob);
      assert.deepEqual([ann.heard("joined", "offer", "candidate"), bob.heard("joined", "offer", "candidate")], [[], []]);
      assert.equal([...ann.heard("refused"), ...bob.heard("refused")].filter(({ call }) => !["call-a", "call-b"].includes(call)).length, 0);
    });

    test("what comes first right after the connection is not lost", async () => {
      for (let round = 0; round < 20; round += 1) {
        const quick = caller({ transports: [transport], forceNew: true });
        quick.socket.on("connect", () => quick.say("join", { room: porthole.room, from: `quick-${round}` }));
        await quick.hears("room");
        quick.socket.disconnect();
      }
    });

    test("a message of 1 MB ends its own connection only", async () => {
      const [ann, eve] = [await enter("ann"), await enter("eve")];
      const ended = eve.ends();
      eve.say("offer", { room: porthole.room, sdp: { type: "offer", sdp: "v".repeat(1 << 20) } });
      await ended;
      await settled(ann);
      assert.equal(ann.socket.connected, true);
      assert.equal((await porthole.health()).relay.peers, 1);
    });
  });
}

describe("in the room", { timeout: 240_000 }, () => {
  withPorthole({});

  test("a page that names itself nowhere gets a name, and hears the classic `joined`", async () => {
    const page = caller();
    page.say("join", porthole.room);
    assert.match((await page.hears("room")).to, /^anon-/);
    assert.equal((await page.hears("joined")).role, "camera");
  });

  test("the ways to say join are all understood", async () => {
    for (const [event, payload] of [["join-room", porthole.room], ["joinRoom", { roomId: porthole.room }], ["join", { room: porthole.room }]]) {
      const page = caller();
      page.say(event, payload);
      assert.equal((await page.hears("room")).room, porthole.room);
    }
  });

  test("another room is refused with a word", async () => {
    const eve = caller();
    const confirmed = eve.ask("join", { room: "kitchen", from: "eve" });
    assert.equal((await eve.hears("refused")).reason, "not-allowed");
    assert.equal((await confirmed).reason, "not-allowed");
    eve.say("offer", { room: porthole.room, from: "eve", call: "c1", sdp: { type: "offer", sdp: "v=0" } });
    const refused = await eve.hears("refused");
    assert.deepEqual([refused.reason, refused.call], ["not-allowed", "c1"]);
  });

  test("guessing rooms ends the connection", async () => {
    const eve = caller();
    const ended = eve.ends();
    for (let guess = 0; guess < 10; guess += 1) {
      eve.say("join", `room-${guess}`);
      await eve.hears("refused");
    }
    assert.equal(await ended, "io server disconnect");
  });

  test("nobody speaks in another's name", async () => {
    const [ann, eve] = [await join({}, "ann"), await join({}, "eve")];
    for (const payload of [{ from: "ann" }, { sdp: { type: "offer", sdp: "v=0", from: "ann" } }, { from: 7 }]) {
      eve.say("bye", { room: porthole.room, call: "c1", ...payload });
      assert.equal((await eve.hears("refused")).reason, "not-allowed");
    }
    const camera = ann.welcome.peers[0].from;
    for (const from of [camera, "anon-1", "no name", ""]) {
      const thief = caller();
      thief.say("join", { room: porthole.room, from });
      assert.equal((await thief.hears("refused")).reason, "not-allowed");
    }
    await settled(ann, eve);
    assert.deepEqual(ann.heard("bye", "refused"), []);
  });

  test("a viewer cannot reach another one by name", async () => {
    const [ann, eve] = [await join({}, "ann"), await join({}, "eve")];
    for (const event of ["offer", "answer", "candidate", "bye", "notice"]) {
      eve.say(event, { room: porthole.room, from: "eve", to: "ann", call: "c1" });
      assert.equal((await eve.hears("refused")).reason, "not-allowed");
    }
    await settled(ann, eve);
    assert.deepEqual(ann.heard("offer", "answer", "candidate", "bye", "notice"), []);
  });

  test("the same page on a new connection takes its own place over", async () => {
    const old = await join({}, "ann");
    const ended = old.ends();
    const ann = await join({}, "ann");
    assert.equal(await ended, "io server disconnect");
    ann.say("offer", unreadable(ann, "c1"));
    assert.equal((await ann.hears("refused")).call, "c1");
    assert.equal((await porthole.health()).relay.peers, 1);
  });

  test("three quick reconnections leave one peer", async () => {
    const ann = await join({}, "ann");
    for (let round = 0; round < 3; round += 1) {
      ann.forget();
      ann.socket.disconnect().connect();
      ann.say("join", { room: porthole.room, from: "ann" });
      await ann.hears("room");
    }
    await until(async () => (await porthole.health()).relay.peers === 1);
    ann.say("offer", unreadable(ann, "c1"));
    assert.equal((await ann.hears("refused")).call, "c1");
  });

  test("a second camera is told to viewers, and both sides reach each other", async () => {
    const ann = await join({}, "ann");
    const gate = await join({}, "gate", { role: "camera", name: "Gate" });
    assert.deepEqual(gate.welcome.peers.map((peer) => peer.role).sort(), ["camera", "viewer"]);
    const news = await ann.hears("joined");
    assert.deepEqual([news.from, news.role, news.name], ["gate", "camera", "Gate"]);
    ann.say("offer", { room: porthole.room, from: "ann", to: "gate", call: "c1", sdp: { type: "offer", sdp: "v=0" } });
    assert.equal((await gate.hears("offer")).from, "ann");
    gate.say("answer", { room: porthole.room, to: "ann", call: "c1", sdp: { type: "answer", sdp: "v=0" } });
    assert.equal((await ann.hears("answer")).from, "gate");
    gate.socket.disconnect();
    assert.equal((await ann.hears("left")).from, "gate");
    assert.deepEqual(ann.heard("refused"), []);
  });

  test("a burst is cut down, answered once, and heard again afterwards", async () => {
    const [ann, eve] = [await join({}, "ann"), await join({}, "eve")];
    for (let n = 0; n < 300; n += 1) eve.say("candidate", { room: porthole.room, from: "eve", call: "c1", candidate: null });
    assert.equal((await eve.hears("refused")).reason, "too-often");
    await settled(ann);
    const counted = (await porthole.health()).relay.refusals["too-often"];
    assert.ok(counted >= 100 && counted < 300, `${counted} of 300 refused`);
    await until(async () => {
      eve.say("offer", unreadable(eve, "c2"));
      return eve.heard("refused").some(({ call }) => call === "c2");
    });
    assert.equal(eve.socket.connected, true);
  });

  test("wrong types, no arguments, binary and strange event names disturb nobody", async () => {
    const [ann, eve] = [await join({}, "ann"), await join({}, "eve")];
    const emit = (...said) => eve.socket.emit(...said);
    for (const rubbish of [undefined, null, 7, "text", [], [[[[]]]], { sdp: 7 }, { sdp: { type: "offer" } }, { room: 7 }, { to: {} }]) {
      for (const event of ["offer", "candidate", "answer", "bye"]) emit(event, rubbish);
    }
    for (const event of ["offer", "ready", "candidate"]) emit(event);
    emit("offer", Buffer.alloc(1000));
    emit("offer", { room: porthole.room, sdp: Buffer.alloc(10) }, Buffer.alloc(10));
    for (const event of ["close", "error", "open", "message", "joined", "left", "room", "", "x".repeat(1000)]) {
      emit(event, { room: porthole.room, from: "eve" });
    }
    await settled(ann, eve);
    assert.equal(eve.socket.connected, true);
    assert.deepEqual(ann.heard("offer", "joined", "left", "message", "error", "close", "open"), []);
    assert.ok((await porthole.health()).relay.refusals.binary >= 2);
    ann.say("offer", unreadable(ann, "c1"));
    assert.equal((await ann.hears("refused")).call, "c1");
  });

  test("an event name that no relay could read ends its own connection only", async () => {
    const [ann, eve] = [await join({}, "ann"), await join({}, "eve")];
    const ended = eve.ends();
    eve.say("\n", {});
    await ended;
    await settled(ann);
  });

  test("a socket that is left in the middle of a message costs nobody anything", async () => {
    const ann = await join({}, "ann");
    for (const head of ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "GET / HTTP/1.1\r\nHost: loc"]) {
      const raw = connect(porthole.port, "127.0.0.1");
      await new Promise((resolve) => raw.write(head, resolve));
      raw.destroy();
    }
    await settled(ann);
  });

  test("more sockets than there is room for are turned away, and let in again later", async () => {
    const crowd = [];
    for (let n = 0; n < 64; n += 1) crowd.push(await join({}, `crowd-${n}`));
    const late = caller();
    assert.equal((await late.turnedAway()).message, "too many connections");
    crowd[0].socket.disconnect();
    await until(() => new Promise((resolve) => {
      late.socket.once("connect", () => resolve(true)).once("connect_error", () => resolve(false)).connect();
    }));
  });
});

describe("at the door", { timeout: 120_000 }, () => {
  withPorthole({});

  test("pages of other origins are turned away, on both transports", async () => {
    for (const transport of ["polling", "websocket"]) {
      const evil = caller({ transports: [transport], extraHeaders: { Origin: "https://evil.example" } });
      await evil.turnedAway();
      const own = caller({ transports: [transport], extraHeaders: { Origin: porthole.url } });
      await own.connects();
    }
  });

  test("a name that was made to point here is turned away, page and all", async () => {
    for (const path of ["/", "/healthz", "/socket.io/?EIO=4&transport=polling"]) {
      assert.equal(await status(path, { Host: `evil.example:${porthole.port}` }), 403);
      assert.equal(await status(path, { Host: `localhost:${porthole.port}` }), 200);
    }
  });
});

describe("in a room that is open", { timeout: 120_000 }, () => {
  withPorthole({ access: "open" });

  test("pages of other origins are welcome, and may read what they poll", async () => {
    const page = caller({ transports: ["websocket"], extraHeaders: { Origin: "https://tutorial.example" } });
    await page.connects();
    const polled = await fetch(`${porthole.url}/socket.io/?EIO=4&transport=polling`, { headers: { Origin: "https://tutorial.example" } });
    assert.equal(polled.headers.get("access-control-allow-origin"), "*");
  });
});

describe("at the end", { timeout: 120_000 }, () => {
  test("connections of every kind do not keep the daemon from ending", async (t) => {
    porthole = await start();
    t.after(endAll);
    const ann = await join({ transports: ["websocket"] }, "ann");
    const bob = await join({ transports: ["polling"] }, "bob");
    const stuck = connect(porthole.port, "127.0.0.1");
    stuck.on("error", () => {});
    await new Promise((resolve) => stuck.write("GET / HTTP/1.1\r\nHost: loc", resolve));
    const ended = Promise.all([ann.ends(), bob.ends()]);
    const { code, signal } = await porthole.stop();
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, porthole.output);
    await ended;
    stuck.destroy();
  });

  test("a daemon that is told to stop while it still tries encoders does not start", async (t) => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address();
    await new Promise((resolve) => free.close(resolve));
    const slow = `source = "test"\nwidth = 4096\nheight = 4096`;
    const starting = launch({ port, video: slow });
    t.after(async () => (await starting).kill());
    await until(() => fetch(`http://127.0.0.1:${port}/healthz`).then(() => true, () => false));
    const { code, signal } = await (await starting).stop();
    assert.deepEqual({ code, signal }, { code: 0, signal: null });
    assert.doesNotMatch((await starting).output, /#room=/);
  });

  test("a daemon that starts again on the same port is found again", async (t) => {
    porthole = await start();
    t.after(endAll);
    const { port } = porthole;
    const ann = await join({ transports: ["websocket"], reconnectionDelay: 50, reconnectionDelayMax: 200 }, "ann");
    ann.forget();
    ann.socket.on("connect", () => ann.say("join", { room: porthole.room, from: "ann" }));
    await porthole.kill();
    porthole = await start({ port });
    await ann.hears("room");
  });
});

function withPorthole(how) {
  before(async () => { porthole = await start(how); });
  afterEach(async () => {
    hangUp();
    await until(async () => (await porthole.health()).relay.peers === 0);
  });
  after(() => porthole.stop());
}

/** A Socket.IO client that remembers what it heard. */
function caller(options = {}) {
  const socket = io(porthole.url, { transports: ["websocket"], forceNew: true, ...options });
  const heard = [];
  const waiting = new Set();
  socket.onAny((event, payload) => {
    heard.push({ event, payload, taken: false });
    for (const look of waiting) look();
  });
  const one = {
    socket,
    id: null,
    welcome: null,
    say: (event, payload) => socket.emit(event, payload),
    ask: (event, payload) => socket.timeout(HANG_MS).emitWithAck(event, payload),
    /** What was heard under these names, waited for or not. */
    heard: (...events) => heard.filter(({ event }) => events.includes(event)).map(({ payload }) => payload),
    forget: () => heard.splice(0),
    /** The next one under this name that nobody has waited for yet. */
    hears: (event) => bounded(new Promise((resolve) => {
      const look = () => {
        const found = heard.find((one) => one.event === event && !one.taken);
        if (!found) return;
        found.taken = true;
        waiting.delete(look);
        resolve(found.payload);
      };
      waiting.add(look);
      look();
    }), `no \`${event}\``),
    ends: () => bounded(new Promise((resolve) => socket.once("disconnect", resolve)), "no end"),
    connects: () => bounded(new Promise((resolve) => (socket.connected ? resolve() : socket.once("connect", resolve))), "no connection"),
    turnedAway: () => bounded(new Promise((resolve) => socket.once("connect_error", resolve)), "not turned away"),
  };
  callers.push(one);
  return one;
}

/** A caller that is in the room. */
async function join(options, from, more = {}) {
  const one = caller(options);
  one.id = from;
  one.say("join", { room: porthole.room, from, role: "viewer", name: "", ...more });
  one.welcome = await one.hears("room");
  return one;
}

/** Whatever was on its way to these has arrived: the relay does one thing at a time, and each is asked something new. */
async function settled(...all) {
  for (const one of all) await one.ask("join", { room: porthole.room, from: one.id });
}

async function endAll() {
  hangUp();
  await porthole.kill();
}

function hangUp() {
  for (const { socket } of callers) socket.disconnect();
  callers = [];
}

/** An offer that any camera must refuse. */
function unreadable(one, call) {
  return { room: porthole.room, from: one.id, call, sdp: { type: "offer", sdp: "v=0\r\n" } };
}

function status(path, headers) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: porthole.port, path, headers, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    asked.on("error", reject).end();
  });
}

async function until(holds) {
  const started = Date.now();
  while (!(await holds())) {
    assert.ok(Date.now() - started < HANG_MS, "never came true");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function bounded(work, failure) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(failure)), HANG_MS); });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
