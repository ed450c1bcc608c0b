// Our connection to the relay: enters the room each time it comes up, connects again for ever, and keeps what is said
// in between. The only place that knows Socket.IO. Must not know cameras, calls or the page.

import { io, type Socket } from "socket.io-client";
import { Outbox } from "./outbox";
import type { Outgoing } from "./wire";

/** How long the relay may take to confirm that we are in the room; many relays never do, so then it is said once more. */
const JOIN_ACK_MS = 3_000;
/** Pause before we come back to a relay that sent us away. */
const SENT_AWAY_MS = 5_000;
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_LONGEST_MS = 5_000;
const CONNECT_MS = 5_000;

export interface LinkEvents {
  /** We are in the room. */
  up(): void;
  down(): void;
  message(event: string, payload: unknown): void;
}

export class Link {
  private readonly socket: Socket;
  private readonly outbox = new Outbox();
  private inRoom = false;
  private closed = false;

  /** `url`: where the relay is, null for where the page came from. `join` is what we say to enter the room. */
  constructor(url: string | null, private readonly join: Outgoing, private readonly events: LinkEvents) {
    const options = {
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: CONNECT_MS,
      reconnectionDelay: BACK_OFF_FIRST_MS,
      reconnectionDelayMax: BACK_OFF_LONGEST_MS,
      randomizationFactor: 0.5,
    };
    this.socket = url === null ? io(options) : io(url, options);
    this.socket.on("connect", () => this.enter(JOIN_ACK_MS));
    this.socket.on("disconnect", (why) => {
      this.leave();
      if (why === "io server disconnect") this.comeBack();
    });
    this.socket.on("connect_error", () => {
      // A relay that answers but refuses us is not tried again by Socket.IO itself.
      if (!this.socket.active) this.comeBack();
    });
    this.socket.onAny((event: string, payload: unknown) => {
      if (event === this.join.event) return;
      // A relay that tells us who is here has let us in, whether it confirms it or not.
      if (event === "room") this.arrived();
      if (this.inRoom) this.events.message(event, payload);
    });
  }

  /** Says it now, or when we are in the room again. */
  send(message: Outgoing): void {
    if (this.inRoom) this.socket.emit(message.event, message.payload);
    else if (!this.closed) this.outbox.put(message, performance.now());
  }

  /** The network is back: does not wait for the next attempt. */
  tryNow(): void {
    if (!this.closed && !this.socket.connected) this.socket.disconnect().connect();
  }

  close(): void {
    this.closed = true;
    this.inRoom = false;
    this.socket.disconnect();
  }

  private enter(ackMs: number): void {
    const id = this.socket.id;
    this.socket.timeout(ackMs).emit(this.join.event, this.join.payload, (late: Error | null) => {
      if (this.closed || this.socket.id !== id || this.inRoom) return;
      if (late) this.socket.emit(this.join.event, this.join.payload);
      this.arrived();
    });
  }

  private arrived(): void {
    if (this.inRoom || this.closed) return;
    this.inRoom = true;
    this.events.up();
    for (const { event, payload } of this.outbox.take(performance.now())) this.socket.emit(event, payload);
  }

  private leave(): void {
    if (!this.inRoom) return;
    this.inRoom = false;
    this.events.down();
  }

  private comeBack(): void {
    setTimeout(() => {
      if (!this.closed && !this.socket.active) this.socket.connect();
    }, SENT_AWAY_MS * (0.75 + 0.5 * Math.random()));
  }
}
