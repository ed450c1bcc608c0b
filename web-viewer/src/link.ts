// Our connection to the relay: enters the room each time it comes up, connects again for ever, and keeps what is said
// in between. The only place that knows Socket.IO. Must not know cameras, calls or the page.

import { io, type Socket } from "socket.io-client";
import type { Relay } from "./address";
import { Outbox } from "./outbox";
import { asReason, type Outgoing, type Reason } from "./wire";

/** How long the relay may take to confirm that we are in the room; many relays never do, so then it is said once more. */
export const JOIN_ACK_MS = 1_000;
/** First and longest pause before we come back to a relay that sent us away. */
const SENT_AWAY_FIRST_MS = 1_000;
const SENT_AWAY_LONGEST_MS = 30_000;
/** Whoever kept us this long did not send us away for what we are. */
const WELCOME_MS = 10_000;
/** Pause before we ask again to be let into the room. */
const REFUSED_MS = 10_000;
const BACK_OFF_FIRST_MS = 500;
/** Longest pause between two attempts to reach the relay. */
export const BACK_OFF_LONGEST_MS = 3_000;
const CONNECT_MS = 5_000;
/** The longest that a browser's timer can wait (2^31 - 1 milliseconds). */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface LinkEvents {
  /** We are in the room. `confirmed`: the relay says so; one that never does will not say who is there either. */
  up(confirmed: boolean): void;
  down(): void;
  /** An attempt to reach the relay failed; there are others. */
  unreached(): void;
  /**
   * The relay answers but does not let us in, and says why with a word; null: in words of its own. We come again, unless
   * closed meanwhile.
   */
  turnedAway(reason: Reason | null): void;
  /** Something was said in the room; also when the relay does not let us in (`refused`). */
  message(event: string, payload: unknown): void;
}

export class Link {
  private readonly socket: Socket;
  private readonly outbox = new Outbox();
  private inRoom = false;
  private arrivedAt = 0;
  private sentAway = 0;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  /** The relay has said, beside its reply, that we are not let into the room. */
  private refused = false;

  /**
   * `relay`: null for where the page came from. `join` is what we say to enter the room, `auth` what
   * comes with the connection itself.
   */
  constructor(relay: Relay | null, private readonly join: Outgoing, auth: Record<string, string>,
    private readonly events: LinkEvents) {
    const options = {
      auth,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: CONNECT_MS,
      reconnectionDelay: BACK_OFF_FIRST_MS,
      reconnectionDelayMax: BACK_OFF_LONGEST_MS,
      randomizationFactor: 0.5,
    };
    this.socket = relay === null ? io(options) : io(relay.origin, { ...options, path: relay.path });
    this.socket.on("connect", () => this.enter());
    this.socket.on("disconnect", (why) => {
      this.leave();
      if (why === "io server disconnect") this.comeBack();
    });
    this.socket.on("connect_error", ({ message }) => {
      if (this.socket.active) return this.events.unreached();
      // A relay that answers but refuses us is not tried again by Socket.IO itself.
      this.events.turnedAway(asReason(message));
      this.comeBack();
    });
    this.socket.onAny((event: string, payload: unknown) => {
      if (event === this.join.event) return;
      // A relay that tells us who is here has let us in, whether it confirms it or not.
      if (event === "room") this.arrived(true);
      if (event === "refused") this.refused = true;
      if (this.inRoom || event === "refused") this.events.message(event, payload);
    });
  }

  /** Says it now, or when we are in the room again. */
  send(message: Outgoing): void {
    if (this.inRoom) this.socket.emit(message.event, message.payload);
    else if (!this.closed) this.outbox.put(message, performance.now());
  }

  /** Asks the relay once more, in so many seconds, what it tells newcomers: some of that holds for a while only. Null: never. */
  askAgain(seconds: number | null): void {
    clearTimeout(this.again);
    if (seconds === null) return;
    this.again = setTimeout(() => {
      if (this.inRoom) this.socket.emit(this.join.event, this.join.payload);
    }, Math.min(seconds * 1_000, LONGEST_TIMER_MS));
  }

  /** The network is back: does not wait for the next attempt. */
  tryNow(): void {
    if (!this.closed && !this.socket.connected) this.socket.disconnect().connect();
  }

  close(): void {
    this.closed = true;
    this.inRoom = false;
    clearTimeout(this.asking);
    this.socket.disconnect();
  }

  private enter(): void {
    const id = this.socket.id;
    const { event, payload } = this.join;
    clearTimeout(this.asking);
    this.refused = false;
    this.socket.timeout(JOIN_ACK_MS).emit(event, payload, (late: Error | null, reply: unknown) => {
      if (this.closed || this.socket.id !== id || this.inRoom) return;
      if (isRefusal(reply)) {
        if (!this.refused) this.events.message("refused", reply);
        this.asking = setTimeout(() => {
          if (this.socket.id === id && !this.inRoom) this.enter();
        }, spread(REFUSED_MS));
        return;
      }
      if (late) {
        this.socket.emit(event, payload);
        // Servers that confirm nothing often take nothing but the room's name either.
        this.socket.emit(event, payload.room);
      }
      this.arrived(!late);
    });
  }

  private arrived(confirmed: boolean): void {
    if (this.inRoom || this.closed) return;
    this.inRoom = true;
    this.arrivedAt = performance.now();
    this.events.up(confirmed);
    for (const { event, payload } of this.outbox.take(performance.now())) this.socket.emit(event, payload);
  }

  private leave(): void {
    if (!this.inRoom) return;
    this.inRoom = false;
    if (performance.now() - this.arrivedAt >= WELCOME_MS) this.sentAway = 0;
    this.events.down();
  }

  private comeBack(): void {
    if (this.closed) return;
    const pause = Math.min(SENT_AWAY_LONGEST_MS, SENT_AWAY_FIRST_MS * 2 ** Math.min(this.sentAway++, 10));
    setTimeout(() => {
      if (!this.closed && !this.socket.active) this.socket.connect();
    }, spread(pause));
  }
}

/** Our own relay replies to a join with who is there, or with the reason why not. */
function isRefusal(reply: unknown): boolean {
  return typeof reply === "object" && reply !== null && "reason" in reply && !("peers" in reply);
}

/** A quarter more or less, so that not everybody comes at once. */
function spread(ms: number): number {
  return ms * (0.75 + 0.5 * Math.random());
}
