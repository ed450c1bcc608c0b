// What the page says of itself to tests and the curious (`window.porthole.snapshot()`). Must not change anything.

import type { Why } from "./reasons";
import type { MonitorState } from "./monitor";
import type { Path } from "./path";
import type { Picture } from "./picture";
import { peerOf, viewOf, type Seat } from "./seats";
import type { SoundState } from "./sound";
import { arrived, type Arrived } from "./stats";
import type { TalkView } from "./talk";
import type { Watcher } from "./wire";

/** What the page knows, for tests and the curious. */
export interface Snapshot {
  room: string;
  peer: string;
  /** The id of the access key, null without one. */
  key: string | null;
  relay: "up" | "down";
  /** Why the relay does not let us in, null while it does or nobody knows. */
  door: Why | null;
  /** How much of the picture is wanted here. */
  picture: Picture;
  sound: SoundState;
  alarm: MonitorState;
  talk: TalkView;
  cameras: ({
    from: string | null; name: string; word: string; reason: string | null; call: string | null; watching: Watcher[]; mute: boolean;
    path: Path | null; trouble: string | null;
  } & Partial<Arrived>)[];
}

/** What is known of one camera. */
export async function seen(seat: Seat): Promise<Snapshot["cameras"][number]> {
  const { place, life, call, watching, trouble } = seat;
  // All of one moment: looking at the statistics takes a while.
  const view = viewOf(seat);
  const why = view.reason === "no-connection" ? trouble?.is ?? null : null;
  const now = { from: peerOf(seat), name: place.name, ...view, call: call?.tag ?? null, watching, mute: life.told.mute, path: call?.path ?? null, trouble: why };
  // None where the call is closed meanwhile.
  const report = await call?.made.stats().catch(() => null);
  return { ...now, ...(report ? arrived(report) : {}) };
}
