// One look at what has arrived in a camera's call, and whether a deadline has passed: a timer in the background may be late.
// Must not know the page, nor what is done about it.

import type { Fact } from "./life";
import { pathOf } from "./path";
import { isFull, viewOf, type Ongoing, type Seat } from "./seats";
import { arrived, progress } from "./stats";

/** So many looks, a second apart, after which sound would have come; a microphone may take a while to open, and one that did longer. */
const MUTE_LOOKS = 6;
const SLOW_LOOKS = 12;

/** What is found. */
export interface Finds {
  fact(fact: Fact): void;
  /** There is sound in the call. */
  heard(call: Ongoing): void;
}

/** Done when it is known what has come. */
export async function look(seat: Seat, finds: Finds): Promise<void> {
  finds.fact({ is: "time" });
  const call = seat.call;
  if (!call) return;
  // A browser that still owes an answer is not asked again; meanwhile nothing has come, as far as anybody knows.
  if (call.asked) return finds.fact({ is: "frames", tag: call.tag, total: call.total });
  call.asked = true;
  const report = await call.made.stats().catch(() => null);
  call.asked = false;
  if (!report || seat.call !== call) return;
  const seen = arrived(report);
  const moved = progress(seen, call.seen, document.hidden);
  const sound = seen.audioPackets - (call.seen?.audioPackets ?? 0);
  call.recent.add(report, performance.now(), isFull(seat));
  call.path = pathOf(report, call.servers) ?? call.path;
  if (!call.heard && seen.audioPackets > 0) {
    call.heard = true;
    finds.heard(call);
  }
  const { privacy, mute } = seat.life.told;
  // Then neither what comes nor what does not says anything of the microphone; at the next look it may still be of then.
  const stands = privacy || mute;
  if (seat.silent && sound > 0 && !stands && call.mute >= 0) {
    seat.silent = false;
    seat.slow = true;
    if (call.instead) {
      seat.seen = null;
      return finds.fact({ is: "otherwise" });
    }
  }
  call.mute = stands ? -1 : call.heard || !call.path ? 0 : call.mute + 1;
  if (call.mute >= (seat.slow ? SLOW_LOOKS : MUTE_LOOKS)) {
    seat.silent = true;
    // Where sound alone was asked for, nothing at all would come of the call.
    if (call.asks === "sound") return finds.fact({ is: "otherwise" });
  }
  call.frames += moved;
  // Where no picture comes, sound alone tells that the call goes on; where it is known why none comes, that it is there.
  const none = call.asks === "sound" && stands && !call.heard && call.path;
  call.total += moved + (none ? 1 : call.asks === "sound" || seat.feed === "picture-none" ? sound : 0);
  Object.assign(call, { seen, still: moved === 0 });
  // What stands in for the picture moves, too.
  if (!call.still && viewOf(seat).word === "live") seat.seen = new Date();
  finds.fact({ is: "frames", tag: call.tag, total: call.total });
  if (seat.call === call) seat.vigil.look(call.frames, seen.audioPackets, viewOf(seat).word, seat.life.told.mute, performance.now());
}
