// Opens the page N times in headless Chromium and measures inside of it, from the offer to the first picture. Needs
// nothing of the page: it listens in on what every page that makes a call has to do.
//
//   node chromium.mjs LINK VISITS   ->   {"version", "codec", "picture": [ms], "decoded": [ms], "page": [ms], "fresh": [ms]}
//
// `picture`, `decoded` and `page` are of a tab that was there already; `fresh` is `picture` of a tab that has just been
// made, whose process the browser is still starting while the page calls.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../web-viewer/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [link, visits] = [process.argv[2], Number(process.argv[3])];
const LIMIT = 30_000;
/** How long a tab is left alone until its process has started and that of the last one has gone, in milliseconds. */
const SETTLES = 1_000;

/** Runs in the page before anything of the page does. */
function listenIn() {
  const seen = { offer: null, picture: null, decoded: null, codec: null };
  window.__firstPicture = seen;

  const setLocalDescription = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = async function (...description) {
    await setLocalDescription.apply(this, description);
    // A page sends its offer as soon as this resolves.
    if (this.localDescription?.type === "offer") seen.offer ??= performance.now();
    seen.connection ??= this;
  };

  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...source,
    set(stream) {
      source.set.call(this, stream);
      if (!stream || !this.requestVideoFrameCallback) return;
      this.requestVideoFrameCallback((now, frame) => {
        if (seen.picture !== null) return;
        seen.picture = frame.presentationTime ?? now;
        // Both in milliseconds and seconds of performance.now(), where Chromium knows them.
        if (frame.receiveTime) seen.decoded = frame.receiveTime + (frame.processingDuration ?? 0) * 1000;
      });
    },
  });
}

async function visit(browser, settles = SETTLES) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(listenIn);
    await new Promise((done) => setTimeout(done, settles));
    await page.goto(link);
    await page.waitForFunction(() => window.__firstPicture.picture !== null, null, { timeout: LIMIT });
    return await page.evaluate(async () => {
      const { offer, picture, decoded, connection } = window.__firstPicture;
      const stats = [...(await connection.getStats()).values()];
      const codec = stats.find((entry) => entry.type === "codec" && entry.mimeType.startsWith("video/"))?.mimeType;
      return { picture: picture - offer, decoded: decoded === null ? null : decoded - offer, page: picture, codec };
    });
  } finally {
    await context.close();
  }
}

const browser = await chromium.launch({
  executablePath: process.env.PORTHOLE_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--allow-loopback-in-peer-connection",
  ],
});
try {
  // The browser's very first visit loads its own media libraries.
  await visit(browser);
  const seen = [];
  for (let number = 0; number < visits; number += 1) seen.push(await visit(browser));
  const fresh = [];
  for (let number = 0; number < visits; number += 1) fresh.push(await visit(browser, 0));
  process.stdout.write(JSON.stringify({
    version: browser.version(),
    codec: seen[0].codec ?? "unknown codec",
    picture: seen.map((one) => one.picture),
    decoded: seen.map((one) => one.decoded).filter((time) => time !== null),
    page: seen.map((one) => one.page),
    fresh: fresh.map((one) => one.picture),
  }));
} finally {
  await browser.close();
}
