// The last changes of state, for whoever reads a report of what went wrong. Pure.

/** Most changes that are kept; the oldest gives way. */
export const DIARY_LONGEST = 20;

export class Diary {
  private readonly changes: string[] = [];
  private readonly last = new Map<unknown, string>();

  /** What is so with `who` now; nothing happens when it was so before. `whose`: tells apart what is called the same. */
  note(who: string, what: string, now: Date, whose: unknown = who): void {
    if (this.last.get(whose) === what) return;
    this.last.set(whose, what);
    this.changes.push(`${now.toLocaleString("sv")} ${who}: ${what}`);
    if (this.changes.length > DIARY_LONGEST) this.changes.shift();
  }

  /** `21:04:05 relay: up`, the oldest first, in this device's own time, and with the date where that is not the one of `now`. */
  lines(now: Date): readonly string[] {
    const today = `${now.toLocaleDateString("sv")} `;
    return this.changes.map((change) => (change.startsWith(today) ? change.slice(today.length) : change));
  }
}
