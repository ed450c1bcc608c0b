// One call with a peer connection of cardboard.

import assert from "node:assert/strict";
import test from "node:test";
import { Call } from "../src/call";
import type { Picture } from "../src/picture";
import type { Doubt } from "../src/proof";

const ANSWER = { type: "answer" as const, sdp: "v=0 answer" };

test("the offer asks for a picture, and for sound both ways without a microphone", async () => {
  const { pc, call } = made();
  await call.start();
  assert.deepEqual(pc.did.slice(0, 2), ["transceiver video recvonly", "transceiver audio sendrecv"]);
});

test("sound alone is asked for without a word of a picture, and little of it with a bound in what is said and proved", async () => {
  const alone = made(undefined, "sound");
  await alone.call.start();
  assert.deepEqual(alone.pc.did, ["transceiver audio sendrecv"]);
  const judged: string[] = [];
  const low = made((offer) => (judged.push(offer), null), "low");
  low.pc.offer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n";
  await low.call.start();
  await low.call.answered(ANSWER, null);
  const bounded = low.pc.offer.replace("a=mid", "b=AS:150\r\na=mid");
  assert.deepEqual([low.said[0], judged], [`offer ${bounded}`, [bounded]]);
});

test("our candidates wait until the offer is out, and follow it in order", async () => {
  const { pc, call, said } = made();
  const started = call.start();
  pc.finds("one");
  await started;
  pc.finds("two");
  pc.finds(null);
  assert.deepEqual(said, ["offer v=0 offer", "candidate one", "candidate two", "candidate end"]);
});

test("the camera's candidates wait for its answer", async () => {
  const { pc, call } = made();
  await call.start();
  await call.candidate({ candidate: "early" });
  assert.ok(!pc.did.includes("remote candidate early"));
  await call.answered(ANSWER, null);
  await call.candidate({ candidate: "late" });
  assert.deepEqual(pc.did.slice(-3), ["remote v=0 answer", "remote candidate early", "remote candidate late"]);
});

test("what is noticed of the search for a way is kept: whose candidates of which type, and what servers answered", async () => {
  const { pc, call } = made();
  const servers = [{ urls: "turn:turn.example" }];
  pc.finds("candidate:1 1 udp 2 4c1d.local 5000 typ host");
  await call.start();
  pc.finds("candidate:2 1 udp 1 198.51.100.2 5000 typ srflx raddr 0.0.0.0 rport 0");
  pc.finds(null);
  pc.onicecandidateerror?.({ url: "turn:turn.example", errorCode: 401 });
  await call.candidate({ candidate: "candidate:1 1 UDP 2 192.168.1.10 5001 typ host" });
  await call.candidate({ candidate: "rubbish typ relay" });
  await call.answered({ type: "answer", sdp: "v=0\r\na=candidate:3 1 UDP 1 198.51.100.10 5002 typ relay raddr 0 rport 0\r\n" }, null);
  assert.deepEqual(call.search(servers), {
    servers, ours: new Set(["host", "srflx"]), theirs: new Set(["host", "relay"]), errors: [{ url: "turn:turn.example", code: 401 }],
  });
  for (let n = 0; n < 1000; n++) pc.onicecandidateerror?.({ url: "stun:a", errorCode: 701 });
  assert.equal(call.search(servers).errors.length, 32);
});

test("no more than a bounded number of candidates waits", async () => {
  const { pc, call } = made();
  await call.start();
  for (let n = 0; n < 1000; n++) await call.candidate({ candidate: `n${n}` });
  await call.answered(ANSWER, null);
  assert.equal(pc.did.filter((did) => did.startsWith("remote candidate")).length, 64);
});

test("a candidate the browser does not like does not keep the others away", async () => {
  const { pc, call, said } = made();
  await call.start();
  await call.candidate({ candidate: "bad" });
  await call.candidate({ candidate: "good" });
  await call.answered(ANSWER, null);
  assert.ok(pc.did.includes("remote candidate good"));
  assert.ok(!said.includes("broken"));
});

test("the end of candidates is not handed on", async () => {
  const { pc, call } = made();
  await call.start();
  await call.answered(ANSWER, null);
  await call.candidate(null);
  await call.candidate({ candidate: "" });
  assert.equal(pc.did.filter((did) => did.startsWith("remote candidate")).length, 0);
});

test("a second answer is not taken", async () => {
  const { pc, call } = made();
  await call.start();
  await call.answered(ANSWER, null);
  await call.answered({ type: "answer", sdp: "v=0 other" }, null);
  assert.equal(pc.did.filter((did) => did.startsWith("remote v=0")).length, 1);
});

test("an answer is judged by the offer as it was said, and with the proof that came with it", async () => {
  const judged: unknown[] = [];
  const { call, said } = made((...given) => {
    judged.push(given);
    return null;
  });
  await call.start();
  await call.answered(ANSWER, "proof");
  assert.deepEqual(judged, [["v=0 offer", "v=0 answer", "proof"]]);
  assert.deepEqual(said.slice(-1), ["answered"]);
});

test("of an answer that is not believed the browser sees nothing, nor of its candidates, nor of any later answer", async () => {
  for (const why of ["unproved", "changed"] as const) {
    const { pc, call, said } = made((_, sdp) => (sdp === ANSWER.sdp ? why : null));
    await call.start();
    await call.candidate({ candidate: "early" });
    await call.answered(ANSWER, null);
    await call.candidate({ candidate: "late" });
    await call.answered({ type: "answer", sdp: "v=0 other" }, "proof");
    assert.deepEqual(pc.did.filter((did) => did.startsWith("remote")), []);
    assert.deepEqual(said.slice(1), [`doubted ${why}`]);
  }
});

test("an answer that comes before the offer is said is neither judged nor taken", async () => {
  const { pc, call } = made(() => assert.fail("judged"));
  await call.answered(ANSWER, null);
  assert.deepEqual(pc.did, []);
});

test("an answer the browser refuses breaks the call", async () => {
  const { call, said } = made();
  await call.start();
  await call.answered({ type: "answer", sdp: "bad" }, null);
  assert.deepEqual(said.slice(-1), ["broken"]);
});

test("a browser that cannot offer breaks the call", async () => {
  const { pc, call, said } = made();
  pc.fails = true;
  await call.start();
  assert.deepEqual(said, ["broken"]);
});

test("nothing is said after a call is closed", async () => {
  const { pc, call, said } = made();
  const started = call.start();
  const { onicecandidate, onconnectionstatechange } = pc;
  call.close();
  await started;
  onicecandidate?.({ candidate: null });
  pc.connectionState = "failed";
  onconnectionstatechange?.();
  await call.answered(ANSWER, null);
  assert.deepEqual(said, []);
  assert.ok(pc.did.includes("close"));
});

test("the path is reported as it changes, without the steps in between", async () => {
  const { pc, call, said } = made();
  await call.start();
  for (const state of ["connecting", "connected", "disconnected", "failed", "closed"]) {
    pc.connectionState = state;
    pc.onconnectionstatechange?.();
  }
  assert.deepEqual(said.slice(1), ["path connected", "path disconnected", "path failed"]);
});

test("picture and sound share one stream, and are shown as soon as possible", async () => {
  const { pc, call, said } = made();
  await call.start();
  const receiver = { jitterBufferTarget: null, playoutDelayHint: null };
  pc.ontrack?.({ track: "video", receiver });
  pc.ontrack?.({ track: "audio", receiver });
  assert.deepEqual(said.slice(1), ["media video", "media video,audio"]);
  assert.deepEqual(receiver, { jitterBufferTarget: 0, playoutDelayHint: 0 });
});

function made(judge: (offer: string, sdp: string, proof: string | null) => Doubt | null = () => null, asks: Picture = "full") {
  const said: string[] = [];
  const pc = new Cardboard();
  const tracks: unknown[] = [];
  const stream = { addTrack: (track: unknown) => void tracks.push(track), tracks };
  const call = new Call(pc as unknown as RTCPeerConnection, () => stream as unknown as MediaStream, judge, {
    offer: (sdp) => void said.push(`offer ${sdp}`),
    candidate: (candidate) => void said.push(`candidate ${candidate?.candidate ?? "end"}`),
    answered: () => void said.push("answered"),
    doubted: (why) => void said.push(`doubted ${why}`),
    path: (state) => void said.push(`path ${state}`),
    media: () => void said.push(`media ${tracks.join()}`),
    broken: () => void said.push("broken"),
  }, asks);
  return { pc, call, said };
}

test("nobody waits for the statistics of a call that is closed, whatever the browser says", async () => {
  const { call } = made();
  const asked = call.stats();
  call.close();
  await assert.rejects(asked);
  await assert.rejects(call.stats());
});

class Cardboard {
  did: string[] = [];
  fails = false;
  offer = "v=0 offer";
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  onicecandidateerror: ((event: { url: string; errorCode: number }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: { track: unknown; receiver: object }) => void) | null = null;

  finds(candidate: string | null): void {
    this.onicecandidate?.({ candidate: candidate === null ? null : { candidate, toJSON: () => ({ candidate }) } });
  }
  addTransceiver(kind: string, { direction }: { direction: string }): { sender: { replaceTrack(track: unknown): Promise<void> } } {
    this.did.push(`transceiver ${kind} ${direction}`);
    return { sender: { replaceTrack: async (track) => void this.did.push(`${kind} sends ${JSON.stringify(track)}`) } };
  }
  async createOffer(): Promise<{ sdp: string }> {
    if (this.fails) throw new Error("no");
    return { sdp: this.offer };
  }
  async setLocalDescription(offer: { sdp: string }): Promise<void> {
    this.localDescription = offer;
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (sdp === "bad") throw new Error("no");
    this.did.push(`remote ${sdp}`);
  }
  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    if (candidate === "bad") throw new Error("no");
    this.did.push(`remote candidate ${candidate}`);
  }
  /** As Firefox has it of one that is closed. */
  getStats(): Promise<never> {
    return new Promise(() => {});
  }
  close(): void {
    this.did.push("close");
  }
}
