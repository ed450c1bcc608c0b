// Offers that no browser would make, sent with the official Socket.IO client into a room where Chromium watches: each is
// refused with a word from the fixed list, each is counted, and the call that runs does not notice.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, moves } from "./waiting.mjs";

/** Only bounds a hang. */
const HANG_MS = 30_000;
/** What Debian's Chromium sends when it wants to watch. */
const GOOD = readFileSync(new URL("../../daemon/core/tests/offers/chromium-156-recvonly.sdp", import.meta.url), "latin1");

/** What is sent as `offer`, made from a sound one, and the word that comes back. */
const RUBBISH = {
  "random bytes": [{ sdp: offer(noise(4096)) }, "bad-offer"],
  "random bytes after a good beginning": [{ sdp: offer(GOOD.slice(0, 600) + noise(2048)) }, "bad-offer"],
  "nothing": [{ sdp: undefined }, "bad-offer"],
  "a number for a description": [{ sdp: 7 }, "bad-offer"],
  "a list for a description": [{ sdp: [GOOD] }, "bad-offer"],
  "a number for an SDP": [{ sdp: { type: "offer", sdp: 7 } }, "bad-offer"],
  "an empty SDP": [{ sdp: offer("") }, "bad-offer"],
  "an answer": [{ sdp: { type: "answer", sdp: GOOD } }, "bad-offer"],
  "an object for a call": [{ call: { of: "duty" } }, "bad-offer"],
  "a call with a line break in it": [{ call: "call\r\nevil" }, "bad-offer"],
  "a sender that is a number": [{ from: 7 }, "not-allowed"],
  "another's name": [{ from: "somebody" }, "not-allowed"],
  "another room": [{ room: "kitchen" }, "not-allowed"],
  "a page without ids in a room that is not open": [{ call: undefined }, "not-allowed"],
  "a camera that is not there": [{ to: "camera-of-nobody" }, "not-here"],
  "a hundred kilobytes": [{ sdp: offer(GOOD + "a=x\r\n".repeat(20_000)) }, "too-large"],
  "thousands of lines": [{ sdp: offer(GOOD + "a=x\r\n".repeat(5_000)) }, "too-large"],
  "twenty pictures": [{ sdp: offer(GOOD + section("video").repeat(20)) }, "too-large"],
  "neither H.264 nor VP8": [{ sdp: offer(GOOD.replace(/H264|VP8/g, "AV2")) }, "no-codec"],
  "no picture and no sound": [{ sdp: offer(GOOD.replace(/^m=(video|audio) 9/gm, "m=text 9")) }, "no-codec"],
  "no BUNDLE": [{ sdp: offer(GOOD.replace(/^a=group:BUNDLE.*\r\n/m, "")) }, "no-bundle"],
  "no ICE password": [{ sdp: offer(GOOD.replace(/^a=ice-pwd:.*\r\n/gm, "")) }, "bad-offer"],
  "no fingerprint": [{ sdp: offer(GOOD.replace(/^a=fingerprint:.*\r\n/gm, "")) }, "bad-offer"],
  "a fingerprint nobody should trust": [{ sdp: offer(GOOD.replace(/^a=fingerprint:.*/gm, "a=fingerprint:md5 00:11")) }, "bad-offer"],
};

describe("rubbish, while Chromium watches", { skip: missing("chromium") ?? false, timeout: 180_000 }, () => {
  let porthole;
  let browser;
  let page;
  let watched;
  let told;

  before(async () => {
    [porthole, browser] = await Promise.all([start(), launchChromium()]);
    page = await browser.open(porthole.link);
    watched = camera(await live(page));
    told = porthole.output.length;
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
  });

  for (const [name, [changes, word]] of Object.entries(RUBBISH)) {
    test(`${name}: ${word}`, async (t) => {
      const before = counted(await porthole.health());
      const eve = await enter(t, porthole);
      const { call } = eve.offers(changes);
      const refused = await eve.hears("refused");
      assert.equal(refused.reason, word);
      // Only a name is said back.
      assert.equal(refused.call, /^call-\w+$/.test(String(call)) ? call : undefined);
      await health(porthole, (now) => {
        const after = counted(now);
        return now.calls === 1 && Object.entries(after).every(([one, count]) => count === (before[one] ?? 0) + (one === word ? 1 : 0))
          && after[word] > 0;
      }, `one more refusal, ${word}, after ${JSON.stringify(before)}`);
      assert.deepEqual(eve.heard(), []);
    });
  }

  test("a second offer in the same call, its m-lines swapped: call-again; the same once more: the same answer", async (t) => {
    const eve = await enter(t, porthole);
    const { call } = eve.offers({});
    const first = await eve.hears("answer");
    assert.equal(first.call, call);
    const swapped = `${GOOD.slice(0, GOOD.indexOf("m="))}${section("audio")}${section("video")}`;
    assert.equal([...swapped].sort().join(""), [...GOOD].sort().join(""), "the same lines in another order");
    eve.offers({ call, sdp: offer(swapped) });
    const refused = await eve.hears("refused");
    assert.deepEqual([refused.reason, refused.call], ["call-again", call]);
    eve.offers({ call });
    assert.deepEqual(await eve.hears("answer"), first);
    eve.say("bye", { from: eve.id, call });
    await health(porthole, (now) => now.calls === 1 && now.refusals["call-again"] === 1, "one refusal, and the call has ended");
  });

  test("one peer that offers without end: too-often", async (t) => {
    const eve = await enter(t, porthole);
    const words = [];
    for (let n = 0; n < 21; n += 1) {
      eve.offers({ sdp: offer("v=0\r\n") });
      words.push((await eve.hears("refused")).reason);
    }
    assert.deepEqual(words, [...Array(20).fill("bad-offer"), "too-often"]);
  });

  test("and Chromium still watches, in the same call, without a word of trouble in the log", async (t) => {
    const now = camera(await moves(page));
    assert.equal(now.call, watched.call);
    assert.equal(now.word, "live");
    t.diagnostic(`${now.framesDecoded} frames, ${now.packetsLost} packets lost, ${now.freezes - watched.freezes} freezes`);
    const { calls, healthy, relay } = await health(porthole, (one) => one.relay.peers === 1, "the others are gone");
    assert.deepEqual([calls, healthy, relay.lost], [1, true, 0]);
    const trouble = porthole.output.slice(told).split("\n").filter((line) => /WARN|ERROR|CRITICAL|assert|panic|the call failed/.test(line));
    assert.deepEqual(trouble, []);
  });
});

/** A peer in the room that is up to no good. */
async function enter(t, porthole) {
  const socket = io(porthole.url, { transports: ["websocket"], forceNew: true, reconnection: false });
  t.after(() => socket.disconnect());
  const id = `eve-${randomBytes(6).toString("hex")}`;
  const heard = [];
  let look = () => undefined;
  socket.onAny((event, payload) => {
    // Candidates belong to the answer; they come when they come.
    if (event === "candidate") return;
    heard.push([event, payload]);
    look();
  });
  const eve = {
    id,
    say: (event, payload) => socket.emit(event, { room: porthole.room, ...payload }),
    /** Sends an offer that is sound but for `changes`, and returns it. */
    offers(changes) {
      const whole = { from: id, call: `call-${randomBytes(6).toString("hex")}`, sdp: offer(GOOD), ...changes };
      eve.say("offer", whole);
      return whole;
    },
    /** What was said to it and not waited for. */
    heard: () => heard,
    /** The next thing said to it, which must be an `event`. */
    async hears(event) {
      let timer;
      await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`no \`${event}\`; the daemon said\n${porthole.output}`)), HANG_MS);
        look = () => { if (heard.length > 0) resolve(); };
        look();
      }).finally(() => clearTimeout(timer));
      const [name, payload] = heard.shift();
      assert.equal(name, event, JSON.stringify(payload));
      return payload;
    },
  };
  eve.say("join", { from: id, role: "viewer", name: "Eve" });
  await eve.hears("room");
  return eve;
}

function offer(sdp) {
  return { type: "offer", sdp };
}

/** Bytes that mean nothing, the same in every run. */
function noise(length) {
  return createHash("shake256", { outputLength: length }).update("noise").digest("latin1");
}

/** The good offer's m-line of this kind, with all that belongs to it. */
function section(kind) {
  const from = GOOD.indexOf(`m=${kind}`);
  const end = GOOD.indexOf("m=", from + 2);
  return GOOD.slice(from, end < 0 ? undefined : end);
}

/** Refusals by word, those of the camera and those of its relay. */
function counted({ refusals, relay }) {
  const all = { ...refusals };
  for (const [word, count] of Object.entries(relay.refusals)) all[word] = (all[word] ?? 0) + count;
  return all;
}
