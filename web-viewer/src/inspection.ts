// What the page finds out about itself: keeps the diary, and fills the panel with the details of one camera while it is open.
// Must not change anything of a call.

import { Details, type DetailsActions } from "./details";
import { lines, report, type Around, type Known, type Page } from "./detailwords";
import { Diary } from "./diary";
import { viewOf, type Seat } from "./seats";
import type { Snapshot } from "./snapshot";
import { talkWords } from "./talkwords";

export class Inspection {
  private readonly diary = new Diary();
  private readonly details: Details;
  private about: Seat | null = null;
  private cries = false;
  private seats: readonly Seat[] = [];

  /** `page`: what is so with the page itself; `reached`: whether the relay is, `away`: when it was lost last. */
  constructor(private readonly page: () => Omit<Snapshot, "cameras"> & { reached: Around["relay"]; away: Date }, choose: DetailsActions["choose"], hush: DetailsActions["hush"]) {
    this.details = new Details({ choose, hush, report: () => report(this.seats.map((seat) => this.known(seat)), this.around(), new Date()) });
  }

  /** Opens or closes the panel. */
  toggle(seat: Seat | null): void {
    if (this.details.isOpen() || !seat) return void this.close();
    this.about = seat;
    this.details.open();
    this.fill();
  }

  /** Whether it was open. */
  close(): boolean {
    const open = this.details.isOpen();
    this.details.close();
    return open;
  }

  /** Notes what has changed, and brings the panel in line with it. */
  show(seats: readonly Seat[]): void {
    this.seats = seats;
    const now = new Date();
    const { reached, door, alarm } = this.page();
    // Whoever is to wake up is to see that, and how to make it quiet.
    const cries = alarm.word === "sounding";
    if (cries && !this.cries) this.details.close();
    this.cries = cries;
    this.diary.note("relay", [reached, door].filter(Boolean).join(" "), now);
    for (const seat of seats) {
      const { view: { word, reason }, feed, here, path, asks } = this.known(seat);
      this.diary.note(seat.place.name, [word, reason, asks, feed, here && "here", path?.kind].filter(Boolean).join(" "), now, seat);
    }
    if (this.details.isOpen()) this.fill();
  }

  private fill(): void {
    if (!this.about) return;
    const known = this.known(this.about);
    const { picture, talk } = this.page();
    this.details.show(known.name, picture, this.about.silent, talk.latched ? talkWords(talk).button : "", lines(known, this.around(), new Date()));
  }

  private around(): Page {
    const { room, reached: relay, away, door, key, picture, sound, alarm, talk } = this.page();
    const { innerWidth, innerHeight, devicePixelRatio, isSecureContext } = window;
    const states = {
      // Whether there is a key, and not even which.
      relay, door, key: key !== null, picture, sound, alarm: alarm.word, awake: alarm.awake, talk: talk.word, https: isSecureContext, online: navigator.onLine,
      page: document.visibilityState, screen: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    };
    return { room, relay, door, away, states, browser: navigator.userAgent, changes: this.diary.lines(new Date()) };
  }

  private known(seat: Seat): Known {
    const { place, feed, here, trouble, call, past } = seat;
    const { path = null, recent = null, since = new Date(), asks = this.page().picture } = call ?? {};
    return { name: place.name, view: viewOf(seat), trouble, asks, feed, here, path, recent, past, since };
  }
}
