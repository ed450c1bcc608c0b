// What one look at a call's statistics comes to, with a call of cardboard.

import assert from "node:assert/strict";
import test from "node:test";
import { Vigil } from "../src/alarm";
import type { Call } from "../src/call";
import { Life, type Fact } from "../src/life";
import { look } from "../src/looking";
import type { Picture } from "../src/picture";
import { ongoing, viewOf, type Seat } from "../src/seats";

test("a browser that does not answer is asked once, and what it owes counts as nothing new", async () => {
  const { seat, facts, answers, finds } = table("full");
  const first = look(seat, finds);
  for (let n = 0; n < 100; n++) await look(seat, finds);
  assert.equal(answers.length, 1);
  assert.deepEqual(new Set(facts.filter(({ is }) => is === "frames").map((fact) => JSON.stringify(fact))), new Set(['{"is":"frames","tag":"call-1","total":0}']));
  answers[0]!(counts({ decoded: 5 }));
  await first;
  void look(seat, finds);
  assert.deepEqual([answers.length, facts.filter(({ is }) => is === "frames").at(-1)], [2, { is: "frames", tag: "call-1", total: 5 }]);
});

test("frames that came while the page was hidden are no picture once more when it is looked at again", async () => {
  const { seat, see } = table("full");
  await see(counts({ decoded: 5, received: 5 }));
  await see(counts({ decoded: 5, received: 50 }), true);
  assert.equal(seat.call!.total, 50);
  await see(counts({ decoded: 5, received: 50 }));
  assert.deepEqual([seat.call!.total, seat.call!.still], [50, true], "nothing has come since");
  await see(counts({ decoded: 6, received: 51 }));
  assert.deepEqual([seat.call!.total, seat.call!.still], [51, false]);
});

test("each look knows whether it was at the full picture", async () => {
  const { seat, see } = table("full");
  const seen: boolean[] = [];
  for (const is of [null, null, "privacy-on", "privacy-off"] as const) {
    if (is) seat.life.handle({ is }, 0);
    await see(counts({ decoded: seat.call!.frames + 5 }));
    seen.push(seat.call!.recent.last()!.full);
  }
  assert.deepEqual(seen, [false, true, false, true]);
});

test("where sound alone was asked for, sound tells that the call goes on, keeps the alarm quiet, and nothing is missed", async () => {
  const { seat, facts, see, heard } = table("sound");
  seat.life.handle({ is: "answered", tag: "call-1" }, 0);
  await see(counts({ packets: 25 }));
  assert.deepEqual([facts.at(-1), heard()], [{ is: "frames", tag: "call-1", total: 25 }, 1]);
  assert.deepEqual([seat.life.view().word, viewOf(seat).word], ["live", "sound-chosen"]);
  const before = seat.vigil.last!;
  await new Promise((done) => setTimeout(done, 2));
  await see(counts({ packets: 50 }));
  assert.ok(seat.vigil.last! > before, "the alarm has heard something");
  const last = seat.vigil.last;
  await see(counts({ packets: 50 }));
  assert.equal(seat.vigil.last, last, "and now nothing");
  assert.equal(seat.seen, null, "no picture is missed");
  seat.life.handle({ is: "camera-lost" }, 0);
  assert.equal(viewOf(seat).word, "sound-chosen", "nobody looks");
  seat.life.handle({ is: "privacy-on" }, 0);
  assert.equal(viewOf(seat).word, "privacy");
});

test("sound beside a picture does not hide that the picture stands still", async () => {
  const { seat, see } = table("full");
  await see(counts({ decoded: 5, packets: 25 }));
  await see(counts({ decoded: 5, packets: 50 }));
  assert.equal(seat.call!.total, 5);
  seat.feed = "picture-none";
  await see(counts({ decoded: 5, packets: 75 }));
  assert.equal(seat.call!.total, 30);
});

test("a camera whose sound never comes is known to have no microphone, and where sound alone was asked for it is asked for more", async () => {
  for (const asks of ["sound", "full"] as const) {
    const { seat, facts, see } = table(asks);
    seat.silent = false;
    for (let n = 0; n < 20; n++) await see(counts({}));
    assert.ok(!seat.silent, "without a way nothing can come");
    seat.call!.path = { kind: "near", relay: null, over: "udp" };
    for (let n = 0; n < 5; n++) await see(counts({}));
    assert.ok(!seat.silent, "a microphone may take a while");
    await see(counts({}));
    assert.ok(seat.silent);
    assert.equal(facts.filter(({ is }) => is === "otherwise").length, asks === "sound" ? 1 : 0);
    await see(counts({ packets: 1 }));
    assert.ok(!seat.silent, "it has come after all");
  }
});

test("neither privacy nor a lost microphone is the lack of one, and the call goes on though nothing comes of it", async () => {
  for (const [on, off] of [["privacy-on", "privacy-off"], ["sound-lost", "sound-back"]] as const) {
    const { seat, facts, see } = table("sound");
    Object.assign(seat, { silent: false });
    seat.call!.path = { kind: "near", relay: null, over: "udp" };
    for (const fact of [{ is: "answered", tag: "call-1" }, { is: on }] as Fact[]) seat.life.handle(fact, 0);
    for (let n = 0; n < 20; n++) await see(counts({}));
    assert.deepEqual([seat.silent, seat.call!.total], [false, 20], on);
    assert.equal(viewOf(seat).word, on === "privacy-on" ? "privacy" : "sound-chosen");
    seat.life.handle({ is: off }, 0);
    for (let n = 0; n < 6; n++) await see(counts({}));
    assert.deepEqual([seat.silent, seat.call!.total], [false, 20], "it is given as long as any other to open");
    await see(counts({}));
    assert.ok(seat.silent);
    assert.equal(facts.filter(({ is }) => is === "otherwise").length, 1);
  }
});

test("what stands in for a microphone under privacy does not show that there is one", async () => {
  const { seat, facts, see } = table("low");
  Object.assign(seat, { silent: true });
  seat.call!.instead = true;
  seat.life.handle({ is: "privacy-on" }, 0);
  for (const packets of [25, 50]) await see(counts({ decoded: packets, packets }));
  seat.life.handle({ is: "privacy-off" }, 0);
  await see(counts({ decoded: 75, packets: 60 }));
  await see(counts({ decoded: 100, packets: 60 }));
  assert.ok(seat.silent);
  assert.ok(facts.every(({ is }) => is !== "otherwise"));
});

test("a microphone that took long to open is taken alone again once it is heard, and given longer from then on", async () => {
  for (const instead of [true, false]) {
    const { seat, facts, see } = table("low");
    Object.assign(seat, { silent: true, seen: new Date(0) });
    seat.call!.instead = instead;
    await see(counts({ decoded: 25 }));
    assert.ok(facts.every(({ is }) => is !== "otherwise"));
    await see(counts({ decoded: 50, packets: 1 }));
    assert.equal(seat.silent, false);
    assert.equal(facts.filter(({ is }) => is === "otherwise").length, Number(instead), "whoever wants little keeps it");
    if (instead) assert.equal(seat.seen, null, "no picture is missed from now on");
    await see(counts({ decoded: 75, packets: 2 }));
    assert.equal(facts.filter(({ is }) => is === "otherwise").length, Number(instead), "once");
    seat.call = ongoing({ tag: "call-1", peer: "nursery" }, seat.call!.made, "sound", []);
    seat.call.path = { kind: "near", relay: null, over: "udp" };
    for (let n = 0; n < 11; n++) await see(counts({}));
    assert.ok(!seat.silent);
    await see(counts({}));
    assert.ok(seat.silent);
  }
});

function counts({ decoded = 0, received = decoded, packets = 0 }: { decoded?: number; received?: number; packets?: number }): Map<string, Record<string, unknown>> {
  return new Map<string, Record<string, unknown>>([
    ["v", { id: "v", type: "inbound-rtp", kind: "video", framesDecoded: decoded, framesReceived: received, packetsReceived: received }],
    ["a", { id: "a", type: "inbound-rtp", kind: "audio", packetsReceived: packets }],
  ]);
}

function table(asks: Picture) {
  const facts: Fact[] = [];
  const answers: ((report: unknown) => void)[] = [];
  let sounds = 0;
  const life = new Life(() => "call-1", () => 0.5);
  life.handle({ is: "present", anew: true }, 0);
  const made = { stats: () => new Promise((done) => answers.push(done)) } as unknown as Call;
  const call = ongoing({ tag: "call-1", peer: "nursery" }, made, asks, []);
  const seat = { life, call, feed: "", here: false, seen: null, vigil: new Vigil(0) } as unknown as Seat;
  const finds = { fact: (fact: Fact) => { facts.push(fact); life.handle(fact, 0); }, heard: () => { sounds++; } };
  const see = async (report: Map<string, Record<string, unknown>>, hidden = false) => {
    Object.assign(globalThis, { document: { hidden } });
    const done = look(seat, finds);
    answers.shift()!(report);
    await done;
  };
  Object.assign(globalThis, { document: { hidden: false } });
  return { seat, facts, answers, finds, see, heard: () => sounds };
}
