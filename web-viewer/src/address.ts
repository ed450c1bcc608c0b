// What the link says (room, relay, its token, access key) and who we are to the room. Must not know the page or the relay's protocol.

import { readKey, type Key } from "./proof";
import { isName } from "./wire";

/** Somebody else's relay: its origin, and the path of Socket.IO on it. */
export interface Relay {
  origin: string;
  path: string;
}

/** Longest token of a relay that is taken, in characters. */
const TOKEN_LONGEST = 4_096;

/**
 * Where to go: a room; the relay, null for the server the page came from, and the token it wants of everybody, null
 * where it wants none; and the access key, null without one.
 */
export type Destination =
  | { is: "room"; room: string; relay: Relay | null; token: string | null; key: Key | null }
  | { is: "none" }
  | { is: "bad"; part: "room" | "relay" | "key" };

/**
 * Reads `#room=NAME&relay=URL&token=TEXT&key=ID.SECRET`. What else is in the fragment belongs to others and stays
 * untouched. `usual`: the relay where the link names none, as whoever served the page says; empty for their own server.
 */
export function destination(hash: string, usual: string): Destination {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const room = said.get("room")?.trim() ?? "";
  const relay = said.get("relay");
  if (room === "") return { is: "none" };
  if (!isName(room)) return { is: "bad", part: "room" };
  const url = webAddress(relay ?? usual);
  if (relay !== null && url === null) return { is: "bad", part: "relay" };
  const held = said.get("key")?.trim();
  const key = held === undefined ? null : readKey(held);
  if (held !== undefined && key === null) return { is: "bad", part: "key" };
  const token = said.get("token")?.trim().slice(0, TOKEN_LONGEST) || null;
  return { is: "room", room, relay: url, token, key };
}

/** The fragment for another room that leaves the rest of it as it is, but for a relay that is no address. */
export function elsewhere(hash: string, room: string): string {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  said.set("room", room);
  const relay = said.get("relay");
  if (relay !== null && webAddress(relay) === null) said.delete("relay");
  return said.toString();
}

/** Without a path Socket.IO lies where it usually does; with one, exactly there. */
function webAddress(text: string): Relay | null {
  try {
    const { protocol, origin, pathname } = new URL(text);
    if (protocol !== "http:" && protocol !== "https:") return null;
    return { origin, path: pathname === "/" ? "/socket.io/" : pathname };
  } catch {
    return null;
  }
}

/** A name nobody has used before: 96 random bits. (`crypto.randomUUID` is hidden from pages on plain http.) */
export function fresh(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const KEPT = "porthole.peer";
const TAKEN = "porthole.peer.taken";

/**
 * The peer id of this tab: the same after a reload, so that the camera replaces the old call instead of keeping both.
 * A tab that was duplicated finds the id taken and makes its own, or the two would take the call from each other.
 */
export function claimPeerId(kept: Pick<Storage, "getItem" | "setItem">): string {
  const before = kept.getItem(KEPT);
  const peer = isName(before) && kept.getItem(TAKEN) !== "yes" ? before : fresh("viewer-");
  kept.setItem(KEPT, peer);
  kept.setItem(TAKEN, "yes");
  return peer;
}

/** The page goes away; its peer id is free for the next page of this tab. */
export function releasePeerId(kept: Pick<Storage, "setItem">): void {
  kept.setItem(TAKEN, "no");
}
