// Whose word about the end of a call is taken where a key decides.

import assert from "node:assert/strict";
import test from "node:test";
import { isBelieved, proveBye } from "../src/farewell";
import { isBye, ofBye, readKey } from "../src/proof";
import type { Incoming } from "../src/wire";

const KEY = readKey(`k1.${"A".repeat(43)}`)!;
const [ROOM, ME, CAMERA] = ["nursery", "viewer-1", "camera-1"];
const CALL = { tag: "call-1", peer: CAMERA };
const AROUND = { room: ROOM, from: CAMERA, to: ME, call: "call-1" };

type Said = Extract<Incoming, { is: "bye" | "refused" }>;
const bye = (proof: string | null): Said =>
  ({ is: "bye", from: CAMERA, call: "call-1", reason: "silent", word: "silent", proof });
const refused: Said = { is: "refused", from: CAMERA, call: "call-1", reason: "busy" };

test("without a key anybody who speaks for the camera is believed", () => {
  for (const said of [bye(null), refused]) assert.ok(isBelieved(null, ROOM, ME, said, CALL, true));
  assert.equal(proveBye(null, ROOM, ME, CALL, "hang-up"), null);
});

test("with a key a good-bye has to prove it, and after the answer nothing else ends the call", () => {
  const believed = (said: Said, answered = true) => isBelieved(KEY, ROOM, ME, said, CALL, answered);
  assert.ok(believed(bye(ofBye(KEY, AROUND, "silent"))));
  assert.ok(!believed(bye(null)) && !believed(bye("")) && !believed(bye(ofBye(KEY, AROUND, "failed"))));
  assert.ok(!believed(bye(ofBye(KEY, { ...AROUND, from: ME, to: CAMERA }, "silent"))), "our own, sent back");
  assert.ok(!believed(bye(ofBye(KEY, { ...AROUND, call: "call-2" }, "silent"))));
  assert.ok(believed(refused, false) && !believed(refused));
});

test("where nobody has said who the camera is, it is whoever proves the key", () => {
  const said = bye(ofBye(KEY, AROUND, "silent"));
  assert.ok(isBelieved(KEY, ROOM, ME, said, { tag: "call-1", peer: null }, true));
  assert.ok(!isBelieved(KEY, ROOM, ME, { ...said, from: "mallory" }, { tag: "call-1", peer: null }, true));
});

test("what we say proves the key to the camera that was called, else to whoever it is", () => {
  for (const peer of [CAMERA, null]) {
    const proof = proveBye(KEY, ROOM, ME, { tag: "call-1", peer }, "hang-up");
    assert.ok(isBye(KEY, { room: ROOM, from: ME, to: peer ?? "", call: "call-1" }, "hang-up", proof));
  }
});
