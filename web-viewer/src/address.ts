// What the link says (room, relay, access key) and who we are to the room. Must not know the page or the relay's protocol.

import { readKey, type Key } from "./proof";
import { isName } from "./wire";

/** Somebody else's relay: its origin, and the path of Socket.IO on it. */
export interface Relay {
  origin: string;
  path: string;
}

/** Where to go: a room, the relay, null for the server the page came from, and the key, null without one. */
export type Destination =
  | { is: "room"; room: string; relay: Relay | null; key: Key | null }
  | { is: "none" }
  | { is: "bad"; part: "room" | "relay" | "key" };

/** Reads `#room=NAME&relay=URL&key=ID.SECRET`. What else is in the fragment belongs to others and stays untouched. */
export function destination(hash: string): Destination {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const room = said.get("room")?.trim() ?? "";
  const relay = said.get("relay");
  if (room === "") return { is: "none" };
  if (!isName(room)) return { is: "bad", part: "room" };
  const url = relay === null ? null : webAddress(relay);
  if (relay !== null && url === null) return { is: "bad", part: "relay" };
  const token = said.get("key")?.trim();
  const key = token === undefined ? null : readKey(token);
  if (token !== undefined && key === null) return { is: "bad", part: "key" };
  return { is: "room", room, relay: url, key };
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
