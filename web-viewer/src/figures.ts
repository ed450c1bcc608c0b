// The figures of a call, of now and of the last ten seconds, read out of the browser's statistics. What a browser does not
// say is null, and never nought. Times are milliseconds of any steady clock. Pure; must not know calls, the page, or words.

import { chosenPair, type Report } from "./path";
import { inbound } from "./stats";

/** Over how long is reckoned, in milliseconds; looks are a second apart, and may be late. */
export const WINDOW_MS = 10_000;
const LATE_MS = 700;
/** Over less than this nothing is said of what comes in a second: the first frames of a call come all at once. */
const BRIEF_MS = 900;
/** Over how long the full picture has to have come for it to be said how many frames are made of it. */
const STEADY_MS = 8_000;
/** Most looks that are kept. */
const LOOKS_KEPT = 16;

/** What a browser counts of one kind of media that arrives: every number there is, under the names of the standard. */
export interface Stream {
  codec: string | null;
  counts: Readonly<Record<string, number>>;
}

/** One look. `full`: it was at the full picture of the camera; `rtt`: of the way, in seconds. */
export interface Look {
  at: number;
  full: boolean;
  rtt: number | null;
  video: Stream | null;
  audio: Stream | null;
}

/**
 * What arrives of the picture or of the sound. `loss` in percent; `buffer`, how long it waits in the browser, in milliseconds,
 * and `late`, how long it takes from the camera's door to the eye or ear.
 */
export interface Flow {
  codec: string | null;
  loss: number | null;
  kbit: number | null;
  buffer: number | null;
  late: number | null;
}

/** `made`: frames that came in a second, once nothing but the full picture has come for a while; `rtt` in milliseconds, `frozen` in seconds. */
export interface Figures {
  made: number | null;
  picture: (Flow & { width: number | null; height: number | null; frames: number | null }) | null;
  sound: Flow | null;
  rtt: number | null;
  freezes: number | null;
  frozen: number | null;
}

/** The last looks at a call. */
export class Recent {
  private looks: Look[] = [];

  add(report: Report, now: number, full = false): void {
    this.looks = [...this.looks.filter(({ at }) => now - at <= WINDOW_MS + LATE_MS), look(report, now, full)].slice(-LOOKS_KEPT);
  }

  last(): Look | null {
    return this.looks.at(-1) ?? null;
  }

  figures(): Figures {
    const { looks } = this;
    const last = this.last();
    const rtt = last?.rtt == null ? null : last.rtt * 1_000;
    const picture = flow(looks, "video", rtt);
    const counts = last?.video?.counts ?? {};
    const steady = looks.every(({ full }) => full) && (growth(looks, "video", "timestamp") ?? 0) >= STEADY_MS;
    return {
      made: steady ? rate(looks, "video", "framesReceived") : null,
      picture: picture && {
        ...picture, width: counts.frameWidth ?? null, height: counts.frameHeight ?? null, frames: rate(looks, "video", "framesDecoded"),
      },
      sound: flow(looks, "audio", rtt),
      rtt,
      freezes: picture && (counts.freezeCount ?? null),
      frozen: picture && (counts.totalFreezesDuration ?? null),
    };
  }
}

function look(report: Report, at: number, full: boolean): Look {
  const found: Record<string, Stream> = {};
  for (const [entry, codec] of inbound(report)) {
    const counts = Object.fromEntries(Object.entries(entry).filter((one): one is [string, number] => Number.isFinite(one[1])));
    // A line of the call that nothing has come on says nothing.
    if (counts.packetsReceived) found[String(entry.kind)] = { codec: codec.replace(/^.*\//, "") || null, counts };
  }
  const rtt = chosenPair(report)?.currentRoundTripTime;
  return { at, full, rtt: typeof rtt === "number" ? rtt : null, video: found.video ?? null, audio: found.audio ?? null };
}

function flow(looks: readonly Look[], kind: "video" | "audio", rtt: number | null): Flow | null {
  const stream = looks.at(-1)?.[kind];
  if (!stream) return null;
  const grown = (what: string) => growth(looks, kind, what);
  const [came, lost] = [grown("packetsReceived"), grown("packetsLost")];
  // In milliseconds.
  const mean = (sum: string, count: string) => {
    const [summed, counted] = [grown(sum), grown(count)];
    return summed === null || !counted ? null : (summed * 1_000) / counted;
  };
  const bytes = rate(looks, kind, "bytesReceived");
  const buffer = mean("jitterBufferDelay", "jitterBufferEmittedCount");
  // From the first packet of a frame to its picture, which a slow device takes long to make; of sound there is no such thing.
  const processed = mean("totalProcessingDelay", "framesDecoded") ?? 0;
  return {
    codec: stream.codec,
    // What was thought lost and came after all is taken off again.
    loss: came === null || lost === null || came + lost <= 0 ? null : (Math.max(0, lost) * 100) / (came + Math.max(0, lost)),
    kbit: bytes === null ? null : (bytes * 8) / 1_000,
    buffer,
    late: buffer === null || rtt === null ? null : Math.max(buffer, processed) + rtt / 2,
  };
}

/** By how much a count has grown since the first look that has it; null where nobody knows. */
function growth(looks: readonly Look[], kind: "video" | "audio", what: string): number | null {
  const counted = looks.flatMap((look) => look[kind]?.counts[what] ?? []);
  const [before, now] = [counted[0], looks.at(-1)?.[kind]?.counts[what]];
  return before === undefined || now === undefined || counted.length < 2 ? null : now - before;
}

/** The same for each second, by the browser's own clock: it is asked sooner or later than it has counted. */
function rate(looks: readonly Look[], kind: "video" | "audio", what: string): number | null {
  const [grown, passed] = [growth(looks, kind, what), growth(looks, kind, "timestamp")];
  return grown === null || passed === null || passed < BRIEF_MS ? null : (grown * 1_000) / passed;
}
