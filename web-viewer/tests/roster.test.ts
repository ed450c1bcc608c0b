// Which cameras the page shows.

import assert from "node:assert/strict";
import test from "node:test";
import { NAMELESS, Roster, type Change } from "../src/roster";
import type { Peer } from "../src/wire";

test("each camera of the room gets a place, viewers get none", () => {
  const roster = new Roster();
  const changes = roster.listed([camera("a", "Nursery"), { from: "v", role: "viewer", name: "Phone" }, camera("b", "Door")]);
  assert.deepEqual(told(changes), ["new Nursery", "present Nursery", "new Door", "present Door"]);
  assert.equal(roster.places.length, 2);
});

test("hearing the same list again changes nothing", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Nursery")]);
  assert.deepEqual(roster.listed([camera("a", "Nursery")]), []);
});

test("a camera that leaves keeps its place and takes it again", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Nursery")]);
  assert.deepEqual(told(roster.left("a")), ["gone Nursery"]);
  assert.deepEqual(told(roster.left("a")), []);
  assert.deepEqual(told(roster.joined(camera("a", "Nursery"))), ["anew Nursery"]);
  assert.equal(roster.places.length, 1);
});

test("a camera that comes back under another peer id takes its old place by its name", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Nursery"), camera("b", "Door")]);
  roster.left("a");
  assert.deepEqual(told(roster.joined(camera("a2", "Nursery"))), ["anew Nursery"]);
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a2", "b"]);
});

test("the only camera may come back under another name", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Camera")]);
  roster.left("a");
  assert.deepEqual(told(roster.joined(camera("x", "Nursery"))), ["renamed Nursery", "anew Nursery"]);
  assert.equal(roster.places.length, 1);
});

test("among several, a camera with a new name does not take the place of one that is away", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Nursery"), camera("b", "Door")]);
  roster.left("a");
  assert.deepEqual(told(roster.joined(camera("c", "Kitchen"))), ["new Kitchen", "present Kitchen"]);
  assert.equal(roster.places.length, 3);
});

test("after the relay was away, those who are still there are present and the others gone", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Nursery"), camera("b", "Door")]);
  roster.forget();
  assert.deepEqual(told(roster.listed([camera("b", "Door")])), ["gone Nursery", "present Door"]);
});

test("a newcomer never takes the place of a camera that is in the same list", () => {
  const roster = new Roster();
  roster.listed([camera("a", "Camera")]);
  roster.forget();
  assert.deepEqual(told(roster.listed([camera("z", "Camera"), camera("a", "Camera")])), [
    "present Camera", "new Camera", "present Camera",
  ]);
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a", "z"]);
});

test("where the relay tells nothing there is one camera without a peer id, until it says who it is", () => {
  const roster = new Roster();
  assert.deepEqual(told(roster.untold()), [`new ${NAMELESS}`, `present ${NAMELESS}`]);
  assert.deepEqual(roster.untold(), []);
  roster.forget();
  assert.deepEqual(told(roster.untold()), [`present ${NAMELESS}`]);
  assert.deepEqual(told(roster.joined(camera("a", "Nursery"))), ["renamed Nursery", "anew Nursery"]);
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a"]);
});

test("cameras that are known from before are taken to be there where the relay now tells nothing", () => {
  const roster = new Roster();
  roster.joined(camera("a", "Nursery"));
  roster.forget();
  assert.deepEqual(told(roster.untold()), ["present Nursery"]);
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a"]);
});

test("a camera that nobody has told us about is called what it says itself, any other what the relay says", () => {
  const [silent, telling] = [new Roster(), new Roster()];
  silent.untold();
  telling.listed([camera("a", "Nursery")]);
  for (const { places: [place] } of [silent, telling]) {
    assert.ok(place);
    (place.peer === null ? silent : telling).introduced(place, "Door");
  }
  assert.deepEqual([silent, telling].map(({ places: [place] }) => [place?.peer, place?.name]), [[null, "Door"], ["a", "Nursery"]]);
});

function camera(from: string, name: string): Peer {
  return { from, role: "camera", name };
}

function told(changes: Change[]): string[] {
  return changes.map(({ what, place }) => `${what} ${place.name}`);
}
