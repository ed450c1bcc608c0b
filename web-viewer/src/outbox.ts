// What is to be said while the relay is away waits here, bounded in number and age. Pure.

import type { Outgoing } from "./wire";

/** Most messages that wait; the oldest gives way. */
export const OUTBOX_LONGEST = 64;
/** How long a message waits, in milliseconds; after that nobody is interested any more. */
export const OUTBOX_MS = 30_000;

export class Outbox {
  private waiting: { since: number; message: Outgoing }[] = [];

  put(message: Outgoing, now: number): void {
    this.waiting.push({ since: now, message });
    if (this.waiting.length > OUTBOX_LONGEST) this.waiting.shift();
  }

  /** Everything that is still worth saying, in order. */
  take(now: number): Outgoing[] {
    return this.waiting.splice(0).filter(({ since }) => now - since <= OUTBOX_MS).map(({ message }) => message);
  }
}
