// Talking back: when the microphone is asked for, when what it hears goes out, and when it is let go of. The camera says who
// has the floor; whoever has not is not heard, whatever they send. Times are milliseconds of any steady clock.
// Must not know the page, nor how a message is spelt.

import type { Ongoing } from "./seats";
import type { Want } from "./wire";

/** A press that is shorter is a tap: the microphone stays on until the next one. */
export const TAP_MS = 350;
/** How long the camera may take to say whether we are heard. */
export const FLOOR_MS = 4_000;

/**
 * `none`: there is nothing to say, and no button. `insecure`: the browser hands a microphone only to pages over https.
 * `asking`: for the microphone. `waiting`: for the camera. `busy`: somebody else talks. `taken`: somebody else took over, or
 * the camera does not hear us any more. `again`: the browser asked for so long, or took the touch away, that one has to press anew. `lost`: the camera's speaker does not work.
 */
export type TalkWord =
  | "none" | "no-speaker" | "not-allowed" | "insecure" | "ready" | "asking" | "waiting" | "talking" | "busy" | "taken" | "again" | "denied" | "deaf"
  | "unanswered" | "lost";

/** What there is to say of talking. `latched`: it goes on by itself. `talkers`: who else talks; null: somebody without a name. */
export interface TalkView {
  word: TalkWord;
  latched: boolean;
  takes: boolean;
  talkers: readonly (string | null)[];
}

interface Wish {
  since: number;
  latched: boolean;
  turn: number;
  /** Whether the button is still held, as far as anybody can know. */
  sure: boolean;
}

export class Talk {
  private call: Ongoing | null = null;
  private wish: Wish | null = null;
  private track: MediaStreamTrack | null = null;
  private trouble: TalkWord | null = null;
  private turn = 0;
  /** It goes out. */
  private sends = false;
  private late: ReturnType<typeof setTimeout> | undefined;

  /** `say` sends what we want in this call, `changed` after every change that nobody has asked for. */
  constructor(private readonly say: (call: Ongoing, want: Want, turn: number) => void, private readonly changed: () => void,
    private readonly capture: () => Promise<MediaStreamTrack> = microphone, private readonly secure = () => window.isSecureContext) {}

  /** Which call is talked in; null: in none. */
  aim(call: Ongoing | null): void {
    if (call === this.call) return;
    const cut = this.sends && !this.call?.made.isOpen();
    // A call that goes on is told: whoever only looks elsewhere would keep the floor from others.
    if (this.call?.made.isOpen()) this.stop();
    this.close();
    // Said in the call that follows: whoever talks would not know that it is another one.
    if (cut) this.trouble = "taken";
    else if (this.call) this.trouble = null;
    this.call = call;
  }

  /** The camera has said something of the floor in the call that is talked in. */
  heard(): void {
    const floor = this.call?.floor;
    this.reached();
    if (!this.wish || !floor || floor.turn < this.wish.turn) return;
    clearTimeout(this.late);
    if (floor.yours) return this.send();
    // The camera waits for three seconds, whatever the browser asks the person meanwhile.
    this.trouble = this.sends ? "taken" : floor.talkers.length > 0 ? null : "again";
    this.end();
  }

  /** The camera is there to be asked: that it did not answer is over. */
  reached(): void {
    if (this.trouble === "unanswered") this.trouble = null;
  }

  /** The button goes down. Has to be called from within the touch or key press itself. */
  press(now: number): void {
    if (this.wish) {
      if (this.wish.latched) this.stop();
      else Object.assign(this.wish, { since: now, sure: true });
      return;
    }
    const { call } = this;
    if (!call || !this.mayTalk()) return;
    this.trouble = null;
    const wish = this.wish = { since: now, latched: false, turn: ++this.turn, sure: true };
    this.say(call, this.takes() ? "take" : "ask", wish.turn);
    this.late = setTimeout(() => this.fail("unanswered"), FLOOR_MS);
    this.capture().then((track) => {
      if (this.wish !== wish) return track.stop();
      this.track = track;
      if (!wish.sure && !wish.latched) return this.fail("again");
      track.onended = () => this.fail("deaf");
      this.send();
      this.changed();
    }, (why: unknown) => {
      if (this.wish === wish) this.fail(why instanceof DOMException && why.name === "NotAllowedError" ? "denied" : "deaf");
    });
  }

  /** The button comes up. */
  release(now: number): void {
    if (!this.wish || this.wish.latched) return;
    if (now - this.wish.since < TAP_MS) this.wish.latched = true;
    else this.stop();
  }

  /** Begins or ends, for whoever cannot hold a button. */
  toggle(now: number): void {
    if (this.wish) return this.stop();
    this.press(now);
    if (this.wish) (this.wish as Wish).latched = true;
  }

  /** Whether the browser may be asking the person at this moment. */
  asks(): boolean {
    return this.wish !== null && this.track === null;
  }

  /** While the browser asks, the page may not hear that the button is let go of. */
  doubt(): void {
    if (this.wish) this.wish.sure = false;
  }

  /** Talks no more, and says so. */
  stop(): void {
    if (!this.wish) return;
    const call = this.call;
    this.end();
    if (call) this.say(call, "give", ++this.turn);
  }

  view(): TalkView {
    return { word: this.word(), latched: this.wish?.latched ?? false, takes: this.takes(), talkers: this.call?.floor?.talkers ?? [] };
  }

  private word(): TalkWord {
    const floor = this.call?.floor;
    if (!floor) return "none";
    if (floor.may === "no-speaker" || floor.may === "not-allowed") return floor.may;
    if (!this.secure()) return "insecure";
    if (this.wish) return !this.track ? "asking" : this.sends ? "talking" : "waiting";
    if (floor.may === "speaker-lost") return "lost";
    return floor.talkers.length > 0 ? "busy" : this.trouble ?? "ready";
  }

  private mayTalk(): boolean {
    const may = this.call?.floor?.may;
    return (may === "talk" || may === "manage" || may === "speaker-lost") && this.secure();
  }

  /** Whether a press takes the floor from somebody. */
  private takes(): boolean {
    const floor = this.call?.floor;
    return floor?.may === "manage" && floor.talkers.length > 0 && !floor.yours;
  }

  /** Lets the microphone out as soon as there is one and the camera hears us. */
  private send(): void {
    const { call, track, wish } = this;
    if (!call || !track || !wish || this.sends || !call.floor?.yours || call.floor.turn < wish.turn) return;
    this.sends = true;
    void call.made.talk(track).catch(() => this.fail("deaf"));
  }

  private fail(trouble: TalkWord): void {
    this.trouble = trouble;
    this.stop();
    this.changed();
  }

  private end(): void {
    const { call, sends } = this;
    this.close();
    if (call && sends) void call.made.talk(null).catch(() => undefined);
  }

  private close(): void {
    clearTimeout(this.late);
    this.wish = null;
    this.sends = false;
    if (this.track) {
      this.track.onended = null;
      this.track.stop();
      this.track = null;
    }
  }
}

/** Asks the browser for the microphone, with its own echo cancellation: the page plays what the camera hears. */
async function microphone(): Promise<MediaStreamTrack> {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const [track] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
  if (!track) throw new Error("no microphone");
  return track;
}
