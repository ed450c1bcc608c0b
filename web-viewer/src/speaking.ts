// Talking on the page: which camera is talked to, and the button for it. Must not know how a message is spelt.

import type { Page } from "./page";
import type { Ongoing, Seat } from "./seats";
import { Talk, type TalkView } from "./talk";
import { TalkButton } from "./talkbutton";
import type { Floor, Want } from "./wire";

export class Speaking {
  private readonly talk: Talk;
  private readonly button: TalkButton;
  private meant: Seat | null = null;

  /** `say` sends what we want in this call. */
  constructor(page: Page, say: (call: Ongoing, want: Want, turn: number) => void) {
    const talk = this.talk = new Talk(say, () => this.show(this.meant));
    const then = (act: (now: number) => void) => (now: number) => {
      act(now);
      this.show(this.meant);
    };
    this.button = new TalkButton({
      press: then((now) => talk.press(now)),
      release: then((now) => talk.release(now)),
      toggle: then((now) => talk.toggle(now)),
      stop: () => then(() => talk.stop())(0),
      asks: () => talk.asks(),
      doubt: () => talk.doubt(),
    }, (text) => page.speak(text));
    page.place(this.button.root);
  }

  /** The camera says who has the floor. */
  heard(call: Ongoing | null | undefined, floor: Floor): void {
    if (!call) return;
    call.floor = floor;
    if (call === this.meant?.call) this.talk.heard();
  }

  /** The camera is in the room, and was not or we were not. */
  reached(seat: Seat): void {
    if (seat === this.meant) this.talk.reached();
  }

  /** Brings the button in line with what is so; `seat`: the only camera that is shown. */
  show(seat: Seat | null): void {
    this.meant = seat;
    const live = seat !== null && ["live", "camera-lost", "privacy"].includes(seat.life.view().word);
    this.talk.aim(live ? seat.call : null);
    this.button.show(this.talk.view());
  }

  stop(): void {
    this.talk.stop();
    this.show(this.meant);
  }

  state(): TalkView {
    return this.talk.view();
  }
}
