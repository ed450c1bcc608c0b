// Chromium watches the real daemon: picture, sound, the touch that sound needs, neighbours, reloading, a page that dies,
// a phone, the keyboard.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, sounds, until } from "./waiting.mjs";

describe("a camera in Chromium", { skip: missing("chromium") ?? false, timeout: 300_000 }, () => {
  let porthole;
  let browser;
  /** Opens the camera's page in a profile of its own, for one test. */
  const open = async (t, how) => {
    const page = await browser.open(porthole.link, how);
    t.after(() => page.close());
    return page;
  };
  const calls = (count) => health(porthole, (now) => now.calls === count && now.live === count, `${count} calls`);

  before(async () => {
    [porthole, browser] = await Promise.all([start(), launchChromium({ autoplay: true })]);
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
  });

  test("is seen moving in H.264, in its full size, and heard", async (t) => {
    const page = await open(t);
    await live(page);
    const seen = camera(await moves(page));
    assert.deepEqual([seen.codec, seen.width, seen.height], ["video/H264", 1280, 720]);
    assert.equal(camera(await sounds(page)).audioCodec, "audio/opus");
    const { renditions, calls: many, healthy } = await calls(1);
    assert.deepEqual([renditions, many, healthy], [["H.264"], 1, true]);
    const shown = await until(() => look(page), (now) => !now.veiled, "the veil is lifted");
    assert.ok(shown.video > 3, `a picture of one colour: ${shown.video}`);
    assert.deepEqual(errors(page), []);
  });

  test("has its picture saved as it came, under its name", async (t) => {
    const page = await open(t);
    await live(page);
    await moves(page);
    // What the browser would save is looked at instead.
    await page.evaluate(() => {
      HTMLAnchorElement.prototype.click = function click() { window.saved = { href: this.href, name: this.download }; };
    });
    await page.click('[title="Save picture"]');
    const saved = await until(() => page.evaluate(async () => {
      if (!window.saved) return null;
      const picture = new Image();
      picture.src = window.saved.href;
      await picture.decode();
      const type = picture.src.split(";")[0];
      return { name: window.saved.name, type, width: picture.naturalWidth, height: picture.naturalHeight, large: picture.src.length > 5_000 };
    }), (seen) => seen !== null, "a picture is saved");
    assert.match(saved.name, /^\S.* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.jpg$/);
    assert.deepEqual({ ...saved, name: "" }, { name: "", type: "data:image/jpeg", width: 1280, height: 720, large: true });
    assert.deepEqual(errors(page), []);
  });

  test("is reached where no WebSocket gets through, and says good-bye there, too", async (t) => {
    const page = await open(t, {
      script: () => {
        window.WebSocket = class {
          constructor() {
            setTimeout(() => this.onerror?.(new Event("error")));
          }
          close() {}
        };
      },
    });
    await live(page);
    await calls(1);
    await page.press("c");
    await page.until((seen) => camera(seen).word === "ended", "the call has ended");
    await health(porthole, (now) => now.calls === 0, "the camera has heard it");
    await page.press("c");
    await live(page);
    await calls(1);
    const asked = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("transport=polling")).length);
    assert.ok(asked > 3, `asked ${asked} times`);
    assert.deepEqual(errors(page), []);
  });

  test("is silent until a person touches the one button that says so", async (t) => {
    const strict = await launchChromium();
    t.after(() => strict.close());
    const page = await strict.open(porthole.link);
    await live(page);
    assert.equal((await page.until((seen) => seen.sound === "blocked", "sound waits for a touch")).sound, "blocked");
    const before = await look(page);
    assert.equal(before.muted, true);
    assert.equal(before.buttons.filter((name) => name === "Turn sound on").length, 1);
    await page.click(".loud");
    await page.until((seen) => seen.sound === "on", "sound is on");
    await sounds(page);
    const afterwards = await look(page);
    assert.equal(afterwards.muted, false);
    assert.ok(!afterwards.buttons.includes("Turn sound on"), afterwards.buttons.join());
  });

  test("is encoded once for two, and one who leaves is not noticed by the other", async (t) => {
    await health(porthole, (now) => now.calls === 0, "nobody watches");
    const [ann, bob] = [await open(t), await browser.open(porthole.link)];
    await Promise.all([live(ann), live(bob)]);
    assert.deepEqual((await calls(2)).renditions, ["H.264"]);
    const { call } = camera(await ann.snapshot());
    await bob.close();
    assert.deepEqual((await calls(1)).renditions, ["H.264"]);
    assert.equal(camera(await moves(ann)).call, call);
  });

  test("comes back after a reload, in one call", async (t) => {
    const page = await open(t);
    const first = camera(await live(page));
    await page.reload();
    const second = camera(await live(page));
    assert.notEqual(second.call, first.call);
    await calls(1);
    await moves(page);
  });

  test("lets go of a page that died without a word", async (t) => {
    const [ann, bob] = [await open(t), await open(t)];
    await Promise.all([live(ann), live(bob)]);
    await calls(2);
    const devtools = await bob.page.context().newCDPSession(bob.page);
    // Nobody is left to answer this.
    devtools.send("Page.crash").catch(() => undefined);
    await calls(1);
    await moves(ann);
    await ann.close();
    const { capture } = await health(porthole, (now) => now.calls === 0 && now.renditions.length === 0, "nobody is left");
    assert.notEqual(capture, "lost");
  });

  test("fits a phone, upright and on its side", async (t) => {
    const page = await open(t, { phone: true, viewport: { width: 390, height: 844 } });
    await live(page);
    for (const [width, height] of [[390, 844], [844, 390], [320, 568], [568, 320]]) {
      await page.page.setViewportSize({ width, height });
      const { wide } = await look(page);
      assert.equal(wide, false, `${width}x${height} must not scroll`);
      const buttons = await page.evaluate(() => [...document.querySelectorAll("#controls .row button")].map((button) => {
        const { left, top, right, bottom, width: across, height: down } = button.getBoundingClientRect();
        return { inside: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight, across, down };
      }));
      assert.equal(buttons.length, 4);
      for (const { inside, across, down } of buttons) {
        assert.ok(inside, `a button outside of ${width}x${height}`);
        assert.ok(across >= 44 && down >= 44, `a button of ${across}x${down} is too small for a thumb`);
      }
    }
  });

  test("is worked with the keyboard alone", async (t) => {
    const page = await open(t);
    await live(page);
    await page.until((seen) => seen.sound === "on", "sound is on");
    await page.press("m");
    await page.until((seen) => seen.sound === "off", "m mutes");
    assert.equal((await look(page)).muted, true);
    await page.press("m");
    await page.until((seen) => seen.sound === "on", "m turns sound on");
    await page.press("f");
    await until(() => page.evaluate(() => document.fullscreenElement !== null), (full) => full, "f fills the screen");
    await page.press("f");
    await until(() => page.evaluate(() => document.fullscreenElement === null), (left) => left, "f leaves it");
    await page.press("c");
    await page.until((seen) => camera(seen).word === "ended", "c hangs up");
    await health(porthole, (now) => now.calls === 0, "the call has ended");
    assert.equal((await look(page)).title, "Call ended");
    await page.press("c");
    await live(page, "c calls again");
    await calls(1);
  });
});

/** What the page complained about. */
function errors(page) {
  return page.said.filter((line) => line.startsWith("error"));
}
