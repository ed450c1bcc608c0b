// The button that is held to talk, and what is said beside it: under a finger, a mouse, the space bar and a screen reader.
// Must not know calls or the microphone.

import { element, faded, icon } from "./dom";
import type { TalkView } from "./talk";
import { TALK_HELP, talkWords } from "./talkwords";

/** What a person does with it. */
export interface TalkActions {
  press(now: number): void;
  release(now: number): void;
  toggle(now: number): void;
  stop(): void;
  /** Whether the browser may be asking the person at this moment. */
  asks(): boolean;
  /** Whether it is still held is not known any more. */
  doubt(): void;
}

export class TalkButton {
  readonly root: HTMLElement;
  private readonly button = element("button", { type: "button", class: "primary talk", "aria-keyshortcuts": "Space", title: TALK_HELP });
  private readonly label = element("span");
  private readonly said = element("p", { class: "talked" });
  private pointer: number | null = null;
  /** The key that is held. */
  private held = "";
  private told = "";

  /** `speak` reads something out. */
  constructor(private readonly actions: TalkActions, private readonly speak: (text: string) => void) {
    const { button } = this;
    button.append(icon("talk"), this.label);
    this.root = element("div", { id: "talk", hidden: true }, this.said, button);
    button.addEventListener("pointerdown", (event) => this.down(event));
    for (const end of ["pointerup", "pointercancel"] as const) button.addEventListener(end, (event) => this.up(event));
    // A click that no press has made is a screen reader's, which holds nothing.
    button.addEventListener("click", ({ detail }) => { if (detail === 0) actions.toggle(performance.now()); });
    // A long press is for talking, and not for a menu.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => this.key(event, true));
    document.addEventListener("keyup", (event) => this.key(event, false));
    // Whoever is asked by the browser has left the page for a moment, and what they let go of meanwhile it is not told.
    window.addEventListener("blur", () => { if (actions.asks()) actions.doubt(); else this.leave(); });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.leave(); });
  }

  show(view: TalkView): void {
    const { button, said } = talkWords(view);
    const talking = view.word === "talking";
    const what = `${button}|${said}|${talking}`;
    if (what === this.told) return;
    this.told = what;
    this.root.hidden = button === "" && said === "";
    this.button.hidden = button === "";
    this.label.textContent = button;
    this.said.textContent = said;
    this.button.setAttribute("aria-pressed", String(talking));
    this.root.dataset.word = view.word;
    // What is always so is there to be found, and interrupts nobody.
    const calm = ["ready", "none", "no-speaker", "not-allowed", "insecure"].includes(view.word) && view.talkers.length === 0;
    if (!calm) this.speak(talking ? "You are talking." : said || button);
  }

  private down(event: PointerEvent): void {
    // A touch on a button that is not seen only brings it back.
    if (event.button !== 0 || (this.pointer !== null && !this.actions.asks()) || faded(this.root)) return;
    this.pointer = event.pointerId;
    this.button.setPointerCapture(event.pointerId);
    this.actions.press(event.timeStamp);
  }

  private up(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    if (event.type === "pointerup") return this.actions.release(event.timeStamp);
    // What the browser asks takes the touch away, and nobody has let go.
    if (this.actions.asks()) this.actions.doubt();
    else this.actions.stop();
  }

  private key(event: KeyboardEvent, down: boolean): void {
    const { key } = event;
    const begun = key === this.held;
    if (!begun && (event.ctrlKey || event.altKey || event.metaKey || !this.means(key, event.target))) return;
    event.preventDefault();
    if (event.repeat || (down ? begun && !this.actions.asks() : !begun)) return;
    this.held = down ? key : "";
    if (down) this.actions.press(event.timeStamp);
    else this.actions.release(event.timeStamp);
  }

  /** Whether a key is for this button: Enter where it has the focus, the space bar also where nothing has that wants it. */
  private means(key: string, target: EventTarget | null): boolean {
    if (this.root.hidden || this.button.hidden) return false;
    const here = target === this.button;
    return (key === "Enter" && here) || (key === " " && (here || !(target as Element).closest?.("button, a, summary, input, [role=dialog]")));
  }

  private leave(): void {
    this.pointer = null;
    this.held = "";
    this.actions.stop();
  }
}
