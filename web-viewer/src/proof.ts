// The access key of a link and what is proved with it: that an offer, an answer, a good-bye or the wish to enter a room
// comes from whoever holds the key. The camera's half, byte for byte the same, is `core/src/access/`; both read one file of vectors.
// In plain JavaScript, because browsers hide WebCrypto from pages on plain http.
// Must not know how a message travels, what a call is, nor the page.

import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils";

/** What a viewer holds to be let in. The id names it on the wire; the secret never leaves the page. */
export interface Key {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** The ids that stand around an offer or an answer; `from` is whoever says it. */
export interface Around {
  room: string;
  from: string;
  to: string;
  call: string;
}

/** Why an answer is not believed: it carries no proof, or one that does not hold. */
export type Doubt = "unproved" | "changed";

/** `<id>.<secret>`: an id without dots, and 256 bits as base64url without padding (RFC 4648, section 5). */
const TOKEN = /^([A-Za-z0-9_:@-]{1,64})\.([A-Za-z0-9_-]{43})$/;

/** Reads what a link carries behind `key=`; null when it is not a whole key. */
export function readKey(token: string): Key | null {
  const [, id, text] = TOKEN.exec(token) ?? [];
  if (id === undefined || text === undefined) return null;
  const secret = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  // The last letter holds two bits too many: of the four letters that give the same secret only one is right.
  return base64url(secret) === text ? { id, secret } : null;
}

/** Proof of an offer whose SDP is exactly `sdp`. */
export function ofOffer(key: Key, around: Around, sdp: string): string {
  return base64url(mac(key, "porthole offer v1", ...ids(around), sdp));
}

/** Proof of the answer `sdp` to exactly the offer `offer`. */
export function ofAnswer(key: Key, around: Around, offer: string, sdp: string): string {
  return base64url(mac(key, "porthole answer v1", ...ids(around), sha256(utf8ToBytes(offer)), sdp));
}

/** Proof that `around.from` ends the call, for the reason in this word. */
export function ofBye(key: Key, around: Around, word: string): string {
  return base64url(mac(key, "porthole bye v1", ...ids(around), word));
}

/** Proof that `around.from` wants this of the floor. */
export function ofTalk(key: Key, around: Around, want: string, turn: number): string {
  return base64url(mac(key, "porthole talk v1", ...ids(around), want, String(turn)));
}

/** Whether a good-bye that came with `proof` is from a camera that has our key. */
export function isBye(key: Key, around: Around, word: string, proof: string | null): boolean {
  return proof !== null && same(proof, ofBye(key, around, word));
}

/** Proof that we may enter the room, for a relay that asks. */
export function ofAdmission(key: Key, room: string): string {
  return base64url(mac(key, "porthole admission v1", room));
}

/** What speaks against an answer that came with `proof`; null: it is from a camera that has our key, and unchanged. */
export function doubt(key: Key, around: Around, offer: string, sdp: string, proof: string | null): Doubt | null {
  if (proof === null) return "unproved";
  return same(proof, ofAnswer(key, around, offer, sdp)) ? null : "changed";
}

function ids({ room, from, to, call }: Around): string[] {
  return [room, from, to, call];
}

/** HMAC-SHA256 over the fields, each preceded by its length in bytes (32 bits, big-endian). */
function mac({ secret }: Key, ...fields: (string | Uint8Array)[]): Uint8Array {
  const parts = fields.flatMap((field) => {
    const bytes = typeof field === "string" ? utf8ToBytes(field) : field;
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length);
    return [length, bytes];
  });
  return hmac(sha256, secret, concatBytes(...parts));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Compares without telling by its time where the difference is. */
function same(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < other.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
