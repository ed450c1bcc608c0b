// The page around the tiles: controls, hints, the form for a room's name, full screen, the keyboard, the screen reader.
// Must not know calls, WebRTC or the relay.

import { element, faded, icon, type Icon } from "./dom";
import type { MonitorState } from "./monitor";
import type { SoundState } from "./sound";
import { columns, type Tile } from "./tiles";
import { TEXT, type Words } from "./words";

/** How long the controls stay when nobody moves, in milliseconds. */
const QUIET_MS = 4_000;
/** How long what is to be known of the alarm stays open after it was armed, in milliseconds. */
const READ_MS = 30_000;

/** What a person does with the controls. */
export interface PageActions {
  sound(): void;
  /** Calls when nothing is called, else hangs up. */
  callOrHangUp(): void;
  showAll(): void;
  /** What there is to know of the camera that is shown. */
  details(): void;
  /** Arms or disarms the alarm. */
  alarm(): void;
  /** Wants quiet for a while. */
  hush(): void;
}

export class Page {
  private readonly stage = element("main", { id: "stage", "aria-label": TEXT.cameras });
  private readonly note = element("div", { id: "note", hidden: true });
  private readonly hint = element("p", { id: "hint", hidden: true });
  private readonly said = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly loud = element("button", { type: "button", class: "primary loud", hidden: true });
  private readonly sound = control("m");
  private readonly call = control("c");
  private readonly full = control("f");
  private readonly alarm = control("a");
  private readonly alert = element("div", { role: "alert" });
  private readonly hush = element("button", { type: "button", class: "primary", hidden: true }, TEXT.hush);
  private readonly screen = element("p");
  private readonly limits = element("details", {}, element("summary", {}, TEXT.alarmOn),
    ...TEXT.alarmLimits.map((text) => element("p", {}, text)), this.screen);
  private readonly card = element("aside", { id: "alarm", hidden: true }, this.alert, this.hush, this.limits);
  private readonly over = element("div", { class: "over" }, this.card, this.loud);
  private readonly controls = element("div", { id: "controls", role: "group", "aria-label": TEXT.controls, hidden: true },
    this.over, element("div", { class: "row" }, this.sound, this.alarm, this.call, this.full));
  private tiles: Tile[] = [];
  private noted: Words | null = null;
  private quiet = 0;
  private read = 0;
  /** The last touch met something that was not seen. */
  private blind = false;

  constructor(private readonly actions: PageActions) {
    document.body.replaceChildren(this.stage, this.note, this.hint, this.controls, this.said);
    this.loud.addEventListener("click", () => actions.sound());
    this.sound.addEventListener("click", () => actions.sound());
    this.call.addEventListener("click", () => actions.callOrHangUp());
    this.full.addEventListener("click", () => this.fullScreen());
    this.alarm.addEventListener("click", () => actions.alarm());
    this.hush.addEventListener("click", () => actions.hush());
    document.addEventListener("fullscreenchange", () => this.showFull());
    document.addEventListener("keydown", (event) => this.key(event));
    // A tap on what is not seen brings it back and does nothing else.
    document.addEventListener("pointerdown", ({ target }) => { this.blind = faded(target as Element); }, { capture: true });
    document.addEventListener("click", (event) => this.forgive(event), { capture: true });
    for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) document.addEventListener(event, () => this.awake());
    const sizes = new ResizeObserver(() => this.arrange());
    for (const one of [this.stage, this.over, this.controls]) sizes.observe(one);
    this.showFull();
    this.awake();
  }

  /** Shows these tiles, or of several only `alone`. */
  show(tiles: Tile[], alone: Tile | null): void {
    this.tiles = alone ? [alone] : tiles;
    for (const child of [...this.stage.children]) {
      if (!tiles.some((tile) => tile.root === child)) child.remove();
    }
    for (const tile of tiles) {
      if (!tile.root.isConnected) this.stage.append(tile.root);
      tile.root.hidden = !this.tiles.includes(tile);
    }
    // Whoever armed the alarm can disarm it, camera or not.
    this.controls.hidden = tiles.length === 0 && this.card.hidden;
    this.arrange();
  }

  /** Puts something that is worked with above the controls. */
  place(element: HTMLElement): void {
    this.loud.after(element);
  }

  /** Words where there is no tile to carry them; null takes them away. */
  tell(said: Words | null, busy: boolean): void {
    if (said?.title === this.noted?.title && said?.text === this.noted?.text) return;
    this.noted = said;
    this.note.hidden = said === null;
    this.note.replaceChildren(...(said
      ? [element("div", { class: busy ? "ring busy" : "ring", "aria-hidden": "true" }), element("h1", {}, said.title), element("p", {}, said.text)]
      : []));
    if (said) this.speak(`${said.title} ${said.text}`);
  }

  /** A small line for what does not stop the picture; null takes it away. */
  whisper(text: string | null): void {
    if ((text ?? "") === this.hint.textContent && this.hint.hidden === (text === null)) return;
    // Nothing else has been read out since: then it is over, and not only less important.
    if (text === null && this.said.textContent === this.hint.textContent) this.speak(TEXT.hintOver);
    this.hint.hidden = text === null;
    this.hint.textContent = text ?? "";
    if (text) this.speak(text);
  }

  /** For screen readers. */
  speak(text: string): void {
    this.said.textContent = text;
  }

  showSound(state: SoundState): void {
    const big = state === "blocked" || state === "still";
    this.loud.hidden = !big;
    document.body.toggleAttribute("data-loud", big);
    this.loud.replaceChildren(icon(state === "still" ? "call" : "soundOn"), state === "still" ? TEXT.pictureOn : TEXT.soundOn);
    // One button for one thing.
    this.sound.hidden = big;
    const on = state === "on";
    dress(this.sound, on ? "soundOn" : "soundOff", state === "none" ? TEXT.noSound : on ? TEXT.mute : TEXT.unmute);
    this.sound.disabled = state === "none";
  }

  /** `calling`: something is being watched or called, so the button hangs up. `no use`: there is nothing to call any more. */
  showCall(state: "calling" | "not calling" | "no use"): void {
    const calling = state === "calling";
    this.call.disabled = state === "no use";
    dress(this.call, calling ? "hangUp" : "call", calling ? TEXT.hangUp : TEXT.call);
    this.call.classList.toggle("danger", calling);
  }

  /** `said`: what is to be said of it now, if anything; `fresh`: the person has just armed or disarmed it. */
  showAlarm({ word, awake }: MonitorState, said: Words | null, fresh: boolean): void {
    const armed = word !== "off";
    dress(this.alarm, armed ? "alarmOn" : "alarmOff", armed ? TEXT.alarmIsOn : TEXT.alarmIsOff);
    this.alarm.classList.toggle("on", armed);
    document.body.dataset.alarm = word;
    this.card.hidden = !armed;
    // Screen readers read out whatever is put there.
    if (this.alert.textContent !== (said ? said.title + said.text : "")) {
      this.alert.replaceChildren(...(said ? [element("h2", {}, said.title), element("p", {}, said.text)] : []));
    }
    this.hush.hidden = word !== "sounding";
    this.screen.textContent = awake ? TEXT.screenOn : window.isSecureContext ? TEXT.screenOff : TEXT.screenHttp;
    if (!fresh) return;
    this.limits.open = armed;
    clearTimeout(this.read);
    this.read = window.setTimeout(() => (this.limits.open = false), READ_MS);
    this.speak(armed ? TEXT.alarmOn : TEXT.alarmIsOff);
  }

  /** The controls may hide when there is something to watch and nobody moves. */
  mayRest(may: boolean): void {
    // Nothing rests while the alarm has something to say, or what it cannot do is being read.
    const rests = may && !this.limits.open && this.alert.childElementCount === 0;
    if (rests && !document.body.hasAttribute("data-watching")) this.awake();
    document.body.toggleAttribute("data-watching", rests);
  }

  /** Asks for the room's name. */
  ask(problem: string | null, valid: (room: string) => boolean, go: (room: string) => void): void {
    const input = element("input", {
      id: "room", name: "room", type: "text", required: true, maxlength: "64", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false", enterkeyhint: "go", placeholder: "porthole", "aria-describedby": "problem",
    });
    const wrong = element("p", { id: "problem", class: "problem", role: "alert" }, problem ?? "");
    const form = element("form", { class: "ask", novalidate: true },
      element("img", { src: "icon.svg", alt: "", width: "72", height: "72" }),
      element("h1", {}, TEXT.formTitle), element("p", {}, TEXT.formText),
      element("label", { for: "room" }, TEXT.formLabel), input, wrong,
      element("button", { type: "submit", class: "primary" }, TEXT.formButton));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const room = input.value.trim();
      if (valid(room)) return go(room);
      wrong.textContent = TEXT.formError;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    });
    this.stage.replaceChildren(form);
    input.focus();
  }

  /** Lets nothing lie over the buttons of several tiles, and divides among them what is left. */
  private arrange(): void {
    const below = this.controls.getBoundingClientRect().bottom - this.over.getBoundingClientRect().top;
    document.body.style.setProperty("--over", `${below}px`);
    const count = columns(this.tiles.length, this.stage.clientWidth, this.stage.clientHeight);
    this.stage.style.setProperty("--columns", String(count));
    this.stage.toggleAttribute("data-several", this.tiles.length > 1);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || this.controls.hidden) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const typing = (event.target as Element).matches?.("[type=text], textarea");
    // What is behind the details cannot be worked by its key either.
    if (key !== "Escape" && (typing || (this.controls.inert && key !== "i"))) return;
    const act: Record<string, (() => void) | undefined> = {
      m: () => { if (!this.sound.disabled || !this.loud.hidden) this.actions.sound(); },
      c: () => { if (!this.call.disabled) this.actions.callOrHangUp(); },
      f: () => this.fullScreen(),
      a: () => this.actions.alarm(),
      i: () => this.actions.details(),
      Escape: () => { if (!document.fullscreenElement) this.actions.showAll(); },
    };
    act[key]?.();
  }

  private forgive(event: MouseEvent): void {
    if (this.blind && event.detail > 0) event.stopPropagation();
    this.blind = false;
  }

  /** Shows everything for a while. */
  awake(): void {
    document.body.removeAttribute("data-quiet");
    clearTimeout(this.quiet);
    this.quiet = window.setTimeout(() => document.body.setAttribute("data-quiet", ""), QUIET_MS);
  }

  /** The whole page where the browser can, else (iPhone) the first picture. */
  private fullScreen(): void {
    const root = document.documentElement;
    if (document.fullscreenElement) return void document.exitFullscreen().catch(() => undefined);
    if (root.requestFullscreen) return void root.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
    const video = this.tiles[0]?.video as (HTMLVideoElement & { webkitEnterFullscreen?(): void }) | undefined;
    if (video?.videoWidth) video.webkitEnterFullscreen?.();
  }

  private showFull(): void {
    const full = document.fullscreenElement !== null && document.fullscreenElement !== undefined;
    dress(this.full, full ? "small" : "full", full ? TEXT.leaveFullScreen : TEXT.fullScreen);
  }
}

function control(key: string): HTMLButtonElement {
  return element("button", { type: "button", class: "control", "aria-keyshortcuts": key });
}

/** Gives a round button its picture and its name. Does nothing when it has both, so that focus and hover stay calm. */
function dress(button: HTMLButtonElement, picture: Icon, name: string): void {
  if (button.dataset.name === name) return;
  button.dataset.name = name;
  button.title = `${name} (${button.getAttribute("aria-keyshortcuts") ?? ""})`;
  button.replaceChildren(icon(picture), element("span", {}, name));
}
