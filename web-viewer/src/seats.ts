// A camera's seat on the page: its place in the roster, its life, its tile and the call there is; and which seat a message
// is about. Must not know how a message is spelt, nor what is done about it.

import type { Vigil, Watched } from "./alarm";
import type { Call } from "./call";
import type { Fact, Life, View } from "./life";
import { Recent } from "./figures";
import type { Path, Trouble } from "./path";
import type { Picture } from "./picture";
import type { Place } from "./roster";
import type { Arrived } from "./stats";
import type { Tile } from "./tiles";
import type { Floor, Watcher } from "./wire";

export interface Seat {
  place: Place;
  life: Life;
  tile: Tile;
  call: Ongoing | null;
  /** What was seen of the last call that something came of, when it was over. */
  past: Recent | null;
  /** It has no microphone: there is a way, and no sound comes. */
  silent: boolean;
  /** It has one all the same, which took long to open. */
  slow: boolean;
  /** Who else watches, as the camera said last during the call. */
  watching: Watcher[];
  /** What of the picture the way carries, in the camera's words; empty before it has said anything. */
  feed: string;
  /** What is wrong with the way is on this side. */
  here: boolean;
  /** When the picture last moved; null before there was any. */
  seen: Date | null;
  /** What comes of it, for the alarm. */
  vigil: Vigil;
  /** Why the last call found no way; null before one has failed, or when another did better. */
  trouble: Trouble | null;
  timer: number;
  told: string;
}

/** One without a call. */
export function empty(place: Place, life: Life, tile: Tile, vigil: Vigil): Seat {
  const nothing = { call: null, past: null, silent: false, slow: false, watching: [], feed: "", here: false, seen: null, trouble: null, timer: 0, told: "" };
  return { place, life, tile, vigil, ...nothing };
}

/** The call there is. */
export interface Ongoing extends Named {
  made: Call;
  /** Sound of it has arrived. A camera without a microphone may have a track for it all the same. */
  heard: boolean;
  /** How much of the picture was asked for. */
  asks: Picture;
  /** That is a small picture in the place of the sound alone that is wanted. */
  instead: boolean;
  since: Date;
  /** What had arrived when it was looked at last, and what of it told the call's life that it goes on. */
  seen: Arrived | null;
  frames: number;
  total: number;
  /** How often in a row there was a way then, and no sound had come yet; -1: there was no microphone to be heard. */
  mute: number;
  /** Whether the picture stood still then. */
  still: boolean;
  /** The browser is asked for its statistics, and has not said. */
  asked: boolean;
  recent: Recent;
  /** Which servers it was made with. */
  servers: readonly RTCIceServer[];
  /** Which way it takes; null before there is one. */
  path: Path | null;
  /** Who talks, as the camera said last; null before it has, or where it never does. */
  floor: Floor | null;
}

/** A call of which nothing has come. */
export function ongoing(named: Named, made: Call, asks: Picture, servers: readonly RTCIceServer[], instead = false): Ongoing {
  const counted = { heard: false, seen: null, frames: 0, total: 0, mute: 0, still: false, asked: false, recent: new Recent() };
  return { ...named, ...counted, made, asks, instead, since: new Date(), servers, path: null, floor: null };
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

/** What a camera's notice is about: its picture or its sound; null: nothing that we know. */
export function noticed(what: string, here = false): Fact | Pick<Seat, "feed" | "here"> | null {
  switch (what) {
    case "camera-lost":
    case "camera-back":
    case "privacy-on":
    case "privacy-off":
    case "sound-lost":
    case "sound-back":
      return { is: what };
    case "picture-full":
    case "picture-small":
    case "picture-none":
      return { feed: what, here };
    default:
      return null;
  }
}

/**
 * What there is to say of a camera. That the way carries no picture its call does not know: it lives on. A picture that moves
 * says more. Whoever asked for none misses none.
 */
export function viewOf({ life, feed, call }: { life: Life; feed: string; call: Pick<Ongoing, "still" | "asks"> | null }): View {
  const view = life.view();
  if (call?.asks === "sound" && (view.word === "live" || (view.word === "camera-lost" && view.reason === null))) return { word: "sound-chosen", reason: null };
  return view.word === "live" && feed === "picture-none" && call?.still ? { word: "sound-only", reason: null } : view;
}

/** Whether what comes is the full picture of the camera, as far as it says. */
export function isFull(seat: Parameters<typeof viewOf>[0]): boolean {
  return viewOf(seat).word === "live" && (seat.feed === "picture-full" || (seat.feed === "" && seat.call?.asks === "full"));
}

/** What the alarm is about: every camera that was not hung up; where there is none yet, that there is none. */
export function watched(seats: readonly Seat[]): Watched[] {
  if (seats.length === 0) return [{ id: -1, last: 0 }];
  return seats.flatMap(({ vigil: { last } }, id) => (last === null ? [] : [{ id, last }]));
}

/** What there is to say of these, by the ids that `watched` gives them. */
export function missed(seats: readonly Seat[], ids: readonly number[]): { name: string; view: View; trouble: Trouble | null }[] {
  return seats.filter((_, id) => ids.includes(id)).map((seat) => ({ name: seat.place.name, view: viewOf(seat), trouble: seat.trouble }));
}

/** The camera's peer id, as far as it is known. */
export function peerOf({ place, call }: Findable): string | null {
  return call?.peer ?? place.peer;
}
