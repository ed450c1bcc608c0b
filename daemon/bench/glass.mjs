// Reads the time that the test picture carries (its strip along the lower edge) from the screen of Chromium, frame by frame, and
// compares it with the clock, which is the same machine's: how old the picture is when it is shown.
//
//   node glass.mjs LINK FRAMES   ->   {"version", "glass": [ms], "shown", "came"}

import { launchChromium } from "../../web-viewer/e2e/browsers.mjs";

const [link, frames] = [process.argv[2], Number(process.argv[3])];
const LIMIT = 120_000;
/** Frames before the first that counts: a picture that has just begun is still catching up. */
const BEFORE = 60;

/** Runs in the page. The age of each of so many frames as they come to the screen, in milliseconds. */
function watch([skip, count]) {
  const [fields, height] = [32, 16];
  const video = document.querySelector("video");
  const canvas = new OffscreenCanvas(video.videoWidth, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const ages = [];
  let first;
  return new Promise((resolve) => {
    const look = (_, frame) => {
      // Both clocks in whole milliseconds, and neither ahead of the other.
      const now = Date.now();
      const { videoWidth: width } = video;
      context.drawImage(video, 0, video.videoHeight - height / 2, width, 1, 0, 0, width, 1);
      const { data } = context.getImageData(0, 0, width, 1);
      let time = 0;
      for (let field = 0; field < fields; field += 1) {
        time = time * 2 + (data[4 * Math.floor(((2 * field + 1) * width) / (2 * fields))] > 128 ? 1 : 0);
      }
      if (skip > 0) {
        skip -= 1;
        first = frame.presentedFrames;
      } else {
        ages.push((((now - time) % 2 ** 32) + 2 ** 32) % 2 ** 32);
      }
      if (ages.length < count) return void video.requestVideoFrameCallback(look);
      // How many frames the screen had meanwhile: the looks must not have slowed it down.
      resolve({ glass: ages, shown: ages.length, came: frame.presentedFrames - first });
    };
    video.requestVideoFrameCallback(look);
  });
}

const browser = await launchChromium({ autoplay: true });
try {
  const page = await browser.open(link);
  await page.until(({ cameras: [camera] }) => camera?.word === "live", "a live picture", LIMIT);
  const seen = await page.evaluate(watch, [BEFORE, frames]);
  process.stdout.write(JSON.stringify({ version: browser.version, ...seen }));
} finally {
  await browser.close();
}
