// Our own page and the daemon in a room of the tutorial's server, which knows neither: served by the daemon and from a
// plain file server, with strangers shouting in the room, and while the server is away.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { open } from "./fixtures/relays/server.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, moves, until } from "./waiting.mjs";

const VIDEO = ['source = "test"', "width = 320", "height = 240", "framerate = 15", "bitrate = 300"].join("\n");
const ROOM = "lobby";
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

describe("our own page through the tutorial's server", { skip: missing("chromium") ?? false, timeout: 150_000 }, () => {
  let relay;
  let porthole;
  let browser;
  let files;
  /** What everybody in the room hears. */
  const shout = (event, ...args) => relay.io.emit(event, ...args);
  const called = async (t, link = porthole.link) => {
    const page = await browser.open(link);
    t.after(() => page.close().catch(() => {}));
    await live(page);
    return page;
  };

  before(async () => {
    relay = await open("a");
    const settings = ['mode = "external"', `url = "${relay.url}"`, 'dialect = "a"'].join("\n");
    [porthole, browser, files] = await Promise.all([
      start({ access: "open", room: `name = "${ROOM}"`, relay: settings, video: VIDEO }),
      launchChromium({ autoplay: true }), serveFiles(),
    ]);
    await health(porthole, ({ room }) => room === "in", "the camera is in the room");
  });
  beforeEach(() => health(porthole, ({ calls }) => calls === 0, "those before have left"));
  after(async () => {
    await browser?.close();
    await porthole?.stop();
    await relay?.close();
    files?.close();
  });

  test("served by the daemon it finds the camera through the link, one viewer after the other", async (t) => {
    assert.ok(porthole.link.endsWith(`#room=${ROOM}&relay=${relay.url}`), porthole.link);
    const one = await called(t);
    assert.equal(camera(await moves(one)).codec, "video/H264");
    await one.close();
    await health(porthole, ({ calls }) => calls === 0, "the first has left");
    await moves(await called(t));
  });

  test("opened from a plain file server it does the same, beside another viewer", async (t) => {
    const link = `http://127.0.0.1:${files.address().port}/index.html#room=${ROOM}&relay=${relay.url}`;
    const [one, other] = [await called(t, link), await called(t)];
    await Promise.all([moves(one), moves(other)]);
    const { renditions } = await health(porthole, ({ calls, live: lives }) => calls === 2 && lives === 2, "two calls");
    assert.deepEqual(renditions, ["H.264"]);
  });

  test("whatever strangers shout in the room costs a counted refusal, and frames go on", async (t) => {
    const page = await called(t);
    const { call } = camera(await moves(page));
    const before = await porthole.health();
    let deep = "v=0";
    for (let depth = 0; depth < 200; depth += 1) deep = [deep];
    for (const event of ["offer", "answer", "candidate", "bye", "join", "joined", "left", "close", "error", "open", "message", "connect_error", "x".repeat(300)]) {
      // Some names are Socket.IO's own, and cannot be said through its server.
      const say = (...args) => { try { shout(event, ...args); } catch { /* not said */ } };
      say();
      for (const arg of [null, true, -1.5, "", "v=0", [], [[]], deep, { sdp: 7 }, { sdp: deep }, { room: 7, from: {} }]) say(arg);
    }
    shout("offer", { room: ROOM, offer: { type: "offer", sdp: "v".repeat(1 << 20) } });
    shout("offer", Buffer.from([1, 2, 3]));
    for (let number = 0; number < 500; number += 1) {
      const candidate = `candidate:${number} 1 udp 2113937151 192.0.2.1 ${1024 + number} typ host`;
      shout("candidate", { room: ROOM, from: "mallory", call: "none", candidate: { candidate, sdpMid: "0", sdpMLineIndex: 0 } });
    }
    const now = await health(porthole, ({ refusals, relay: link }) => refusals["too-often"] > 0 && link.refusals.binary > 0, "it has heard the last of it");
    await moves(page);
    assert.equal(camera(await page.snapshot()).call, call);
    const counted = (word) => (now.refusals[word] ?? 0) - (before.refusals[word] ?? 0);
    for (const word of ["bad-offer", "bad-message", "too-often"]) assert.ok(counted(word) > 0, `${word}: ${JSON.stringify(now.refusals)}`);
    assert.ok(now.relay.refusals["too-large"] > 0, JSON.stringify(now.relay.refusals));
    assert.deepEqual([now.link, now.calls, now.live, now.relay.connections], [true, 1, 1, before.relay.connections]);
    const shouted = porthole.output.match(/refused: /g) ?? [];
    assert.ok(shouted.length <= 10, "the log is not theirs to fill");
  });

  test("a relay that is away for a while is one line when it goes and one when it returns", async (t) => {
    const page = await called(t);
    const said = porthole.output.length;
    const { port } = relay;
    await relay.close();
    await health(porthole, ({ relay: link }) => link.state === "down" && link.failed_attempts >= 4, "it has tried in vain");
    await moves(page);
    relay = await open("a", { port });
    await health(porthole, ({ link, room }) => link && room === "in", "it is in the room again");
    await moves(page);
    await called(t);
    const lines = porthole.output.slice(said).split("\n").filter((line) => /WARN|ERROR|relay/.test(line));
    assert.equal(lines.length, 2, lines.join("\n"));
    assert.match(lines[0], /WARN.*the relay is lost, calls go on: /);
    assert.match(lines[1], /INFO.*the relay is reached/);
  });
});

/** The page as anybody's file server gives it. */
async function serveFiles() {
  const server = createServer(async (asked, answer) => {
    const name = new URL(asked.url, "http://localhost").pathname.slice(1);
    const type = TYPES[name.split(".").at(-1)];
    const text = type && /^[\w.]+$/.test(name) ? await readFile(new URL(`../dist/${name}`, import.meta.url)).catch(() => null) : null;
    if (text === null) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": type }).end(text);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}
