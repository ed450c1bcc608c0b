// Chromium keeps watch: the camera's program is killed, and the page sounds; it is back, and the page is silent. What is
// listened to is the sound that leaves the page, not what the page says of it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { start, startRelay } from "./porthole.mjs";
import { camera, health, live, look, moves, until } from "./waiting.mjs";

const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");
/** Where pictures for a person to look at go, if anywhere. */
const PICTURES = process.env.PORTHOLE_PICTURES;
const PHONE = { viewport: { width: 390, height: 844 }, phone: true };

/** Listens in on whatever the page plays by itself, and counts what else it does to wake people. */
const EAVESDROP = () => {
  const { connect } = AudioNode.prototype;
  const heard = (globalThis.heard = { loudest: 0, ears: [], trembled: 0, titles: [] });
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      const ear = this.context.createAnalyser();
      connect.call(this, ear);
      heard.ears.push(ear);
    }
    return connect.call(this, to, ...more);
  };
  navigator.vibrate = (pattern) => {
    if (pattern !== 0) heard.trembled++;
    return true;
  };
  /** How loud it is just now. */
  heard.now = () => Math.max(0, ...heard.ears.map((ear) => {
    const wave = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(wave);
    return Math.max(...wave.map(Math.abs));
  }));
  setInterval(() => {
    heard.loudest = Math.max(heard.loudest, heard.now());
    if (heard.titles.at(-1) !== document.title) heard.titles.push(document.title);
  }, 50);
};

describe("the alarm in Chromium", { skip: missing("chromium") ?? false, timeout: 300_000 }, () => {
  let porthole;
  let browser;
  const open = async (t, how) => {
    const page = await browser.open(porthole.link, { script: EAVESDROP, ...how });
    t.after(() => page.close());
    return page;
  };
  const draw = async (page, name) => {
    if (PICTURES) await page.screenshot(join(PICTURES, `${name}.png`));
  };
  const alarm = (page, word) => page.until((seen) => seen.alarm.word === word, `the alarm is ${word}`, 60_000);
  const loudness = (page) => page.evaluate(() => globalThis.heard.now());
  const heard = (page) => page.evaluate(() => ({ ...globalThis.heard, ears: null, now: null }));
  const loud = (page) => until(() => loudness(page), (level) => level > 0.1, "a sound");
  const silent = (page) => until(() => loudness(page), (level) => level === 0, "silence");
  const card = (page) => page.evaluate(() => {
    const [alert, hush, details] = ["#alarm [role=alert]", "#alarm > button", "#alarm details"].map((where) => document.querySelector(where));
    return {
      hidden: document.querySelector("#alarm").hidden, alert: alert.textContent, hush: !hush.hidden, open: details.open,
      limits: details.textContent, name: document.querySelector("#controls .control:nth-child(2)").textContent,
    };
  });
  /** Kills the camera; `again()` starts it on the same port. */
  const kill = async () => {
    const { port } = porthole;
    await porthole.kill();
    porthole = undefined;
    return async () => { porthole = await start({ video: VIDEO, port }); };
  };

  before(async () => { browser = await launchChromium(); });
  afterEach(async () => { await porthole?.stop(); porthole = undefined; });
  after(() => browser?.close());

  test("sounds when the camera is killed, gives quiet when asked, and is silent when the camera is back", async (t) => {
    porthole = await start({ video: VIDEO });
    const page = await open(t, PHONE);
    await live(page);
    assert.equal((await page.snapshot()).alarm.word, "off");
    assert.deepEqual([(await card(page)).hidden, (await card(page)).name], [true, "Alarm is off"]);

    await page.click("#controls .control:nth-child(2)");
    const { alarm: armed } = await page.until((seen) => seen.alarm.word === "quiet" && seen.alarm.audible, "it is armed and may sound");
    assert.deepEqual(armed.missing, []);
    await until(() => heard(page), ({ loudest }) => loudest > 0.1, "the trial is heard");
    await silent(page);
    const told = await card(page);
    assert.deepEqual([told.name, told.open, told.alert], ["Alarm is on", true, ""]);
    assert.match(told.limits, /picture and sound stop for 10 seconds.*phone that is locked.*screen/);
    await draw(page, "alarm-armed-phone");
    assert.equal((await look(page)).wide, false);

    const again = await kill();
    const { alarm: near } = await alarm(page, "soon");
    assert.deepEqual(near.missing, [0]);
    await draw(page, "alarm-soon-phone");
    await alarm(page, "sounding");
    await loud(page);
    const cried = await card(page);
    assert.match(cried.alert, /^Neither picture nor sound from /);
    assert.equal(cried.hush, true);
    await until(() => heard(page), ({ trembled, titles }) => trembled > 1 && titles.includes("⚠ No picture, no sound"), "it trembles and cries in the title");
    await draw(page, "alarm-sounding-phone");
    assert.equal((await look(page)).wide, false);

    await page.click("#alarm > button");
    await alarm(page, "hushed");
    await silent(page);
    assert.match((await card(page)).alert, /Quiet until \d\d:\d\d\. /);
    await draw(page, "alarm-hushed-phone");

    await again();
    await live(page);
    await alarm(page, "quiet");
    await moves(page);
    assert.equal(await loudness(page), 0);
    assert.equal((await card(page)).alert, "");
    assert.deepEqual(page.said.filter((line) => line.startsWith("error:") && !line.includes("ERR_CONNECTION_REFUSED")), []);

    // Lost anew, it sounds although there was to be quiet before; back, it is silent by itself.
    const back = await kill();
    await alarm(page, "sounding");
    await loud(page);
    await back();
    await alarm(page, "quiet");
    await silent(page);
  });

  test("does not sound when the person hangs up, and does when the camera ends the call", async (t) => {
    porthole = await start({ video: VIDEO, access: "keys" });
    const link = await porthole.add("Ann");
    const page = await browser.open(link, { script: EAVESDROP });
    t.after(() => page.close());
    await live(page);
    await page.press("a");
    await alarm(page, "quiet");
    await draw(page, "alarm-armed-desktop");
    await page.press("c");
    await alarm(page, "idle");
    assert.match((await card(page)).alert, /The alarm rests/);
    await page.press("c");
    await live(page);
    await alarm(page, "quiet");
    await porthole.access("revoke", new URLSearchParams(new URL(link).hash.slice(1)).get("key").split(".")[0]);
    await page.until((seen) => camera(seen).reason === "revoked-key", "the key is taken back");
    await alarm(page, "sounding");
    await loud(page);
    assert.match((await card(page)).alert, /does not let this link in any more/);
    await draw(page, "alarm-sounding-desktop");
    await page.press("a");
    await alarm(page, "off");
    await silent(page);
  });

  test("is remembered, says that the browser wants a touch first, and beats through a worker that the page may load", async (t) => {
    porthole = await start({ video: VIDEO });
    const page = await open(t);
    await live(page);
    await page.press("a");
    await alarm(page, "quiet");
    await until(() => page.page.workers().length, (count) => count === 1, "the worker");
    await page.reload();
    await live(page);
    const { alarm: mute } = await alarm(page, "quiet");
    if (!mute.audible) assert.match((await card(page)).alert, /^The alarm cannot sound yet.*press anywhere/);
    await page.click("#stage");
    await page.until((seen) => seen.alarm.audible, "a touch is enough");
    assert.deepEqual([(await card(page)).alert, (await card(page)).open], ["", false]);
  });

  test("leaves the buttons of each of one, two and three cameras free on a phone, whatever it says", async (t) => {
    const relay = await startRelay({ config: '[relay]\nlisten = "127.0.0.1:0"\nrooms = ["house"]' });
    const cameras = [];
    t.after(() => Promise.allSettled([...cameras, relay].map((one) => one.stop())));
    for (const name of ["Nursery", "The twins’ room", "Grandmother’s bedroom"]) {
      cameras.push(await start({
        access: "open", video: VIDEO, room: `name = "house"\ncamera = "${name}"`,
        relay: `mode = "external"\nurl = "${relay.url}"\ndialect = "porthole"`,
      }));
      const count = cameras.length;
      await health(relay, (now) => now.relay.cameras === count, `${count} cameras`);
      // As it is after a night, before anybody has touched it: the button for the sound is there, too.
      const page = await browser.open(`${relay.url}/#room=house`, { ...PHONE, script: () => localStorage.setItem("porthole.picture.house", "sound") });
      const free = async (when) => {
        for (const [width, height] of [[390, 844], [320, 568], [844, 390]]) {
          await page.page.setViewportSize({ width, height });
          const { covered } = await until(() => worked(page), (now) => now.covered.length === 0 && now.again === count,
            `every button of ${count} cameras is free at ${width}x${height} when ${when}`);
          assert.deepEqual(covered, []);
          await draw(page, `alarm-${count}-${when.replaceAll(" ", "-")}-${width}`);
        }
      };
      await page.until((seen) => seen.cameras.length === count && seen.cameras.every(({ word }) => word === "sound-chosen"), "sound of each", 60_000);
      await page.until((seen) => seen.sound === "blocked", "the sound waits for a touch");
      await free("the sound waits");
      await page.click("#controls .control:nth-child(2)");
      await alarm(page, "quiet");
      assert.equal((await card(page)).open, true);
      await free("it is explained");
      await cameras[0].command("privacy", "on");
      await alarm(page, "sounding");
      await free("it sounds");
      await page.click("#alarm > button");
      await alarm(page, "hushed");
      await free("it is hushed");
      await cameras[0].command("privacy", "off");
      await page.close();
    }
  });
});

/**
 * Which buttons of tiles have something lying over them once one has moved the tiles to them, and how many bring a picture
 * back.
 */
function worked(page) {
  return page.evaluate(async () => {
    const covered = [];
    const shown = [...document.querySelectorAll(".tile button")].filter((button) => button.checkVisibility());
    for (const button of shown) {
      button.scrollIntoView({ block: "nearest", behavior: "instant" });
      await new Promise(requestAnimationFrame);
      const { left, top, width, height } = button.getBoundingClientRect();
      for (const [across, down] of [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]) {
        const there = document.elementFromPoint(left + width * across, top + height * down);
        if (!button.contains(there)) covered.push(`${button.textContent || button.ariaLabel}: ${there?.id || there?.className || there?.tagName}`);
      }
    }
    return { covered, again: shown.filter((button) => button.matches(".veil *")).length };
  });
}
