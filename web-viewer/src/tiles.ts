// A tile per camera: the picture, which can be saved, the last picture kept under a veil while there is none and a person may see it, and what
// is going on in words.
// And how tiles share the screen. Must not know calls, rooms or the relay.

import { element, icon } from "./dom";
import { type View } from "./life";
import { isFinal, type Why } from "./reasons";
import type { Trouble } from "./path";
import { short, TEXT, words } from "./words";

/** What a person does on a tile. */
export interface TileActions {
  /** "Call again", "Try again". */
  call(): void;
  /** "Show the picture", where a person had wanted none. */
  picture(): void;
  details(): void;
  /** Show only this one, or all again. */
  enlarge(): void;
  /** A picture of the stream given to `play` is on the screen. */
  seen(): void;
}

/** Reasons for which a person may not see the camera any more, nor what was seen of it last. */
const SHUT_OUT: readonly Why[] = ["not-allowed", "expired-key", "revoked-key", "no-key", "no-entry"];

/** Whether somebody who is told `why` is not to see even the last picture. */
export function isShutOut(why: Why): boolean {
  return SHUT_OUT.includes(why);
}

export class Tile {
  readonly root: HTMLElement;
  readonly video = element("video", { playsinline: true });
  private readonly last = element("canvas", { class: "last", "aria-hidden": "true", width: "0", height: "0" });
  private readonly label = element("span", { class: "name" });
  private readonly state = element("span", { class: "state" });
  private readonly taken = element("p", { class: "way", hidden: true });
  private readonly watching = element("p", { class: "others", hidden: true });
  private readonly mute = element("p", { class: "mute", hidden: true });
  private readonly title = element("h2");
  private readonly text = element("p");
  private readonly again = element("button", { type: "button", class: "primary", hidden: true });
  private readonly larger = element("button", { type: "button", class: "round" });
  private readonly details = element("button", { type: "button", class: "round", "aria-keyshortcuts": "i", title: `${TEXT.details} (i)` }, icon("details"));
  private readonly keep = element("button", { type: "button", class: "round", title: TEXT.save }, icon("save"));
  private shows = 0;
  private said = "";

  constructor(private readonly actions: TileActions) {
    this.root = element("section", { class: "tile" },
      this.video, this.last,
      element("div", { class: "veil" },
        element("div", { class: "ring", "aria-hidden": "true" }), this.title, this.text, this.again),
      element("div", { class: "badge", "aria-hidden": "true" }, element("span", { class: "dot" }), this.label, this.state),
      element("div", { class: "facts" }, this.mute, this.taken, this.watching),
      element("div", { class: "corner" }, this.larger, this.details, this.keep));
    this.again.addEventListener("click", () => (this.again.textContent === TEXT.showPicture ? actions.picture() : actions.call()));
    this.details.addEventListener("click", () => actions.details());
    this.larger.addEventListener("click", () => actions.enlarge());
    this.keep.addEventListener("click", () => {
      this.draw();
      element("a", { href: this.last.toDataURL("image/jpeg"), download: fileName(this.label.textContent, new Date()) }).click();
    });
  }

  /**
   * Shows what the camera `name` is doing, since when nothing is seen of it, where that is to be said, and why the last call
   * found no way, where that is known. `sound`: it is asked for sound alone; `here`: what is wrong with the way is on this side.
   */
  say(view: View, name: string, since: string, trouble: Trouble | null, sound: boolean, here: boolean): void {
    const what = `${view.word} ${view.reason} ${name} ${since} ${JSON.stringify(trouble)} ${sound} ${here}`;
    if (what === this.said) return;
    this.said = what;
    const said = words(view, name, trouble, sound, here);
    this.root.dataset.word = view.word;
    this.root.toggleAttribute("data-sound", sound);
    this.details.setAttribute("aria-label", TEXT.detailsOf(name));
    this.root.setAttribute("aria-label", name);
    this.video.setAttribute("aria-label", name);
    this.label.textContent = name;
    this.state.textContent = short(view);
    this.keep.hidden = view.word !== "live";
    // The words stay under the veil while it fades.
    if (view.word !== "live") {
      this.title.textContent = said.title;
      this.text.textContent = `${since} ${said.text}`.trim();
    }
    // Nor does anybody who wanted none see one of before.
    if (sound || (["refused", "turned-away"].includes(view.word) && view.reason !== null && isShutOut(view.reason))) Object.assign(this.last, { width: 0, height: 0 });
    const hopeless = view.reason !== null && isFinal(view.reason);
    const button = view.word === "refused" ? (hopeless ? null : TEXT.tryAgain)
      : view.word !== "ended" ? (sound ? TEXT.showPicture : null) : view.reason === "replaced" ? TEXT.watchHere : TEXT.callAgain;
    this.again.hidden = button === null;
    this.again.textContent = button ?? "";
  }

  /** Says which way the call takes, who else watches and what is wrong with the sound; empty where there is nothing to say. */
  facts(way: string, others: string, sound: string): void {
    for (const [line, text] of [[this.mute, sound], [this.taken, way], [this.watching, others]] as const) {
      line.hidden = text === "";
      if (line.textContent !== text) line.textContent = text;
    }
  }

  /** Whether this tile is the only one shown, out of `several`. */
  alone(alone: boolean, several: boolean, name: string): void {
    this.larger.hidden = !several;
    if (this.larger.childElementCount > 0 && alone === this.root.hasAttribute("data-alone")) return;
    this.larger.replaceChildren(icon(alone ? "all" : "larger"));
    this.larger.setAttribute("aria-label", alone ? TEXT.showAll : TEXT.enlarge(name));
    this.root.toggleAttribute("data-alone", alone);
  }

  /** Puts a call's stream on the screen; `TileActions.seen` follows once something of it is seen. */
  attach(stream: MediaStream): void {
    if (this.video.srcObject === stream) return;
    const shown = ++this.shows;
    const seen = () => {
      if (shown === this.shows && this.video.videoWidth > 0) this.actions.seen();
    };
    this.video.srcObject = stream;
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(seen);
    else for (const event of ["loadeddata", "resize"]) (this.video as HTMLVideoElement).addEventListener(event, seen, { once: true });
  }

  /** Takes the stream off the screen and leaves its last picture there. */
  detach(): void {
    this.draw();
    this.shows++;
    this.video.srcObject = null;
  }

  /** Keeps what is on the screen. */
  private draw(): void {
    const { videoWidth: width, videoHeight: height, readyState } = this.video;
    if (width > 0 && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      Object.assign(this.last, { width, height });
      this.last.getContext("2d")?.drawImage(this.video, 0, 0, width, height);
    }
  }
}

/** `Nursery 2026-11-28 21:04:05.jpg`, in this device's own time. What no file may be called, browsers put right themselves. */
export function fileName(camera: string | null, now: Date): string {
  // Swedes write dates as ISO 8601 has them.
  return `${camera} ${now.toLocaleString("sv")}.jpg`;
}

/** Columns that show `count` pictures of 16:9 as large as possible on a screen of `width` x `height`. */
export function columns(count: number, width: number, height: number): number {
  let best = 1;
  let largest = 0;
  for (let tried = 1; tried <= count; tried++) {
    const size = Math.min(width / tried, (height / Math.ceil(count / tried)) * (16 / 9));
    if (size > largest) [best, largest] = [tried, size];
  }
  return best;
}
