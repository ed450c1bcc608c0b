// `porthole relay`: our own relay without a camera, with cameras that come through its port and their viewers. Driven as
// people do, by its command line, the page it serves and the daemons that wait in its rooms.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { launchChromium, missing } from "./browsers.mjs";
import { start, startRelay } from "./porthole.mjs";
import { health, until } from "./waiting.mjs";

/** Several encoders share the machine: small pictures. */
const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");
/** Only bounds a hang. */
const HANG_MS = 60_000;
/** Frames after which a picture moves, not only stands. */
const MOVES = 10;

/** A camera that waits in a room of `relay`. */
const cameraAt = (relay, room, name) => start({
  access: "open", video: VIDEO, room: `name = "${room}"\ncamera = "${name}"`,
  relay: `mode = "external"\nurl = "${relay.url}"\ndialect = "porthole"`,
});

/** Waits until the page shows a moving picture of each of these cameras, and of no other. */
const watches = (page, names) => page.until((seen) => {
  const live = seen.cameras.filter((one) => one.word === "live" && one.framesDecoded >= MOVES);
  return seen.cameras.length === names.length && names.every((name) => live.some((one) => one.name === name));
}, `moving pictures of ${names}`, HANG_MS);

describe("a relay alone", { timeout: 240_000 }, () => {
  let relay;
  before(async () => { relay = await startRelay({ config: '[relay]\nlisten = "127.0.0.1:0"\nrooms = ["yard"]' }); });
  after(() => relay?.stop());

  test("says which rooms it has, and that it is well", async () => {
    await relay.says(/\/#room=porthole\s+http:\S+\/#room=yard[^]*mode = "external"/);
    const { healthy, relay: figures, heap, ...rest } = await relay.health();
    assert.equal(healthy, true);
    assert.ok(heap > 0);
    assert.deepEqual([figures.peers, figures.cameras, rest], [0, 0, {}]);
    assert.match(await (await fetch(relay.url)).text(), /<html/i);
  });

  test("has no other rooms, and one socket is in one of them", async (t) => {
    const socket = io(relay.url, { transports: ["websocket"], forceNew: true });
    t.after(() => socket.disconnect());
    const join = (room) => socket.timeout(HANG_MS).emitWithAck("join", { room, from: "ann" });
    assert.equal((await join("kitchen")).reason, "not-allowed");
    assert.deepEqual((await join("yard")).peers, []);
    assert.equal((await join("porthole")).reason, "not-allowed");
  });

  test("ends when it is told to, whoever is connected", async (t) => {
    const other = await startRelay({ config: '[relay]\nlisten = "127.0.0.1:0"' });
    const socket = io(other.url, { transports: ["websocket"], forceNew: true });
    t.after(() => socket.disconnect());
    await new Promise((resolve) => socket.once("connect", resolve));
    const { code, signal } = await other.stop();
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, other.output);
  });

  for (const [what, config, said] of [
    ["a camera's picture", '[video]\nwidth = 640', /:2: video\.width = 640: a relay has no camera/],
    ["somebody else's relay", '[room]\naccess = "open"\n[relay]\nmode = "external"\nurl = "http://localhost:1"', /:4: relay\.mode = "external": "embedded"/],
  ]) {
    test(`does not start with a configuration of ${what}`, async () => {
      await assert.rejects(startRelay({ config }), (error) => {
        assert.match(error.message, said);
        assert.match(error.message, /ended \(78\)/);
        return true;
      });
    });
  }
});

describe("a site with a relay alone", { skip: missing("chromium") ?? false, timeout: 300_000 }, () => {
  let relay;
  let browser;
  let gate;
  let yard;
  before(async () => {
    [relay, browser] = await Promise.all([
      startRelay({ config: '[relay]\nlisten = "127.0.0.1:0"\nrooms = ["house", "cellar"]' }), launchChromium(),
    ]);
    [gate, yard] = await Promise.all([cameraAt(relay, "house", "Gate"), cameraAt(relay, "house", "Yard")]);
    await health(relay, (now) => now.relay.cameras === 2, "two cameras");
  });
  after(async () => {
    await browser?.close();
    await Promise.allSettled([gate, yard, relay].map((one) => one?.stop()));
  });
  const open = async (t, room) => {
    const page = await browser.open(`${relay.url}/#room=${room}`);
    t.after(() => page.close());
    return page;
  };

  test("shows each camera of the room in a tile of its own, and none of another room", async (t) => {
    const [house, cellar] = [await open(t, "house"), await open(t, "cellar")];
    const seen = await watches(house, ["Gate", "Yard"]);
    assert.equal(new Set(seen.cameras.map((one) => one.from)).size, 2);
    for (const one of seen.cameras) assert.deepEqual([one.width, one.height, one.codec], [320, 180, "video/H264"]);
    assert.equal(await house.evaluate(() => document.querySelectorAll("video").length), 2);
    await Promise.all([gate, yard].map((one) => health(one, (now) => now.live === 1, "one live call")));
    const alone = await cellar.snapshot();
    assert.deepEqual([alone.relay, alone.cameras], ["up", []]);
  });

  test("a camera that comes later, and goes, is one tile more and one less watched; the other goes on", async (t) => {
    const page = await open(t, "cellar");
    await page.until((seen) => seen.relay === "up", "the page is in the room");
    const first = await cameraAt(relay, "cellar", "Cellar");
    t.after(() => first.stop());
    const { cameras: [{ call }] } = await watches(page, ["Cellar"]);
    const second = await cameraAt(relay, "cellar", "Stairs");
    t.after(() => second.stop());
    await watches(page, ["Cellar", "Stairs"]);
    await second.stop();
    const seen = await page.until((now) => now.cameras.some((one) => one.name === "Stairs" && one.word !== "live"), "it is gone", HANG_MS);
    const cellar = seen.cameras.find((one) => one.name === "Cellar");
    assert.deepEqual([cellar.word, cellar.call], ["live", call]);
  });

  test("killed and started again it has cameras and viewers back, whose calls did not notice", async (t) => {
    const page = await open(t, "house");
    const before = await watches(page, ["Gate", "Yard"]);
    const { port } = relay;
    await relay.kill();
    await page.until((seen) => seen.relay === "down", "the page knows", HANG_MS);
    relay = await startRelay({ config: `[relay]\nlisten = "127.0.0.1:${port}"\nrooms = ["house", "cellar"]` });
    await health(relay, (now) => now.relay.cameras === 2, "both cameras are back");
    await page.until((seen) => seen.relay === "up", "the page is back", HANG_MS);
    const frames = new Map((await page.snapshot()).cameras.map((one) => [one.name, one.framesDecoded]));
    const after = await page.until((seen) => seen.cameras.length === 2
      && seen.cameras.every((one) => one.framesDecoded >= frames.get(one.name) + MOVES), "both go on", HANG_MS);
    assert.deepEqual(after.cameras.map((one) => [one.name, one.call]).sort(), before.cameras.map((one) => [one.name, one.call]).sort());
    const fresh = await open(t, "house");
    await watches(fresh, ["Gate", "Yard"]);
    await until(() => relay.health(), (now) => now.relay.peers === 4, "two cameras and two viewers");
  });
});
