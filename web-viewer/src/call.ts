// One call: a peer connection that offers once, takes one answer, trickles candidates both ways and is then only watched.
// It never renegotiates; whoever wants something else drops it and makes another.
// Must not know why it was made, what becomes of it, nor the page.

import type { Search } from "./path";
import { bounded, type Picture } from "./picture";
import type { Doubt } from "./proof";
import type { Description } from "./wire";

/** Most candidates of the camera that wait for its answer. */
const EARLY_CANDIDATES = 64;

/** Most errors of servers that are kept. */
const MOST_ERRORS = 32;

/** What a call says while it lives. Nothing comes after `close`. */
export interface CallEvents {
  /** The offer is ready to be sent. */
  offer(sdp: string): void;
  /** One of our candidates, never before the offer; null is the end of them. */
  candidate(candidate: RTCIceCandidateInit | null): void;
  /** The answer is believed, and the browser takes it. */
  answered(): void;
  /** The answer is not believed. The browser has seen nothing of it, nor of the candidates that came with it. */
  doubted(why: Doubt): void;
  path(state: "connected" | "disconnected" | "failed"): void;
  /** Picture and sound, one stream for both; called again when a track is added to it. */
  media(stream: MediaStream): void;
  /** The browser could not make the offer or take the answer. */
  broken(why: unknown): void;
}

/** What a browser's receiver understands about its jitter buffer; the standard name and the one Chromium had before. */
type Receiver = RTCRtpReceiver & { jitterBufferTarget?: number | null; playoutDelayHint?: number | null };

export class Call {
  private readonly stream: MediaStream;
  private open = true;
  /** Who waits for statistics. */
  private readonly owed = new Set<(why: Error) => void>();
  /** The SDP we have said. */
  private offered: string | null = null;
  /** Where our microphone is put in. */
  private mouth: RTCRtpSender | null = null;
  private answer: "none" | "doubted" | "being taken" | "taken" = "none";
  /** Our candidates until the offer is out. */
  private mine: (RTCIceCandidateInit | null)[] = [];
  /** The camera's candidates until its answer is taken. */
  private theirs: RTCIceCandidateInit[] = [];
  /** What was noticed of the search for a way. */
  private readonly seen = { ours: new Set<string>(), theirs: new Set<string>(), errors: [] as { url: string; code: number }[] };

  /** `judge` says what speaks against the answer `sdp` that came with `proof`, given the offer as it was said. */
  constructor(private readonly pc: RTCPeerConnection, stream: () => MediaStream,
    private readonly judge: (offer: string, sdp: string, proof: string | null) => Doubt | null, private readonly events: CallEvents,
    private readonly asks: Picture = "full") {
    this.stream = stream();
    pc.onicecandidate = ({ candidate }) => {
      note(this.seen.ours, candidate?.candidate);
      this.ours(candidate ? candidate.toJSON() : null);
    };
    pc.onicecandidateerror = ({ url, errorCode }) => {
      if (this.seen.errors.length < MOST_ERRORS) this.seen.errors.push({ url: String(url), code: errorCode });
    };
    pc.onconnectionstatechange = () => {
      const state = pc.connectionState;
      if (this.open && (state === "connected" || state === "disconnected" || state === "failed")) events.path(state);
    };
    pc.ontrack = ({ track, receiver }) => {
      if (!this.open) return;
      this.stream.addTrack(track);
      asSoonAsPossible(receiver);
      events.media(this.stream);
    };
  }

  /** Makes the offer: as much picture to us as is asked for, sound both ways but without a microphone, which may be put in later. */
  async start(): Promise<void> {
    try {
      if (this.asks !== "sound") this.pc.addTransceiver("video", { direction: "recvonly" });
      this.mouth = this.pc.addTransceiver("audio", { direction: "sendrecv" }).sender;
      await this.pc.setLocalDescription(await this.pc.createOffer());
      const sdp = this.pc.localDescription?.sdp;
      if (!this.open || !sdp) return;
      this.offered = this.asks === "low" ? bounded(sdp) : sdp;
      this.events.offer(this.offered);
      for (const candidate of this.mine.splice(0)) this.events.candidate(candidate);
    } catch (why) {
      if (this.open) this.events.broken(why);
    }
  }

  /** Judges the camera's answer, and takes it if nothing speaks against it; only the first one counts. */
  async answered(answer: Description, proof: string | null): Promise<void> {
    if (!this.open || this.offered === null || this.answer !== "none") return;
    const doubt = this.judge(this.offered, answer.sdp, proof);
    this.answer = doubt ? "doubted" : "being taken";
    for (const line of answer.sdp.split(/\r?\n/)) note(this.seen.theirs, line);
    if (doubt) return this.events.doubted(doubt);
    this.events.answered();
    try {
      await this.pc.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
      this.answer = "taken";
      for (const candidate of this.theirs.splice(0)) await this.add(candidate);
    } catch (why) {
      if (this.open) this.events.broken(why);
    }
  }

  /** Takes one of the camera's candidates. The end of candidates needs nothing: ICE finds it out. */
  async candidate(candidate: RTCIceCandidateInit | null): Promise<void> {
    if (!this.open || candidate === null || candidate.candidate === "") return;
    note(this.seen.theirs, candidate.candidate);
    if (this.answer === "taken") await this.add(candidate);
    else if (this.theirs.length < EARLY_CANDIDATES) this.theirs.push(candidate);
  }

  /** What was noticed so far of the search for a way with the help of these servers. */
  search(servers: readonly RTCIceServer[]): Search {
    return { servers, ...this.seen };
  }

  /** Whether the camera's answer is believed. */
  isAnswered(): boolean {
    return this.answer === "being taken" || this.answer === "taken";
  }

  /** Sends this track as our sound from now on; null: nothing. */
  async talk(track: MediaStreamTrack | null): Promise<void> {
    if (this.open) await this.mouth?.replaceTrack(track);
  }

  isOpen(): boolean {
    return this.open;
  }

  /** Fails where the call is closed, also meanwhile: Firefox then says nothing for ever. */
  stats(): Promise<RTCStatsReport> {
    return new Promise((gives, fails) => {
      if (!this.open) return fails(new Error("closed"));
      this.owed.add(fails);
      this.pc.getStats().then(gives, fails).finally(() => this.owed.delete(fails));
    });
  }

  close(): void {
    this.open = false;
    for (const fails of this.owed) fails(new Error("closed"));
    this.pc.onicecandidate = this.pc.onicecandidateerror = this.pc.onconnectionstatechange = this.pc.ontrack = null;
    this.pc.close();
  }

  private ours(candidate: RTCIceCandidateInit | null): void {
    if (!this.open) return;
    if (this.offered !== null) this.events.candidate(candidate);
    else this.mine.push(candidate);
  }

  /** One candidate the browser does not like is no reason to lose the others. */
  private async add(candidate: RTCIceCandidateInit): Promise<void> {
    if (!this.open) return;
    await this.pc.addIceCandidate(candidate).catch(() => undefined);
  }
}

/** Notes the type of a candidate, where the line is one. */
function note(types: Set<string>, line: string | undefined): void {
  const type = /^(?:a=)?candidate:.* typ (host|srflx|prflx|relay)\b/.exec(line ?? "")?.[1];
  if (type) types.add(type);
}

/** Show and play what arrives as soon as possible: this is a live picture, not a film. */
function asSoonAsPossible(receiver: Receiver): void {
  try {
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
  } catch {
    // A browser that knows the word but not the value keeps its own buffer.
  }
}
