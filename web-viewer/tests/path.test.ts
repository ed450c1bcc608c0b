// Which way a call takes, and why it found none. The statistics are as Chromium 156 and Firefox ESR 153 give them, cut to what
// is read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOf, pathOf, troubleOf, type Search } from "../src/path";
import { lost, way } from "../src/words";

const TURN = [{ urls: ["stun:stun.example"] }, { urls: "turn:turn.example:3478?transport=udp", username: "u", credential: "p" }];

type Candidate = Record<string, unknown>;

/** Chromium: the transport names the pair. */
function chromium(local: Candidate, remote: Candidate): Map<string, Record<string, unknown>> {
  return new Map<string, Record<string, unknown>>([
    ["T1", { id: "T1", type: "transport", selectedCandidatePairId: "P2" }],
    ["P1", { id: "P1", type: "candidate-pair", state: "succeeded", nominated: false, localCandidateId: "LX", remoteCandidateId: "R" }],
    ["P2", { id: "P2", type: "candidate-pair", state: "succeeded", nominated: true, localCandidateId: "L", remoteCandidateId: "R" }],
    ["L", { id: "L", type: "local-candidate", protocol: "udp", ...local }],
    ["LX", { id: "LX", type: "local-candidate", protocol: "udp", candidateType: "relay" }],
    ["R", { id: "R", type: "remote-candidate", protocol: "udp", ...remote }],
  ]);
}

const host = (address?: string) => ({ candidateType: "host", ...(address === undefined ? {} : { address }) });
const kind = (local: Candidate, remote: Candidate, servers: RTCIceServer[] = []) => pathOf(chromium(local, remote), servers);

test("two ends that see each other's private addresses are in one network, whether the browser hides its own or not", () => {
  for (const [ours, theirs] of [
    ["192.168.1.20", "192.168.1.10"], [undefined, "10.0.0.7"], ["", "172.31.9.9"], [undefined, "169.254.7.7"], [undefined, "127.0.0.1"],
    [undefined, "fd00::7"], [undefined, "fe80::7"], ["2001:db8:1::20", "2001:0db8:0001:0000:aaaa::10"], ["2001:db8::1", "2001:db8:0:0:5::2"], ["203.0.113.9", "203.0.113.9"],
  ] as const) {
    assert.deepEqual(kind(host(ours), host(theirs)), { kind: "near", relay: null, over: "udp" }, `${ours} ${theirs}`);
  }
});

test("an address of its own that a browser learns from the other end is no router's", () => {
  const seen = (ours: string, theirs: string) => kind({ candidateType: "prflx", address: ours }, host(theirs))?.kind;
  assert.equal(seen("192.168.1.20", "192.168.1.10"), "near");
  for (const [ours, theirs] of [["192.168.2.20", "192.168.1.10"], ["203.0.113.20", "203.0.113.10"], ["", "192.168.1.10"], ["fd00::1", "fd00::2"]] as const) {
    assert.equal(seen(ours, theirs), "nat", `${ours} ${theirs}`);
  }
});

test("own addresses of two networks are a direct way without anybody in between", () => {
  for (const [ours, theirs] of [
    ["2001:db8:2::20", "2001:db8:1::10"], [undefined, "2001:db8:1::10"], ["198.51.100.9", "203.0.113.7"], ["172.16.0.1", "172.32.0.1"],
  ] as const) {
    assert.equal(kind(host(ours), host(theirs))?.kind, "direct", `${ours} ${theirs}`);
  }
});

test("addresses that only others see are those of a router", () => {
  for (const [ours, theirs] of [["prflx", "host"], ["host", "prflx"], ["srflx", "srflx"], ["host", "srflx"]]) {
    const path = kind({ candidateType: ours, address: "203.0.113.9" }, { candidateType: theirs, address: "198.51.100.1" });
    assert.deepEqual(path, { kind: "nat", relay: null, over: "udp" });
  }
  assert.equal(kind({ candidateType: "prflx", protocol: "tcp" }, { candidateType: "srflx", protocol: "tcp" })?.over, "tcp");
});

test("a relay of either end makes it a relayed call, named as well as it can be", () => {
  const ours = { candidateType: "relay", relayProtocol: "tls", url: "turns:turn.example:5349?transport=tcp", address: "198.51.100.10" };
  assert.deepEqual(kind(ours, host("192.168.1.10")), { kind: "relay", relay: "turn.example", over: "tls" });
  assert.deepEqual(kind({ candidateType: "relay", relayProtocol: "udp" }, host("192.168.1.10"), TURN), { kind: "relay", relay: "turn.example", over: "udp" });
  const theirs = { candidateType: "relay", address: "198.51.100.10" };
  const relay = (servers: RTCIceServer[]) => kind(host(), theirs, servers)?.relay;
  assert.equal(relay(TURN), "turn.example");
  const two = [{ urls: ["turn:a.example", "turn:198.51.100.10:3478"] }, { urls: "turn:b.example" }];
  assert.equal(relay(two), "198.51.100.10");
  assert.equal(relay([{ urls: ["turn:a.example", "turn:b.example"] }]), "198.51.100.10");
  assert.equal(relay([]), "198.51.100.10");
});

test("Firefox names the pair itself", () => {
  const report = new Map<string, Record<string, unknown>>([
    ["P1", { id: "P1", type: "candidate-pair", state: "succeeded", nominated: false, selected: false, localCandidateId: "X", remoteCandidateId: "R" }],
    ["P2", { id: "P2", type: "candidate-pair", state: "succeeded", nominated: true, selected: true, localCandidateId: "L", remoteCandidateId: "R" }],
    ["L", { id: "L", type: "local-candidate", candidateType: "host", protocol: "udp", address: "4c1d.local" }],
    ["R", { id: "R", type: "remote-candidate", candidateType: "host", protocol: "udp", address: "192.168.1.10" }],
  ]);
  assert.equal(pathOf(report, [])?.kind, "near");
});

test("without a pair there is no path, whatever else is in the report", () => {
  assert.equal(pathOf(new Map(), TURN), null);
  const waiting = chromium(host(), host("192.168.1.10"));
  for (const id of ["T1", "P2"]) waiting.delete(id);
  assert.equal(pathOf(waiting, TURN), null);
  const broken = chromium(host(), host("192.168.1.10"));
  broken.delete("R");
  assert.equal(pathOf(broken, TURN), null);
  assert.equal(pathOf(new Map([["x", { id: 7, type: null, candidateType: {} }]]), TURN), null);
});

test("why no way was found follows from what was tried and answered", () => {
  const trouble = (search: Partial<Search>) =>
    troubleOf({ servers: TURN, ours: new Set(["host", "srflx"]), theirs: new Set(["host"]), errors: [], ...search });
  const turn = (code: number) => ({ url: "turn:turn.example:3478?transport=udp", code });
  const stun = { url: "stun:stun.example:3478", code: 701 };
  assert.deepEqual(trouble({ ours: new Set() }), { is: "mute-browser" });
  assert.deepEqual(trouble({ theirs: new Set() }), { is: "mute-camera" });
  assert.deepEqual(trouble({ errors: [stun, turn(701), turn(401)] }), { is: "relay-refuses", server: "turn.example", code: 401 });
  assert.deepEqual(trouble({ errors: [stun, turn(701)] }), { is: "relay-away", server: "turn.example" });
  assert.deepEqual(trouble({}), { is: "relay-away", server: "turn.example" });
  assert.deepEqual(trouble({ ours: new Set(["host", "relay"]), errors: [turn(401)] }), { is: "behind-relay" });
  const servers = [{ urls: "stun:stun.example" }];
  assert.deepEqual(trouble({ servers }), { is: "no-relay" });
  assert.deepEqual(trouble({ servers, ours: new Set(["host"]), errors: [stun] }), { is: "udp-blocked" });
  assert.deepEqual(trouble({ servers: [] }), { is: "no-servers" });
});

test("a server's host is read out of its URL, and out of nothing else", () => {
  assert.equal(hostOf("turn:turn.example:3478?transport=udp"), "turn.example");
  assert.equal(hostOf("stuns:[2001:db8::1]:5349"), "[2001:db8::1]");
  assert.equal(hostOf("turn:turn.example"), "turn.example");
  for (const none of ["", "http://turn.example", "turn:", "turn.example"]) assert.equal(hostOf(none), null, none);
});

test("the way is said in a few words, and why there is none with what to do", () => {
  assert.equal(way({ kind: "near", relay: null, over: "udp" }), "In the same network");
  assert.equal(way({ kind: "direct", relay: null, over: "udp" }), "Directly, from network to network");
  assert.equal(way({ kind: "nat", relay: null, over: "tcp" }), "Directly, through a router (NAT), over TCP");
  assert.equal(way({ kind: "relay", relay: "turn.example", over: "tls" }), "Through the relay server turn.example (TURN), over TLS");
  assert.equal(way({ kind: "relay", relay: null, over: "udp" }), "Through a relay server (TURN)");
  for (const trouble of [
    "mute-browser", "mute-camera", "udp-blocked", "no-servers", "no-relay", "behind-relay", "relay-refuses", "relay-away",
  ] as const) {
    const said = lost({ is: trouble, server: "turn.example", code: 401 });
    assert.match(said, /^[A-Z].*[.]$/);
    assert.equal(said.includes("turn.example"), trouble.startsWith("relay"), said);
    assert.ok(said.length < 330, `${said.length}: ${said}`);
  }
});
