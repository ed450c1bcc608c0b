// Opens the page in headless Chromium with a recording for a microphone, and holds the button to talk when it is told to.
// Everything that takes time before the button is pressed is over by then.
//
//   node talk.mjs LINK    standard input: "press" or "release" a line    ->    a line of JSON each:
//   {"version"} when it is ready, {"pressed"}: when, in milliseconds since 1970, {"released": true}: the page talks no more

import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { voice } from "../../web-viewer/e2e/fixtures/voice.mjs";

const require = createRequire(new URL("../../web-viewer/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const link = process.argv[2];
const timeout = 30_000;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** Runs in the page before anything of the page does. */
function listenIn() {
  addEventListener("pointerdown", ({ timeStamp }) => { window.__pressed = performance.timeOrigin + timeStamp; }, { capture: true });
}

const folder = await mkdtemp(join(tmpdir(), "porthole-bench-talk-"));
const recording = join(folder, "voice.wav");
await voice(recording);
const browser = await chromium.launch({
  executablePath: process.env.PORTHOLE_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${recording}`,
  ],
});
try {
  const page = await browser.newPage();
  await page.addInitScript(listenIn);
  await page.goto(link);
  const is = async (...words) => {
    const fits = async (wanted) => wanted.includes((await window.porthole.snapshot()).talk.word);
    await page.waitForFunction(fits, words, { timeout, polling: 20 });
  };
  await is("ready");
  const { x, y, width, height } = await page.locator("#talk .talk").boundingBox();
  let moved = 0;
  say({ version: browser.version() });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "press") {
      // A page that rests takes the first touch for a sign of life.
      await page.mouse.move(x + width / 2 + (moved = 1 - moved), y + height / 2);
      await page.mouse.down();
      say({ pressed: await page.evaluate(() => window.__pressed) });
    } else {
      await is("talking");
      await page.mouse.up();
      await is("ready");
      say({ released: true });
    }
  }
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
