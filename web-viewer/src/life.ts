// The life of one camera on the page: when to call it, when to call again, when to wait and when to give up.
// Feed `handle` one fact at a time, perform the `deeds` it leaves, wake it with `handle({is: "time"})` at `deadline`.
// Times are milliseconds of any steady clock and come in as arguments, like chance; nothing here asks for them.
// Must not know the page, Socket.IO, WebRTC or any word that is shown to people.

import type { Doubt } from "./proof";
import { AFTER, isFinal, type Why } from "./reasons";
import { Told, type News } from "./told";
import type { Reason } from "./wire";

/** How long a call may wait for its answer. */
export const ANSWER_MS = 12_000;
/** How long an answered call may take until its first picture. */
export const CONNECT_MS = 15_000;
/** How long a live call may show nothing new. */
export const SILENCE_MS = 4_000;
/** The same where there is a reason to doubt the call: its camera came into the room anew, or the network came back. */
export const DOUBT_MS = 1_500;
/** The same while the camera itself says that it has no picture. */
export const CAMERA_LOST_MS = 30_000;
/** How long ICE may stay disconnected. */
export const DISCONNECTED_MS = 5_000;
/** Most that one look at the frame counter counts for silence: a page that slept must not take that for the camera's. */
export const LOOK_MS = 1_500;
/** A call that was live this long was a good one: the next one is made at once. */
export const GOOD_CALL_MS = 5_000;
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_LONGEST_MS = 5_000;

/** Exactly one thing that happened. A `tag` names the call it is about; facts of past calls change nothing. */
export type Fact =
  | { is: "time" }
  /** The camera is in the room; `anew` when it has just come in. */
  | { is: "present"; anew: boolean }
  /** The relay says that the camera is not in the room. */
  | { is: "gone" }
  | { is: "relay-down" }
  /** The relay is there and does not let us in. */
  | { is: "turned-away"; why: Why }
  | { is: "online" }
  | { is: "answered"; tag: string }
  | { is: "path"; tag: string; state: "connected" | "disconnected" | "failed" }
  /** A picture of the call is on the page. */
  | { is: "picture"; tag: string }
  /** One look at the frame counter; a number that changed means that frames arrive. */
  | { is: "frames"; tag: string; total: number }
  /** The browser could not make the offer or take the answer. */
  | { is: "broken"; tag: string }
  /** The camera's answer is not believed. */
  | { is: "doubted"; tag: string; why: Doubt }
  /** The camera refused or ended a call; `tag` null where the relay stripped it. */
  | { is: "over"; tag: string | null; reason: Why }
  | { is: News }
  /** The person asks for it. */
  | { is: "call" }
  | { is: "hang-up" }
  /** The person wants it otherwise: a call that there is gives way to another, and one that was refused is made once more. */
  | { is: "otherwise" };

/** Something to do. `drop` closes the call and tells the camera where `bye` has a reason. */
export type Deed = { do: "call"; tag: string } | { do: "drop"; tag: string; bye: Reason | null };

/**
 * What there is to say about the camera. `again`: it was live before; `absent`: it is not there, or (`unanswered`) nobody
 * answers for it; `sound-only`: it is live, and the way carries no picture; `sound-chosen`: nor was one asked for. `reason` belongs to the last call that ended, or
 * says why we were turned away.
 */
export interface View {
  word: "calling" | "again" | "live" | "sound-only" | "sound-chosen" | "camera-lost" | "privacy" | "relay-lost" | "turned-away" | "absent" | "waiting" | "refused" | "ended";
  reason: Why | null;
}

type Phase =
  | { is: "ready" }
  | { is: "waiting"; until: number; patient: boolean }
  | { is: "calling"; tag: string; deadline: number; answered: boolean }
  | Live
  | { is: "refused"; reason: Why }
  | { is: "ended"; reason: Why };

interface Live {
  is: "live";
  tag: string;
  since: number;
  total: number;
  lookedAt: number;
  quiet: number;
  doubted: boolean;
  cutAt: number | null;
}

export class Life {
  private phase: Phase = { is: "ready" };
  private place: "unknown" | "present" | "gone" = "unknown";
  private relay = false;
  /** Why the relay does not let us in, while it does not. */
  private door: Why | null = null;
  /** What the camera said of itself. */
  readonly told = new Told();
  /** What the last call came to, until another one does better or there is a new reason to hope. */
  private trouble: Why | null = null;
  private everLive = false;
  private attempts = 0;
  /** The person wants another call, which cannot be made before the relay is back. */
  private later = false;
  private todo: Deed[] = [];

  /** `tag` makes a name for a call that was never used before, `chance` a number in [0, 1). */
  constructor(private readonly tag: () => string, private readonly chance: () => number) {}

  handle(fact: Fact, now: number): void {
    if ("tag" in fact && fact.tag !== null && fact.tag !== this.call()) return;
    this.take(fact, now);
    this.move(now);
  }

  /** What there is to do, in order; empty until the next `handle`. */
  deeds(): Deed[] {
    const deeds = this.todo;
    this.todo = [];
    return deeds;
  }

  /** When to wake it with `{is: "time"}` unless something else happens first. */
  deadline(): number | null {
    switch (this.phase.is) {
      case "waiting":
        return this.callable() ? this.phase.until : null;
      case "calling":
        return this.phase.deadline;
      case "live":
        return this.phase.cutAt === null ? null : this.phase.cutAt + DISCONNECTED_MS;
      default:
        return null;
    }
  }

  /** The tag of the call that exists now. */
  call(): string | null {
    return this.phase.is === "calling" || this.phase.is === "live" ? this.phase.tag : null;
  }

  /** Whether it was given up for good: nothing helps but another link. */
  isOver(): boolean {
    return this.phase.is === "refused" && isFinal(this.phase.reason);
  }

  view(): View {
    const phase = this.phase;
    switch (phase.is) {
      case "live":
        return { word: this.told.privacy ? "privacy" : this.told.cameraLost ? "camera-lost" : "live", reason: null };
      case "refused":
      case "ended":
        return { word: phase.is, reason: phase.reason };
      case "calling":
      case "ready":
      case "waiting": {
        const reason = this.trouble;
        if (this.door !== null && phase.is !== "calling") return { word: "turned-away", reason: this.door };
        if (!this.relay && phase.is !== "calling") return { word: "relay-lost", reason };
        if (this.place === "gone" && phase.is !== "calling") return { word: "absent", reason };
        if (this.told.cameraLost || reason === "camera-lost") return { word: "camera-lost", reason };
        if (reason === "not-here" || reason === "unanswered") return { word: "absent", reason };
        if (phase.is === "waiting" && phase.patient) return { word: "waiting", reason };
        return { word: this.everLive ? "again" : "calling", reason };
      }
    }
  }

  private take(fact: Fact, now: number): void {
    const phase = this.phase;
    switch (fact.is) {
      case "time":
        return this.late(now);
      case "present":
        return this.present(fact.anew, now);
      case "gone":
        this.arrive("gone");
        if (this.trouble === "unanswered") this.trouble = null;
        if (phase.is !== "calling" || phase.answered) return;
        this.drop(null);
        this.phase = { is: "ready" };
        return;
      case "turned-away":
      case "relay-down":
        this.relay = false;
        this.place = "unknown";
        this.told.away();
        this.door = fact.is === "turned-away" ? fact.why : null;
        return;
      case "online":
        return this.online(now);
      case "answered":
        if (phase.is !== "calling" || phase.answered) return;
        this.phase = { ...phase, answered: true, deadline: now + CONNECT_MS };
        if (this.trouble === "unanswered" || this.trouble === "not-here") this.trouble = null;
        return;
      case "path":
        return this.path(fact.state, now);
      case "picture":
        if (phase.is === "calling") this.goLive(phase.tag, 0, now);
        return;
      case "frames":
        return this.look(fact.total, now);
      case "broken":
        return this.again("failed", now, null);
      case "doubted":
        this.drop("bad-answer");
        this.phase = { is: "refused", reason: fact.why };
        return;
      case "over":
        return this.over(fact.reason, now);
      case "camera-lost":
      case "privacy-on":
      case "privacy-off":
      case "sound-lost":
      case "sound-back":
        return this.told.hear(fact.is);
      case "camera-back":
        this.told.hear(fact.is);
        if (phase.is === "waiting" && this.trouble === "camera-lost") this.phase = { is: "ready" };
        if (this.trouble === "camera-lost") this.trouble = null;
        if (phase.is === "live") this.phase = { ...phase, quiet: 0 };
        return;
      case "call":
      case "otherwise":
        if (this.isOver() || (fact.is === "call" ? this.call() !== null : phase.is === "ended")) return;
        // A call that goes on without the relay is better than none: the other one is made once it can be.
        this.later = this.call() !== null && !this.callable();
        if (!this.later) this.anew();
        return;
      case "hang-up":
        if (this.isOver()) return;
        this.drop("hang-up");
        this.phase = { is: "ended", reason: "hang-up" };
        return;
    }
  }

  /** Calls as soon as nothing speaks against it. */
  private move(now: number): void {
    const due = this.phase.is === "ready" || (this.phase.is === "waiting" && this.phase.until <= now);
    if (!due || !this.callable()) return;
    const tag = this.tag();
    this.told.forget();
    this.todo.push({ do: "call", tag });
    this.phase = { is: "calling", tag, deadline: now + ANSWER_MS, answered: false };
  }

  private callable(): boolean {
    return this.relay && this.place === "present";
  }

  private late(now: number): void {
    const phase = this.phase;
    this.told.time(now);
    if (phase.is === "calling" && phase.deadline <= now) {
      this.again(phase.answered ? "no-connection" : "unanswered", now, "no-connection");
    }
    if (phase.is === "live" && phase.cutAt !== null && phase.cutAt + DISCONNECTED_MS <= now) {
      this.again("no-connection", now, "no-connection");
    }
  }

  private present(anew: boolean, now: number): void {
    const news = anew || this.place !== "present";
    this.arrive("present");
    if (this.later) return this.anew();
    if (!news || this.isOver()) return;
    this.told.back(now);
    const phase = this.phase;
    if (phase.is === "live") {
      this.phase = { ...phase, doubted: true, quiet: 0 };
    } else if (phase.is === "calling" && !phase.answered) {
      this.drop(null);
      this.hope();
    } else if (phase.is === "refused" || (phase.is === "waiting" && (anew || !phase.patient))) {
      this.hope();
    }
  }

  /** Makes another call in place of the one there is. */
  private anew(): void {
    this.drop("hang-up");
    this.attempts = 0;
    this.hope();
  }

  /** There is a reason to believe that a call made now does better than the last. */
  private hope(): void {
    this.trouble = null;
    this.phase = { is: "ready" };
  }

  /** The relay has let us in, and says where the camera is. */
  private arrive(place: "present" | "gone"): void {
    this.relay = true;
    this.door = null;
    this.place = place;
  }

  private online(now: number): void {
    const phase = this.phase;
    this.attempts = 0;
    if (phase.is === "waiting" && !phase.patient) this.phase = { is: "ready" };
    if (phase.is !== "live") return;
    if (phase.cutAt !== null) this.again("no-connection", now, "no-connection");
    else this.phase = { ...phase, doubted: true, quiet: 0 };
  }

  private path(state: "connected" | "disconnected" | "failed", now: number): void {
    if (state === "failed") return this.again("no-connection", now, "no-connection");
    if (this.phase.is === "live") this.phase = { ...this.phase, cutAt: state === "connected" ? null : this.phase.cutAt ?? now };
  }

  private goLive(tag: string, total: number, now: number): void {
    this.phase = { is: "live", tag, since: now, total, lookedAt: now, quiet: 0, doubted: false, cutAt: null };
    this.everLive = true;
    this.trouble = null;
  }

  private look(total: number, now: number): void {
    const phase = this.phase;
    if (phase.is === "calling" && total > 0) return this.goLive(phase.tag, total, now);
    if (phase.is !== "live") return;
    if (total !== phase.total) {
      this.phase = { ...phase, total, lookedAt: now, quiet: 0, doubted: false };
      return;
    }
    const quiet = phase.quiet + Math.min(Math.max(now - phase.lookedAt, 0), LOOK_MS);
    this.phase = { ...phase, lookedAt: now, quiet };
    const limit = phase.doubted ? DOUBT_MS : this.told.cameraLost ? CAMERA_LOST_MS : SILENCE_MS;
    if (quiet >= limit) this.again("silent", now, "silent");
  }

  private over(reason: Why, now: number): void {
    if (this.call() === null) return;
    // The relay means our message, not the call: that is between the camera and us once it is answered.
    if (reason === "not-here" && (this.phase.is === "live" || (this.phase.is === "calling" && this.phase.answered))) return;
    if (reason === "camera-lost") this.told.hear(reason);
    const after = AFTER[reason];
    if (typeof after === "number") return this.again(reason, now, null, after);
    this.drop(null);
    this.phase = after === "end" ? { is: "ended", reason } : { is: "refused", reason };
  }

  /** Ends the call and makes another: at once after a good one, else later and later. */
  private again(reason: Why, now: number, bye: Reason | null, atLeast = 0): void {
    const good = this.phase.is === "live" && now - this.phase.since >= GOOD_CALL_MS;
    this.drop(bye);
    if (good) this.attempts = 0;
    const backOff = good ? 0 : Math.min(BACK_OFF_LONGEST_MS, BACK_OFF_FIRST_MS * 2 ** Math.min(this.attempts++, 10));
    const wait = Math.max(backOff, atLeast) * (0.75 + 0.5 * this.chance());
    this.trouble = reason;
    this.phase = { is: "waiting", until: now + wait, patient: atLeast >= BACK_OFF_LONGEST_MS };
  }

  private drop(bye: Reason | null): void {
    const tag = this.call();
    if (tag !== null) this.todo.push({ do: "drop", tag, bye });
    this.later = false;
  }
}
