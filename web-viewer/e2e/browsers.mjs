// Drives Debian's own browsers: Chromium (playwright-core) and Firefox ESR (puppeteer-core over WebDriver BiDi).
// Both come back as the same small thing: `open(url)` gives a page with `snapshot`,
// `until`, `evaluate`, `press`, `click`, `text`, `screenshot`, `reload`, `close`.
// Must not know the daemon.

import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

export const CHROMIUM = process.env.PORTHOLE_CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.PORTHOLE_FIREFOX ?? "/usr/bin/firefox-esr";

/** Nothing of a browser's own errands on the network, and no GPU or sandbox where there is none. */
const CHROMIUM_FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-domain-reliability",
];
/** A microphone and a camera that are not there, and nobody who must allow them. */
const CHROMIUM_FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
/** On a machine with no address but loopback, Chromium must be allowed to use that one. */
const CHROMIUM_LOOPBACK = ["--allow-loopback-in-peer-connection"];

const FIREFOX_PREFERENCES = {
  "media.navigator.permission.disabled": true,
  "media.navigator.streams.fake": true,
  "media.autoplay.default": 0,
  "media.peerconnection.ice.loopback": true,
  "media.gmp-manager.url": "",
  "app.update.enabled": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false,
};

/** Why a browser cannot be driven here, or null when it can: what `node:test` takes as `skip`. */
export function missing(browser) {
  const path = browser === "firefox" ? FIREFOX : CHROMIUM;
  return existsSync(path) ? null : `${path} is not there`;
}

/**
 * Starts a headless Chromium.
 * @param {{ fakeDevices?: boolean, flags?: string[], viewport?: {width: number, height: number}, phone?: boolean,
 *   autoplay?: boolean, home?: string, program?: string }} [how]
 *   `program`: what starts it, where that is not the browser itself;
 *   `home`: its person's folder, which has the authorities that it trusts in .pki/nssdb;
 *   `autoplay`: sound may start without a touch (else Chromium's own rule holds); `phone`: touch and two device pixels.
 */
export async function launchChromium(how = {}) {
  const { fakeDevices = false, flags = [], viewport = { width: 1280, height: 800 }, phone = false, autoplay = false, home, program = CHROMIUM } = how;
  const browser = await chromium.launch({
    executablePath: program,
    headless: true,
    ...(home ? { env: { ...process.env, HOME: home } } : {}),
    args: [
      ...CHROMIUM_FLAGS, ...CHROMIUM_LOOPBACK, ...(fakeDevices ? CHROMIUM_FAKE_DEVICES : []),
      ...(autoplay ? ["--autoplay-policy=no-user-gesture-required"] : []), ...flags,
    ],
  });
  return {
    name: "chromium",
    version: browser.version(),
    /**
     * A page in a profile of its own; `view` may have another `viewport` or `phone` than the browser, and a `script` that runs
     * before those of the page.
     */
    async open(url, view = {}) {
      const { viewport: size, phone: small, script } = { viewport, phone, ...view };
      const context = await browser.newContext({
        viewport: size, ...(small ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
      });
      const page = await context.newPage();
      const said = listen((record) => {
        page.on("console", (message) => record(`${message.type()}: ${message.text()}`));
        page.on("pageerror", (error) => record(`error: ${error.message}`));
      });
      if (script) await page.addInitScript(script);
      await page.goto(url);
      return face(page, await quietly(page), said, () => context.close());
    },
    close: () => browser.close(),
  };
}

/**
 * Evaluates and takes pictures without counting as a touch. (Playwright's own `evaluate` and `screenshot` do count, after
 * which sound may start by itself: a test of that rule would test nothing.)
 */
async function quietly(page) {
  const devtools = await page.context().newCDPSession(page);
  const screenshot = async (path) => {
    const { data } = await devtools.send("Page.captureScreenshot", { format: "png" });
    await writeFile(path, Buffer.from(data, "base64"));
  };
  const evaluate = async (ask, given) => {
    const { result, exceptionDetails: wrong } = await devtools.send("Runtime.evaluate", {
      expression: `(${ask})(${JSON.stringify(given) ?? ""})`, awaitPromise: true, returnByValue: true, userGesture: false,
    });
    if (wrong) throw new Error(wrong.exception?.description ?? wrong.text);
    return result.value;
  };
  return { evaluate, screenshot };
}

/**
 * Starts a headless Firefox ESR, with devices that are not there and sound that may start by itself.
 * @param {{ preferences?: Record<string, string | number | boolean>, viewport?: {width: number, height: number} }} [how]
 */
export async function launchFirefox(how = {}) {
  const { preferences = {}, viewport = { width: 1280, height: 800 } } = how;
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    defaultViewport: viewport,
    extraPrefsFirefox: { ...FIREFOX_PREFERENCES, ...preferences },
  });
  return {
    name: "firefox",
    version: await browser.version(),
    /** A page in a profile of its own. */
    async open(url) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      const said = listen((record) => {
        page.on("console", (message) => record(`${message.type()}: ${message.text()}`));
        page.on("pageerror", (error) => record(`error: ${error.message}`));
      });
      await page.goto(url);
      const asked = {
        evaluate: (ask, given) => page.evaluate(ask, given),
        screenshot: (path) => page.screenshot({ path }),
      };
      return face(page, asked, said, () => context.close());
    },
    close: () => browser.close(),
  };
}

/** What a page of either browser can be asked. */
function face(page, { evaluate, screenshot }, said, close) {
  return {
    /** The driver's own page, for what only one of them can do. */
    page,
    /** What the page wrote to its console, and its uncaught errors. */
    said,
    /** What `ask(given)` returns in the page; both must be JSON. */
    evaluate,
    snapshot: () => evaluate(() => window.porthole.snapshot()),
    /**
     * Waits until the page's snapshot fits, and returns it. The deadline only bounds a hang; past it the last snapshot and
     * the console are in the error.
     */
    async until(fits, what, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const seen = await evaluate(() => window.porthole?.snapshot() ?? null);
        if (seen && fits(seen)) return seen;
        if (Date.now() > end) {
          throw new Error(`not within ${deadlineMs} ms: ${what}\n${JSON.stringify(seen, null, 1)}\n${said.join("\n")}`);
        }
        await new Promise((wake) => setTimeout(wake, 100));
      }
    },
    press: (key) => page.keyboard.press(key),
    click: (selector) => page.click(selector),
    text: (selector) => evaluate((where) => document.querySelector(where)?.textContent ?? null, selector),
    screenshot,
    reload: () => page.reload(),
    close,
  };
}

/** Collects lines, bounded. */
function listen(start) {
  const lines = [];
  start((line) => {
    if (lines.length < 500) lines.push(line);
  });
  return lines;
}
