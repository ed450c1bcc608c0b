// How a call ends where a key decides: whose word about that is taken, and what proves ours. Without that anybody in a room
// of somebody else's server could end a call in the camera's name. Must not know how a message travels, nor the page.

import * as proof from "./proof";
import type { Named } from "./seats";
import type { Incoming, Reason, Want } from "./wire";

/** What proves to the camera that we hang up; null without a key. */
export function proveBye(key: proof.Key | null, room: string, me: string, { tag, peer }: Named, reason: Reason): string | null {
  return key && proof.ofBye(key, { room, from: me, to: peer ?? "", call: tag }, reason);
}

/** What proves to the camera that it is us who want to talk; null without a key. */
export function proveTalk(key: proof.Key | null, room: string, me: string, { tag, peer }: Named, want: Want, turn: number): string | null {
  return key && proof.ofTalk(key, { room, from: me, to: peer ?? "", call: tag }, want, turn);
}

/**
 * Whether it is the camera that ends or refuses this call. To whoever has no key that it knows it can prove nothing, so a
 * refusal is believed until it has `answered`; from then on it says bye.
 */
export function isBelieved(key: proof.Key | null, room: string, me: string,
  said: Extract<Incoming, { is: "bye" | "refused" }>, { tag, peer }: Named, answered: boolean): boolean {
  if (key === null) return true;
  if (said.is === "refused") return !answered;
  return proof.isBye(key, { room, from: peer ?? said.from ?? "", to: me, call: tag }, said.word, said.proof);
}
