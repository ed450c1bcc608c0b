// What tests of a watched camera wait for: never a time, always something that is so at last. Deadlines only bound a hang.
// Must not know how a browser or the daemon is started.

import { setTimeout as pause } from "node:timers/promises";

/** Only bounds a hang. */
const HANG_MS = 45_000;
/** Frames after which a picture moves, not only stands. */
const MOVES = 10;

/** The only camera of a snapshot, or an empty one. */
export const camera = (seen) => seen.cameras[0] ?? {};

/** Waits until the page shows a moving picture in a live call, and returns the snapshot. */
export function live(page, what = "a live picture") {
  return page.until((seen) => camera(seen).word === "live" && camera(seen).framesDecoded >= MOVES, what, HANG_MS);
}

/** Waits until the page of a live call has shown more than it has now, in the same call, and returns the snapshot. */
export async function moves(page, what = "the picture goes on") {
  const before = camera(await page.snapshot());
  return page.until((seen) => {
    const now = camera(seen);
    return now.call === before.call && now.word === "live" && now.framesDecoded >= before.framesDecoded + MOVES;
  }, what, HANG_MS);
}

/** Waits until the page has played sound that is more than silence, beyond what it has now. */
export async function sounds(page, what = "sound above silence") {
  const { audioEnergy = 0 } = camera(await page.snapshot());
  return page.until((seen) => camera(seen).audioLevel > 0.005 && camera(seen).audioEnergy > audioEnergy, what, HANG_MS);
}

/** Waits until what `ask` gives fits, and returns it. `what` may be a function: it is asked when the wait was in vain. */
export async function until(ask, fits, what) {
  const end = Date.now() + HANG_MS;
  for (;;) {
    const seen = await ask();
    if (fits(seen)) return seen;
    if (Date.now() > end) throw new Error(`never: ${typeof what === "function" ? what() : what}\n${JSON.stringify(seen, null, 1)}`);
    await pause(100);
  }
}

/** Waits until the daemon's health fits, and returns it. */
export function health(porthole, fits, what) {
  return until(() => porthole.health(), fits, () => `${what}; the daemon said:\n${porthole.output}`);
}

/** What is to be seen on the page: which words, which buttons, and how much there is in the picture and the last one. */
export function look(page) {
  return page.evaluate(() => {
    const shown = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const { display, visibility, opacity } = getComputedStyle(at);
        if (display === "none" || visibility === "hidden" || opacity === "0") return false;
      }
      return element !== null;
    };
    /** Spread of brightness over the picture, 0 for one colour; null where there is no picture. */
    const spread = (picture, width, height) => {
      if (!picture || !width || !height) return null;
      const paper = new OffscreenCanvas(64, 36);
      const pen = paper.getContext("2d");
      pen.drawImage(picture, 0, 0, 64, 36);
      const { data } = pen.getImageData(0, 0, 64, 36);
      const light = Array.from({ length: 64 * 36 }, (_, n) => (data[4 * n] + data[4 * n + 1] + data[4 * n + 2]) / 3);
      const mean = light.reduce((sum, one) => sum + one, 0) / light.length;
      return Math.sqrt(light.reduce((sum, one) => sum + (one - mean) ** 2, 0) / light.length);
    };
    const find = (selector) => document.querySelector(selector);
    const [video, last, veil, hint] = ["video", ".last", ".veil", "#hint"].map(find);
    return {
      title: find(".veil h2")?.textContent ?? "",
      text: find(".veil p")?.textContent ?? "",
      hint: shown(hint) ? hint.textContent : "",
      veiled: shown(veil),
      muted: video?.muted ?? null,
      video: shown(video) ? spread(video, video.videoWidth, video.videoHeight) : null,
      last: shown(last) ? spread(last, last.width, last.height) : null,
      buttons: [...document.querySelectorAll("button")].filter(shown).map((button) => button.textContent),
      wide: document.documentElement.scrollWidth > innerWidth,
    };
  });
}
