// How the page explains itself: the figures, the sentences, and the text for the report of a bug.

import assert from "node:assert/strict";
import test from "node:test";
import { lines, report, type Around, type Known } from "../src/detailwords";
import { Diary, DIARY_LONGEST } from "../src/diary";
import { Recent } from "../src/figures";
import { Life, type Fact } from "../src/life";
import type { Path } from "../src/path";
import { bounded, Choice, LOW_KBIT } from "../src/picture";
import { isFull } from "../src/seats";
import { words } from "../src/words";

const NOW = new Date(2026, 10, 29, 21, 14, 30);
const SINCE = new Date(2026, 10, 29, 21, 4);
const NEAR: Path = { kind: "near", relay: null, over: "udp" };
const AROUND: Around = { relay: "up", door: null, away: NOW, browser: "Mozilla/5.0 (of cardboard)" };

test("the figures of the last ten seconds are told apart from those of the whole call", () => {
  const recent = new Recent();
  // Everything was lost once, long ago.
  recent.add(stats({ at: 0, packets: 100, lost: 900, frames: 0, bytes: 0, waited: 9, emitted: 10 }), 0);
  for (let second = 1; second <= 30; second++) {
    recent.add(stats({ at: second, packets: 100 + second * 93, lost: 900 + second * 7, frames: second * 25, bytes: second * 125_000,
      waited: 9 + second * 1.25, emitted: 10 + second * 25 }), second * 1_000);
  }
  const { picture, sound, rtt, freezes, frozen } = recent.figures();
  assert.deepEqual(picture, { codec: "H264", loss: 7, kbit: 1_000, buffer: 50, late: 56, width: 1280, height: 720, frames: 25 });
  assert.deepEqual([sound?.codec, sound?.loss, rtt, freezes, frozen], ["opus", 0, 12, 2, 1.5]);
});

test("what a browser does not say is not nought, and one look alone says nothing of what goes on", () => {
  const recent = new Recent();
  assert.deepEqual(recent.figures(), { made: null, picture: null, sound: null, rtt: null, freezes: null, frozen: null });
  const bare = (second: number) => new Map<string, Record<string, unknown>>([
    ["v", { type: "inbound-rtp", kind: "video", packetsReceived: 10 + second, framesDecoded: 25 * second, timestamp: second * 1_000, codecId: "nothing" }],
    ["a", { type: "inbound-rtp", kind: "audio", packetsReceived: 0 }],
  ]);
  recent.add(bare(0), 0);
  assert.equal(recent.figures().picture?.frames, null);
  for (const second of [1, 2]) recent.add(bare(second), second * 1_000);
  const { picture, sound, ...rest } = recent.figures();
  assert.deepEqual(picture, { codec: null, loss: null, kbit: null, buffer: null, late: null, width: null, height: null, frames: 25 });
  assert.deepEqual([sound, rest], [null, { made: null, rtt: null, freezes: null, frozen: null }]);
  const said = told({ recent }).map((line) => `${line.said} ${line.figures}`).join("\n");
  assert.doesNotMatch(said, /%|late|froz|null|NaN|undefined/);
  assert.match(said, /The camera sends the full picture, without sound\. picture: 25\.0 frames\/s/);
});

test("the frames that come at once when a call begins are no rate", () => {
  const recent = new Recent();
  for (const [at, frames] of [[0, 1], [0.11, 9], [1, 26]] as const) {
    recent.add(stats({ at, packets: 10 + frames, frames, bytes: frames * 5_000 }), at * 1_000);
    const { picture } = recent.figures();
    assert.deepEqual([picture?.frames, picture?.kbit], at < 1 ? [null, null] : [25, 1_000], `after ${at} s`);
  }
});

test("what began later than the call is reckoned from where it began", () => {
  const recent = new Recent();
  for (const second of [0, 1, 2, 3]) {
    const entries = stats({ at: second, packets: second * 100, frames: second * 25, bytes: second * 125_000 });
    if (second === 0) entries.delete("v");
    recent.add(entries, second * 1_000);
  }
  const { picture } = recent.figures();
  assert.deepEqual([picture?.frames, picture?.kbit, picture?.loss], [25, 1_000, 0]);
});

test("packets that were thought lost and came after all are no loss below nought", () => {
  const recent = new Recent();
  recent.add(stats({ at: 0, packets: 100, lost: 20 }), 0);
  recent.add(stats({ at: 1, packets: 220, lost: 0 }), 1_000);
  assert.equal(recent.figures().picture?.loss, 0);
});

test("a page that slept knows nothing of the time between, and no more looks are kept than are needed", () => {
  const recent = new Recent();
  for (let n = 0; n < 1_000; n++) recent.add(stats({ at: n / 100, packets: n }), n * 10);
  recent.add(stats({ at: 500, packets: 9_999 }), 500_000);
  assert.equal(recent.figures().picture?.kbit, null);
});

test("a good way is called good, with what was lost of it", () => {
  assert.equal(quality(0, 0), "The way is good: nothing was lost in the last 10 seconds.");
  assert.equal(quality(0.04, 0), "The way is good: 0.1 % of the packets were lost in the last 10 seconds.");
  assert.equal(quality(0, 1.2), "The way is good: 1 % of the packets were lost in the last 10 seconds.");
});

test("a weak way is called weak, on whose side as far as the camera knows, with the worst of picture and sound", () => {
  const lost = "7 % of the packets were lost in the last 10 seconds.";
  assert.equal(quality(7, 1, { here: true, feed: "picture-small" }), `Weak Wi-Fi or mobile network on this side: ${lost}`);
  assert.equal(quality(1, 7), `Weak Wi-Fi or network between the camera and this device: ${lost}`);
  assert.equal(quality(7, 0, { path: { ...NEAR, kind: "nat" } }), `The way between the camera and this device is weak: ${lost}`);
  assert.equal(quality(0, 0, { here: true, feed: "picture-small" }), "The way, or the camera’s board, is too slow: it carries a small picture only.");
  assert.equal(quality(null, 0.3, { path: null, feed: "picture-none" }), "The way between the camera and this device is weak: it carries no picture.");
  assert.equal(quality(0, 0, { feed: "picture-small", asks: "low" }), "The way is good: nothing was lost in the last 10 seconds.");
});

test("how late it is comes with the reason where it is much, and picture and sound are told apart where they are", () => {
  const late = (rtt: number, picture: number | null, sound: number | null) => told({ recent: of({ rtt, buffers: [picture, sound] }) })[1]!;
  assert.deepEqual(late(20, 30, 50), { said: "Picture and sound come about 60 ms late.", figures: "round trip: 20 ms; buffer: picture 30 ms, sound 50 ms" });
  assert.equal(late(20, 30, 290).said, "The picture comes about 40 ms late, the sound 300 ms.");
  assert.equal(late(900, 10, 50).said, "Picture and sound come about 500 ms late, because the way is long.");
  assert.equal(told({ recent: of({ rtt: 2_300, losses: [69, 69] }) })[1]!.said, "Picture and sound come about 1.2 s late, because the way is too narrow.");
  assert.equal(late(20, 1_490, 1_480).said, "Picture and sound come about 1.5 s late, because this browser waits for what comes late.");
  assert.equal(late(20, null, 50).said, "The sound comes about 60 ms late.");
  assert.equal(late(20, null, null).said, "To the camera and back it takes 20 ms.");
});

test("a device that takes long to make pictures of what it has is called slow", () => {
  const recent = new Recent();
  for (const second of [0, 1, 2]) {
    const entries = stats({ at: second, frames: second * 25, waited: second * 25 * 0.02, emitted: second * 25 });
    Object.assign(entries.get("v")!, { totalProcessingDelay: second * 25 * 0.594 });
    recent.add(entries, second * 1_000);
  }
  const { said, figures } = told({ recent })[1]!;
  assert.equal(said, "The picture comes about 600 ms late, because this device is slow or busy.");
  assert.match(figures, /picture 20 ms/);
});

test("freezes are counted since the call began", () => {
  const froze = (count: number, seconds: number) => told({ recent: of({ freezes: [count, seconds] }) })[2]!.said;
  assert.equal(froze(0, 0), "The picture has not frozen since 21:04.");
  assert.equal(froze(1, 0.42), "The picture froze once since 21:04, for 0.4 s in all.");
  assert.equal(froze(3, 2.1), "The picture froze 3 times since 21:04, for 2.1 s in all.");
});

test("what the camera sends is said with the reason for it", () => {
  const sends = (feed: string, asks: Known["asks"], size: [number?, number?] = [1280, 720]) => told({ feed, asks, recent: of({ size }) })[3]!.said;
  assert.equal(sends("", "full"), "The camera sends the full picture.");
  assert.equal(sends("picture-full", "low"), "The camera sends the full picture.", "it can make no small one");
  assert.equal(sends("picture-small", "full"), "The camera sends a small picture: the way carries no more.");
  assert.equal(sends("picture-none", "full"), "The camera sends sound alone: the way carries no picture.");
  for (const feed of ["", "picture-small"]) assert.equal(sends(feed, "low", [640, 360]), "The camera sends a small picture, as you chose.");
  for (const feed of ["", "picture-small"]) assert.equal(sends(feed, "low"), "The camera sends the full picture.", "a relay may have lost what was asked for");
  assert.equal(sends("", "low", []), "The camera sends a picture.", "nobody knows yet");
  assert.equal(sends("", "sound"), "The camera sends sound alone, as you chose.");
  assert.equal(told({ recent: of({}) })[3]!.figures, "picture: H264 1280 × 720, 25.0 frames/s, 1000 kbit/s; sound: opus 32 kbit/s");
});

test("few frames of the full picture on a good way are told to be the camera's, and only once that is known", () => {
  const of = ({ each = 3, looks = 10, lost = 0, rtt = 0.012, full = (_second: number) => true, more = {} as Partial<Known> }) => {
    const recent = new Recent();
    for (let second = 0; second <= looks; second++) {
      const entries = stats({ at: second, lost: second * lost, frames: second * each, rtt });
      // A slow device shows fewer than come.
      Object.assign(entries.get("v")!, { framesReceived: second * each, framesDecoded: second });
      recent.add(entries, second * 1_000, full(second));
    }
    return told({ recent, ...more }).find(({ said }) => said.startsWith("The camera sends"))!.said;
  };
  const all = "The camera sends the full picture.";
  assert.equal(of({}), "The camera sends the full picture, but few frames a second: that is its board, its light or its settings, not the way.");
  assert.equal(of({ more: { asks: "low", feed: "picture-full" } }), of({}), "it can make no small one");
  assert.equal(of({ each: 6 }), all);
  assert.equal(of({ looks: 7 }), all, "a call has just begun");
  assert.equal(of({ full: (second) => second > 3 }), all, "there was a slate or a small picture a moment ago");
  assert.equal(of({ lost: 1 }), all, "it may be the way");
  assert.equal(of({ rtt: 0.9 }), all, "it may be the way");
  assert.equal(of({ more: { feed: "picture-small" } }), "The camera sends a small picture: the way carries no more.");
});

test("the full picture is one that moves, in a call for it, of which the camera says nothing else", () => {
  const life = new Life(() => "call-1", () => 0.5);
  const call = { still: false, asks: "full" as Known["asks"] };
  const full = (feed: string) => isFull({ life, feed, call });
  assert.equal(full(""), false, "nothing has come");
  for (const fact of [{ is: "present", anew: true }, { is: "answered", tag: "call-1" }, { is: "picture", tag: "call-1" }] as Fact[]) life.handle(fact, 0);
  assert.deepEqual(["", "picture-full", "picture-small", "picture-none"].map(full), [true, true, false, false]);
  call.asks = "low";
  assert.deepEqual(["", "picture-full", "picture-small"].map(full), [false, true, false]);
  life.handle({ is: "privacy-on" }, 0);
  assert.equal(full("picture-full"), false);
});

test("of what stands in for the picture nothing is said but that it does", () => {
  for (const word of ["camera-lost", "privacy"] as const) {
    const said = told({ view: { word, reason: null }, recent: of({ freezes: [2, 1] }) }).map((line) => line.said).join("\n");
    assert.match(said, /^Nursery: .*\nThe way is good/, word);
    assert.doesNotMatch(said, /froze|sends/, word);
  }
});

test("a camera that is not watched now has its state said, and no figures of a call that is over", () => {
  const all = told({ view: { word: "absent", reason: "not-here" }, recent: of({}) }).map(({ said }) => said);
  assert.deepEqual(all, [
    "Nursery: Nursery is not there. It may be switched off or out of reach. The page calls it as soon as it is back.", "The camera’s server is reached.",
    "This page is Porthole 0.1.0.",
  ]);
  assert.equal(told({}, { relay: "down", away: SINCE }).at(-2)!.said, "The camera’s server has been away since 21:04. A call goes on without it, as it is.");
  const locked = told({ view: { word: "refused", reason: "revoked-key" } }, { relay: "down", door: "revoked-key" }).map(({ said }) => said);
  assert.ok(!locked.some((said) => said.includes("server")), "it is there, and lets nobody in");
  const none = told({ view: { word: "absent", reason: null } }, { relay: "down", away: SINCE });
  assert.equal(none.at(-2)!.said, "The camera’s server has been away since 21:04.");
});

test("every sentence is one, and each state has some", () => {
  for (const word of ["live", "sound-only", "sound-chosen", "camera-lost", "privacy", "calling", "again", "refused", "ended"] as const) {
    const said = told({ view: { word, reason: null }, recent: of({}) });
    assert.ok(said.length >= 3, word);
    for (const line of said) assert.match(line.said, /^[A-Z].*[.…]$/, word);
  }
});

test("a report has everything that may be shown to anybody, and nothing that opens anything or says where it is", () => {
  const secrets = ["turn.example", "192.168.1.10", "203.0.113.7", "fd00::1", "k-3f2a", "s3cr3t", "viewer-"];
  const recent = new Recent();
  for (const second of [0, 1]) {
    const entries = stats({ at: second, packets: 10 + second * 93, lost: second * 7 });
    entries.set("l", { type: "local-candidate", id: "l", address: "192.168.1.10", candidateType: "relay", url: "turn:turn.example", usernameFragment: "s3cr3t" });
    entries.set("r", { type: "remote-candidate", id: "r", address: "203.0.113.7", candidateType: "host" });
    Object.assign(entries.get("v")!, { trackIdentifier: "viewer-12", mid: "fd00::1" });
    recent.add(entries, second * 1_000);
  }
  const camera = known({ recent, path: { kind: "relay", relay: "turn.example", over: "tls" }, trouble: { is: "relay-refuses", server: "turn.example", code: 401 },
    feed: "picture-small", here: true });
  const text = report([camera], { ...AROUND, room: "home", states: { relay: "up", key: true, alarm: "quiet" }, changes: ["21:04:05 relay: up"] }, NOW);
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} in\n${text}`);
  for (const part of [
    "Porthole 0.1.0, 2026-11-29 21:14:30", "room home: relay=up key=true alarm=quiet", "camera Nursery: word=live", "asks=full feed=picture-small here=true way=relay over=tls",
    "trouble=relay-refuses", "- Through a relay server (TURN), over TLS.", "(lost: picture 7 %", "video: codec=H264 ", "packetsLost=7", "audio: codec=opus", AROUND.browser,
    "The last changes:\n21:04:05 relay: up",
  ]) assert.ok(text.replaceAll("\u00a0", " ").includes(part), `no ${part} in\n${text}`);
});

test("the report of a call that never came about says what it found out, without the server's name", () => {
  const text = report([known({ view: { word: "waiting", reason: "no-connection" }, path: null, recent: null, trouble: { is: "relay-away", server: "turn.example" } })],
    { ...AROUND, room: "home", states: {}, changes: [] }, NOW);
  assert.match(text, /word=waiting reason=no-connection trouble=relay-away/);
  assert.doesNotMatch(text, /turn\.example/);
});

test("the report of a call that is over has the figures of it, and says that they are of before", () => {
  const text = (recent: Known["recent"]) => report([known({ view: { word: "again", reason: "silent" }, path: null, recent, past: of({ losses: [7, 0] }) })],
    { ...AROUND, room: "home", states: {}, changes: [] }, NOW);
  for (const recent of [null, new Recent()]) {
    assert.match(text(recent), /^before: video: codec=H264 .*packetsLost=1400/m);
    assert.match(text(recent), /^before: audio: codec=opus /m);
    assert.doesNotMatch(text(recent), /The way is/);
  }
  assert.match(text(of({})), /^video: codec=H264 .*packetsLost=0/m);
});

test("the diary keeps the last changes, and none that is none", () => {
  const diary = new Diary();
  for (let n = 0; n < 3; n++) diary.note("relay", "up", NOW);
  assert.deepEqual(diary.lines(NOW), ["21:14:30 relay: up"]);
  for (let n = 0; n < 3; n++) for (const whose of [1, 2]) diary.note("Door", `of ${whose}`, NOW, whose);
  assert.deepEqual(diary.lines(NOW).slice(1), ["21:14:30 Door: of 1", "21:14:30 Door: of 2"], "two may be called the same");
  for (let n = 0; n < 100; n++) diary.note("Nursery", `state ${n}`, NOW);
  assert.equal(diary.lines(NOW).length, DIARY_LONGEST);
  assert.deepEqual([diary.lines(NOW)[0], diary.lines(NOW).at(-1)], ["21:14:30 Nursery: state 80", "21:14:30 Nursery: state 99"]);
});

test("a change of another day than the one on which it is copied has its date", () => {
  const diary = new Diary();
  diary.note("relay", "up", new Date(NOW.getTime() - 24 * 3_600_000));
  diary.note("relay", "down", NOW);
  assert.deepEqual(diary.lines(NOW), ["2026-11-28 21:14:30 relay: up", "21:14:30 relay: down"]);
});

test("the choice is kept for each room, and what is kept by others is none", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  assert.equal(new Choice(storage, "home").picture(), "full");
  new Choice(storage, "home").choose("low");
  assert.equal(new Choice(storage, "home").picture(), "low");
  assert.equal(new Choice(storage, "door").picture(), "full");
  for (const key of kept.keys()) kept.set(key, "everything");
  assert.equal(new Choice(storage, "home").picture(), "full");
  const without = new Choice(null, "home");
  without.choose("sound");
  assert.equal(without.picture(), "sound");
});

test("an offer says how little it wants of the picture, in the picture's own lines, where RFC 8866 has it", () => {
  const offer = ["v=0", "s=-", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", ""];
  for (const end of ["\r\n", "\n"]) {
    const lines = bounded(offer.join(end)).split(/\r?\n/);
    assert.deepEqual(lines, [...offer.slice(0, 7), `b=AS:${LOW_KBIT}`, ...offer.slice(7)]);
  }
  const alone = offer.slice(0, 5).join("\r\n");
  assert.equal(bounded(alone), alone);
});

test("sound alone by choice is called so, and promises no picture", () => {
  assert.deepEqual(words({ word: "sound-chosen", reason: null }, "Nursery"), { title: "Sound only, as you chose", text: "" });
  for (const word of ["calling", "again"] as const) {
    const { title, text } = words({ word, reason: null }, "Nursery", null, true);
    assert.doesNotMatch(title + text, /picture|last one/);
  }
});

/** `picture`, `sound`: what is lost of them, in percent. */
function quality(picture: number | null, sound: number | null, more: Partial<Known> = {}): string {
  return told({ recent: of({ losses: [picture, sound] }), ...more })[0]!.said;
}

function told(more: Partial<Known>, around: Partial<Around> = {}) {
  return lines(known(more), { ...AROUND, ...around }, NOW).map(({ said, figures }) => ({ said: said.replaceAll("\u00a0", " "), figures: figures.replaceAll("\u00a0", " ") }));
}

function known(more: Partial<Known>): Known {
  return { name: "Nursery", view: { word: "live", reason: null }, trouble: null, asks: "full", feed: "", here: false, path: NEAR, recent: null, past: null, since: SINCE, ...more };
}

/** Looks at a call with these figures. */
function of({ rtt = 12, losses = [0, 0], buffers = [50, 50], freezes = [0, 0], size = [1280, 720] }: {
  rtt?: number; losses?: [number | null, number | null]; buffers?: [number | null, number | null]; freezes?: [number, number]; size?: [number?, number?];
}): Recent {
  const recent = new Recent();
  for (const second of [0, 1, 2]) {
    const entries = stats({ at: second, rtt: rtt / 1_000, frames: second * 25, bytes: second * 125_000, freezes });
    Object.assign(entries.get("v")!, { frameWidth: size[0], frameHeight: size[1] });
    for (const [at, id] of ["v", "a"].entries()) {
      const [loss, buffer] = [losses[at], buffers[at]];
      Object.assign(entries.get(id)!, {
        packetsReceived: 10 + second * (10_000 - (loss ?? 0) * 100), packetsLost: loss === null ? undefined : second * loss! * 100,
        jitterBufferDelay: buffer === null ? undefined : (second * 25 * buffer!) / 1_000, jitterBufferEmittedCount: second * 25,
      });
    }
    recent.add(entries, second * 1_000);
  }
  return recent;
}

/** What a browser counts, `at` so many seconds; of the sound everything is well. */
function stats({ at, packets = 10 + at * 100, lost = 0, frames = 0, bytes = 0, waited = 0, emitted = 0, rtt = 0.012, freezes = [2, 1.5] }: {
  at: number; packets?: number; lost?: number; frames?: number; bytes?: number; waited?: number; emitted?: number; rtt?: number; freezes?: [number, number];
}): Map<string, Record<string, unknown>> {
  return new Map<string, Record<string, unknown>>([
    ["v", { type: "inbound-rtp", kind: "video", codecId: "c1", timestamp: at * 1_000, packetsReceived: packets, packetsLost: lost, framesDecoded: frames, bytesReceived: bytes,
      frameWidth: 1280, frameHeight: 720, jitterBufferDelay: waited, jitterBufferEmittedCount: emitted, freezeCount: freezes[0], totalFreezesDuration: freezes[1] }],
    ["a", { type: "inbound-rtp", kind: "audio", codecId: "c2", timestamp: at * 1_000, packetsReceived: 1 + at * 25, packetsLost: 0, bytesReceived: at * 4_000 }],
    ["c1", { type: "codec", id: "c1", mimeType: "video/H264" }],
    ["c2", { type: "codec", id: "c2", mimeType: "audio/opus" }],
    ["t", { type: "transport", id: "t", selectedCandidatePairId: "p" }],
    ["p", { type: "candidate-pair", id: "p", currentRoundTripTime: rtt }],
  ]);
}
