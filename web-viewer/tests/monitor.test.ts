// Keeping the screen on, and looking without end, with a browser of cardboard.

import assert from "node:assert/strict";
import test from "node:test";
import { Monitor } from "../src/monitor";

test("the screen is asked for once, however often the page is looked at before the browser has said yes", async () => {
  const { monitor, page, asked, says } = desk();
  monitor.toggle();
  for (let n = 0; n < 3; n++) page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(asked(), 1);
  assert.equal(monitor.state().awake, false);
  await says("yes");
  assert.equal(monitor.state().awake, true);
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(asked(), 1);
});

test("a browser that said no is asked again when the page is looked at again", async () => {
  const { monitor, page, asked, says } = desk();
  monitor.toggle();
  await says("no");
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(asked(), 2);
  await says("yes");
  assert.equal(monitor.state().awake, true);
});

function desk() {
  const page = Object.assign(new EventTarget(), { hidden: false });
  const answers: [(lock: EventTarget) => void, (why: unknown) => void][] = [];
  let count = 0;
  const wakeLock = { request: () => new Promise((yes, no) => { count++; answers.push([yes as (lock: EventTarget) => void, no]); }) };
  Object.defineProperty(globalThis, "navigator", { value: { wakeLock }, configurable: true });
  Object.assign(globalThis, { document: page, window: { setInterval: () => 0 } });
  const monitor = new Monitor(null, { look: async () => undefined, watched: () => [], changed: () => undefined });
  const says = async (word: "yes" | "no") => {
    const [yes, no] = answers.shift()!;
    if (word === "yes") yes(Object.assign(new EventTarget(), { release: async () => undefined }));
    else no(new Error("no"));
    await new Promise<void>((done) => setImmediate(done));
  };
  return { monitor, page, asked: () => count, says };
}
