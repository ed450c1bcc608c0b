// A real recording as the camera: surveillance footage from Debian's package opencv-doc, in a loop as if it were live.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, until } from "./waiting.mjs";

// `make` fetches the clip out of the package; who has the package installed needs no `make`.
const CLIP = process.env.PORTHOLE_CLIP ?? "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
const packed = existsSync(`${CLIP}.gz`);
const without = existsSync(CLIP) || packed ? null : `${CLIP} is not there (package opencv-doc)`;

describe("surveillance footage", { skip: missing("chromium") ?? without ?? false, timeout: 180_000 }, () => {
  let folder;
  let porthole;
  let browser;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-clip-"));
    let clip = CLIP;
    if (packed) await writeFile((clip = join(folder, "vtest.avi")), gunzipSync(readFileSync(`${CLIP}.gz`)));
    const video = `source = "file"\nfile = "${clip}"`;
    [porthole, browser] = await Promise.all([start({ video, audio: 'source = "none"' }), launchChromium()]);
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  test("is watched like a camera, without sound and without asking for it", async (t) => {
    const page = await browser.open(porthole.link);
    t.after(() => page.close());
    await live(page);
    const { codec, width, height, framesDecoded, audioPackets } = camera(await moves(page));
    t.diagnostic(`${codec} ${width}x${height}, ${framesDecoded} frames`);
    assert.deepEqual([codec, audioPackets], ["video/H264", 0]);
    const shown = await until(() => look(page), (now) => !now.veiled, "the veil is lifted");
    assert.ok(shown.video > 20, `people in a square, and yet so even: ${shown.video}`);
    assert.equal((await page.snapshot()).sound, "none");
    assert.ok(!shown.buttons.includes("Turn sound on"), shown.buttons.join());
    const { capture, renditions } = await health(porthole, (now) => now.live === 1, "one live call");
    assert.deepEqual([capture, renditions], ["running", ["H.264"]]);
  });

  test("shows people who move", async (t) => {
    const page = await browser.open(porthole.link);
    t.after(() => page.close());
    await live(page);
    const still = await picture(page);
    await until(async () => difference(still, await picture(page)), (much) => much > 0.5, "another picture than before");
  });
});

/** The picture on the screen, small and grey. */
function picture(page) {
  return page.evaluate(() => {
    const paper = new OffscreenCanvas(96, 72);
    const pen = paper.getContext("2d");
    pen.drawImage(document.querySelector("video"), 0, 0, 96, 72);
    const { data } = pen.getImageData(0, 0, 96, 72);
    return Array.from({ length: 96 * 72 }, (_, n) => data[4 * n + 1]);
  });
}

/** How far two pictures are apart on average, in steps of 255. */
function difference(one, other) {
  return one.reduce((sum, light, n) => sum + Math.abs(light - other[n]), 0) / one.length;
}
