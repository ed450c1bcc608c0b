// Players of others, over HTTP alone (WHEP): one on a foreign WebRTC library, and one in a page that another server has,
// written from the draft as any player is. Both against the real daemon.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { health, until } from "./waiting.mjs";

const PYTHON = "/usr/bin/python3";
const PLAYER = fileURLToPath(new URL("./fixtures/player.py", import.meta.url));
const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");
/** All that it says, so that a secret in it would be found (porthole.mjs). */
const DEBUG = `[log]\nlevel = "debug"`;
/** aiortc decodes sound in packets of this length and no other. */
const AUDIO = ['source = "test"', "packet = 20"].join("\n");

/** What the foreign player has to say, each line an object. */
async function play(...words) {
  const { stdout } = await promisify(execFile)(PYTHON, [PLAYER, ...words], { timeout: 120_000 });
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** In the page: watches at `url` as the draft says, and keeps the call in `window.call`. */
async function watch({ url, bearer }) {
  const known = bearer ? { Authorization: `Bearer ${bearer}` } : {};
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
  const video = document.body.appendChild(Object.assign(document.createElement("video"), { autoplay: true }));
  const streams = new Set();
  pc.ontrack = ({ streams: [stream] }) => {
    streams.add(stream.id);
    video.srcObject = stream;
  };
  const candidates = [];
  let gathered;
  const all = new Promise((resolve) => { gathered = resolve; });
  pc.onicecandidate = ({ candidate }) => (candidate ? candidates.push(candidate) : gathered());
  await pc.setLocalDescription();
  const answer = await fetch(url, { method: "POST", headers: { ...known, "Content-Type": "application/sdp" }, body: pc.localDescription.sdp });
  const told = { status: answer.status, type: answer.headers.get("content-type"), authenticate: answer.headers.get("www-authenticate") };
  if (answer.status !== 201) return { ...told, body: await answer.json() };
  const place = new URL(answer.headers.get("location"), url).href;
  const tag = answer.headers.get("etag");
  await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await all;
  const [, ufrag] = pc.localDescription.sdp.match(/a=ice-ufrag:(\S+)/);
  const [, pwd] = pc.localDescription.sdp.match(/a=ice-pwd:(\S+)/);
  const fragment = (name) => [
    `a=ice-ufrag:${name}`, `a=ice-pwd:${pwd}`, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0",
    ...candidates.map(({ candidate }) => `a=${candidate}`), "a=end-of-candidates", "",
  ].join("\r\n");
  const trickle = async (matches, name = ufrag) => {
    const headers = { ...known, "Content-Type": "application/trickle-ice-sdpfrag", ...matches && { "If-Match": matches } };
    return (await fetch(place, { method: "PATCH", headers, body: fragment(name) })).status;
  };
  const patched = [await trickle(tag), await trickle('"other"'), await trickle(undefined), await trickle("*", "other")];
  const hangUp = async () => (await fetch(place, { method: "DELETE", headers: known })).status;
  window.call = { pc, video, streams, hangUp };
  return { ...told, tag, patched, candidates: candidates.length };
}

const seen = (page) => page.evaluate(async () => {
  const { pc, video, streams } = window.call;
  const all = [...(await pc.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
  const of = (kind) => all.find((one) => one.kind === kind) ?? {};
  return { streams: streams.size, tracks: video.srcObject?.getTracks().length, width: video.videoWidth,
    frames: of("video").framesDecoded ?? 0, sound: of("audio").totalAudioEnergy ?? 0 };
});

describe("a player of others", { timeout: 240_000 }, () => {
  let porthole;
  let bearer;
  const at = (scheme = "http") => `${scheme}://localhost:${porthole.port}/whep/${porthole.room}`;

  before(async () => {
    porthole = await start({ access: "keys", video: VIDEO, audio: AUDIO, more: DEBUG });
    bearer = new URLSearchParams(new URL(await porthole.add("hall hub")).hash.slice(1)).get("key");
  });
  after(() => porthole?.stop());

  test("on another library plays picture and sound, and hangs up", { skip: existsSync(PYTHON) ? false : `${PYTHON} is not there` }, async () => {
    const watching = play(at("https"), bearer);
    await health(porthole, ({ live }) => live === 1, "a live call");
    const [posted, played, ...ended] = await watching;
    assert.equal(posted.status, 201, JSON.stringify(posted));
    assert.equal(posted.headers["content-type"], "application/sdp");
    assert.match(posted.headers.location, new RegExp(`^/whep/${porthole.room}/[\\w-]{43}$`));
    assert.match(posted.headers.etag, /^"[^"]+"$/);
    assert.deepEqual(played.size, [320, 180]);
    assert.deepEqual(ended.map(({ status }) => status), [200, 404]);
    const { refusals } = await health(porthole, ({ calls }) => calls === 0, "no call left");
    assert.deepEqual(refusals, {});
    assert.match(porthole.output, /call started: H\.264, for "hall hub"/);
    assert.ok(!porthole.output.includes(posted.headers.location.slice(-43)), "the place of a call is not for the log");
    assert.ok(!porthole.output.includes(bearer.split(".")[1]), "nor is a key");
  });

  test("without a key, or with a wrong one, is told what to do", async () => {
    const [nothing] = await play(at());
    assert.deepEqual([nothing.status, nothing.headers["www-authenticate"]], [401, 'Bearer realm="porthole"']);
    assert.match(JSON.parse(nothing.text).detail, /porthole access add/);
    const [wrong] = await play(at(), `${bearer.slice(0, -4)}AAAA`);
    assert.deepEqual([wrong.status, JSON.parse(wrong.text).reason], [401, "not-allowed"]);
    const { refusals, calls } = await porthole.health();
    assert.deepEqual([refusals, calls], [{ "not-allowed": 2 }, 0]);
  });

  test("in a page of another server shows picture and sound as one, and loses them with its key", { skip: missing("chromium") ?? false }, async (t) => {
    const elsewhere = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<title>player</title>"));
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const browser = await launchChromium({ autoplay: true });
    t.after(async () => {
      await browser.close();
      elsewhere.closeAllConnections();
      elsewhere.close();
    });
    const page = await browser.open(`http://127.0.0.1:${elsewhere.address().port}/`);
    const refused = await page.evaluate(watch, { url: at() });
    assert.deepEqual([refused.status, refused.type, refused.authenticate], [401, "application/problem+json", 'Bearer realm="porthole"']);

    const told = await page.evaluate(watch, { url: at(), bearer });
    assert.deepEqual([told.status, told.type, told.patched], [201, "application/sdp", [204, 412, 428, 422]]);
    assert.ok(told.candidates > 0);
    const first = await until(() => seen(page), ({ frames, sound }) => frames >= 10 && sound > 0, "picture and sound");
    assert.deepEqual([first.streams, first.tracks, first.width], [1, 2, 320]);
    await porthole.access("revoke", "hall hub");
    await health(porthole, ({ calls }) => calls === 0, "the call of a key that was taken back is hung up");
    assert.equal(await page.evaluate(() => window.call.hangUp()), 401);
    const late = await page.evaluate(watch, { url: at(), bearer });
    assert.deepEqual([late.status, late.body.reason], [401, "revoked-key"]);
  });
});
