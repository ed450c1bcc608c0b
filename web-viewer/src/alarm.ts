// Decides when the page sounds its alarm: when neither picture nor sound has come from a watched camera for too long.
// Times are milliseconds of any steady clock and come in as arguments. Must not know how it sounds, the page or calls.

import type { View } from "./life";

/** How long there may be neither picture nor sound. */
export const ALARM_MS = 10_000;
/** How long there may be neither before it is said that the alarm is near. */
export const SOON_MS = 5_000;
/** How long a person may have quiet. */
export const HUSH_MS = 120_000;
/** Looks farther apart than the slowest timer of a page in the background (a minute): the whole device slept. */
export const SLEPT_MS = 70_000;

/** `idle`: armed, and nothing is watched. `hushed`: it would sound, and a person wants quiet for a while. */
export type AlarmWord = "off" | "idle" | "quiet" | "soon" | "sounding" | "hushed";

/** Something that is watched, and when last something of it came, or when waiting for it began. */
export interface Watched {
  id: number;
  last: number;
}

/** `missing`: ids of what the word is about. `deadline`: when there is another word unless something comes; null: never. */
export interface Verdict {
  word: AlarmWord;
  missing: number[];
  deadline: number | null;
}

export class Alarm {
  private armed: number | null = null;
  private verdict: Verdict = { word: "off", missing: [], deadline: null };
  /** Until when which camera shall be quiet: another one that is lost meanwhile is news. */
  private readonly hushed = new Map<number, number>();
  private looked: number | null = null;
  private awake = -Infinity;

  arm(now: number): void {
    this.armed = now;
    this.hushed.clear();
  }

  disarm(): void {
    this.armed = null;
  }

  /** Quiet for a while about what it sounds for. */
  hush(now: number): void {
    if (this.verdict.word !== "sounding") return;
    for (const id of this.verdict.missing) this.hushed.set(id, now + HUSH_MS);
  }

  look(watched: readonly Watched[], now: number): Verdict {
    // What was missed in one's sleep cannot be helped any more; what is missing from now on can.
    if (this.looked !== null && now - this.looked > SLEPT_MS) this.awake = now;
    this.looked = now;
    return (this.verdict = this.judge(watched, now));
  }

  private judge(watched: readonly Watched[], now: number): Verdict {
    const armed = this.armed;
    if (armed === null) return { word: "off", missing: [], deadline: null };
    if (watched.length === 0) return { word: "idle", missing: [], deadline: null };
    const since = watched.map(({ id, last }) => ({ id, at: Math.max(last, armed, this.awake) }));
    const overdue = (limit: number) => since.filter(({ at }) => now - at >= limit).map(({ id }) => id);
    const lost = overdue(ALARM_MS);
    for (const id of this.hushed.keys()) {
      if (!lost.includes(id)) this.hushed.delete(id);
    }
    const loud = lost.filter((id) => (this.hushed.get(id) ?? 0) <= now);
    if (loud.length > 0) return { word: "sounding", missing: lost, deadline: null };
    if (lost.length > 0) return { word: "hushed", missing: lost, deadline: Math.min(...this.hushed.values()) };
    const first = Math.min(...since.map(({ at }) => at));
    const soon = overdue(SOON_MS);
    return soon.length > 0
      ? { word: "soon", missing: soon, deadline: first + ALARM_MS }
      : { word: "quiet", missing: [], deadline: first + SOON_MS };
  }
}

/** What comes from one camera. What stands in for a lost camera or microphone, or for privacy, is nothing. */
export class Vigil {
  /** When something came last, or when waiting began; null while the person wants nothing of it. */
  last: number | null;
  private frames = 0;
  private packets = 0;

  constructor(now: number) {
    this.last = now;
  }

  begin(now: number): void {
    this.last = now;
  }

  /** The person hung up. */
  end(): void {
    this.last = null;
  }

  /** Another call counts from nought. */
  called(): void {
    this.frames = this.packets = 0;
  }

  /** One look at the counters of frames and of packets of sound; `word`, `mute`: what is known of the camera and its microphone. */
  look(frames: number, packets: number, word: View["word"], mute: boolean, now: number): void {
    const moved = frames !== this.frames && word === "live";
    const heard = packets !== this.packets && !mute && word !== "privacy";
    this.frames = frames;
    this.packets = packets;
    if (this.last !== null && (moved || heard)) this.last = now;
  }
}
