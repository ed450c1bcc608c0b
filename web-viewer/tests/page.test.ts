// Words, links, sound, sizes: the small things around the picture.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { claimPeerId, destination, elsewhere, fresh, releasePeerId } from "../src/address";
import { type View } from "../src/life";
import { OWN_REASONS } from "../src/reasons";
import { OUTBOX_LONGEST, OUTBOX_MS, Outbox } from "../src/outbox";
import { readKey } from "../src/proof";
import { NAMELESS } from "../src/roster";
import { Sound } from "../src/sound";
import { arrived, progress } from "../src/stats";
import { columns, fileName, isShutOut } from "../src/tiles";
import { isName, REASONS } from "../src/wire";
import { hint, note, others, short, spoken, TEXT, unseen, words } from "../src/words";

// Node 18 keeps it in a module, browsers have it everywhere.
globalThis.crypto ??= webcrypto as Crypto;

const SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const WHYS = [...REASONS, ...OWN_REASONS];
const WORDS: View["word"][] = [
  "calling", "again", "live", "sound-only", "sound-chosen", "camera-lost", "privacy", "relay-lost", "turned-away", "absent", "waiting", "refused", "ended",
];

test("a saved picture is called after its camera and this device's own time", () => {
  assert.equal(fileName("Großmutters Tür", new Date(2026, 10, 3, 4, 5, 6)), "Großmutters Tür 2026-11-03 04:05:06.jpg");
});

test("every state has words for every reason, and none shows the wire's own word", () => {
  for (const word of WORDS) {
    for (const reason of [null, ...WHYS]) {
      const said = words({ word, reason }, "Nursery");
      assert.ok(said.title.length > 3 && said.title.length < 50, `${word} ${reason}: ${said.title}`);
      if (word !== "live" && word !== "sound-chosen") assert.match(said.text, /^[A-Z].*[.…]$/, `${word} ${reason}`);
      assert.doesNotMatch(`${said.title} ${said.text}`, /undefined|codec|ICE|SDP|null/);
      assert.ok(short({ word, reason }).length < 20);
    }
  }
});

test("a call that found no way says why where that is known, and nothing else does", () => {
  const trouble = { is: "relay-refuses", server: "turn.example", code: 401 } as const;
  const text = (word: View["word"], reason: View["reason"]) => words({ word, reason }, "Nursery", trouble).text;
  for (const word of ["calling", "again"] as const) {
    assert.match(text(word, "no-connection"), /^The relay server turn[.]example refuses this browser \(401\)/);
    assert.doesNotMatch(text(word, "silent"), /turn[.]example/);
  }
  assert.match(spoken({ word: "calling", reason: "no-connection" }, "Nursery", "", trouble), /turn[.]example/);
  assert.doesNotMatch(words({ word: "calling", reason: "no-connection" }, "Nursery").text, /turn[.]example/);
});

test("before the relay is reached the page opens, after a failure it says what to look at, and at a closed door why", () => {
  const said = (...state: Parameters<typeof note>) => note(...state)[0];
  assert.equal(said("new", null, null), TEXT.openingRoom);
  assert.equal(said("up", null, null), TEXT.openingRoom);
  assert.equal(said("up", true, null), TEXT.emptyRoom);
  for (const listed of [null, true, false]) assert.equal(said("down", listed, null), TEXT.relayLost);
  assert.match(TEXT.relayLost.text, /this device is online.*the camera’s server is away/);
  assert.match(said("new", null, "no-pass").text, /^This link is not enough for it/);
  assert.match(said("down", null, "revoked-key").title, /key was taken back/);
});

test("nobody is expected to know what a relay, a peer or a socket is", () => {
  const all = [...Object.values(TEXT).map((one) => (typeof one === "function" ? one("Nursery") : one)),
    ...WORDS.flatMap((word) => [null, ...WHYS].map((reason) => words({ word, reason }, "Nursery")))];
  assert.doesNotMatch(JSON.stringify(all), /\b(relay|peer|socket|handshake|dialect|token|daemon)s?\b/i);
});

test("a camera that does not answer is not said to have no way here, and neither is one that is not there", () => {
  const said = (reason: View["reason"], name = "Nursery") => words({ word: "absent", reason }, name);
  assert.deepEqual(said("unanswered"), {
    title: "Nursery does not answer", text: "It may be switched off or out of reach. The page keeps calling it.",
  });
  assert.equal(said("not-here").title, "Nursery is not there");
  assert.equal(said(null, NAMELESS).title, "The camera is not there");
  assert.equal(words({ word: "calling", reason: null }, NAMELESS).title, "Calling the camera…");
  for (const reason of ["not-here", "unanswered"] as const) assert.doesNotMatch(said(reason).text, /lens|cable|way here/);
});

test("since when there is no picture is said once it has been away for a while, where somebody waits for it", () => {
  const seen = new Date(2026, 10, 23, 3, 12, 0);
  const since = (word: View["word"], seconds: number, last: Date | null = seen) => (
    unseen({ word, reason: null }, last, new Date(seen.getTime() + 1000 * seconds))
  );
  assert.equal(since("again", 14), "");
  for (const word of ["again", "absent", "sound-only", "relay-lost", "camera-lost", "waiting", "turned-away"] as const) {
    assert.equal(since(word, 15), "No picture since 03:12.", word);
  }
  assert.equal(since("again", 24 * 3600), "No picture since Mon 23 Nov 03:12.");
  for (const word of ["live", "privacy", "ended", "refused"] as const) assert.equal(since(word, 60), "", word);
  assert.equal(since("absent", 60, null), "");
});

test("that a picture goes on without the relay is said while it moves, and neither before nor because it did", () => {
  const at = (second: number) => new Date(2026, 0, 1, 3, 0, second);
  const said = (online: boolean, away: Date | null, seen: (Date | null)[]) => hint(online, away, seen, at(7));
  assert.equal(said(true, null, [at(1)]), null);
  assert.equal(said(true, at(5), [at(4)]), TEXT.relayAway);
  assert.equal(said(true, at(5), [null]), TEXT.relayAway);
  assert.equal(said(true, at(5), [at(6), at(4)]), TEXT.relayAway);
  assert.equal(said(true, at(5), [at(6)]), TEXT.relayHint);
  assert.equal(hint(true, at(5), [at(6)], at(8)), TEXT.relayAway, "it has stopped since");
  assert.equal(said(false, at(5), [at(6)]), TEXT.offlineHint);
  assert.equal(said(false, at(5), []), null, "no picture, no line under it");
});

test("a refusal says why, and two reasons rarely sound the same", () => {
  const texts = new Set(WHYS.map((reason) => words({ word: "refused", reason }, "Nursery").text));
  assert.equal(texts.size, WHYS.length);
});

test("without a key a person is told to ask for one, with one that fits no more for another", () => {
  assert.match(words({ word: "turned-away", reason: "no-key" }, "").text, /^This camera only opens to people with a key\. Ask .* for a link/);
  for (const reason of ["not-allowed", "revoked-key", "expired-key", "unproved"] as const) {
    assert.match(words({ word: "refused", reason }, "Nursery").text, /[Aa]sk .*new (one|link)/, reason);
  }
  assert.match(words({ word: "refused", reason: "changed" }, "Nursery").text, /^Somebody between this page and the camera changed/);
  assert.match(TEXT.badKey.text, /^The key in it was cut off or changed/);
});

test("who else watches is said with names and times, and nothing where nobody does", () => {
  const now = new Date(2026, 10, 23, 23, 30);
  const at = (name: string | null, hour: number, minute: number, day = 23) => (
    { name, since: new Date(2026, 10, day, hour, minute).getTime() / 1000 }
  );
  const grandma = at("grandma's phone", 21, 4);
  const said = (...viewers: Parameters<typeof others>[0]) => others(viewers, now);
  assert.equal(said(), "");
  assert.equal(said(grandma), "grandma's phone is watching too, since 21:04");
  assert.equal(said(at(null, 9, 5)), "Somebody else is watching too, since 09:05");
  assert.equal(said(grandma, at("Uncle", 22, 15)), "2 others watch: grandma's phone since 21:04, Uncle since 22:15");
  assert.equal(said(at("Uncle", 22, 15, 22)), "Uncle is watching too, since Sun 22 Nov 22:15");
  assert.equal(said(at(null, 9, 5), at(null, 9, 6)), "2 others watch");
  assert.equal(said(grandma, at(null, 9, 6)), "2 others watch: grandma's phone since 21:04 and 1 more");
  const many = ["A", "B", "C", "D", "E"].map((name) => at(name, 20, 0));
  assert.equal(said(...many), "5 others watch: A since 20:00, B since 20:00, C since 20:00 and 2 more");
});

test("a time that cannot be is not said", () => {
  const now = new Date(2026, 10, 23, 12, 0);
  for (const since of [null, 60, new Date(2026, 10, 23, 13, 0).getTime() / 1000, 253_000_000_000]) {
    assert.equal(others([{ name: "Uncle", since }], now), "Uncle is watching too");
  }
});

test("what is read out names the camera and ends its sentences", () => {
  assert.equal(spoken({ word: "live", reason: null }, "Nursery"), "Nursery is live.");
  assert.match(spoken({ word: "ended", reason: "hang-up" }, "Nursery"), /^Nursery: Call ended\. \S/);
  const absent = spoken({ word: "absent", reason: "unanswered" }, "Nursery", "No picture since 03:12.");
  assert.match(absent, /^Nursery: Nursery does not answer\. No picture since 03:12\. It may be /);
});

test("the link names the room, and perhaps a relay and a key", () => {
  assert.deepEqual(destination("#room=porthole", ""), { is: "room", room: "porthole", relay: null, token: null, key: null });
  assert.deepEqual(destination(`#room=baby.1&relay=https%3A%2F%2Frelay.example%3A3000%2Fx&key=a%40b.${SECRET}&x=y`, ""), {
    is: "room", room: "baby.1", relay: { origin: "https://relay.example:3000", path: "/x" }, token: null, key: readKey(`a@b.${SECRET}`),
  });
  assert.deepEqual(destination(`#room=baby&key=a@b.${SECRET}%20`, ""), {
    is: "room", room: "baby", relay: null, token: null, key: readKey(`a@b.${SECRET}`),
  });
  assert.deepEqual(destination("", ""), { is: "none" });
  assert.deepEqual(destination("#room=", ""), { is: "none" });
  assert.deepEqual(destination("#room=a%20b", ""), { is: "bad", part: "room" });
  assert.deepEqual(destination("#room=a&relay=javascript:alert(1)", ""), { is: "bad", part: "relay" });
  assert.deepEqual(destination("#room=a&relay=nonsense", ""), { is: "bad", part: "relay" });
});

test("where the link names no relay, the room is on the one that came with the page, and on the page's own where none did", () => {
  const relayOf = (hash: string, usual: string) => {
    const to = destination(hash, usual);
    return to.is === "room" ? to.relay : to;
  };
  const elsewhere = { origin: "https://relay.example:3000", path: "/cam/socket.io/" };
  assert.deepEqual(relayOf("#room=lobby", "https://relay.example:3000/cam/socket.io/"), elsewhere);
  assert.deepEqual(relayOf("#room=lobby&relay=http://other.example", "https://relay.example:3000"), {
    origin: "http://other.example", path: "/socket.io/",
  });
  assert.deepEqual(relayOf("#room=lobby&relay=nonsense", "https://relay.example:3000"), { is: "bad", part: "relay" });
  for (const none of ["", "nonsense"]) assert.equal(relayOf("#room=lobby", none), null);
});

test("a token for the relay is taken from the link as it stands there", () => {
  const tokenOf = (hash: string) => {
    const to = destination(hash, "");
    return to.is === "room" ? to.token : to;
  };
  assert.equal(tokenOf("#room=lobby&relay=http://relay.example&token=eyJ.a_b-c%3D"), "eyJ.a_b-c=");
  assert.equal(tokenOf("#room=lobby&token="), null);
  assert.equal(tokenOf(`#room=lobby&token=${"x".repeat(10_000)}`), "x".repeat(4_096));
});

test("a link whose key was cut off is not taken for a link without one", () => {
  const link = `#room=porthole&key=k7.${SECRET}`;
  assert.equal(destination(link, "").is, "room");
  for (let length = link.indexOf("&key") + 4; length < link.length; length++) {
    assert.deepEqual(destination(link.slice(0, length), ""), { is: "bad", part: "key" }, link.slice(0, length));
  }
});

test("who types another room keeps the relay and the key of the link, but no relay that cannot be one", () => {
  assert.deepEqual(destination(`#${elsewhere(`#room=a%20b&key=a@b.${SECRET}&relay=http://relay.example`, "baby")}`, ""), {
    is: "room", room: "baby", relay: { origin: "http://relay.example", path: "/socket.io/" }, token: null, key: readKey(`a@b.${SECRET}`),
  });
  assert.equal(elsewhere("", "baby.1"), "room=baby.1");
  assert.equal(elsewhere("#room=a&relay=nonsense", "baby"), "room=baby");
});

test("names made here are names, and never the same", () => {
  const made = new Set(Array.from({ length: 1000 }, () => fresh("call-")));
  assert.equal(made.size, 1000);
  for (const name of made) assert.ok(isName(name));
});

test("a reloaded page keeps its peer id, a duplicated tab gets its own", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const first = claimPeerId(storage);
  assert.ok(isName(first));
  releasePeerId(storage);
  assert.equal(claimPeerId(storage), first);
  assert.notEqual(claimPeerId(storage), first);
});

test("a peer id somebody tampered with is not used", () => {
  const storage = { getItem: () => "<b>", setItem: () => undefined };
  assert.ok(isName(claimPeerId(storage)));
});

test("what is said while the relay is away waits in order, not too long and not too much of it", () => {
  const outbox = new Outbox();
  const message = (event: string) => ({ event, payload: {} });
  outbox.put(message("old"), 0);
  outbox.put(message("one"), 1_000);
  outbox.put(message("two"), 2_000);
  assert.deepEqual(outbox.take(OUTBOX_MS + 1).map(({ event }) => event), ["one", "two"]);
  assert.deepEqual(outbox.take(OUTBOX_MS + 1), []);
  for (let n = 0; n <= OUTBOX_LONGEST; n++) outbox.put(message(`n${n}`), 0);
  const kept = outbox.take(0).map(({ event }) => event);
  assert.equal(kept.length, OUTBOX_LONGEST);
  assert.equal(kept[0], "n1");
});

test("the last picture goes where a person may not see the camera, and stays where only the call went wrong", () => {
  const gone = [...REASONS, ...OWN_REASONS].filter(isShutOut).sort();
  assert.deepEqual(gone, ["expired-key", "no-entry", "no-key", "not-allowed", "revoked-key"]);
});

test("pictures share the screen so that each is as large as possible", () => {
  assert.equal(columns(1, 390, 844), 1);
  assert.equal(columns(2, 390, 844), 1);
  assert.equal(columns(2, 1600, 800), 2);
  assert.equal(columns(4, 1280, 800), 2);
  assert.equal(columns(3, 844, 390), 2);
  assert.equal(columns(9, 1920, 1080), 3);
  assert.equal(columns(0, 0, 0), 1);
});

test("sound starts by itself where the browser allows it", async () => {
  const video = new Cardboard("all");
  const sound = new Sound(null, () => undefined);
  assert.equal(sound.state(), "none");
  await sound.play(video.element, true);
  assert.deepEqual([sound.state(), video.muted], ["on", false]);
});

test("where the browser wants a touch first, the picture starts silent and a touch brings the sound", async () => {
  const video = new Cardboard("muted");
  const sound = new Sound(null, () => undefined);
  await sound.play(video.element, true);
  assert.deepEqual([sound.state(), video.muted, video.playing], ["blocked", true, true]);
  video.allows = "all";
  sound.toggle();
  assert.deepEqual([sound.state(), video.muted], ["on", false]);
});

test("after a refusal the next picture starts silent at once", async () => {
  const [one, two] = [new Cardboard("muted"), new Cardboard("muted")];
  const sound = new Sound(null, () => undefined);
  await sound.play(one.element, true);
  await sound.play(two.element, true);
  assert.deepEqual([two.attempts, two.muted], [1, true]);
});

test("where even the picture wants a touch, it is asked for", async () => {
  const video = new Cardboard("nothing");
  const sound = new Sound(null, () => undefined);
  await sound.play(video.element, true);
  assert.equal(sound.state(), "still");
  video.allows = "all";
  sound.toggle();
  assert.deepEqual([sound.state(), video.playing], ["on", true]);
});

test("who wanted silence gets it again next time, and a camera without sound offers none", async () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const before = new Sound(storage, () => undefined);
  await before.play(new Cardboard("all").element, true);
  before.toggle();
  assert.equal(before.state(), "off");
  const video = new Cardboard("all");
  const after = new Sound(storage, () => undefined);
  await after.play(video.element, true);
  assert.deepEqual([after.state(), video.muted], ["off", true]);
  await after.play(video.element, false);
  assert.equal(after.state(), "none");
});

test("a picture replaced while it was starting is no refusal", async () => {
  const video = new Cardboard("all");
  video.fails = "AbortError";
  const sound = new Sound(null, () => undefined);
  await sound.play(video.element, true);
  assert.equal(sound.state(), "on");
});

test("a browser's statistics are read, and what is missing is nought", () => {
  const report = new Map<string, Record<string, unknown>>([
    ["v", { type: "inbound-rtp", kind: "video", codecId: "c", framesReceived: 12, framesDecoded: 10, frameWidth: 1280, frameHeight: 720,
      jitterBufferDelay: 0.5, jitterBufferEmittedCount: 10 }],
    ["a", { type: "inbound-rtp", kind: "audio", totalAudioEnergy: 0.25 }],
    ["c", { type: "codec", id: "c", mimeType: "video/H264" }],
  ]);
  const seen = arrived(report);
  assert.equal(seen.codec, "video/H264");
  assert.deepEqual([seen.width, seen.framesDecoded, seen.audioEnergy, seen.packetsLost], [1280, 10, 0.25, 0]);
  assert.deepEqual([progress(seen, null, false), progress(seen, null, true)], [10, 12]);
  assert.deepEqual([progress(seen, seen, false), progress(seen, seen, true)], [0, 0]);
  assert.equal(arrived(new Map()).framesReceived, 0);
});

/** A video element that allows as much as it is told. */
class Cardboard {
  muted = false;
  playing = false;
  attempts = 0;
  fails: string | null = null;
  srcObject = {};

  constructor(public allows: "all" | "muted" | "nothing") {}

  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }

  async play(): Promise<void> {
    this.attempts++;
    if (this.fails) throw new DOMException("no", this.fails);
    if (this.allows === "nothing" || (this.allows === "muted" && !this.muted)) throw new DOMException("no", "NotAllowedError");
    this.playing = true;
  }
}
