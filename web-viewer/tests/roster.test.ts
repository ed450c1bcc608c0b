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

test("where the relay tells nothing there is one nameless camera, until somebody answers or says who it is", () => {
  const roster = new Roster();
  assert.deepEqual(told(roster.untold(false)), [`new ${NAMELESS}`, `present ${NAMELESS}`]);
  assert.deepEqual(roster.untold(false), []);
  roster.answeredBy("a");
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a"]);
  roster.forget();
  assert.deepEqual(told(roster.untold(false)), [`present ${NAMELESS}`]);
});

test("where a camera has to be named in a call, none is made up; those known from before are taken to be there", () => {
  const roster = new Roster();
  assert.deepEqual(roster.untold(true), []);
  assert.deepEqual(roster.places, []);
  roster.joined(camera("a", "Nursery"));
  roster.forget();
  assert.deepEqual(told(roster.untold(true)), ["present Nursery"]);
  assert.deepEqual(roster.places.map(({ peer }) => peer), ["a"]);
});

function camera(from: string, name: string): Peer {
  return { from, role: "camera", name };
}

function told(changes: Change[]): string[] {
  return changes.map(({ what, place }) => `${what} ${place.name}`);
}
