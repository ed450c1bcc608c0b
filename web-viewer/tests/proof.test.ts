// Keys and proofs, against the vectors that the daemon's own tests read.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import { doubt, isBye, ofAdmission, ofAnswer, ofBye, ofOffer, readKey, type Key } from "../src/proof";

/** `npm test` runs in web-viewer/. */
const VECTORS = JSON.parse(readFileSync("../daemon/core/tests/access/vectors.json", "utf8"));
const AROUND = { room: "nursery", from: "camera-1", to: "viewer-1", call: "call-1" };
const SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

test("offers are proved as the daemon proves them", () => {
  assert.ok(VECTORS.offers.length >= 5);
  for (const { secret, sdp, proof, ...around } of VECTORS.offers) assert.equal(ofOffer(key(secret), around, sdp), proof);
});

test("an offer to whoever is the camera is proved over an empty `to`", () => {
  const around = { ...AROUND, to: "" };
  const mac = createHmac("sha256", key(SECRET).secret);
  for (const field of ["porthole offer v1", around.room, around.from, "", around.call, "v=0"]) {
    mac.update(Buffer.from([0, 0, 0, field.length])).update(field);
  }
  assert.equal(ofOffer(key(SECRET), around, "v=0"), mac.digest("base64url"));
});

test("answers are proved as the daemon proves them, and then nothing speaks against them", () => {
  assert.ok(VECTORS.answers.length >= 5);
  for (const { secret, offer, sdp, proof, ...around } of VECTORS.answers) {
    assert.equal(ofAnswer(key(secret), around, offer, sdp), proof);
    assert.equal(doubt(key(secret), around, offer, sdp, proof), null);
  }
});

test("good-byes are proved as the daemon proves them, and believed for nothing else", () => {
  assert.ok(VECTORS.byes.length >= 5);
  for (const { secret, reason, proof, ...around } of VECTORS.byes) {
    assert.equal(ofBye(key(secret), around, reason), proof);
    assert.ok(isBye(key(secret), around, reason, proof));
    assert.ok(!isBye(key(secret), around, "another", proof));
    assert.ok(!isBye(key(secret), { ...around, call: "another" }, reason, proof));
    assert.ok(!isBye(key(secret), { ...around, from: around.to, to: around.from }, reason, proof));
    assert.ok(!isBye(key(secret), around, reason, null) && !isBye(key(secret), around, reason, ""));
  }
});

test("the wish to enter a room is proved as the daemon proves it", () => {
  assert.ok(VECTORS.admissions.length >= 3);
  for (const { secret, room, proof } of VECTORS.admissions) assert.equal(ofAdmission(key(secret), room), proof);
});

test("an answer without a proof is not proved, whatever it says", () => {
  assert.equal(doubt(key(SECRET), AROUND, "offer", "answer", null), "unproved");
});

test("whatever is changed around an answer or in it is found out", () => {
  const proof = ofAnswer(key(SECRET), AROUND, "offer", "answer");
  const right = { secret: SECRET, around: AROUND, offer: "offer", sdp: "answer", proof };
  const doubted = (wrong: Partial<typeof right>) => {
    const { secret, around, offer, sdp, proof: said } = { ...right, ...wrong };
    return doubt(key(secret), around, offer, sdp, said);
  };
  assert.equal(doubted({}), null);
  for (const id of ["room", "from", "to", "call"] as const) {
    assert.equal(doubted({ around: { ...AROUND, [id]: `${AROUND[id]}x` } }), "changed", id);
  }
  assert.equal(doubted({ around: { ...AROUND, from: AROUND.to, to: AROUND.from } }), "changed");
  assert.equal(doubted({ around: { ...AROUND, room: "nurseryc", from: "amera-1" } }), "changed");
  assert.equal(doubted({ offer: "offers" }), "changed");
  assert.equal(doubted({ sdp: "answer\r\n" }), "changed");
  assert.equal(doubted({ secret: `B${SECRET.slice(1)}` }), "changed");
  for (const wrong of ["", "A", proof.slice(1), `${proof}A`, `${proof}=`, proof.toLowerCase(), ofOffer(key(SECRET), AROUND, "answer")]) {
    assert.equal(doubted({ proof: wrong }), "changed", wrong);
  }
});

test("a key is an id and 256 bits", () => {
  const read = readKey(`k7.${SECRET}`);
  assert.equal(read?.id, "k7");
  assert.deepEqual([...read!.secret], Array.from({ length: 32 }, (_, n) => n));
  assert.equal(readKey(`A_z:0@-.${"_".repeat(42)}8`)?.id, "A_z:0@-");
});

test("a key that was cut off or changed on the way is none", () => {
  for (let length = 0; length < SECRET.length; length++) assert.equal(readKey(`k7.${SECRET.slice(0, length)}`), null);
  const last = SECRET.slice(0, -1);
  for (const token of [
    "", ".", SECRET, `.${SECRET}`, `k7${SECRET}`, `k7.${SECRET}A`, `k7.${SECRET}=`, `k7.${SECRET}.`, `k7.k8.${SECRET}`, `k 7.${SECRET}`,
    `${"k".repeat(65)}.${SECRET}`, `k7.${SECRET.replace("B", "+")}`, `k7.${SECRET}\n`, `kä.${SECRET}`,
    // The same bytes, but no text that was ever made of them.
    `k7.${last}9`, `k7.${last}-`, `k7.${last}_`,
  ]) assert.equal(readKey(token), null, token);
});

function key(secret: string): Key {
  const read = readKey(`some.${secret}`);
  assert.ok(read);
  return read;
}
