// The sound of the alarm, made by the browser itself, and the phone's trembling with it.
// Must not know why it sounds.

/** How long the trial is, in seconds. */
const TRIAL_SECONDS = 0.9;
/** How long it grows until it is as loud as it gets, in seconds: nobody is to be shocked out of sleep. */
const GROWTH_SECONDS = 4;
const LOUDEST = 0.7;
/** Milliseconds of trembling, stillness, trembling: less than a second, for it is asked for every second. */
const TREMBLE = [350, 150, 350];

export class Siren {
  private context: AudioContext | null = null;
  private voice: OscillatorNode[] | null = null;

  /** `changed` when the browser has begun or ceased to let it sound. */
  constructor(private readonly changed: () => void) {}

  /** Whether the browser lets it sound. */
  audible(): boolean {
    return this.context?.state === "running";
  }

  /** Asks the browser to let it sound; most want that from within a touch or a key press. */
  wake(): void {
    try {
      this.context ??= new AudioContext();
      this.context.onstatechange = this.changed;
      if (!this.audible()) void this.context.resume().catch(() => undefined);
    } catch {
      // No sound card, or too many pages that have one: then it is not audible, and that is said.
    }
  }

  /** How it sounds, for a moment. */
  trial(): void {
    this.sing(LOUDEST / 2, TRIAL_SECONDS);
  }

  /** Called again and again while it is to sound, and once when it no longer is. */
  sound(on: boolean): void {
    if (on) {
      this.voice ??= this.sing(LOUDEST / 5);
      navigator.vibrate?.(TREMBLE);
    } else if (this.voice) {
      for (const one of this.voice) one.stop();
      this.voice = null;
      navigator.vibrate?.(0);
    }
  }

  /** Two tones in turn. The browser's sound runs by itself, however seldom the page is given a turn. */
  private sing(volume: number, seconds = 0): OscillatorNode[] | null {
    const context = this.context;
    if (!context) return null;
    const now = context.currentTime;
    const [tone, turn, swing, loudness] = [context.createOscillator(), context.createOscillator(), context.createGain(), context.createGain()];
    tone.type = turn.type = "square";
    tone.frequency.value = 900;
    turn.frequency.value = 2.5;
    swing.gain.value = 200;
    loudness.gain.setValueAtTime(volume, now);
    if (seconds === 0) loudness.gain.linearRampToValueAtTime(LOUDEST, now + GROWTH_SECONDS);
    turn.connect(swing).connect(tone.frequency);
    tone.connect(loudness).connect(context.destination);
    for (const one of [tone, turn]) {
      one.start();
      if (seconds > 0) one.stop(now + seconds);
    }
    return [tone, turn];
  }
}
