// Whose seat a message is about.

import assert from "node:assert/strict";
import test from "node:test";
import { Vigil } from "../src/alarm";
import { Life, type Fact } from "../src/life";
import { noticed, peerOf, viewOf, whose } from "../src/seats";

const seat = (place: string | null, tag?: string, peer: string | null = place) => (
  { place: { peer: place }, call: tag === undefined ? null : { tag, peer } }
);

test("a call's tag says whose it is, also where a relay has stripped who said it", () => {
  const seats = [seat("nursery", "call-1"), seat("door", "call-2")];
  assert.equal(whose(seats, "call-2", "door"), seats[1]);
  assert.equal(whose(seats, "call-2", null), seats[1]);
  assert.equal(whose(seats, "call-3", "door"), undefined);
});

test("before anybody has answered in a room that tells nothing, whoever speaks of our call may be the camera", () => {
  const seats = [seat(null, "call-1")];
  assert.equal(whose(seats, "call-1", "nursery"), seats[0]);
  assert.equal(whose(seats, "call-1", "door"), seats[0]);
});

test("once a camera has answered, what another one says of the same call is not about it", () => {
  const seats = [seat(null, "call-1", "nursery")];
  assert.equal(whose(seats, "call-1", "nursery"), seats[0]);
  assert.equal(whose(seats, "call-1", null), seats[0]);
  assert.equal(whose(seats, "call-1", "door"), undefined);
  assert.equal(whose(seats, null, "door"), undefined);
  assert.equal(whose(seats, null, "nursery"), seats[0]);
});

test("a camera that was called by its name is the only one that speaks of the call", () => {
  const seats = [seat("nursery", "call-1")];
  assert.equal(whose(seats, "call-1", "door"), undefined);
});

test("what an answer has taught ends with the call, for a camera that is started again is called something else", () => {
  assert.equal(peerOf(seat(null, "call-1", "nursery")), "nursery");
  assert.equal(peerOf(seat(null)), null);
  assert.equal(peerOf(seat("door", "call-1", "nursery")), "nursery");
});

test("without a tag it is whoever said it, else the one that nobody knows yet, else the only camera there is", () => {
  const seats = [seat("nursery"), seat(null)];
  assert.equal(whose(seats, null, "nursery"), seats[0]);
  assert.equal(whose(seats, null, "door"), seats[1]);
  assert.equal(whose(seats, null, null), undefined);
  assert.equal(whose([seats[0]!], null, null), seats[0]);
  assert.equal(whose([seats[0]!], null, "door"), undefined);
});

test("a call whose way carries sound alone is not called live, and its sound is all that the alarm has of it", () => {
  const life = new Life(() => "call-1", () => 0.5);
  for (const fact of [{ is: "present", anew: true }, { is: "answered", tag: "call-1" }, { is: "picture", tag: "call-1" }] as Fact[]) life.handle(fact, 0);
  const word = (what: string, still = true) => viewOf(Object.assign({ life, feed: "", call: { still, asks: "full" as const } }, noticed(what) as { feed: string } | null)).word;
  assert.deepEqual(["picture-full", "picture-small", "picture-none"].map((what) => word(what)), ["live", "live", "sound-only"]);
  assert.equal(word("picture-none", false), "live", "that it is back may not have been heard");
  const vigil = new Vigil(0);
  vigil.look(5, 7, word("picture-none"), false, 1_000);
  assert.equal(vigil.last, 1_000);
  for (const [packets, mute] of [[8, true], [8, false]] as const) vigil.look(5, packets, word("picture-none"), mute, 2_000);
  assert.equal(vigil.last, 1_000, "neither picture nor sound");
  for (const is of ["camera-lost", "privacy-on"] as const) {
    life.handle({ is }, 0);
    assert.notEqual(word("picture-none"), "sound-only", "what the camera says is worse");
  }
});
