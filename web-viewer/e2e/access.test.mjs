// Access keys, the real daemon and real browsers: who is let in, who is told why not, who is hung up, and that a relay in
// between gets nothing whatever it does to what passes through it.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { Liar } from "./fixtures/liar.mjs";
import { start, startRelay } from "./porthole.mjs";
import { camera, health, live, look, moves, until } from "./waiting.mjs";

const VIDEO = ['source = "test"', "width = 320", "height = 240", "framerate = 15", "bitrate = 300"].join("\n");
/** All that it says, so that a secret in it would be found (porthole.mjs). */
const DEBUG = `[log]\nlevel = "debug"`;
/** Where pictures for a person to look at go, if anywhere. */
const PICTURES = process.env.PORTHOLE_PICTURES;
const options = { skip: missing("chromium") ?? false, timeout: 240_000 };

/** What the page says where there is no tile yet. */
const noted = async (page, title) => {
  await until(() => page.text("#note h1"), (text) => text === title, `the note ${title}`);
  return page.text("#note p");
};
const draw = async (page, name) => {
  if (PICTURES) await page.screenshot(join(PICTURES, `${name}.png`));
};
const others = (page) => page.evaluate(() => [...document.querySelectorAll(".others:not([hidden])")].map((one) => one.textContent));
/** A port that nobody has. */
const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
};

describe("a camera that asks for keys", options, () => {
  let porthole;
  let browser;
  const open = async (t, link) => {
    const page = await browser.open(link);
    t.after(() => page.close().catch(() => {}));
    return page;
  };

  before(async () => {
    [porthole, browser] = await Promise.all([start({ access: "keys", port: await freePort(), video: VIDEO, more: DEBUG }), launchChromium({ autoplay: true })]);
  });
  beforeEach(() => health(porthole, ({ calls }) => calls === 0, "those before have left"));
  after(async () => {
    await browser?.close();
    await porthole?.stop();
  });

  test("gives the owner a link at its first start, which opens", async (t) => {
    assert.match(porthole.link, /#room=porthole&key=[0-9a-f]{12}\.[\w-]{43}$/);
    assert.match(porthole.output, /This link is the owner's key/);
    assert.ok((await porthole.access("show", "owner")).includes(`  ${porthole.link}\n`), "and shows it again");
    const page = await open(t, porthole.link);
    await live(page);
    await moves(page);
  });

  test("lets grandma in as soon as there is a key for her, and both know that the other watches", async (t) => {
    const said = await porthole.access("add", "grandma's phone");
    const [link] = said.match(/https?:\S+&key=\S+/);
    const [owner, grandma] = [await open(t, porthole.link), await open(t, link)];
    await Promise.all([live(owner), live(grandma)]);
    const [seen] = await until(() => others(owner), ({ length }) => length === 1, "the owner sees her");
    assert.match(seen, /^grandma's phone is watching too, since \d\d:\d\d$/);
    const [back] = await until(() => others(grandma), ({ length }) => length === 1, "she sees the owner");
    assert.match(back, /^owner is watching too, since \d\d:\d\d$/);
    assert.match(porthole.output, /call started.*grandma's phone/);
    await draw(owner, "keyed-live-watching");

    const public_ = JSON.stringify(await porthole.health());
    assert.ok(!public_.includes("grandma") && !public_.includes("owner"), public_);
    const secret = link.split(".").at(-1);
    assert.ok(!porthole.output.includes(secret) && !public_.includes(secret), "her secret is nowhere");
    await grandma.close();
    await until(() => others(owner), ({ length }) => length === 0, "she has left");
    await moves(owner);
  });

  test("tells a page without a key that it needs one, and it hears nothing of the room", async (t) => {
    const before = (await porthole.health()).relay.refusals["not-allowed"] ?? 0;
    const page = await open(t, porthole.linkWith());
    assert.match(await noted(page, "A key is needed here"), /^This camera only opens to people with a key\./);
    const { door, cameras, relay } = await page.snapshot();
    assert.deepEqual([door, cameras, relay], ["no-key", [], "down"]);
    const now = await health(porthole, ({ relay: { refusals } }) => refusals["not-allowed"] > before, "a counted refusal");
    assert.deepEqual([now.calls, now.relay.peers], [0, 0]);
    await draw(page, "no-key");
  });

  test("does not open to a link that was changed", async (t) => {
    const link = await porthole.add("eve");
    const at = link.indexOf(".", link.indexOf("key=")) + 7;
    const changed = `${link.slice(0, at)}${link[at] === "A" ? "B" : "A"}${link.slice(at + 1)}`;
    const page = await open(t, changed);
    await noted(page, "You are not let in");
    assert.equal((await page.snapshot()).door, "not-allowed");
    assert.equal((await porthole.health()).calls, 0);
    await live(await open(t, link));
    await porthole.says(/INFO\s*\] somebody at \S+ was turned away at the door: /);
  });

  test("hangs up at once on whoever's key is taken back, says so, and disturbs nobody else", async (t) => {
    const [uncle, owner] = [await open(t, await porthole.add("uncle")), await open(t, porthole.link)];
    await Promise.all([live(uncle), live(owner)]);
    const { call } = camera(await owner.snapshot());
    assert.match(await porthole.access("revoke", "uncle"), /^The key of uncle opens nothing any more/);
    const seen = await uncle.until(({ door }) => door === "revoked-key", "turned away");
    assert.deepEqual([camera(seen).word, camera(seen).reason, camera(seen).call], ["refused", "revoked-key", null]);
    assert.equal((await look(uncle)).title, "Your key was taken back");
    assert.equal(await uncle.evaluate(() => document.querySelector(".last").width), 0, "the last picture is gone, too");
    await draw(uncle, "revoked");
    const { calls, relay: { peers } } = await health(porthole, ({ calls: many }) => many === 1, "one call");
    assert.deepEqual([calls, peers], [1, 1]);
    assert.equal(camera(await moves(owner)).call, call, "the owner watches on in the same call");
    await uncle.reload();
    await noted(uncle, "Your key was taken back");
  });

  test("lets a guest watch until the end, and then no more", async (t) => {
    const link = await porthole.add("guest", "--for", "30s");
    const page = await open(t, link);
    await live(page);
    const words = new Set();
    const ended = ({ cameras: [one] }) => words.add(one?.word) && one?.reason === "expired-key";
    const seen = await page.until(ended, "the end has come", 60_000);
    const others = [...words].filter((word) => !["live", "refused", "turned-away"].includes(word));
    assert.deepEqual(others, [], "and nothing else was said before");
    const left = await page.evaluate(() => document.querySelector(".last").width);
    assert.equal(left, 0, "nor is the last picture seen any more");
    assert.equal(camera(seen).call, null);
    assert.equal((await look(page)).title, "Your key has expired");
    await health(porthole, ({ calls }) => calls === 0, "no call");
    await noted(await open(t, link), "Your key has expired");
    assert.match(await porthole.access("list"), /guest +watch .* ended: /);
  });

  test("keeps the keys it has when the file is broken, and says so", async (t) => {
    const { readFile, writeFile } = await import("node:fs/promises");
    const file = join(porthole.folder, "state", "keys.json");
    const whole = await readFile(file);
    t.after(() => writeFile(file, whole));
    const page = await open(t, porthole.link);
    await live(page);
    await writeFile(file, "{");
    await porthole.says(/WARN\s*\] \S+keys\.json: .*mend it.*The keys from before go on to be taken/);
    await moves(page);
    await live(await open(t, porthole.link));
  });
});

describe("a camera that starts again", options, () => {
  let folder;
  before(async () => { folder = await mkdtemp(join(tmpdir(), "porthole-again-")); });
  after(() => rm(folder, { recursive: true, force: true }));

  test("shows the owner's key once, never to the journal, and knows it afterwards", async (t) => {
    const begin = async (how) => {
      const porthole = await start({ access: "keys", video: VIDEO, folder, ...how });
      t.after(() => porthole.kill());
      await porthole.says(/It listens on/);
      return porthole;
    };
    const first = await begin({ journal: true });
    assert.doesNotMatch(first.output, /key=/);
    assert.match(first.output, /access show owner --config \S+` prints the owner's link again/);
    const [, token] = (await first.access("show", "owner")).match(/&key=(\S+)/);
    await first.stop();
    const second = await begin();
    assert.doesNotMatch(second.output, /key=/, "the key was made before");
    assert.match(second.output, /access add NAME --config \S+` makes another/);
    const browser = await launchChromium({ autoplay: true });
    t.after(() => browser.close());
    await live(await browser.open(second.linkWith(token)));
    await second.stop();
  });

  test("shares a room, and its keys, with another: one link shows both", async (t) => {
    // Open, because the cameras' own pages come from elsewhere.
    const relay = await startRelay({ config: '[room]\naccess = "open"\n[relay]\nlisten = "127.0.0.1:0"' });
    t.after(() => relay.kill());
    const settings = ['mode = "external"', `url = "${relay.url}"`, 'dialect = "porthole"'].join("\n");
    const file = join(folder, "shared.json");
    const begin = async (name) => {
      const porthole = await start({ access: "keys", room: `camera = "${name}"\nkeys = "${file}"`, relay: settings, video: VIDEO });
      t.after(() => porthole.kill());
      return porthole;
    };
    const [yard, gate] = [await begin("Yard"), await begin("Gate")];
    const link = await yard.add("guard");
    const browser = await launchChromium({ autoplay: true });
    t.after(() => browser.close());
    const page = await browser.open(link);
    await page.until(({ cameras }) => cameras.length === 2 && cameras.every(({ word }) => word === "live"), "both are live");
    await yard.access("revoke", "guard");
    await page.until(({ cameras }) => cameras.every(({ reason, call }) => reason === "revoked-key" && call === null), "both have hung up");
    for (const porthole of [yard, gate]) await health(porthole, ({ calls }) => calls === 0, "nobody watches");
  });

  test("says loudly that it is open where it is", async (t) => {
    const porthole = await start({ access: "open", video: VIDEO });
    t.after(() => porthole.kill());
    await porthole.says(/WARN\s*\] everybody who can reach the room may watch and listen/);
    await porthole.stop();
  });
});

describe("a relay that lies, between a camera and a page with a key", options, () => {
  let liar;
  let porthole;
  let browser;
  let link;
  const open = async (t, to = link) => {
    const page = await browser.open(to);
    t.after(() => page.close().catch(() => {}));
    return page;
  };
  const swapped = (sdp) => sdp.replace(/a=fingerprint:sha-256 .*/g, `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`);
  const withSdp = (payload, change) => ({ ...payload, sdp: { ...payload.sdp, sdp: change(payload.sdp.sdp) } });
  /** Without a proof, in either of the places where it stands. */
  const stripped = ({ proof: _, sdp: { proof: __, ...sdp }, ...rest }) => ({ ...rest, sdp });
  const refusals = async () => (await porthole.health()).refusals["not-allowed"] ?? 0;
  /** That the camera refuses what `work` does, counts it, and has no call because of it. */
  const refuses = async (work, calls = 0) => {
    const before = await refusals();
    const result = await work();
    const now = await health(porthole, (seen) => (seen.refusals["not-allowed"] ?? 0) > before, "a counted refusal");
    assert.equal(now.calls, calls);
    return result;
  };
  /** That the page shows nothing of what reached it. */
  const showsNothing = async (page, why) => {
    const seen = await page.until((now) => camera(now).word === "refused", "nothing is believed");
    assert.deepEqual([camera(seen).reason, camera(seen).call, camera(seen).framesDecoded], [why, null, undefined]);
    const { video, last } = await look(page);
    assert.deepEqual([video, last], [null, null]);
  };

  before(async () => {
    liar = await Liar.open();
    const relay = ['mode = "external"', `url = "${liar.url}"`, 'dialect = "porthole"'].join("\n");
    [porthole, browser] = await Promise.all([start({ access: "keys", relay, video: VIDEO, more: DEBUG }), launchChromium({ autoplay: true })]);
    link = await porthole.add("grandma's phone");
    await health(porthole, ({ room }) => room === "in" || room === "asked", "the camera is in the room");
    await until(() => liar.camera, (id) => id !== undefined, "the camera has joined");
  });
  beforeEach(async () => {
    liar.reset();
    await health(porthole, ({ calls }) => calls === 0, "those before have left");
  });
  afterEach(() => liar.reset());
  after(async () => {
    await browser?.close();
    await porthole?.stop();
    liar?.close();
  });

  test("is of use as long as it is honest, and learns neither secret nor names", async (t) => {
    const [one, two] = [await open(t), await open(t, porthole.link)];
    await Promise.all([live(one), live(two)]);
    const [seen] = await until(() => others(one), ({ length }) => length === 1, "somebody else watches");
    assert.match(seen, /^Somebody else is watching too, since /);
    const heard = JSON.stringify(liar.heard);
    assert.ok(!heard.includes(link.split(".").at(-1).split("&")[0]), "the secret stays at the ends");
    assert.ok(!heard.includes("grandma") && !heard.includes("owner"), "and so do the names");
  });

  test("swaps the fingerprint in the answer: nothing is shown", async (t) => {
    liar.passOn = (event, payload) => [[event, event === "answer" ? withSdp(payload, swapped) : payload]];
    await showsNothing(await open(t), "changed");
    await health(porthole, ({ calls }) => calls === 0, "the page has hung up");
    assert.equal(liar.said("bye").at(-1).reason, "bad-answer");
  });

  test("swaps the fingerprint in the offer: the camera does not answer", async (t) => {
    liar.passOn = (event, payload) => [[event, event === "offer" ? withSdp(payload, swapped) : payload]];
    const page = await refuses(() => open(t));
    await showsNothing(page, "not-allowed");
    assert.equal(liar.said("answer").length, 0);
  });

  test("strips the proof from the offer: the camera does not answer", async (t) => {
    liar.passOn = (event, payload) => [[event, event === "offer" ? stripped(payload) : payload]];
    const page = await refuses(() => open(t));
    await showsNothing(page, "not-allowed");
    assert.equal(liar.said("answer").length, 0);
  });

  test("strips the proof from the answer: nothing is shown", async (t) => {
    liar.passOn = (event, payload) => [[event, event === "answer" ? stripped(payload) : payload]];
    await showsNothing(await open(t), "unproved");
    await health(porthole, ({ calls }) => calls === 0, "the page has hung up");
  });

  test("repeats an offer when its viewer has gone: the camera does not answer", async (t) => {
    const page = await open(t);
    await live(page);
    const [offer] = liar.said("offer");
    await page.close();
    await health(porthole, ({ calls }) => calls === 0, "she has left");
    const answers = liar.said("answer").length;
    await refuses(() => liar.say("offer", offer));
    await refuses(() => liar.say("offer", { ...offer, call: "another" }));
    assert.equal(liar.said("answer").length, answers);
  });

  test("calls in her name, and in its own, with nothing to prove it: hers goes on", async (t) => {
    const page = await open(t);
    const { call } = camera(await live(page));
    const [offer] = liar.said("offer");
    await refuses(() => liar.say("offer", { ...stripped(offer), call: "mine" }), 1);
    await refuses(() => liar.say("offer", { ...offer, call: "mine" }), 1);
    await refuses(() => liar.say("offer", { ...offer, from: "mallory" }), 1);
    await refuses(() => liar.say("offer", { room: offer.room, from: "mallory", call: "mine", sdp: offer.sdp }), 1);
    assert.equal(camera(await moves(page)).call, call);
    assert.equal(liar.said("answer").length, 1, "and nobody else was answered");
  });

  test("invents ways to itself: picture and sound take none of them", async (t) => {
    const ear = createSocket("udp4");
    ear.bind(0, "127.0.0.1");
    await once(ear, "listening");
    t.after(() => ear.close());
    // RFC 7983: what starts with 0 to 3 is STUN; DTLS, RTP and RTCP start higher.
    const leaked = [];
    ear.on("message", (bytes) => bytes[0] > 3 && leaked.push(bytes[0]));
    const mine = `candidate:1 1 udp 2130706431 127.0.0.1 ${ear.address().port} typ host`;
    liar.passOn = (event, payload) => {
      if (event !== "offer" && event !== "answer") return [[event, payload]];
      const { room, from, to, call, sdp: { sdp } } = payload;
      const [, usernameFragment] = sdp.match(/a=ice-ufrag:(\S+)/);
      const candidate = { candidate: mine, sdpMid: "0", sdpMLineIndex: 0, usernameFragment };
      return [[event, payload], ["candidate", { room, from, to, call, candidate }]];
    };
    const page = await open(t);
    await live(page);
    await moves(page);
    assert.deepEqual(leaked, []);
  });

  test("cannot use what was proved to the camera before it started again", async (t) => {
    const page = await open(t);
    await live(page);
    const [offer] = liar.said("offer");
    await page.close();
    await health(porthole, ({ calls }) => calls === 0, "she has left");
    const camera_ = liar.camera;
    const { folder } = porthole;
    porthole.keep = true;
    t.after(() => { porthole.keep = false; });
    await porthole.stop();
    const relay = ['mode = "external"', `url = "${liar.url}"`, 'dialect = "porthole"'].join("\n");
    porthole = await start({ access: "keys", relay, video: VIDEO, folder, more: DEBUG });
    await until(() => liar.camera, (id) => id !== undefined && id !== camera_, "the camera has joined under another name");
    const answers = liar.said("answer").length;
    await refuses(() => liar.say("offer", { ...offer, to: liar.camera }));
    await refuses(() => { for (const socket of liar.io.sockets.sockets.values()) socket.emit("offer", offer); });
    assert.equal(liar.said("answer").length, answers);
    await live(await open(t, porthole.linkWith(new URL(link).hash.match(/key=([\w.-]+)/)[1])));
  });
});
