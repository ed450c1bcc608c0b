// Our own dialect: reads what relays and cameras send, writes what a viewer says. The same golden JSON files are read by
// the daemon's tests and by ours. Everything that arrives is a stranger's: whatever does not fit becomes `nothing`.
// Must not know how a message travels, nor what is done about it.

/** A name that came from outside: 1 to 64 characters of `A-Z a-z 0-9 . _ : @ -`. */
const NAME = /^[A-Za-z0-9._:@-]{1,64}$/;
/** Longest SDP that is read, in characters; the camera's own bound. */
const SDP_LONGEST = 64 * 1024;
/** Longest candidate line that is read, in characters; the camera's own bound. */
const CANDIDATE_LONGEST = 1024;
/** Most peers and most ICE servers that are read from one `room`. */
const LIST_LONGEST = 64;
/** Longest proof that is looked at, in characters; a right one has 43. */
const PROOF_LONGEST = 64;
/** The year 10000, in seconds since 1970: past it a date is none. */
const DATE_LATEST_S = 253_402_300_800;
/** Longest name of a camera or a viewer that is shown, in characters. */
const LABEL_LONGEST = 64;

/** Every word that says why a call was refused or has ended; the list is the daemon's (`core/src/wire/reason.rs`). */
export const REASONS = [
  "busy", "no-codec", "no-bundle", "not-allowed", "expired-key", "revoked-key", "bad-offer", "bad-answer", "bad-message", "too-large", "too-often",
  "call-again", "camera-lost", "not-here", "shutting-down", "hang-up", "replaced", "silent", "no-answer", "no-connection", "too-slow",
  "failed",
] as const;
export type Reason = (typeof REASONS)[number];

/** Somebody in the room. `name` is for people, and falls back to the peer id. */
export interface Peer {
  from: string;
  role: "camera" | "viewer";
  name: string;
}

/** Somebody who watches too; `name` is null where the relay is not to know it, `since` is in seconds since 1970 or null. */
export interface Watcher {
  name: string | null;
  since: number | null;
}

/** What a viewer wants of the floor: it, if nobody has it; it, whoever has it; to give it back. */
export type Want = "ask" | "take" | "give";

/** Whether we may talk; the list is the daemon's (`core/src/wire/floor.rs`). */
export const MAY = ["no-speaker", "not-allowed", "speaker-lost", "talk", "manage"] as const;

/** Who is heard on the camera's speaker: whether we are, and who else; null: somebody without a name. `turn`: what we wanted last. */
export interface Floor {
  may: (typeof MAY)[number];
  yours: boolean;
  talkers: (string | null)[];
  turn: number;
}

/** A description as WebRTC has it. */
export interface Description {
  type: "offer" | "answer";
  sdp: string;
}

/**
 * What a viewer understands. `from`, `call` and `to` are null where a relay stripped them; `name` is what an answering
 * camera is called, null where it does not say. `word` is the
 * reason as it was said. `here`: what the notice is about is on our side. `iceLifetime`: seconds for which the servers let us in, null for as long as we like.
 */
export type Incoming =
  | { is: "room"; peers: Peer[]; iceServers: RTCIceServer[]; iceLifetime: number | null }
  | { is: "joined"; peer: Peer }
  | { is: "left"; from: string }
  | { is: "answer"; from: string | null; call: string | null; sdp: Description; proof: string | null; name: string | null }
  | { is: "candidate"; from: string | null; call: string | null; candidate: RTCIceCandidateInit | null }
  | { is: "bye"; from: string | null; call: string | null; reason: Reason; word: string; proof: string | null }
  | { is: "refused"; from: string | null; call: string | null; reason: Reason }
  | { is: "notice"; from: string | null; what: string; here: boolean }
  | { is: "watching"; from: string; viewers: Watcher[] }
  | { is: "floor"; from: string | null; call: string | null; floor: Floor }
  | { is: "nothing" };

/** Where a message belongs. `to` null: for the only camera of the room. */
export interface Address {
  room: string;
  from: string;
  to: string | null;
  call: string;
}

/** Which key an offer is proved with, and the proof. */
export interface Proven {
  key: string;
  proof: string;
}

/** An event name and its one argument. */
export interface Outgoing {
  event: string;
  payload: Record<string, unknown>;
}

const NOTHING: Incoming = { is: "nothing" };

/** Whether `text` may name a room, a peer or a call. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && NAME.test(text);
}

/** The reason that `word` is, null when nobody has agreed on it. */
export function asReason(word: unknown): Reason | null {
  return REASONS.find((known) => known === word) ?? null;
}

/** Reads one event for the peer `me` of `room`; its own echo and what is meant for others is `nothing`. */
export function read(event: string, payload: unknown, room: string, me: string): Incoming {
  const outer = object(payload);
  if (!outer) return NOTHING;
  const inner = object(outer.sdp) ?? object(outer.answer) ?? {};
  const id = (key: string) => name(outer[key]) ?? name(inner[key]);
  const from = id("from");
  const to = id("to");
  const call = id("call");
  const where = name(outer.room);
  if (from === me || (to !== null && to !== me) || (where !== null && where !== room)) return NOTHING;
  switch (event) {
    case "room":
      return Array.isArray(outer.peers)
        ? { is: "room", peers: peers(outer.peers, me), iceServers: iceServers(outer.iceServers), iceLifetime: lifetime(outer.iceLifetime) }
        : NOTHING;
    case "joined": {
      const peer = readPeer(outer);
      return peer ? { is: "joined", peer } : NOTHING;
    }
    case "left":
      return from ? { is: "left", from } : NOTHING;
    case "answer": {
      const sdp = answer(outer);
      if (!sdp) return NOTHING;
      return { is: "answer", from, call, sdp, proof: proof(outer.proof) ?? proof(inner.proof), name: label(outer.name) || label(inner.name) || null };
    }
    case "candidate":
    case "ice-candidate":
      return candidate(outer, from, call);
    case "bye":
      return { is: "bye", from, call, reason: reason(outer.reason), word: name(outer.reason) ?? "", proof: proof(outer.proof) };
    case "refused":
      return { is: "refused", from, call, reason: reason(outer.reason) };
    case "notice":
      return typeof outer.what === "string" && isName(outer.what) ? { is: "notice", from, what: outer.what, here: outer.side === "viewer" } : NOTHING;
    case "watching":
      return from && Array.isArray(outer.viewers) ? { is: "watching", from, viewers: watchers(outer.viewers) } : NOTHING;
    case "floor": {
      const may = MAY.find((known) => known === outer.may);
      if (!may) return NOTHING;
      const talkers = Array.isArray(outer.talkers) ? watchers(outer.talkers).map(({ name }) => name) : [];
      return { is: "floor", from, call, floor: { may, yours: outer.yours === true, talkers, turn: Number(outer.turn) || 0 } };
    }
    default:
      return NOTHING;
  }
}

/** The viewer enters the room. */
export function join(room: string, from: string, label: string): Outgoing {
  return { event: "join", payload: { room, from, role: "viewer", name: label } };
}

/** The viewer calls. The ids, key and proof are also inside the SDP object, for relays that pass on only that. */
export function offer(address: Address, sdp: string, proven: Proven | null): Outgoing {
  const ids = { ...addressed(address), ...proven };
  const { room: _, ...inner } = ids;
  return { event: "offer", payload: { ...ids, sdp: { type: "offer", sdp, ...inner } } };
}

/** One of the viewer's candidates; null is the end of them. */
export function localCandidate(address: Address, candidate: RTCIceCandidateInit | null): Outgoing {
  return { event: "candidate", payload: { ...addressed(address), candidate } };
}

/** The viewer hangs up. `proof`: of the key that it called with, if it did with one. */
export function bye(address: Address, why: Reason, proof: string | null): Outgoing {
  return { event: "bye", payload: { ...addressed(address), reason: why, ...(proof !== null && { proof }) } };
}

/** The viewer wants to be heard, or no longer. `turn` grows; `proof`: of the key that it called with, if it did with one. */
export function talk(address: Address, want: Want, turn: number, proof: string | null): Outgoing {
  return { event: "talk", payload: { ...addressed(address), want, turn, ...(proof !== null && { proof }) } };
}

function addressed({ room, from, to, call }: Address): { room: string; from: string; to?: string; call: string } {
  return to === null ? { room, from, call } : { room, from, to, call };
}

function object(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function name(value: unknown): string | null {
  return isName(value) ? value : null;
}

function reason(value: unknown): Reason {
  return asReason(value) ?? "failed";
}

function proof(value: unknown): string | null {
  return typeof value === "string" && value.length <= PROOF_LONGEST ? value : null;
}

/** What people read; empty where there is nothing to read. */
function label(value: unknown): string {
  return typeof value === "string" ? value.trim().slice(0, LABEL_LONGEST) : "";
}

function peers(list: unknown[], me: string): Peer[] {
  return list.slice(0, LIST_LONGEST).map((item) => readPeer(object(item) ?? {}))
    .filter((peer): peer is Peer => peer !== null && peer.from !== me);
}

function readPeer(value: Record<string, unknown>): Peer | null {
  const from = name(value.from);
  if (from === null) return null;
  return { from, role: value.role === "camera" ? "camera" : "viewer", name: label(value.name) || from };
}

function watchers(list: unknown[]): Watcher[] {
  return list.slice(0, LIST_LONGEST).map((item) => {
    const { name: named, since } = object(item) ?? {};
    const dated = typeof since === "number" && Number.isSafeInteger(since) && since > 0 && since < DATE_LATEST_S;
    return { name: label(named) || null, since: dated ? since : null };
  });
}

/** Between a minute and a year: what is less would have us ask all the time. */
function lifetime(value: unknown): number | null {
  return typeof value === "number" && value >= 60 && value <= 31_622_400 ? value : null;
}

/** ICE servers that a browser takes; one it does not know would make every call fail. */
function iceServers(list: unknown): RTCIceServer[] {
  if (!Array.isArray(list)) return [];
  const servers: RTCIceServer[] = [];
  for (const item of list.slice(0, LIST_LONGEST)) {
    const server = object(item) ?? {};
    const urls = (Array.isArray(server.urls) ? server.urls : [server.urls])
      .filter((url): url is string => typeof url === "string" && /^(stun|turn)s?:\S+$/.test(url));
    const { username, credential } = server;
    const known = typeof username === "string" && typeof credential === "string";
    const usable = known ? urls : urls.filter((url) => url.startsWith("stun"));
    if (usable.length > 0) servers.push(known ? { urls: usable, username, credential } : { urls: usable });
  }
  return servers;
}

/** The answer under any of its spellings: `sdp` as an object or as text, `answer`, or the bare description. */
function answer(outer: Record<string, unknown>): Description | null {
  const inner = object(outer.sdp) ?? object(outer.answer);
  const [type, text] = inner ? [inner.type, inner.sdp] : [outer.type, outer.sdp];
  const fits = type === "answer" && typeof text === "string" && text.startsWith("v=0") && text.length <= SDP_LONGEST;
  return fits ? { type, sdp: text } : null;
}

function candidate(outer: Record<string, unknown>, from: string | null, call: string | null): Incoming {
  if (outer.candidate === null) return { is: "candidate", from, call, candidate: null };
  const value = object(outer.candidate) ?? outer;
  const { candidate: line, sdpMid, sdpMLineIndex, usernameFragment } = value;
  if (typeof line !== "string" || line.length > CANDIDATE_LONGEST || /[\r\n]/.test(line)) return NOTHING;
  const index = sdpMLineIndex ?? null;
  if (index !== null && !(Number.isInteger(index) && (index as number) >= 0 && (index as number) < 65536)) return NOTHING;
  const read: RTCIceCandidateInit = { candidate: line };
  if (typeof sdpMid === "string") read.sdpMid = sdpMid;
  if (typeof index === "number") read.sdpMLineIndex = index;
  if (typeof usernameFragment === "string") read.usernameFragment = usernameFragment;
  return { is: "candidate", from, call, candidate: read };
}
