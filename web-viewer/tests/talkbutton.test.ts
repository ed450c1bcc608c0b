// What fingers, mice, keys and screen readers do to the button that is held to talk, on a page of cardboard.

import assert from "node:assert/strict";
import test from "node:test";
import { Page, type PageActions } from "../src/page";
import { TalkButton } from "../src/talkbutton";

test("a touch where the button is not seen does not talk, and neither does the click behind it", () => {
  const { touch, did, rest } = table();
  rest(0);
  touch();
  assert.deepEqual(did, []);
});

test("a touch on the button that stays while the rest is gone talks, and so does one when all is back", () => {
  const { touch, did, rest } = table();
  rest(1);
  touch();
  rest(null);
  touch();
  assert.deepEqual(did, ["press", "release", "press", "release"]);
});

test("a click that nobody has pressed for is a screen reader's", () => {
  const { button, did } = table();
  button.dispatchEvent(event("click", { detail: 0 }));
  assert.deepEqual(did, ["toggle"]);
});

test("Enter on the button is held like the space bar, however often it repeats, and let go of wherever it comes up", () => {
  for (const key of ["Enter", " "]) {
    const { button, page, did } = table();
    for (const repeat of [false, true, true]) {
      const down = event("keydown", { key, repeat }, button);
      page.dispatchEvent(down);
      assert.equal(down.defaultPrevented, true, "no click of it");
    }
    assert.deepEqual(did, ["press"], key);
    page.dispatchEvent(event("keyup", { key, ctrlKey: true }, page));
    assert.deepEqual(did, ["press", "release"], key);
  }
});

test("while the browser asks, the page doubts that anything is still held, and a fresh touch or key is a press", () => {
  const { page, button, away, did, ask } = table();
  page.dispatchEvent(event("keydown", { key: " " }, page));
  ask();
  away.dispatchEvent(new Event("blur"));
  page.dispatchEvent(event("keydown", { key: " ", repeat: true }, page));
  assert.deepEqual(did, ["press", "doubt"]);
  page.dispatchEvent(event("keydown", { key: " " }, page));
  for (const pointerId of [7, 8]) button.dispatchEvent(event("pointerdown", { button: 0, pointerId }));
  assert.deepEqual(did, ["press", "doubt", "press", "press", "press"]);
});

test("a touch that the browser takes away ends it, and while it asks for the microphone only doubts it", () => {
  for (const [asks, then] of [[false, "stop"], [true, "doubt"]] as const) {
    const { button, did, ask } = table();
    button.dispatchEvent(event("pointerdown", { button: 0, pointerId: 7 }));
    if (asks) ask();
    button.dispatchEvent(event("pointercancel", { button: 0, pointerId: 7 }));
    button.dispatchEvent(event("pointerup", { button: 0, pointerId: 7 }));
    assert.deepEqual(did, ["press", then]);
  }
});

test("Enter elsewhere talks to nobody, and neither does the space bar where something else wants it", () => {
  const { page, did } = table();
  const other = new Thing();
  other.closest = () => other;
  page.dispatchEvent(event("keydown", { key: "Enter" }, page));
  page.dispatchEvent(event("keydown", { key: " " }, other));
  page.dispatchEvent(event("keydown", { key: " ", ctrlKey: true }, page));
  assert.deepEqual(did, []);
  page.dispatchEvent(event("keydown", { key: " " }, page));
  assert.deepEqual(did, ["press"]);
});

test("a tap on what is not seen is swallowed whatever it would have done, and the next one is not", () => {
  const { page, rest } = table();
  new Page({} as PageActions);
  const target = new Thing();
  const tap = (detail: number) => {
    page.dispatchEvent(event("pointerdown", {}, target));
    const click = event("click", { detail }, target);
    let swallowed = false;
    click.stopPropagation = () => { swallowed = true; };
    page.dispatchEvent(click);
    return swallowed;
  };
  rest(0);
  assert.equal(tap(1), true);
  rest(0);
  assert.equal(tap(0), false, "a screen reader sees everything");
  rest(1);
  assert.equal(tap(1), false, "what stays is meant");
  rest(null);
  assert.equal(tap(1), false);
});

/** As much of an element, and of a document, as the page touches. */
class Thing extends EventTarget {
  readonly children: Thing[] = [];
  readonly dataset: Record<string, string> = {};
  readonly classList = { toggle: () => undefined };
  readonly style = { setProperty: () => undefined };
  attributes: Record<string, string> = {};
  hidden = false;
  textContent = "";
  parentElement: Thing | null = null;
  body!: Thing;
  resting: number | null = null;
  setAttribute(name: string, value: string) { this.attributes[name] = value; }
  getAttribute(name: string) { return this.attributes[name] ?? null; }
  removeAttribute() {}
  toggleAttribute() {}
  setPointerCapture() {}
  append(...children: Thing[]) { this.children.push(...children); }
  replaceChildren() {}
  closest(): Thing | null { return null; }
  matches() { return this.resting !== null; }
  createElement() { return new Thing(); }
  createElementNS() { return new Thing(); }
}

function event(type: string, what: object, target?: Thing): Event {
  const made = Object.assign(new Event(type, { cancelable: true }), what);
  if (target) Object.defineProperty(made, "target", { value: target });
  return made;
}

/** The button on a page of its own, and what was done with it. `rest`: how much of it is seen while the page rests; null: it does not. */
function table() {
  const page = new Thing();
  const body = page.body = new Thing();
  class ResizeObserver { observe() {} }
  const away = Object.assign(new Thing(), { setTimeout: () => 0 });
  Object.assign(globalThis, {
    document: page, window: away, getComputedStyle: () => ({ opacity: String(body.resting) }), ResizeObserver,
  });
  const did: string[] = [];
  let asks = false;
  const does = (what: string) => () => void did.push(what);
  const made = new TalkButton(
    { press: does("press"), release: does("release"), toggle: does("toggle"), stop: does("stop"), asks: () => asks, doubt: does("doubt") }, () => undefined,
  );
  made.show({ word: "ready", latched: false, takes: false, talkers: [] });
  const button = (made.root as unknown as Thing).children[1] as Thing;
  const touch = () => {
    for (const type of ["pointerdown", "pointerup"]) button.dispatchEvent(event(type, { button: 0, pointerId: 7 }));
    button.dispatchEvent(event("click", { detail: 1 }));
  };
  return { page, button, away, did, touch, ask: () => { asks = true; }, rest: (seen: number | null) => { body.resting = seen; } };
}
