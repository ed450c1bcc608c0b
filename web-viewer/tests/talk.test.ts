// When the microphone is asked for, when it goes out, and when it is let go of.

import assert from "node:assert/strict";
import test from "node:test";
import type { Ongoing } from "../src/seats";
import { FLOOR_MS, Talk, TAP_MS } from "../src/talk";
import { talkWords } from "../src/talkwords";
import type { Floor } from "../src/wire";

test("nothing is said where the camera says nothing of a floor, and no button is there without a speaker", () => {
  const { talk, call } = line(null);
  assert.deepEqual(talkWords(talk.view()), { button: "", said: "" });
  for (const may of ["no-speaker", "not-allowed"] as const) {
    call.floor = floor({ may });
    const { button, said } = talkWords(talk.view());
    assert.equal(button, "");
    assert.notEqual(said, "");
    talk.press(0);
    assert.deepEqual(line(null).said, []);
  }
});

test("over http the page says what is missing, and asks for no microphone", () => {
  const { talk, said, microphones } = line({}, { secure: false });
  assert.equal(talk.view().word, "insecure");
  talk.press(0);
  assert.deepEqual([said, microphones.length], [[], 0]);
  const other = line({ talkers: ["Grandma"] }, { secure: false });
  assert.deepEqual(talkWords(other.talk.view()), { button: "", said: "Grandma is talking." });
});

test("held: the microphone is asked for at once, goes out when the camera hears us, and is let go of at the end", async () => {
  const { talk, call, said, sent, microphones } = line({});
  talk.press(1_000);
  assert.deepEqual(said, ["ask 1"]);
  assert.equal(microphones.length, 1, "from within the touch");
  assert.equal(talk.view().word, "asking");
  await microphones[0]!.given();
  assert.equal(talk.view().word, "waiting");
  assert.deepEqual(sent, []);
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  assert.equal(talk.view().word, "talking");
  assert.deepEqual(sent, ["microphone 1"]);
  talk.release(1_000 + TAP_MS);
  assert.deepEqual(said, ["ask 1", "give 2"]);
  assert.deepEqual(sent, ["microphone 1", null]);
  assert.equal(microphones[0]!.stopped, true);
});

test("the camera may be quicker than the person who is asked for the microphone", async () => {
  const { talk, call, sent, microphones } = line({});
  talk.press(0);
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  assert.equal(talk.view().word, "asking");
  await microphones[0]!.given();
  assert.equal(talk.view().word, "talking");
  assert.deepEqual(sent, ["microphone 1"]);
});

test("a tap keeps it on until the next one", async () => {
  const { talk, call, said, microphones } = line({});
  talk.press(0);
  talk.release(TAP_MS - 1);
  assert.equal(talk.view().latched, true);
  await microphones[0]!.given();
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  talk.press(9_000);
  talk.release(9_050);
  assert.deepEqual(said, ["ask 1", "give 2"]);
  assert.equal(microphones[0]!.stopped, true);
});

test("a call that gives way to another under whoever talks: the microphone is let go of, and the next call says so", async () => {
  const { talk, call, microphones } = line({});
  talk.press(0);
  await microphones[0]!.given();
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  Object.assign(call.made, { isOpen: () => false });
  talk.aim(null);
  assert.equal(microphones[0]!.stopped, true);
  const next = line({}).call;
  talk.aim(next);
  assert.deepEqual(talkWords(talk.view()), { button: "Hold to talk", said: "You are not heard any more." });
  talk.aim(null);
  talk.aim(next);
  assert.equal(talk.view().word, "ready", "it is said once");
});

test("whoever lets go while the browser still asks is not recorded", async () => {
  const { talk, sent, microphones } = line({});
  talk.press(0);
  talk.release(5_000);
  await microphones[0]!.given();
  assert.deepEqual([sent, microphones[0]!.stopped, talk.view().word], [[], true, "ready"]);
});

test("somebody else is heard: it is said who, and the microphone is let go of", async () => {
  const { talk, call, sent, microphones } = line({});
  talk.press(0);
  await microphones[0]!.given();
  // News that the camera had sent before it heard of us is no answer.
  call.floor = floor({ talkers: ["Grandma"], turn: 0 });
  talk.heard();
  assert.equal(talk.view().word, "waiting");
  call.floor = floor({ talkers: ["Grandma"], turn: 1 });
  talk.heard();
  assert.deepEqual(talkWords(talk.view()), { button: "Hold to talk", said: "Grandma is talking." });
  assert.deepEqual([sent, microphones[0]!.stopped], [[], true]);
});

test("a manager takes the floor, and who loses it is told", async () => {
  const { talk, call, said } = line({ may: "manage", talkers: [null] });
  assert.deepEqual(talkWords(talk.view()), { button: "Hold to talk instead", said: "Somebody is talking." });
  talk.press(0);
  assert.deepEqual(said, ["take 1"]);
  const other = line({});
  other.talk.press(0);
  await other.microphones[0]!.given();
  other.call.floor = floor({ yours: true, turn: 1 });
  other.talk.heard();
  other.call.floor = floor({ turn: 1 });
  other.talk.heard();
  assert.equal(other.talk.view().word, "taken");
  assert.deepEqual(other.sent, ["microphone 1", null]);
  assert.equal(call.floor?.may, "manage");
});

test("what keeps the microphone back is said in words", async () => {
  for (const [why, word] of [[new DOMException("", "NotAllowedError"), "denied"], [new DOMException("", "NotFoundError"), "deaf"]] as const) {
    const { talk, said, microphones } = line({});
    talk.press(0);
    await microphones[0]!.refused(why);
    assert.equal(talk.view().word, word);
    assert.deepEqual(said, ["ask 1", "give 2"]);
  }
});

test("a camera that does not answer is not waited for", (t) => {
  const waits: [() => void, number][] = [];
  t.mock.method(globalThis, "setTimeout", (then: () => void, ms: number) => waits.push([then, ms]));
  const { talk, said, changes } = line({});
  talk.press(0);
  const [[then, ms] = assert.fail("nobody waits")] = waits;
  assert.equal(ms, FLOOR_MS);
  then();
  assert.deepEqual([talk.view().word, said], ["unanswered", ["ask 1", "give 2"]]);
  assert.equal(changes(), 1);
});

test("that the camera did not answer goes when it is there again or says something of the floor, and nothing else goes with it", async (t) => {
  const waits: (() => void)[] = [];
  t.mock.method(globalThis, "setTimeout", (then: () => void) => waits.push(then));
  for (const how of ["reached", "heard"] as const) {
    const { talk, said } = line({});
    talk.press(0);
    waits.pop()!();
    assert.match(talkWords(talk.view()).said, /did not answer/);
    talk[how]();
    assert.deepEqual([talkWords(talk.view()), said], [{ button: "Hold to talk", said: "" }, ["ask 1", "give 2"]]);
    talk.press(9_000);
    talk[how]();
    assert.equal(talk.view().word, "asking");
  }
  const other = line({});
  other.talk.press(0);
  await other.microphones[0]!.refused(new DOMException("", "NotAllowedError"));
  other.talk.reached();
  assert.equal(other.talk.view().word, "denied");
});

test("another call, or none, ends it without a word to the old one, which is over", async () => {
  const { talk, call, said, microphones, hangUp } = line({});
  talk.press(0);
  await microphones[0]!.given();
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  hangUp();
  talk.aim(null);
  assert.deepEqual([microphones[0]!.stopped, said, talk.view().word], [true, ["ask 1"], "none"]);
});

test("whoever looks elsewhere while they talk gives the floor back at once, and is heard no more", async () => {
  const { talk, call, said, sent, microphones } = line({});
  talk.press(0);
  await microphones[0]!.given();
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  talk.aim(null);
  assert.deepEqual([said, sent, microphones[0]!.stopped], [["ask 1", "give 2"], ["microphone 1", null], true]);
});

test("a screen reader, which holds nothing, begins and ends with a press", async () => {
  const { talk, said } = line({});
  talk.toggle(0);
  assert.equal(talk.view().latched, true);
  talk.toggle(0);
  assert.deepEqual(said, ["ask 1", "give 2"]);
});

test("whoever may have let go while the browser asked is not heard, and is told to press again", async () => {
  const { talk, call, said, sent, microphones } = line({});
  talk.press(0);
  talk.doubt();
  call.floor = floor({ yours: true, turn: 1 });
  talk.heard();
  await microphones[0]!.given();
  assert.deepEqual([said, sent, microphones[0]!.stopped], [["ask 1", "give 2"], [], true]);
  assert.deepEqual(talkWords(talk.view()), { button: "Hold to talk", said: "Press again to talk." });
});

test("whoever presses anew while the browser asks, or has tapped, is heard", async () => {
  for (const [act, latched] of [["hold", false], ["tap", true]] as const) {
    const { talk, call, sent, microphones } = line({});
    talk.press(0);
    if (act === "tap") talk.release(TAP_MS - 1);
    talk.doubt();
    if (act === "hold") talk.press(2_000);
    call.floor = floor({ yours: true, turn: 1 });
    talk.heard();
    await microphones[0]!.given();
    assert.deepEqual([sent, talk.view().word, talk.view().latched], [["microphone 1"], "talking", latched], act);
    talk.release(2_000 + TAP_MS);
    assert.equal(talk.view().word, latched ? "talking" : "ready");
  }
});

test("where the browser asked for longer than the camera waits, one is told to press again", async () => {
  const { talk, call, sent, microphones } = line({});
  talk.press(0);
  for (const yours of [true, false]) {
    call.floor = floor({ yours, turn: 1 });
    talk.heard();
  }
  assert.equal(talk.view().word, "again");
  await microphones[0]!.given();
  assert.deepEqual([sent, microphones[0]!.stopped, talk.view().word], [[], true, "again"]);
  talk.press(9_000);
  assert.equal(talk.view().word, "asking");
});

test("several who talk are named in one sentence", () => {
  const said = (talkers: (string | null)[]) => talkWords({ word: "busy", latched: false, takes: false, talkers }).said;
  assert.equal(said(["Ann"]), "Ann is talking.");
  assert.equal(said([null, "Bob"]), "Somebody and Bob are talking.");
  assert.equal(said(["Ann", null, "Bob"]), "Ann, somebody else and Bob are talking.");
});

function floor(part: Partial<Floor>): Floor {
  return { may: "talk", yours: false, talkers: [], turn: 0, ...part };
}

/** A microphone that the browser gives when the test says so. */
class Microphone {
  stopped = false;
  given!: () => Promise<void>;
  refused!: (why: unknown) => Promise<void>;
  readonly track: Promise<MediaStreamTrack>;

  constructor(readonly name: string) {
    const track = { name, stop: () => { this.stopped = true; }, onended: null };
    const settled = () => new Promise<void>((done) => setImmediate(done));
    this.track = new Promise((give, refuse) => {
      this.given = () => { give(track as unknown as MediaStreamTrack); return settled(); };
      this.refused = (why) => { refuse(why); return settled(); };
    });
  }
}

function line(said: Partial<Floor> | null, { secure = true } = {}) {
  const spoken: string[] = [];
  const sent: (string | null)[] = [];
  const microphones: Microphone[] = [];
  let changed = 0;
  let open = true;
  const made = { talk: async (track: { name: string } | null) => void sent.push(track?.name ?? null), isOpen: () => open };
  const call = { tag: "call-1", made, floor: said && floor(said) } as unknown as Ongoing;
  const capture = () => {
    const microphone = new Microphone(`microphone ${microphones.length + 1}`);
    microphones.push(microphone);
    return microphone.track;
  };
  const talk = new Talk((_, want, turn) => spoken.push(`${want} ${turn}`), () => changed++, capture, () => secure);
  talk.aim(call);
  return { talk, call, said: spoken, sent, microphones, changes: () => changed, hangUp: () => { open = false; } };
}
