// Firefox beside Chromium: each gets the picture it can show, and both come back by themselves after the daemon was away.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchChromium, launchFirefox, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, sounds, until } from "./waiting.mjs";

/** Two encoders and two browsers share the machine: a small picture. */
const VIDEO = ['source = "test"', "width = 640", "height = 360", "framerate = 15", "bitrate = 600"].join("\n");

describe("Firefox and Chromium", { skip: missing("firefox") ?? missing("chromium") ?? false, timeout: 300_000 }, () => {
  let porthole;
  let browsers;
  /** The camera's page in both, for one test. */
  const open = async (t) => {
    const pages = await Promise.all(browsers.map((browser) => browser.open(porthole.link)));
    t.after(() => Promise.allSettled(pages.map((page) => page.close())));
    return pages;
  };

  before(async () => {
    [porthole, ...browsers] = await Promise.all([
      start({ video: VIDEO }), launchChromium({ autoplay: true }), launchFirefox(),
    ]);
  });
  after(async () => {
    await Promise.allSettled((browsers ?? []).map((browser) => browser.close()));
    await porthole?.stop();
  });

  test("Firefox sees VP8 and hears, beside Chromium on H.264, and VP8 is not made for longer than it watches", async (t) => {
    const chromium = await browsers[0].open(porthole.link);
    t.after(() => chromium.close());
    await live(chromium);
    assert.deepEqual((await porthole.health()).renditions, ["H.264"]);
    const firefox = await browsers[1].open(porthole.link);
    await live(firefox);
    const seen = camera(await moves(firefox));
    assert.deepEqual([seen.codec, seen.width, seen.height], ["video/VP8", 640, 360]);
    assert.equal(camera(await sounds(firefox)).audioCodec, "audio/opus");
    const { call, codec } = camera(await moves(chromium));
    assert.equal(codec, "video/H264");
    const both = await health(porthole, (now) => now.live === 2, "two live calls");
    assert.deepEqual([...both.renditions].sort(), ["H.264", "VP8"]);
    await firefox.close();
    const left = await health(porthole, (now) => now.calls === 1 && now.renditions.length === 1, "one call, one rendition");
    assert.deepEqual(left.renditions, ["H.264"]);
    assert.equal(camera(await moves(chromium)).call, call);
  });

  test("a daemon that was killed and starts again has its viewers back, who kept the last picture meanwhile", async (t) => {
    const pages = await open(t);
    const before = await Promise.all(pages.map((page) => live(page)));
    const { port } = porthole;
    await porthole.kill();
    for (const page of pages) {
      await page.until((seen) => camera(seen).word === "relay-lost", "the page knows", 60_000);
      const shown = await until(() => look(page), (now) => now.veiled && now.last !== null, "the veil is down");
      assert.equal(shown.title, "Cannot reach the camera");
      assert.match(shown.text, /keeps trying by itself/);
      assert.ok(shown.last > 3, `the last picture is of one colour: ${shown.last}`);
    }
    porthole = await start({ port, video: VIDEO });
    await back(pages, before);
  });

  test("a daemon that is stopped says so, and has its viewers back when it starts again", async (t) => {
    const pages = await open(t);
    const before = await Promise.all(pages.map((page) => live(page)));
    const { port } = porthole;
    const { code } = await porthole.stop();
    assert.equal(code, 0, porthole.output);
    // Both at once: what is said changes when it takes long.
    await Promise.all(pages.map(async (page) => {
      const { cameras: [{ reason }] } = await page.until((seen) => !camera(seen).call, "the call has ended");
      assert.equal(reason, "shutting-down");
      const shown = await until(() => look(page), (now) => now.veiled && now.last !== null, "the veil is down");
      assert.equal(shown.title, "The camera is restarting");
      assert.match(shown.text, /calls it as soon as it is back/);
      assert.ok(shown.last > 3, `the last picture is of one colour: ${shown.last}`);
    }));
    porthole = await start({ port, video: VIDEO });
    await back(pages, before);
  });

  /** Every page has its picture again, in a new call, and the veil is gone. */
  async function back(pages, before) {
    for (const [n, page] of pages.entries()) {
      const now = camera(await live(page, "the picture is back"));
      assert.notEqual(now.call, camera(before[n]).call);
      await until(() => look(page), (seen) => !seen.veiled && seen.video > 3, "the veil is lifted");
    }
    await health(porthole, (now) => now.calls === 2 && now.live === 2, "two calls");
  }
});
