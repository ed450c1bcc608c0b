// A camera's seat on the page: its place in the roster, its life, its tile and the call there is; and which seat a message
// is about. Must not know how a message is spelt, nor what is done about it.

import type { Call } from "./call";
import type { Life } from "./life";
import type { Path, Trouble } from "./path";
import type { Place } from "./roster";
import type { Tile } from "./tiles";
import type { Watcher } from "./wire";

export interface Seat {
  place: Place;
  life: Life;
  tile: Tile;
  call: Ongoing | null;
  /** Who else watches, as the camera said last during the call. */
  watching: Watcher[];
  /** The camera says that its microphone gives no sound. */
  mute: boolean;
  /** When the picture last moved; null before there was any. */
  seen: Date | null;
  /** Why the last call found no way; null before one has failed, or when another did better. */
  trouble: Trouble | null;
  timer: number;
  told: string;
}

/** The call there is. */
export interface Ongoing extends Named {
  made: Call;
  /** Sound of it has arrived. A camera without a microphone may have a track for it all the same. */
  heard: boolean;
  /** The frame counter when it was looked at last. */
  total: number;
  /** Which servers it was made with. */
  servers: readonly RTCIceServer[];
  /** Which way it takes; null before there is one. */
  path: Path | null;
}

/** What tells a call from others. */
export interface Named {
  tag: string;
  /**
   * Who was called, else who has answered; null while neither is known. What an answer has taught lasts as long as the
   * call: a camera that is started again has another peer id, and where the relay says nothing nobody tells us.
   */
  peer: string | null;
}

/** As much of a seat as it takes to find it. */
interface Findable {
  readonly place: { readonly peer: string | null };
  readonly call: Named | null;
}

/**
 * Whose seat a message is about: by the call's tag where it has survived, else by who said it, else the only camera. In a
 * room where everybody hears everything, more than one camera may speak of the same call; then it is of whoever was called
 * or answered first.
 */
export function whose<S extends Findable>(seats: readonly S[], tag: string | null, from: string | null): S | undefined {
  if (tag !== null) {
    return seats.find(({ call }) => call?.tag === tag && (from === null || call.peer === null || call.peer === from));
  }
  if (from !== null) return seats.find((seat) => peerOf(seat) === from) ?? seats.find((seat) => peerOf(seat) === null);
  return seats.length === 1 ? seats[0] : undefined;
}

/** The camera's peer id, as far as it is known. */
export function peerOf({ place, call }: Findable): string | null {
  return call?.peer ?? place.peer;
}
