// What may be said, and by whom: the bounds on everything a stranger sends, and what a message tells about where it
// belongs. The same bounds as in the relay inside the daemon. Must not know sockets or rooms.

/** Largest message, in bytes. */
export const MESSAGE_BYTES = 256 * 1024;
/** Messages a second from one socket, and how many at once. */
const MESSAGES = { perSecond: 30, burst: 60 };
/** How many messages past that a socket may send before it is cut. */
const FLOOD = 1000;
/** How often a socket may ask for a room that is not here before it is cut. */
export const WRONG_ROOMS = 10;
/** Longest event name and longest name of a peer, in characters. */
const EVENT_LONGEST = 64;
const LABEL_LONGEST = 64;
/** Deepest message. */
const DEEPEST = 32;

/** What a refused peer reads. */
const SENTENCES = {
  "not-allowed": "this viewer is not let in",
  "too-often": "too many offers in too short a time",
  "bad-message": "the message could not be read",
  "not-here": "the camera is not in the room now",
};

/** Rooms, peers and calls: 1 to 64 characters of `A-Z a-z 0-9 . _ : @ -`. */
export const isName = (text) => typeof text === "string" && /^[A-Za-z0-9._:@-]{1,64}$/.test(text);

/** The ways to say join and leave. */
export const JOINS = new Set(["join", "join-room", "joinRoom", "join_room", "join room"]);
export const LEAVES = new Set(["leave", "leave-room"]);
/** The relay's own words. */
const OURS = new Set(["joined", "left", "room", "connect", "disconnect", "connect_error"]);

/** Whether an event may be passed on under this name. */
export const isEvent = (event) => event.length > 0 && event.length <= EVENT_LONGEST && !/[\u0000-\u001f\u007f-\u009f]/.test(event) && !OURS.has(event);

/** Whether a message is JSON of a bearable depth: no bytes, and nothing that would exhaust whoever writes it again. */
export function isPlain(message) {
  let level = [message];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST || level.some((value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) return false;
    level = level.filter((value) => typeof value === "object" && value !== null).flatMap((value) => Object.values(value));
  }
  return true;
}

const parts = (message) => (isObject(message) ? [message, ...Object.values(message).filter(isObject)] : []);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The room that is asked for in a join. */
export const roomIn = (message) => (typeof message === "string" ? message : message?.room ?? message?.roomId);

/** The addressee: in the message itself, or in the description or candidate inside it; null for none. */
export const addressee = (message) => parts(message).map(({ to }) => to).find((to) => typeof to === "string") ?? null;

/** Whether each `from` in a message is its sender's, and its room the sender's room. */
export function speaksFor(message, { room, from }) {
  return parts(message).every((part) => part.from == null || part.from === from)
    && [message?.room, message?.roomId].every((named) => named == null || named === room);
}

/** What a refused peer is told; the call it was about is echoed. */
export function refusal(reason, about = null) {
  const call = parts(about).map((part) => part.call).find(isName);
  return { reason, text: SENTENCES[reason], ...(call ? { call } : {}) };
}

/** What people call a peer. */
export const label = (text) => (typeof text === "string" ? [...text.replace(/\p{Cc}/gu, "")].slice(0, LABEL_LONGEST).join("") : "");

/** How often one socket may speak. */
export class Pace {
  #left = MESSAGES.burst;
  #at;
  #excess = 0;

  constructor(now) {
    this.#at = now;
  }

  /** One message at `now`, in milliseconds: "fine", "first" past the bound, "more", or "flood". */
  take(now) {
    this.#left = Math.min(MESSAGES.burst, this.#left + ((now - this.#at) / 1000) * MESSAGES.perSecond);
    this.#at = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      this.#excess = Math.max(0, this.#excess - 1);
      return "fine";
    }
    this.#excess += 1;
    return this.#excess > FLOOD ? "flood" : this.#excess === 1 ? "first" : "more";
  }
}
