// When the alarm sounds and when it does not, and what is said of it, without a sound and without waiting.

import assert from "node:assert/strict";
import test from "node:test";
import { Alarm, ALARM_MS, HUSH_MS, SLEPT_MS, SOON_MS, Vigil, type Watched } from "../src/alarm";
import { Life, type Fact, type View } from "../src/life";
import { watched, type Seat } from "../src/seats";
import { alarmed, TEXT } from "../src/words";

const SECOND = 1_000;
const QUIET = { word: "quiet", missing: [] as number[] };

/** An armed alarm that is looked at every second, and what is watched by it. */
function vigils(...last: number[]) {
  const alarm = new Alarm();
  const things: Watched[] = last.map((at, id) => ({ id, last: at }));
  let now = 0;
  alarm.arm(now);
  alarm.look(things, now);
  /** Until `then`; `coming`: those of which something comes all the while. */
  const until = (then: number, ...coming: number[]) => {
    let verdict = alarm.look(things, now);
    while (now < then) {
      now += SECOND;
      for (const id of coming) (things[id] as Watched).last = now;
      verdict = alarm.look(things, now);
    }
    return { word: verdict.word, missing: verdict.missing };
  };
  return { alarm, things, until };
}

test("what is not armed never sounds", () => {
  const alarm = new Alarm();
  for (let now = 0; now < 60 * SECOND; now += SECOND) assert.deepEqual(alarm.look([{ id: 0, last: 0 }], now), { word: "off", missing: [], deadline: null });
});

test("it sounds when nothing has come for ten seconds, not sooner, and is near before", () => {
  const { until } = vigils(0);
  assert.deepEqual(until(60 * SECOND, 0), QUIET);
  assert.deepEqual(until(60 * SECOND + SOON_MS - SECOND), QUIET);
  assert.deepEqual(until(60 * SECOND + SOON_MS), { word: "soon", missing: [0] });
  assert.deepEqual(until(60 * SECOND + ALARM_MS - SECOND), { word: "soon", missing: [0] });
  assert.deepEqual(until(60 * SECOND + ALARM_MS), { word: "sounding", missing: [0] });
  assert.deepEqual(until(600 * SECOND), { word: "sounding", missing: [0] });
});

test("it stops with the first picture or sound that comes, and sounds again ten seconds after the last", () => {
  const { until } = vigils(0);
  assert.equal(until(20 * SECOND).word, "sounding");
  assert.deepEqual(until(21 * SECOND, 0), QUIET);
  assert.equal(until(30 * SECOND).word, "soon");
  assert.equal(until(31 * SECOND).word, "sounding");
});

test("nothing may have come before it was armed: then the ten seconds begin with the arming", () => {
  const alarm = new Alarm();
  alarm.arm(100 * SECOND);
  assert.deepEqual(alarm.look([{ id: 0, last: 0 }], 100 * SECOND), { ...QUIET, deadline: 100 * SECOND + SOON_MS });
  assert.deepEqual(alarm.look([{ id: 0, last: 0 }], 109 * SECOND), { word: "soon", missing: [0], deadline: 110 * SECOND });
  assert.equal(alarm.look([{ id: 0, last: 0 }], 110 * SECOND).word, "sounding");
});

test("of several cameras any one is enough, and it is said which", () => {
  const { until } = vigils(0, 0, 0);
  assert.deepEqual(until(30 * SECOND, 0, 2), { word: "sounding", missing: [1] });
  assert.deepEqual(until(40 * SECOND, 2), { word: "sounding", missing: [0, 1] });
  assert.deepEqual(until(41 * SECOND, 0, 1, 2), QUIET);
});

test("a person gets two minutes of quiet, and then it sounds again", () => {
  const { alarm, until } = vigils(0);
  until(20 * SECOND);
  alarm.hush(20 * SECOND);
  assert.deepEqual(until(21 * SECOND), { word: "hushed", missing: [0] });
  assert.deepEqual(until(20 * SECOND + HUSH_MS - SECOND), { word: "hushed", missing: [0] });
  assert.deepEqual(until(20 * SECOND + HUSH_MS), { word: "sounding", missing: [0] });
});

test("another camera that is lost in those two minutes is news, and so is the same one lost anew", () => {
  const { alarm, until } = vigils(0, 0);
  until(20 * SECOND, 1);
  alarm.hush(20 * SECOND);
  assert.deepEqual(until(21 * SECOND, 1), { word: "hushed", missing: [0] });
  assert.deepEqual(until(31 * SECOND), { word: "sounding", missing: [0, 1] });
  alarm.hush(31 * SECOND);
  assert.equal(until(32 * SECOND).word, "hushed");
  assert.deepEqual(until(33 * SECOND, 0, 1), QUIET);
  assert.deepEqual(until(43 * SECOND, 1), { word: "sounding", missing: [0] });
});

test("quiet that was asked for before there was anything to silence silences nothing", () => {
  const { alarm, until } = vigils(0);
  until(9 * SECOND);
  alarm.hush(9 * SECOND);
  assert.equal(until(10 * SECOND).word, "sounding");
});

test("a device that slept is given its ten seconds; a page whose timers were slow is not", () => {
  const slept = vigils(0);
  slept.until(5 * SECOND, 0);
  assert.equal(slept.alarm.look(slept.things, 5 * SECOND + SLEPT_MS + SECOND).word, "quiet");
  assert.equal(slept.alarm.look(slept.things, 5 * SECOND + SLEPT_MS + SECOND + ALARM_MS).word, "sounding");
  const slow = vigils(0);
  slow.until(5 * SECOND, 0);
  assert.equal(slow.alarm.look(slow.things, 65 * SECOND).word, "sounding");
});

test("where nothing is watched it rests, and disarmed in the middle of it is silent at once", () => {
  const { alarm, things } = vigils(0);
  assert.deepEqual(alarm.look([], 60 * SECOND), { word: "idle", missing: [], deadline: null });
  assert.equal(alarm.look(things, 60 * SECOND).word, "sounding");
  alarm.disarm();
  assert.equal(alarm.look(things, 61 * SECOND).word, "off");
});

test("picture alone is enough, and sound alone", () => {
  const vigil = new Vigil(0);
  vigil.look(1, 0, "live", false, 1 * SECOND);
  assert.equal(vigil.last, 1 * SECOND);
  vigil.look(1, 7, "live", false, 2 * SECOND);
  assert.equal(vigil.last, 2 * SECOND);
  vigil.look(1, 7, "live", false, 3 * SECOND);
  assert.equal(vigil.last, 2 * SECOND);
});

test("a slate is no picture, silence that stands in is no sound, and in privacy nothing is either", () => {
  const vigil = new Vigil(0);
  let now = 0;
  /** A second in which frames and sound come, whatever is in them. Whether it counted. */
  const counts = (word: View["word"], mute: boolean) => {
    now += SECOND;
    vigil.look(now, now, word, mute, now);
    return vigil.last === now;
  };
  assert.ok(counts("live", false));
  assert.ok(counts("live", true), "there is still the picture");
  assert.ok(counts("camera-lost", false), "there is still sound");
  assert.ok(!counts("camera-lost", true));
  assert.ok(!counts("privacy", false));
  assert.ok(counts("live", false));
});

test("a camera that lost its picture is none, whatever becomes of the relay: the slate ends no alarm", () => {
  const life = new Life(() => "call-1", () => 0.5);
  const vigil = new Vigil(0);
  const facts: Fact[] = [
    { is: "present", anew: true }, { is: "answered", tag: "call-1" }, { is: "picture", tag: "call-1" }, { is: "camera-lost" }, { is: "sound-lost" },
    { is: "relay-down" },
  ];
  for (const fact of facts) life.handle(fact, 0);
  vigil.look(9, 9, life.view().word, life.told.mute, SECOND);
  assert.equal(vigil.last, 0);
});

test("another call counts from nought, and its first look is not taken for news of the one before", () => {
  const vigil = new Vigil(0);
  vigil.look(50, 50, "live", false, 1 * SECOND);
  vigil.called();
  vigil.look(0, 0, "calling", false, 2 * SECOND);
  assert.equal(vigil.last, 1 * SECOND);
  vigil.look(1, 0, "live", false, 3 * SECOND);
  assert.equal(vigil.last, 3 * SECOND);
});

test("what the person has hung up is not watched, whatever else ended is, and a page without a camera waits for one", () => {
  const [given, taken] = [new Vigil(1), new Vigil(2)];
  const seats = [{ vigil: given }, { vigil: taken }] as unknown as Seat[];
  given.end();
  assert.deepEqual(watched(seats), [{ id: 1, last: 2 }]);
  given.look(5, 5, "live", false, 3);
  assert.equal(given.last, null);
  given.begin(4);
  assert.deepEqual(watched(seats), [{ id: 0, last: 4 }, { id: 1, last: 2 }]);
  assert.deepEqual(watched([]), [{ id: -1, last: 0 }]);
});

test("under the alarm no picture is spoken of that is there or comes in a moment", () => {
  for (const word of ["again", "calling", "live"] as const) {
    for (const alarm of ["sounding", "hushed"] as const) {
      const said = alarmed({ word: alarm, until: 0, audible: true }, [{ name: "Nursery", view: { word, reason: null }, trouble: null }], TEXT.relayLost);
      assert.match(said?.text ?? "", /Nothing came from the camera for a few seconds\. The page calls again by itself\.$/, word);
    }
  }
});

test("it is said of which camera nothing comes and why, until when there is quiet, and that a browser wants a touch", () => {
  const until = new Date(2026, 10, 23, 3, 12).getTime();
  const view: View = { word: "refused", reason: "revoked-key" };
  const nursery = { name: "Nursery", view, trouble: null };
  const said = (word: Parameters<typeof alarmed>[0]["word"], missing = [nursery], audible = true) =>
    alarmed({ word, until, audible }, missing, TEXT.relayLost);
  assert.deepEqual(["off", "quiet"].map((word) => said(word as "off")), [null, null]);
  assert.deepEqual(said("sounding"), {
    title: "Neither picture nor sound from Nursery",
    text: "The camera’s owner does not let this link in any more. If that is a mistake, ask for a new one, and open that.",
  });
  assert.equal(said("soon")?.text, "The alarm sounds in a moment.");
  assert.match(said("hushed")?.text ?? "", /^Quiet until 03:12\. The camera’s owner/);
  assert.equal(said("sounding", [nursery, { ...nursery, name: "Door" }])?.title, "Neither picture nor sound from Nursery, Door");
  assert.deepEqual(said("sounding", []), { title: "Neither picture nor sound from the camera", text: TEXT.relayLost.text });
  assert.equal(said("idle", [])?.text, "Nothing is watched now.");
  for (const word of ["quiet", "soon", "idle"] as const) assert.equal(said(word, [], false), TEXT.alarmMute);
  assert.equal(said("sounding", [nursery], false)?.text, TEXT.alarmMute.text);
  assert.equal(said("off", [], false), null);
});
