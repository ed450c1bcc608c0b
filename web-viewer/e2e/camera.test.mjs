// A camera that goes and comes back, and one that is switched off for privacy, as Chromium shows them: in words, within the
// same call, and by themselves. A clip is the camera: it can be taken away and put back.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, until } from "./waiting.mjs";

const run = promisify(execFile);

describe("a camera", { skip: missing("chromium") ?? false, timeout: 180_000 }, () => {
  let folder;
  let clip;
  let porthole;
  let browser;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-camera-"));
    clip = join(folder, "clip.mkv");
    await run("gst-launch-1.0", [
      "-q", "videotestsrc", "num-buffers=15", "pattern=ball", "!", "video/x-raw,width=640,height=360,framerate=30/1", "!",
      "jpegenc", "!", "matroskamux", "!", "filesink", `location=${clip}`,
    ]);
    const video = `source = "file"\nfile = "${clip}"\nwidth = 640\nheight = 360`;
    [porthole, browser] = await Promise.all([start({ video, audio: 'source = "test"' }), launchChromium()]);
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  /** Waits until the page says this, and that pictures go on coming in the same call; returns what is to be seen. */
  async function says(page, word, title, call) {
    const before = await page.until((seen) => camera(seen).word === word, `it is said: ${word}`);
    await page.until((seen) => camera(seen).framesDecoded >= camera(before).framesDecoded + 5, "pictures go on");
    const { cameras: [now] } = await page.snapshot();
    assert.equal(now.call, call, "the same call");
    return until(() => look(page), (shown) => shown.title === title && shown.veiled, title);
  }

  test("that is taken away is said to be lost while the call goes on, and seen again when it is back", async (t) => {
    const page = await browser.open(porthole.link);
    t.after(() => page.close());
    const { call } = camera(await live(page));
    await rename(clip, `${clip}.away`);
    const { text } = await says(page, "camera-lost", "No picture from the camera", call);
    assert.match(text, /comes back here as soon as there is one[.]$/);
    const { capture, frames, live: calls } = await porthole.health();
    assert.deepEqual([capture, frames, calls], ["lost", "flowing", 1]);
    // Somebody who comes now is let in, and told the same.
    const other = await browser.open(porthole.link);
    t.after(() => other.close());
    await other.until((seen) => camera(seen).word === "camera-lost" && camera(seen).framesDecoded >= 3, "a slate for who comes");
    await rename(`${clip}.away`, clip);
    for (const one of [page, other]) await live(one, "the picture is back by itself");
    await moves(page);
    assert.equal(camera(await page.snapshot()).call, call, "the same call");
    // Each reason once, however often it was tried.
    const reasons = porthole.output.match(/the camera failed: .*/g) ?? [];
    assert.ok(reasons.length >= 1 && new Set(reasons).size === reasons.length, porthole.output);
    assert.equal((porthole.output.match(/the camera is back/g) ?? []).length, 1, porthole.output);
  });

  test("is black and silent while privacy is on, and says so", async (t) => {
    const page = await browser.open(porthole.link);
    t.after(() => page.close());
    const { call } = camera(await live(page));
    assert.match(await porthole.command("privacy", "on"), /^privacy is on/);
    await says(page, "privacy", "Privacy is on", call);
    // Those of the test before may be ending yet.
    const closed = (seen) => seen.capture === "idle" && seen.live === 1;
    const now = await health(porthole, closed, "the camera is closed, and the call goes on");
    assert.deepEqual([now.privacy, now.healthy], [true, true]);
    assert.match(await porthole.command("status"), /Privacy is on/);
    assert.match(await porthole.command("privacy", "off"), /^privacy is off/);
    await live(page, "the picture is back");
    assert.equal(camera(await page.snapshot()).call, call, "the same call");
  });
});
