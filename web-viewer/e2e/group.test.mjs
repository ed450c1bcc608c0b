// Relays in a group, as config/relay-group has them: two Node relays and a real Redis, a camera on one relay and its
// viewers on the other. Redis and both relays are killed under running calls and started again.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { launchChromium, missing } from "./browsers.mjs";
import { freePort, missingRedis, startBrokenRedis, startMember, startRedis } from "./group.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, moves, until } from "./waiting.mjs";

/** Only bounds a hang. */
const HANG_MS = 30_000;
const TOKEN = "of-cameras";

let ports;
let redis;
let first;
let second;
let callers = [];

const relayAt = (which) => startMember(ports[which], ports.redis, { CAMERA_TOKEN: TOKEN });
const group = () => {
  before(async () => {
    ports = { redis: await freePort(), first: await freePort(), second: await freePort() };
    redis = await startRedis(ports.redis);
    [first, second] = await Promise.all([relayAt("first"), relayAt("second")]);
    await together();
  });
  after(() => Promise.allSettled([first, second, redis].map((one) => one?.kill())));
};
/** Waits until both relays know each other and Redis. */
const together = () => Promise.all([first, second].map((relay) => until(() => relay.health(),
  (now) => now.healthy && now.relays >= 2, `the relays are together:\n${relay.output}`)));
/** Waits until both relays know that Redis does not answer. */
const missed = () => Promise.all([first, second].map((relay) => until(() => relay.health(), (now) => !now.healthy, "Redis is missed")));

describe("relays in a group", { skip: missingRedis() ?? false, timeout: 180_000 }, () => {
  group();
  afterEach(async () => {
    for (const one of callers.splice(0)) one.socket.disconnect();
    await Promise.all([first, second].map((relay) => until(() => relay.health(), (now) => now.peers === 0, "everybody has left")));
  });

  test("show the same room, and pass messages between its peers with their true sender", async () => {
    const gate = await enter(first, "gate", { role: "camera", name: "Gate" });
    const ann = await enter(second, "ann", {}, (peers) => peers.length === 1);
    assert.deepEqual(ann.welcome.peers, [{ from: "gate", role: "camera", name: "Gate" }]);
    assert.equal((await gate.hears("joined")).from, "ann");
    ann.say("offer", { room: "house", to: "gate", call: "c1", sdp: { type: "offer", sdp: "v=0" } });
    assert.deepEqual(await gate.hears("offer"), { room: "house", to: "gate", call: "c1", sdp: { type: "offer", sdp: "v=0" }, from: "ann" });
    gate.say("answer", { room: "house", from: "gate", to: "ann", call: "c1" });
    assert.equal((await ann.hears("answer")).call, "c1");
    gate.say("notice", { room: "house", what: "camera-lost" });
    assert.equal((await ann.hears("notice")).from, "gate");
    ann.say("bye", { room: "house", call: "c1" });
    assert.equal((await gate.hears("bye")).from, "ann");
    gate.socket.disconnect();
    assert.equal((await ann.hears("left")).from, "gate");
    ann.say("offer", { room: "house", to: "gate", call: "c2" });
    assert.deepEqual(await ann.hears("refused"), { reason: "not-here", text: "the camera is not in the room now", call: "c2" });
  });

  test("keep rooms and viewers apart", async () => {
    const gate = await enter(first, "gate", { role: "camera" });
    const [ann, bob] = [await enter(first, "ann"), await enter(second, "bob", {}, (peers) => peers.length === 1)];
    const cellar = await enter(second, "cellar", { role: "camera", room: "yard" });
    assert.deepEqual(cellar.welcome.peers, []);
    for (const [message, reason] of [
      [{ to: "bob", call: "c1" }, "not-allowed"], [{ to: "cellar", call: "c1" }, "not-here"],
      [{ room: "yard", to: "cellar", call: "c1" }, "not-allowed"], [{ from: "bob", call: "c1" }, "not-allowed"],
      [{ sdp: { type: "offer", from: "bob" }, call: "c1" }, "not-allowed"],
    ]) {
      ann.say("offer", message);
      const refused = await ann.hears("refused");
      assert.deepEqual([refused.reason, refused.call], [reason, "c1"], JSON.stringify(message));
    }
    bob.say("offer", { call: "c9" });
    assert.equal((await gate.hears("offer")).call, "c9");
    assert.deepEqual([gate.heard("offer").length, ann.heard("offer", "joined").length, bob.heard("offer", "joined").length, cellar.heard("offer", "joined").length], [1, 0, 0, 0]);
  });

  test("let cameras in by their token only, and nobody into a room that is not there or another's place", async () => {
    await enter(first, "gate", { role: "camera" });
    await until(() => second.health(), (now) => now.relays >= 2, "the relays are together");
    const bob = await enter(second, "bob", {}, (peers) => peers.length === 1);
    const eve = caller(second, { auth: { token: "guess" } });
    for (const message of [
      { room: "house", from: "eve", role: "camera" }, { room: "kitchen", from: "eve" }, { room: "house", from: "gate" },
      { room: "house", from: "anon-1" }, { room: "house", from: "with space" }, "kitchen", 7, null, [], {},
    ]) {
      assert.equal((await eve.ask("join", message)).reason, "not-allowed", JSON.stringify(message));
    }
    assert.equal(await eve.ends(), "io server disconnect");
    assert.deepEqual(bob.heard("joined", "left"), []);
  });

  test("a peer that comes back through the other relay takes its own place over", async () => {
    const gate = await enter(first, "gate", { role: "camera" });
    const old = await enter(second, "ann", {}, (peers) => peers.length === 1);
    const ended = old.ends();
    const ann = await enter(first, "ann");
    assert.equal(await ended, "io server disconnect");
    gate.say("notice", { room: "house", to: "ann", what: "here" });
    assert.equal((await ann.hears("notice")).what, "here");
    await until(() => second.health(), (now) => now.peers === 0, "the old place is empty");
    assert.deepEqual(gate.heard("left").filter(({ payload }) => payload.from === "ann"), []);
  });

  test("a tutorial's page hears `joined`, and its offer reaches the camera on the other relay", async () => {
    const gate = await enter(first, "gate", { role: "camera" });
    await enter(second, "bob", {}, (peers) => peers.length === 1);
    const page = caller(second);
    page.say("join", "house");
    assert.equal((await page.hears("joined")).from, "gate");
    page.say("offer", { room: "house", offer: { type: "offer", sdp: "v=0" } });
    assert.match((await gate.hears("offer")).from, /^anon-/);
  });

  test("rubbish, bursts and giants cost nobody else anything", async () => {
    const gate = await enter(first, "gate", { role: "camera" });
    const ann = await enter(second, "ann", {}, (peers) => peers.length === 1);
    const eve = await enter(second, "eve");
    const deep = `2["offer",${"[".repeat(50_000)}${"]".repeat(50_000)}]`;
    for (const rubbish of [
      () => eve.socket.io.engine.write(deep), () => eve.say("offer", Buffer.alloc(10)), () => eve.say("offer", { sdp: Buffer.alloc(10) }),
    ]) {
      rubbish();
      assert.equal((await eve.hears("refused")).reason, "bad-message");
    }
    for (const event of ["joined", "left", "room", "", "a\nb", "x".repeat(65)]) eve.say(event, { to: "gate" });
    for (let n = 0; n < 300; n += 1) eve.say("candidate", { to: "gate", n });
    assert.equal((await eve.hears("refused")).reason, "too-often");
    const giant = await enter(second, "giant");
    giant.say("offer", { to: "gate", sdp: "v".repeat(1 << 20) });
    await giant.ends();
    ann.say("offer", { to: "gate", call: "c1" });
    assert.equal((await gate.hears("offer")).call, "c1");
    assert.deepEqual(ann.heard("refused", "candidate", "offer"), []);
    const { refusals } = await second.health();
    assert.ok(refusals["bad-message"] === 3 && refusals["not-allowed"] >= 5 && refusals["too-often"] >= 100, JSON.stringify(refusals));
  });

  test("a relay that ends says so, and the peers of the other know at once", async () => {
    const ann = await enter(first, "ann");
    await enter(second, "gate", { role: "camera" });
    assert.equal((await ann.hears("joined")).from, "gate");
    const { code } = await second.stop();
    assert.equal(code, 0, second.output);
    assert.equal((await ann.hears("left")).from, "gate");
    second = await relayAt("second");
    await together();
  });

  test("a relay that starts before Redis serves its own peers, and is one of the group when Redis is there", async () => {
    await redis.kill();
    const early = await startMember(await freePort(), ports.redis);
    const gate = await enter(early, "gate", { role: "camera" });
    const ann = await enter(early, "ann", {}, (peers) => peers.length === 1);
    ann.say("offer", { to: "gate", call: "c1" });
    assert.equal((await gate.hears("offer")).call, "c1");
    assert.equal((await fetch(`${early.url}/healthz`)).status, 503);
    redis = await startRedis(ports.redis);
    const bob = await enter(second, "bob", {}, (peers) => peers.some(({ from }) => from === "gate"));
    bob.say("offer", { to: "gate", call: "c2" });
    assert.equal((await gate.hears("offer")).call, "c2");
    await early.stop();
    assert.equal((await bob.hears("left")).from, "gate");
    await together();
  });

  test("a viewer whose camera cannot be reached without Redis is told so, and the others are not", async () => {
    const { gate, far } = await apart();
    const near = await enter(first, "near");
    await redis.kill();
    await missed();
    far.say("offer", { to: "gate", call: "c1" });
    assert.deepEqual([(await far.hears("refused")).reason, far.heard("left").length], ["not-here", 0]);
    near.say("offer", { to: "gate", call: "c2" });
    assert.equal((await gate.hears("offer")).call, "c2");
    redis = await startRedis(ports.redis);
    await together();
    await reach(gate, far);
  });

  test("a Redis that breaks every connection while it is made is missed, and all is well when a sound one is there", async () => {
    const { gate, far } = await apart();
    await redis.kill();
    await missed();
    const broken = await startBrokenRedis(ports.redis);
    await until(() => broken.connections, (connections) => connections >= 20, "the relays have tried");
    assert.deepEqual(await Promise.all([first, second].map(async (relay) => (await relay.health()).healthy)), [false, false]);
    await broken.close();
    redis = await startRedis(ports.redis);
    await together();
    await reach(gate, far);
  });

  test("a Redis that is killed again and again, in whatever moment of its return, is missed each time", async () => {
    const { gate, far } = await apart();
    for (let time = 0; time < 5; time += 1) {
      await redis.kill();
      await missed();
      redis = await startRedis(ports.redis);
      if (time % 2) await until(() => first.health(), (now) => now.healthy, "the first relay is well");
    }
    await together();
    await reach(gate, far);
  });

  test("a Redis that stands still is missed, and is there again when it goes on", async () => {
    const { gate, far } = await apart();
    redis.child.kill("SIGSTOP");
    await missed();
    far.say("offer", { to: "gate", call: "c1" });
    assert.equal((await far.hears("refused")).reason, "not-here");
    redis.child.kill("SIGCONT");
    await together();
    await reach(gate, far);
  });

  test("without rooms, or with no address of a Redis, there is no relay", async () => {
    await assert.rejects(startMember(0, ports.redis, { REDIS_URL: "localhost" }), /ended \(78\)[^]*REDIS_URL: /);
    await assert.rejects(startMember(0, ports.redis, { ROOMS: "" }), /ended \(78\)[^]*ROOMS=: names/);
  });
});

describe("a camera and its viewer on two relays of a group", { skip: missingRedis() ?? missing("chromium") ?? false, timeout: 300_000 }, () => {
  let porthole;
  let browser;
  let page;
  group();
  before(async () => {
    [porthole, browser] = await Promise.all([start({
      access: "open", room: 'name = "house"\ncamera = "Gate"',
      relay: `mode = "external"\nurl = "${first.url}"\ndialect = "porthole"\nauth = { token = "${TOKEN}" }`,
      video: ['source = "test"', "width = 640", "height = 360", "framerate = 15", "bitrate = 600"].join("\n"),
    }), launchChromium()]);
    await health(porthole, (now) => now.link && now.room === "in", "the camera is in its room");
    page = await open();
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
  });
  /** The camera's page, in its room through the other relay. */
  const open = () => browser.open(`${porthole.url}/#room=house&relay=${second.url}`);
  /** A new call, while the one of `page` goes on. */
  const callsAnew = async (call) => {
    const other = await open();
    const seen = camera(await live(other, "a new call"));
    assert.deepEqual([seen.name, seen.width, seen.height, seen.codec], ["Gate", 640, 360, "video/H264"]);
    assert.equal(camera(await moves(page)).call, call);
    await other.close();
  };

  test("see each other", async () => {
    const seen = camera(await live(page));
    assert.deepEqual([seen.name, seen.width, seen.height, seen.codec], ["Gate", 640, 360, "video/H264"]);
    assert.equal((await porthole.health()).live, 1);
    assert.deepEqual([(await first.health()).cameras, (await second.health()).cameras], [1, 0]);
    await callsAnew(seen.call);
  });

  test("do not notice that Redis is killed, and a new call works when it is back", async () => {
    const { call } = camera(await live(page));
    await redis.kill();
    await missed();
    assert.equal(camera(await moves(page)).call, call);
    redis = await startRedis(ports.redis);
    await together();
    await callsAnew(call);
    for (const relay of [first, second]) {
      assert.equal(relay.output.match(/Redis is not reached/g).length, 1, relay.output);
      assert.equal(relay.output.match(/Redis is reached/g).length, 2, relay.output);
    }
  });

  test("do not notice that the camera's relay is killed, and a new call works when it is back", async () => {
    const { call } = camera(await live(page));
    await first.kill();
    await health(porthole, (now) => !now.link, "the camera knows");
    assert.equal(camera(await moves(page)).call, call);
    first = await relayAt("first");
    await health(porthole, (now) => now.link && now.room === "in", "the camera is back");
    await callsAnew(call);
  });

  test("do not notice that the viewer's relay is killed, and a new call works when it is back", async () => {
    const { call } = camera(await live(page));
    await second.kill();
    await page.until((seen) => seen.relay === "down", "the page knows");
    assert.equal(camera(await moves(page)).call, call);
    second = await relayAt("second");
    await page.until((seen) => seen.relay === "up", "the page is back");
    await callsAnew(call);
  });
});

/** A Socket.IO client that remembers what it heard. */
function caller(relay, options = {}) {
  const socket = io(relay.url, { transports: ["websocket"], forceNew: true, auth: { token: TOKEN }, ...options });
  const heard = [];
  let look = () => {};
  socket.onAny((event, payload) => {
    heard.push({ event, payload, taken: false });
    look();
  });
  const over = new Promise((resolve) => { socket.once("disconnect", resolve); });
  const one = {
    socket,
    say: (event, payload) => socket.emit(event, payload),
    ask: (event, payload) => socket.timeout(HANG_MS).emitWithAck(event, payload),
    heard: (...events) => heard.filter(({ event }) => events.includes(event)),
    /** The next one under this name that nobody has waited for yet. */
    hears: (event) => bounded(new Promise((resolve) => {
      look = () => {
        const found = heard.find((item) => item.event === event && !item.taken);
        if (found) {
          found.taken = true;
          resolve(found.payload);
        }
      };
      look();
    }), `${event}; heard ${JSON.stringify(heard)}`),
    ends: () => bounded(over, "the end"),
  };
  callers.push(one);
  return one;
}

/** A caller in the room, once the relay knows who else is there. */
async function enter(relay, from, { room = "house", ...more } = {}, knows = () => true) {
  const one = caller(relay);
  const join = async () => { one.welcome = await one.ask("join", { room, from, role: "viewer", ...more }); };
  await until(async () => (await join(), one.welcome), (welcome) => Array.isArray(welcome.peers) && knows(welcome.peers), `${from} knows the room`);
  return one;
}

/** A camera on one relay and its viewer on the other. */
async function apart() {
  return { gate: await enter(first, "gate", { role: "camera" }), far: await enter(second, "far", {}, (peers) => peers.length === 1) };
}

/** They hear each other. */
async function reach(gate, far) {
  far.say("offer", { to: "gate", call: "again" });
  assert.equal((await gate.hears("offer")).call, "again");
  gate.say("answer", { to: "far", call: "again" });
  assert.equal((await far.hears("answer")).call, "again");
}

function bounded(work, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never: ${what}`)), HANG_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
