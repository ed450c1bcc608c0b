// The page explains itself: the panel with the details, what it gives to copy, and less of the picture by choice.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { voice } from "./fixtures/voice.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, sounds, until } from "./waiting.mjs";

/** Where pictures for a person to look at go, if anywhere. */
const PICTURES = process.env.PORTHOLE_PICTURES;
/** Packets of sound in a second, as the camera sends them by itself. */
const PACKETS = 25;

describe("the page's details", { skip: missing("chromium") ?? false, timeout: 300_000 }, () => {
  let folder;
  let browser;
  let porthole;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-details-"));
    const recording = join(folder, "voice.wav");
    await voice(recording);
    [porthole, browser] = await Promise.all([
      start({ access: "keys", room: 'camera = "Nursery"', more: '[speaker]\nsink = "test"' }),
      launchChromium({ fakeDevices: true, autoplay: true, flags: [`--use-file-for-fake-audio-capture=${recording}`] }),
    ]);
  });
  after(async () => {
    await browser?.close();
    await porthole?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(t, how = {}) {
    const page = await browser.open(await porthole.add(t.name.slice(0, 40), "--role", "talk"), how);
    t.after(() => page.close());
    await live(page);
    return page;
  }
  const draw = async (page, name) => {
    if (PICTURES) await page.screenshot(join(PICTURES, `${name}.png`));
  };
  /** The panel: what it says, and where the focus is. */
  const panel = (page) => page.evaluate(() => {
    const card = document.querySelector("#details > div");
    return {
      open: card.checkVisibility(), role: card.getAttribute("role"), modal: card.getAttribute("aria-modal"), title: document.getElementById(card.getAttribute("aria-labelledby")).textContent,
      lines: [...card.querySelectorAll("li")].map((line) => [...line.children].map(({ textContent }) => textContent.replaceAll("\u00a0", " "))),
      chosen: card.querySelector("input:checked")?.value, status: card.querySelector("[role=status]").textContent, paper: card.querySelector("textarea").checkVisibility(),
      focus: card.contains(document.activeElement), behind: document.querySelector("#stage").inert, loud: document.querySelector("[aria-live]").textContent,
    };
  });
  const said = (page, pattern) => until(() => panel(page), ({ lines }) => lines.some((line) => pattern.test(line.join(" "))), String(pattern));
  /** Whether nothing lies over the only one of these that is shown. */
  const free = (page, which) => page.evaluate((where) => {
    const button = [...document.querySelectorAll(where)].find((one) => one.checkVisibility());
    const { left, top, width, height } = button.getBoundingClientRect();
    return [0.05, 0.5, 0.95].every((part) => button.contains(document.elementFromPoint(left + width / 2, top + height * part)));
  }, which);
  const choose = (page, what) => page.click(`#details label:has([value=${what}])`);

  test("open by a key or the button, say in sentences how things are, keep the focus, and go away by Escape", async (t) => {
    const page = await open(t, { viewport: { width: 390, height: 844 }, phone: true });
    assert.equal((await panel(page)).open, false);
    await page.press("i");
    const seen = await said(page, /nothing was lost|% of the packets/);
    assert.deepEqual([seen.open, seen.role, seen.modal, seen.title, seen.focus, seen.behind, seen.chosen], [true, "dialog", "true", "Details of Nursery", true, true, "full"]);
    await said(page, /late.* round trip: \d+ ms; buffer: picture \d/);
    await said(page, /The picture (has not frozen|froze)/);
    await said(page, /The camera’s server is reached\./);
    await said(page, /Porthole \d+\.\d+\.\d+\. Mozilla/);
    const figures = /The camera sends the full picture[.,].*picture: H264 1280 × 720, ([\d.]+) frames\/s, (\d+) kbit\/s; sound: opus (\d+) kbit\/s/;
    const read = ({ lines: all }) => all.map((line) => figures.exec(line.join(" "))).find(Boolean);
    // A busy browser shows late, and all at once, what came while it was busy.
    const { lines } = await until(() => panel(page), (now) => read(now)?.[1] > 2 && read(now)[1] < 60, "as many frames a second as there are");
    const [, , kbit, sound] = read({ lines });
    assert.ok(kbit > 50 && kbit < 20_000, `${kbit} kbit/s of picture`);
    assert.ok(sound > 5 && sound < 200, `${sound} kbit/s of sound`);
    assert.equal((await look(page)).wide, false);
    await draw(page, "details-phone");

    // It goes on by itself, and nobody is interrupted by that.
    const focus = await page.evaluate(() => (window.before = document.activeElement).tagName);
    assert.equal(focus, "DIV");
    const then = await until(() => panel(page), ({ lines: now }) => JSON.stringify(now) !== JSON.stringify(lines), "other figures");
    assert.deepEqual([then.focus, then.loud], [true, seen.loud]);
    assert.equal(await page.evaluate(() => document.activeElement === window.before), true);

    await page.press("Escape");
    assert.deepEqual([(await panel(page)).open, (await panel(page)).behind], [false, false]);
    const button = '[aria-label="Details of Nursery"]';
    await page.click(button);
    assert.equal((await panel(page)).open, true);
    await page.click("#details header button");
    assert.equal((await panel(page)).open, false);
    assert.equal(await page.evaluate((which) => document.activeElement === document.querySelector(which), button), true);
    assert.equal(camera(await page.snapshot()).word, "live");
  });

  test("fit a phone, upright and on its side, and a desk", async (t) => {
    const page = await open(t, { phone: true, viewport: { width: 390, height: 844 } });
    await page.press("i");
    for (const [name, width, height] of [["phone", 390, 844], ["side", 844, 390], ["small", 320, 568], ["desk", 1280, 800]]) {
      await page.page.setViewportSize({ width, height });
      const fits = await page.evaluate(() => {
        const card = document.querySelector("#details > div");
        const { left, top, right, bottom } = card.getBoundingClientRect();
        const small = [...card.querySelectorAll("button:not([hidden]), label")].filter((one) => one.getBoundingClientRect().height < 44).length;
        return { inside: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight, across: card.scrollWidth <= card.clientWidth, small };
      });
      assert.deepEqual(fits, { inside: true, across: true, small: 0 }, `${width}x${height}`);
      await draw(page, `details-${name}`);
    }
  });

  test("are copied as text for a report, with everything that helps and nothing that opens anything", async (t) => {
    const page = await open(t, { script: () => { navigator.clipboard.writeText = async (text) => void (window.copied = text); } });
    await page.press("i");
    await said(page, /frames\/s/);
    await page.click("#details > div > .primary");
    const { status } = await until(() => panel(page), (now) => now.status !== "", "it says that it has copied");
    assert.match(status, /^Copied\./);
    const text = await page.evaluate(() => window.copied);
    for (const part of [/^Porthole \d+\.\d+\.\d+, \d{4}-/, /room porthole: .*relay=up/, /camera Nursery: word=live/, /packetsReceived=\d/, /Mozilla/, /The last changes:\n\d\d:\d\d:\d\d relay/]) {
      assert.match(text, part);
    }
    const key = new URLSearchParams(new URL(await page.evaluate(() => location.href)).hash.slice(1)).get("key");
    const { peer, cameras: [{ call, from }] } = await page.snapshot();
    for (const secret of [...key.split("."), peer, call, from, "127.0.0.1", ".local"]) assert.ok(!text.includes(secret), `${secret} in\n${text}`);
  });

  test("lie there to be copied by hand where the browser copies nothing", async (t) => {
    const page = await open(t, { script: () => {
      Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
      document.execCommand = () => false;
    } });
    await page.press("i");
    await page.click("#details > div > .primary");
    const seen = await until(() => panel(page), (now) => now.status !== "", "it says what to press");
    assert.match(seen.status, /Ctrl\+C/);
    assert.equal(seen.paper, true);
    assert.match(await page.evaluate(() => String(getSelection())) || await page.evaluate(() => {
      const { value, selectionStart, selectionEnd } = document.activeElement;
      return value.slice(selectionStart, selectionEnd);
    }), /^Porthole/);
  });

  test("low data makes the picture small in a new call, is remembered for the room, and the whole picture comes back", async (t) => {
    const page = await open(t);
    const before = camera(await page.snapshot());
    await page.press("i");
    await choose(page, "low");
    const small = camera(await page.until((seen) => camera(seen).width === 640 && camera(seen).word === "live", "a small picture"));
    assert.notEqual(small.call, before.call);
    await said(page, /The camera sends a small picture, as you chose\./);
    const told = JSON.parse(await porthole.command("status", "--json"));
    assert.match(JSON.stringify(told), /small/);
    await draw(page, "details-low");
    await page.reload();
    const after = await page.until((seen) => camera(seen).width === 640, "small after a reload");
    assert.equal(after.picture, "low");
    assert.doesNotMatch(await page.text(".facts"), /weak/);
    await page.press("i");
    await choose(page, "full");
    await page.until((seen) => camera(seen).width === 1280, "the whole picture");
    await moves(page);
  });

  test("sound only is heard without a picture for as long as one likes, can be talked to, and goes back by one button", async (t) => {
    const page = await open(t, { viewport: { width: 390, height: 844 }, phone: true });
    await page.press("a");
    await page.press("i");
    await choose(page, "sound");
    const begun = camera(await page.until((seen) => camera(seen).word === "sound-chosen", "sound alone"));
    await page.press("Escape");
    await health(porthole, (now) => now.live === 1 && now.renditions.length === 0, "nothing is encoded");
    const shown = await look(page);
    assert.deepEqual([shown.title, shown.veiled, shown.last], ["Sound only, as you chose", true, null]);
    for (const [width, height] of [[320, 568], [844, 390], [390, 844]]) {
      await page.page.setViewportSize({ width, height });
      await until(() => free(page, ".veil .primary"), Boolean, `what the alarm says leaves the button at ${width}x${height}`);
    }
    await draw(page, "sound-only-phone");
    await sounds(page);
    // Longer than the alarm waits, and than the camera does for a word of somebody who watches.
    const on = await page.until((seen) => camera(seen).audioPackets > 12 * PACKETS, "it goes on", 90_000);
    assert.deepEqual([camera(on).call, camera(on).word, on.alarm.word], [begun.call, "sound-chosen", "quiet"]);
    assert.deepEqual([camera(on).framesReceived, camera(on).codec], [0, ""]);

    await page.until((seen) => seen.talk.word === "ready", "one may talk");
    // In the dark nothing is seen but that; a movement brings it all back.
    await page.page.mouse.move(200, 300);
    await page.page.mouse.move(200, 301);
    await until(() => page.evaluate(() => getComputedStyle(document.querySelector("#talk")).opacity), (seen) => seen === "1", "the button is seen");
    await page.click("#talk .talk");
    await health(porthole, ({ speaker }) => speaker.talkers === 1 && speaker.level > -50, "the voice is heard");
    // What ends it is there also while the details lie over it.
    await page.press("i");
    await until(() => free(page, "#details .talk"), Boolean, "a button that ends it");
    assert.equal(await page.text("#details .talk"), "Talking. Tap to stop");
    await page.click("#details .talk");
    await page.until((seen) => seen.talk.word === "ready", "nobody talks");
    assert.equal((await panel(page)).focus, true);
    await until(() => page.evaluate(() => document.querySelector("#details .talk").hidden), Boolean, "the button is gone");
    await page.press("i");

    await page.click(".veil .primary");
    await live(page, "the picture is back");
    await moves(page);
    assert.equal((await page.snapshot()).picture, "full");
    assert.deepEqual(page.said.filter((line) => line.startsWith("error")), []);
  });

  test("offer no sound alone where the camera has none", async (t) => {
    const silent = await start({ audio: 'source = "none"' });
    t.after(() => silent.stop());
    const page = await browser.open(silent.link);
    t.after(() => page.close());
    await live(page);
    await page.press("i");
    await said(page, /The camera sends the full picture, without sound\./);
    const can = () => page.evaluate(() => [...document.querySelectorAll("#details input")].map(({ disabled }) => !disabled).join());
    await until(can, (now) => now === "true,true,false", "sound alone cannot be chosen");
  });

  test("show the small picture of a camera without a microphone where sound alone was chosen before", async (t) => {
    const silent = await start({ audio: 'source = "none"' });
    t.after(() => silent.stop());
    const page = await browser.open(silent.link);
    t.after(() => page.close());
    await live(page);
    await page.evaluate(() => localStorage.setItem(`porthole.picture.${new URLSearchParams(location.hash.slice(1)).get("room")}`, "sound"));
    await page.reload();
    await live(page, "there is a picture");
    await moves(page);
    assert.deepEqual([(await page.snapshot()).picture, camera(await page.snapshot()).width], ["sound", 640]);
    await page.press("i");
    await said(page, /The camera sends a small picture, as you chose, without sound\./);
    assert.equal((await silent.health()).calls, 1);
  });

  test("give way to the alarm", async (t) => {
    const alone = await start();
    const page = await browser.open(alone.link);
    t.after(() => page.close());
    await live(page);
    await page.press("a");
    await page.press("i");
    assert.equal((await panel(page)).open, true);
    await alone.kill();
    await page.until((seen) => seen.alarm.word === "sounding", "the alarm sounds", 60_000);
    const seen = await until(() => panel(page), (now) => !now.open, "the details are gone");
    assert.equal(seen.behind, false);
    // Whoever wants to know why may look all the same.
    await page.press("i");
    await said(page, /server has been away since/);
    assert.equal((await panel(page)).open, true);
    await page.press("i");
    assert.equal((await panel(page)).open, false);
  });
});
