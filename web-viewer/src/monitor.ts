// Keeps watch while the person is away: looks every second, also in the background, sounds the alarm, keeps the screen on.
// Must not know what is looked at, nor words.

import { Alarm, type Verdict, type Watched } from "./alarm";
import type { Kept } from "./picture";
import { Siren } from "./siren";

/** How often is looked, in milliseconds. Timer and worker both say when: whichever comes sooner. */
const LOOK_EVERY_MS = 1_000;
const LOOK_SOONEST_MS = 700;

const KEPT = "porthole.alarm";

/** `until`: the verdict's deadline by the clock on the wall. `audible`: the browser lets it sound. `awake`: it keeps the screen on. */
export interface MonitorState extends Pick<Verdict, "word" | "missing"> {
  until: number;
  audible: boolean;
  awake: boolean;
}

/** What the monitor asks. */
export interface Watch {
  /** Looks at everything; done when it is known what has come. */
  look(): Promise<unknown>;
  watched(): Watched[];
  /** `fresh`: the person has just armed or disarmed it. */
  changed(fresh: boolean): void;
}

export class Monitor {
  private readonly alarm = new Alarm();
  private readonly siren = new Siren(() => this.watch.changed(false));
  private verdict = this.alarm.look([], performance.now());
  private metronome: Worker | null = null;
  private lock: WakeLockSentinel | null = null;
  private ticked = -Infinity;
  private looking = 0;
  private flash = false;
  private touched = false;
  private waking = false;

  constructor(private readonly kept: Kept | null, private readonly watch: Watch) {
    window.setInterval(() => this.tick(), LOOK_EVERY_MS);
    for (const touch of ["click", "keydown"]) document.addEventListener(touch, () => this.touch(), { capture: true });
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    if (kept?.getItem(KEPT) === "on") this.arm();
  }

  state(): MonitorState {
    const { word, missing, deadline } = this.verdict;
    const until = Date.now() + (deadline ?? 0) - performance.now();
    return { word, missing, until, audible: this.siren.audible(), awake: this.lock !== null };
  }

  /** Whether the window's title is to cry out at this moment. */
  cries(): boolean {
    return this.verdict.word === "sounding" && this.flash;
  }

  /** Arms or disarms. Must be called from within the touch or key press itself. */
  toggle(): void {
    const arms = !this.armed();
    this.kept?.setItem(KEPT, arms ? "on" : "off");
    if (arms) {
      this.arm();
      this.siren.trial();
    } else {
      this.alarm.disarm();
      this.metronome?.terminate();
      this.metronome = null;
      void this.lock?.release().catch(() => undefined);
    }
    this.judge(true);
  }

  /** Quiet for a while. */
  hush(): void {
    this.alarm.hush(performance.now());
    this.judge();
  }

  private armed(): boolean {
    return this.verdict.word !== "off";
  }

  private arm(): void {
    this.alarm.arm(performance.now());
    this.verdict = this.alarm.look([], performance.now());
    this.siren.wake();
    void this.stayAwake();
    try {
      this.metronome = new Worker("tick.js");
      this.metronome.onmessage = () => this.tick();
    } catch {
      // Then there is only the page's own timer.
    }
  }

  private touch(): void {
    this.touched = true;
    if (this.armed()) this.siren.wake();
  }

  private tick(): void {
    const now = performance.now();
    if (now - this.ticked < LOOK_SOONEST_MS) return;
    this.ticked = now;
    this.flash = !this.flash;
    // A phone that rang, or was locked, has taken the sound away.
    if (this.touched && this.armed() && !this.siren.audible()) this.siren.wake();
    // A look that does not come back keeps nobody from judging.
    if (this.looking > 0) this.judge();
    this.looking++;
    void this.watch.look().finally(() => {
      this.looking--;
      this.judge();
    });
  }

  private judge(fresh = false): void {
    this.verdict = this.alarm.look(this.watch.watched(), performance.now());
    this.siren.sound(this.verdict.word === "sounding");
    this.watch.changed(fresh);
  }

  /** Keeps the screen on while the alarm is armed, where the browser can; it lets go of it whenever the page is hidden. */
  private async stayAwake(): Promise<void> {
    if (!this.armed() || this.lock || this.waking || document.hidden) return;
    this.waking = true;
    try {
      const lock = await navigator.wakeLock.request("screen");
      this.lock = lock;
      lock.addEventListener("release", () => {
        this.lock = null;
        this.watch.changed(false);
      });
      if (!this.armed()) void lock.release();
      this.watch.changed(false);
    } catch {
      // Over plain http, or with an empty battery: that it does not is said.
    } finally {
      this.waking = false;
    }
  }
}
