// Our dialect against the golden messages that the daemon's own tests read.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { bye, join, localCandidate, MAY, offer, read, REASONS, talk, type Incoming } from "../src/wire";

/** `npm test` runs in web-viewer/. */
const GOLDEN = "../daemon/core/tests/wire/";
const REASON_RS = "../daemon/core/src/wire/reason.rs";
const FLOOR_RS = "../daemon/core/src/wire/floor.rs";
const ROOM = "porthole";
const ME = "viewer-7f3a";
const CAMERA = "cam-nursery";
const ADDRESS = { room: ROOM, from: ME, to: CAMERA, call: "call-1" };

interface Golden {
  event: string;
  payload: any;
}

function golden(file: string): Golden {
  return JSON.parse(readFileSync(`${GOLDEN}${file}.json`, "utf8"));
}

function heard(file: string, me = ME): Incoming {
  const { event, payload } = golden(file);
  return read(event, payload, ROOM, me);
}

test("the viewer enters the room as the golden message says", () => {
  assert.deepEqual(join(ROOM, ME, "Grandma's phone"), plain("join-viewer"));
});

test("an offer is the golden one, with the ids inside the description too", () => {
  assert.deepEqual(offer(ADDRESS, golden("offer").payload.sdp.sdp, null), plain("offer"));
});

test("an offer to the only camera of a room carries no `to`", () => {
  const { event, payload } = offer({ ...ADDRESS, to: null }, "v=0\r\n", null);
  assert.equal(event, "offer");
  assert.deepEqual(payload, {
    room: ROOM, from: ME, call: "call-1", sdp: { type: "offer", sdp: "v=0\r\n", from: ME, call: "call-1" },
  });
});

test("an offer with a key carries the key's id and the proof beside the description, and in it", () => {
  const proven = { key: "k7", proof: "rvpnLKOk4-Lb1JD7l6VEK80IqR9syBWHbVJqWHCLnqA" };
  const ids = { from: ME, to: CAMERA, call: "call-1", ...proven };
  assert.deepEqual(offer(ADDRESS, "v=0\r\n", proven), {
    event: "offer", payload: { room: ROOM, ...ids, sdp: { type: "offer", sdp: "v=0\r\n", ...ids } },
  });
});

test("our candidates and their end are the golden ones", () => {
  assert.deepEqual(localCandidate(ADDRESS, golden("candidate-viewer").payload.candidate), plain("candidate-viewer"));
  assert.deepEqual(localCandidate(ADDRESS, null), plain("candidate-viewer-end"));
});

test("hanging up is the golden message", () => {
  assert.deepEqual(bye(ADDRESS, "hang-up", null), plain("bye-viewer"));
  const proved = golden("bye-viewer-with-proof").payload.proof;
  assert.deepEqual(bye(ADDRESS, "hang-up", proved), plain("bye-viewer-with-proof"));
});

test("what we want of the floor is the golden message", () => {
  assert.deepEqual(talk(ADDRESS, "ask", 1, null), plain("talk"));
  assert.deepEqual(talk(ADDRESS, "take", 7, golden("talk-with-proof").payload.proof), plain("talk-with-proof"));
});

test("who has the floor is read, and whatever cannot be read in it names nobody", () => {
  const floor = (part: object) => ({
    is: "floor", from: CAMERA, call: "call-1", floor: { may: "talk", yours: false, talkers: [], turn: 0, ...part },
  });
  assert.deepEqual(heard("floor"), floor({}));
  assert.deepEqual(heard("floor-yours"), floor({ may: "manage", yours: true, talkers: [null], turn: 3 }));
  assert.deepEqual(heard("floor-taken"), floor({ may: "not-allowed", talkers: ["Großmutters Telefon 📱"] }));
  assert.deepEqual(heard("floor-no-speaker"), floor({ may: "no-speaker" }));
  const { payload } = golden("floor");
  const strange = { yours: "true", talkers: [7, { name: " " }, { name: [] }], turn: "x" };
  assert.deepEqual(read("floor", { ...payload, ...strange }, ROOM, ME), floor({ talkers: [null, null, null] }));
  assert.deepEqual(read("floor", { ...payload, may: "sing" }, ROOM, ME), { is: "nothing" });
});

test("every word for what we may do is one of the daemon's", () => {
  const words = readFileSync(FLOOR_RS, "utf8").matchAll(/Self::\w+ => "([a-z-]+)",/g);
  const known = [...words].map(([, word]) => word);
  for (const word of MAY) assert.ok(known.includes(word), word);
  assert.equal(MAY.length, known.length - 3, "and three for what we want");
});

test("the relay's list of who is there is read without ourselves, with the ICE servers", () => {
  assert.deepEqual(heard("room"), {
    is: "room",
    peers: [{ from: CAMERA, role: "camera", name: "Nursery" }],
    iceServers: golden("room").payload.iceServers,
    iceLifetime: 43_200,
  });
  assert.deepEqual(heard("room-empty"), { is: "room", peers: [], iceServers: [], iceLifetime: null });
});

test("an ICE server that a browser would choke on is left out, so that calls still work", () => {
  const iceServers = [
    { urls: "http://example.org" }, { urls: ["stun:a.example", 7, "turn:b.example"] }, 5, { urls: "turn:c.example", username: "u" },
  ];
  assert.deepEqual(read("room", { peers: [], iceServers }, ROOM, ME), {
    is: "room", peers: [], iceServers: [{ urls: ["stun:a.example"] }], iceLifetime: null,
  });
});

test("how long servers let us in is only believed within reason", () => {
  const lifetime = (iceLifetime: unknown) => {
    const said = read("room", { peers: [], iceLifetime }, ROOM, ME);
    return said.is === "room" ? said.iceLifetime : said.is;
  };
  assert.deepEqual([60, 604_800, 31_622_400].map(lifetime), [60, 604_800, 31_622_400]);
  assert.deepEqual([59, 0, -1, NaN, Infinity, 31_622_401, "600", null, undefined, {}].map(lifetime), Array(10).fill(null));
});

test("a camera that comes and goes is heard", () => {
  assert.deepEqual(heard("joined-camera"), { is: "joined", peer: { from: CAMERA, role: "camera", name: "Nursery" } });
  assert.deepEqual(heard("left-camera"), { is: "left", from: CAMERA });
});

test("the camera's answer is read", () => {
  const { payload } = golden("answer");
  assert.deepEqual(heard("answer"), {
    is: "answer", from: CAMERA, call: "call-1", sdp: { type: "answer", sdp: payload.sdp.sdp }, proof: null, name: null,
  });
});

test("what the camera is called may come with its answer, beside the description or in it", () => {
  const { event, payload } = golden("answer");
  const nameOf = (outer: object, inner: object) => {
    const said = read(event, { ...payload, ...outer, sdp: { ...payload.sdp, ...inner } }, ROOM, ME);
    return said.is === "answer" ? said.name : said;
  };
  assert.equal(nameOf({ name: " Nursery " }, { name: "inner" }), "Nursery");
  assert.equal(nameOf({ name: 7 }, { name: "x".repeat(1000) }), "x".repeat(64));
  for (const name of ["", "  ", null, {}]) assert.equal(nameOf({ name }, {}), null);
});

test("an answer's proof is read beside the description, else in it", () => {
  const { event, payload } = golden("answer");
  const proofOf = (outer: object, inner: object) => {
    const said = read(event, { ...payload, ...outer, sdp: { ...payload.sdp, ...inner } }, ROOM, ME);
    assert.equal(said.is, "answer");
    return said.is === "answer" && said.proof;
  };
  assert.equal(proofOf({ proof: "outer" }, { proof: "inner" }), "outer");
  assert.equal(proofOf({}, { proof: "inner" }), "inner");
  for (const proof of [7, null, {}, "x".repeat(65)]) assert.equal(proofOf({ proof }, {}), null);
});

test("the answer to a tutorial's page is read in both of its spellings", () => {
  for (const file of ["tutorial-answer-sdp-object", "tutorial-answer-sdp-string"]) {
    const { answer } = golden(file).payload;
    const said = heard(file, "anon-1");
    assert.equal(said.is, "answer");
    assert.ok(said.is === "answer" && said.from === CAMERA && said.sdp.sdp === answer.sdp);
  }
});

test("an answer that a relay stripped to its description is read, ids included", () => {
  const { sdp } = golden("answer").payload;
  assert.deepEqual(read("answer", { ...sdp, from: CAMERA, to: ME, call: "call-1" }, ROOM, ME), {
    is: "answer", from: CAMERA, call: "call-1", sdp: { type: "answer", sdp: sdp.sdp }, proof: null, name: null,
  });
});

test("the camera's candidates and their end are read", () => {
  const { candidate } = golden("candidate-camera").payload;
  assert.deepEqual(heard("candidate-camera"), { is: "candidate", from: CAMERA, call: "call-1", candidate });
  assert.deepEqual(heard("candidate-camera-end"), { is: "candidate", from: CAMERA, call: "call-1", candidate: null });
});

test("a refusal and an end come with their reason", () => {
  assert.deepEqual(heard("refused"), { is: "refused", from: CAMERA, call: "call-1", reason: "busy" });
  const bye = { is: "bye", from: CAMERA, call: "call-1" };
  assert.deepEqual(heard("bye-camera"), { ...bye, reason: "camera-lost", word: "camera-lost", proof: null });
  const { proof } = golden("bye-camera-with-proof").payload;
  assert.deepEqual(heard("bye-camera-with-proof"), { ...bye, reason: "revoked-key", word: "revoked-key", proof });
});

test("a reason nobody has agreed on counts as a failure", () => {
  assert.deepEqual(heard("hostile-refused-unknown-reason"), { is: "refused", from: CAMERA, call: "call-1", reason: "failed" });
});

test("notices are heard by their word", () => {
  assert.deepEqual(heard("notice-camera-lost"), { is: "notice", from: CAMERA, what: "camera-lost", here: false });
  for (const what of ["camera-back", "sound-lost", "sound-back", "privacy-on", "privacy-off"]) {
    assert.deepEqual(heard(`notice-${what}`), { is: "notice", from: CAMERA, what, here: false });
  }
  assert.deepEqual(heard("notice-to-viewer"), { is: "notice", from: CAMERA, what: "camera-lost", here: false });
  assert.deepEqual(heard("notice-picture-small"), { is: "notice", from: CAMERA, what: "picture-small", here: false });
  assert.deepEqual(heard("notice-picture-small-here"), { is: "notice", from: CAMERA, what: "picture-small", here: true }, "the camera knows on whose side it is");
});

test("who else watches is read, with names or without", () => {
  const heard = (viewers: unknown, more = {}) => read("watching", { room: ROOM, from: CAMERA, to: ME, viewers, ...more }, ROOM, ME);
  assert.deepEqual(heard([{ name: " Grandma's phone ", since: 1_795_420_111 }, { since: 1_795_420_222 }, {}]), {
    is: "watching", from: CAMERA, viewers: [
      { name: "Grandma's phone", since: 1_795_420_111 }, { name: null, since: 1_795_420_222 }, { name: null, since: null },
    ],
  });
  assert.deepEqual(heard([]), { is: "watching", from: CAMERA, viewers: [] });
  assert.deepEqual(heard([null, 7, { name: 7, since: "x" }, { since: -1 }, { since: 1e300 }, { since: 0.5 }]), {
    is: "watching", from: CAMERA, viewers: Array.from({ length: 6 }, () => ({ name: null, since: null })),
  });
  for (const viewers of [undefined, null, {}, "x", 7]) assert.deepEqual(heard(viewers), { is: "nothing" });
  assert.deepEqual(heard([], { to: "somebody-else" }), { is: "nothing" });
  assert.deepEqual(heard([], { from: undefined }), { is: "nothing" });
  const many = heard(Array.from({ length: 1000 }, () => ({ name: "x".repeat(1000) })));
  assert.ok(many.is === "watching" && many.viewers.length === 64 && many.viewers[0]?.name?.length === 64);
});

test("our own echo, another room's and another viewer's messages are nothing", () => {
  assert.deepEqual(heard("joined"), { is: "nothing" });
  assert.deepEqual(heard("answer", "viewer-other"), { is: "nothing" });
  const { event, payload } = golden("answer");
  assert.deepEqual(read(event, payload, "kitchen", ME), { is: "nothing" });
});

test("no hostile message throws, and none becomes an answer, a candidate or a peer", () => {
  const files = readdirSync(GOLDEN).filter((file) => file.startsWith("hostile-"));
  assert.ok(files.length > 0);
  for (const file of files) {
    const said = heard(file.replace(/\.json$/, ""), "somebody-else");
    assert.ok(["nothing", "refused"].includes(said.is), `${file} was read as ${said.is}`);
    assert.ok(["nothing", "refused"].includes(heard(file.replace(/\.json$/, "")).is), file);
  }
  for (const payload of [undefined, null, 0, "", [], [[]], { sdp: [] }, { peers: [null, 1, {}] }]) {
    for (const event of ["room", "joined", "left", "answer", "candidate", "bye", "refused", "notice", "watching", "toString"]) {
      assert.doesNotThrow(() => read(event, payload, ROOM, ME));
    }
  }
});

test("the list of reasons is the daemon's, word for word", () => {
  const words = [...readFileSync(REASON_RS, "utf8").matchAll(/^\s+\w+ = "([a-z-]+)": "/gm)].map(([, word]) => word);
  assert.ok(words.length > 10);
  assert.deepEqual([...REASONS].sort(), words.sort());
});

function plain(file: string): Golden {
  const { event, payload } = golden(file);
  return { event, payload };
}
