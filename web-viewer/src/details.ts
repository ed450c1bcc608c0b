// The panel over the picture in which the page explains itself: how things are in sentences, how much of the picture is wanted
// here, and all of it as text to copy. Must not know calls, nor what the sentences are about.

import type { Line } from "./detailwords";
import { element, icon } from "./dom";
import { PICTURES, type Picture } from "./picture";
import { TEXT } from "./words";

/** What a person does in it. */
export interface DetailsActions {
  choose(picture: Picture): void;
  /** The text for the report of a bug. */
  report(): string;
  /** Talks no more: the button that does is behind the panel. */
  hush(): void;
}

export class Details {
  private readonly title = element("h2", { id: "about" });
  private readonly list = element("ul");
  private readonly radios = PICTURES.map((value) => element("input", { type: "radio", name: "picture", value }));
  private readonly talk = element("button", { type: "button", class: "primary talk", "aria-pressed": "true", hidden: true });
  private readonly paper = element("textarea", { readonly: true, hidden: true, rows: "5", "aria-label": TEXT.copy });
  private readonly copied = element("p", { role: "status" });
  private readonly card: HTMLElement;
  private readonly root: HTMLElement;
  private before: Element | null = null;

  constructor(private readonly actions: DetailsActions) {
    const close = element("button", { type: "button", class: "round", title: `${TEXT.close} (Esc)`, "aria-label": TEXT.close }, icon("close"));
    const copy = element("button", { type: "button", class: "primary" }, TEXT.copy);
    this.card = element("div", { role: "dialog", "aria-modal": "true", "aria-labelledby": "about", tabindex: "-1" },
      element("header", {}, this.title, close, this.talk),
      element("fieldset", {}, element("legend", {}, TEXT.choice),
        ...this.radios.map((radio) => element("label", {}, radio, element("span", {}, TEXT.choices[radio.value as Picture])))),
      this.list, copy, this.copied, this.paper);
    this.root = element("div", { id: "details", hidden: true }, this.card);
    document.body.append(this.root);
    close.addEventListener("click", () => this.close());
    this.talk.addEventListener("click", () => {
      actions.hush();
      this.talk.hidden = true;
      this.card.focus();
    });
    copy.addEventListener("click", () => void this.copy());
    // Beside the card is the picture, which one wants to see again.
    this.root.addEventListener("click", ({ target }) => { if (target === this.root) this.close(); });
    for (const radio of this.radios) radio.addEventListener("change", () => actions.choose(radio.value as Picture));
  }

  isOpen(): boolean {
    return !this.root.hidden;
  }

  open(): void {
    this.before = document.activeElement;
    this.paper.hidden = true;
    this.copied.textContent = "";
    this.hide(false);
    this.card.scrollTop = 0;
    this.card.focus();
  }

  close(): void {
    if (!this.isOpen()) return;
    this.hide(true);
    (this.before as HTMLElement | null)?.focus?.();
  }

  /**
   * Brings it in line with what is so. What has not changed is not touched: somebody reads it, or has it read out.
   * `silent`: there is no sound that could be chosen; `talks`: on the button that ends talking, where it goes on by itself.
   */
  show(name: string, picture: Picture, silent: boolean, talks: string, lines: readonly Line[]): void {
    write(this.title, TEXT.detailsOf(name));
    write(this.talk, talks);
    this.talk.hidden = talks === "";
    for (const radio of this.radios) {
      radio.checked = radio.value === picture;
      radio.disabled = silent && radio.value === "sound";
    }
    while (this.list.children.length > lines.length) this.list.lastChild?.remove();
    while (this.list.children.length < lines.length) this.list.append(element("li", {}, element("p"), element("small")));
    lines.forEach(({ said, figures }, at) => {
      const [first, second] = [...this.list.children[at]!.children];
      write(first!, said);
      write(second!, figures);
    });
  }

  /** What is behind it can neither be worked nor read out meanwhile, but for what is read out anyway. */
  private hide(hidden: boolean): void {
    this.root.hidden = hidden;
    for (const other of document.body.children) {
      if (other !== this.root && !other.hasAttribute("aria-live")) (other as HTMLElement).inert = !hidden;
    }
  }

  private async copy(): Promise<void> {
    const { paper } = this;
    const text = paper.value = this.actions.report();
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain http there is no such thing, and some browsers say no.
      paper.hidden = false;
      paper.focus();
      paper.select();
      done = document.execCommand("copy");
    }
    this.copied.textContent = done ? TEXT.copied : TEXT.copyYourself;
  }
}

function write(where: Element, text: string): void {
  if (where.textContent !== text) where.textContent = text;
}
