// The real daemon with a speaker that only measures, and Chromium with a microphone that is a recording.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { voice } from "./fixtures/voice.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, until } from "./waiting.mjs";

/** What is louder than this, in dB, was said by somebody. */
const SAID = -50;
const SPEAKER = '[speaker]\nsink = "test"';

const loud = (level) => level !== null && level > SAID;

/** Keeps every microphone that the browser gives, to be looked at. */
const WATCH_MICROPHONES = () => {
  window.microphones = [];
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.microphones.push(...stream.getTracks());
    return stream;
  };
};

describe("Talking back", { skip: missing("chromium") ?? false }, () => {
  let folder;
  let recording;
  let browser;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-talk-"));
    recording = join(folder, "voice.wav");
    await voice(recording);
    browser = await launchChromium({ fakeDevices: true, autoplay: true, flags: [`--use-file-for-fake-audio-capture=${recording}`] });
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function house(t, how = {}) {
    const porthole = await start({ more: SPEAKER, ...how });
    t.after(() => porthole.stop());
    return porthole;
  }

  async function open(t, link, view = {}) {
    const page = await browser.open(link, { script: WATCH_MICROPHONES, ...view });
    t.after(() => page.close());
    await live(page);
    return page;
  }

  const button = (page) => page.evaluate(() => document.querySelector("#talk .talk:not([hidden])")?.textContent ?? null);
  const words = (page) => page.evaluate(() => document.querySelector("#talk:not([hidden]) .talked")?.textContent ?? null);
  const recorded = (page) => page.evaluate(() => window.microphones.filter(({ readyState }) => readyState === "live").length);
  const says = (page, word) => page.until((seen) => seen.talk.word === word, `the page is ${word}`);
  const heard = (porthole) => health(porthole, ({ speaker }) => speaker.talkers === 1 && loud(speaker.level), "the voice is heard");
  const nobody = (porthole) => health(porthole, ({ speaker }) => speaker.talkers === 0, "nobody is heard");

  async function hold(page) {
    const { x, y, width, height } = await page.page.locator("#talk .talk").boundingBox();
    await page.page.mouse.move(x + width / 2, y + height / 2);
    await page.page.mouse.down();
  }

  test("is heard while the button is held, and the microphone and the speaker are let go of afterwards", async (t) => {
    const porthole = await house(t);
    const page = await open(t, porthole.link);
    await says(page, "ready");
    assert.equal(await button(page), "Hold to talk");
    const { call } = camera(await page.snapshot());
    assert.deepEqual((await porthole.health()).speaker, { state: "idle", talkers: 0, playing: false, level: null });
    await hold(page);
    const { speaker } = await heard(porthole);
    assert.equal(speaker.state, "running");
    assert.ok(speaker.level < -3, `cut off: ${speaker.level} dB`);
    await says(page, "talking");
    assert.equal(await recorded(page), 1);
    // Past what counts as a tap, whatever the machine is busy with.
    await until(() => page.evaluate(() => performance.now()), (now) => now > 2_000, "time passes");
    await page.page.mouse.up();
    await says(page, "ready");
    assert.equal(await recorded(page), 0);
    await nobody(porthole);
    await health(porthole, ({ speaker }) => speaker.state === "idle" && speaker.level === null, "the speaker is closed");
    assert.equal(camera(await page.snapshot()).call, call, "all in one call");
  });

  test("a tap keeps the microphone on until the next; whoever else watches is told, and waits", async (t) => {
    const porthole = await house(t);
    const [ann, bob] = [await open(t, porthole.link), await open(t, porthole.link)];
    await says(ann, "ready");
    await says(bob, "ready");
    await ann.click("#talk .talk");
    await heard(porthole);
    assert.equal((await says(ann, "talking")).talk.latched, true);
    await says(bob, "busy");
    assert.equal(await words(bob), "Somebody is talking.");
    await bob.click("#talk .talk");
    await until(() => recorded(bob), (count) => count === 0, "Bob's microphone is off");
    await says(bob, "busy");
    await ann.click("#talk .talk");
    await says(bob, "ready");
    await nobody(porthole);
    await bob.click("#talk .talk");
    await heard(porthole);
    await says(ann, "busy");
  });

  test("the space bar is the same button, and hanging up lets go of it", async (t) => {
    const porthole = await house(t);
    const page = await open(t, porthole.link);
    await says(page, "ready");
    await page.page.keyboard.down(" ");
    await heard(porthole);
    await page.press("c");
    await page.until((seen) => camera(seen).word === "ended", "hung up");
    assert.equal(await recorded(page), 0);
    await nobody(porthole);
    await page.page.keyboard.up(" ");
    assert.equal(await button(page), null);
  });

  test("a page that goes into the background is not heard", async (t) => {
    const porthole = await house(t);
    const page = await open(t, porthole.link);
    await says(page, "ready");
    await page.click("#talk .talk");
    await heard(porthole);
    await page.evaluate(() => window.dispatchEvent(new Event("blur")));
    await nobody(porthole);
    assert.equal(await recorded(page), 0);
  });

  test("a key for watching has no button and is told why; one for managing takes over", async (t) => {
    const porthole = await house(t, { access: "keys" });
    const [watching, talking, managing] = [
      await porthole.add("grandma's phone"), await porthole.add("uncle's phone", "--role", "talk"), await porthole.add("mum's phone", "--role", "manage"),
    ];
    const [grandma, uncle, mum] = [await open(t, watching), await open(t, talking), await open(t, managing)];
    await says(grandma, "not-allowed");
    assert.equal(await button(grandma), null);
    assert.match(await words(grandma), /for watching/);
    await says(uncle, "ready");
    await uncle.click("#talk .talk");
    await heard(porthole);
    await until(() => words(grandma), (said) => said === "uncle's phone is talking.", "who talks is said by name");
    await says(mum, "busy");
    assert.equal(await button(mum), "Hold to talk instead");
    await mum.click("#talk .talk");
    await says(mum, "talking");
    await until(() => words(uncle), (said) => said === "mum's phone is talking.", "uncle is told");
    assert.equal(await recorded(uncle), 0);
    await heard(porthole);
  });

  test("without a speaker there is no button", async (t) => {
    const porthole = await house(t, { more: '[speaker]\nsink = "none"' });
    const page = await open(t, porthole.link);
    assert.equal(await button(page), null);
    assert.equal((await porthole.health()).speaker.state, "none");
  });

  test("where echo cannot be cancelled the camera's own microphone is all but off meanwhile", async (t) => {
    const porthole = await house(t, { more: `${SPEAKER}\necho = "half"` });
    const [ann, bob] = [await open(t, porthole.link), await open(t, porthole.link)];
    const level = async () => camera(await bob.snapshot()).audioLevel;
    const loud = await until(level, (now) => now > 0.01, "the tone is heard");
    await says(ann, "ready");
    await ann.click("#talk .talk");
    await heard(porthole);
    await until(level, (now) => now < loud / 4, "it is all but off");
    await ann.click("#talk .talk");
    await until(level, (now) => now > loud / 2, "it is back");
  });

  test("a file is played on the same speaker, as loud as is said, and stopped", async (t) => {
    const porthole = await house(t);
    const loudness = () => health(porthole, ({ speaker }) => speaker.playing && loud(speaker.level), "the file is heard");
    await porthole.command("play", recording);
    const { speaker: { level } } = await loudness();
    assert.ok(level > -30, `${level} dB`);
    await porthole.command("play", recording, "--volume", "5");
    await health(porthole, ({ speaker }) => speaker.playing && speaker.level !== null && speaker.level > -90 && speaker.level < level - 15, "the file is heard quietly");
    await porthole.command("play", "--stop");
    await health(porthole, ({ speaker }) => !speaker.playing && speaker.state === "idle", "nothing is played");
    const wrong = join(folder, "letter.wav");
    await assert.rejects(porthole.command("play", wrong), (why) => /letter\.wav cannot be read/.test(why.stderr));
    await assert.rejects(porthole.command("play", porthole.config), (why) => why.code === 69 && why.stderr.length > 5);
  });

  test("a touch on the resting screen brings the button back and opens no microphone; the next one talks", async (t) => {
    const porthole = await house(t);
    const page = await open(t, porthole.link, { phone: true, viewport: { width: 390, height: 844 } });
    await says(page, "ready");
    const { x, y, width, height } = await page.page.locator("#talk .talk").boundingBox();
    const tap = () => page.page.touchscreen.tap(x + width / 2, y + height / 2);
    const seen = () => page.evaluate(() => Number(getComputedStyle(document.querySelector("#talk")).opacity));
    await until(seen, (opacity) => opacity === 0, "the button rests");
    await tap();
    await until(seen, (opacity) => opacity === 1, "it is back");
    assert.deepEqual([await page.evaluate(() => window.microphones.length), (await page.snapshot()).talk.word], [0, "ready"]);
    await tap();
    await says(page, "talking");
    await heard(porthole);
  });

  test("fits a phone, upright and on its side", async (t) => {
    const porthole = await house(t);
    const page = await open(t, porthole.link, { phone: true, viewport: { width: 390, height: 844 } });
    await says(page, "ready");
    for (const [width, height] of [[390, 844], [844, 390], [320, 568], [568, 320]]) {
      await page.page.setViewportSize({ width, height });
      const seen = await page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
        // With all that the alarm may say.
        for (const one of document.querySelectorAll("#alarm, #alarm .primary")) one.hidden = false;
        document.querySelector("#alarm div").textContent = "Neither picture nor sound from the camera. ".repeat(6);
        const others = [...document.querySelectorAll("#controls .row button, #alarm")].map((one) => one.getBoundingClientRect().toJSON());
        return { button: box("#talk .talk"), others, wide: document.documentElement.scrollWidth > innerWidth };
      });
      assert.equal(seen.wide, false, `${width}x${height} must not scroll`);
      const { left, top, right, bottom, height: tall } = seen.button;
      assert.ok(left >= 0 && top >= 0 && right <= width && bottom <= height && tall >= 56, `${width}x${height}: ${JSON.stringify(seen.button)}`);
      for (const other of seen.others) {
        const apart = other.right <= left || other.left >= right || other.bottom <= top || other.top >= bottom;
        assert.ok(apart, `${width}x${height}: a button under the button`);
      }
    }
  });
});
