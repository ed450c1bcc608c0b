// Opens the page through routers of each kind, N times each, and measures from the offer to the connection, in Chromium and in
// the networks of the viewer's tests. The binary is PORTHOLE_BIN.
//
//   node paths.mjs VISITS   ->   {"skipped": why}  or  {"version", "paths": [{"id", "title", "connected": [ms]}]}

import { CHROMIUM, launchChromium, missing } from "../../web-viewer/e2e/browsers.mjs";
import { CLOCK } from "../../web-viewer/e2e/fixtures/clock.mjs";
import { CAMERA, HOME, Lab, missingLab, SECRET, TURN } from "../../web-viewer/e2e/fixtures/lab.mjs";
import { start } from "../../web-viewer/e2e/porthole.mjs";

const visits = Number(process.argv[2]);
const LIMIT = 60_000;
const PORT = 8080;
const ICE = `[ice]\nstun = ["stun:${TURN}"]\nturn = [${["udp", "tcp"]
  .map((over) => `{ url = "turn:${TURN}:3478?transport=${over}", secret = "${SECRET}" }`).join(", ")}]`;
const PATHS = [
  { id: "near", title: "same network", near: true },
  { id: "cone", title: "full cone NAT on both sides", kind: "nat", home: { nat: "cone" }, away: { nat: "cone" } },
  { id: "restricted", title: "port-restricted NAT on both sides", kind: "nat", home: { nat: "restricted" }, away: { nat: "restricted" } },
  { id: "symmetric", title: "symmetric NAT on both sides, through coturn", kind: "relay", home: { nat: "symmetric" }, away: { nat: "symmetric" } },
  { id: "no_udp", title: "viewer without UDP, through coturn", kind: "relay", home: { nat: "symmetric" }, away: { nat: "restricted", udp: false } },
];

async function visit(browser, link) {
  const page = await browser.open(link, { script: CLOCK });
  try {
    await page.until(({ cameras: [camera] }) => camera?.word === "live" && camera.path, "a live picture", LIMIT);
    const calls = await page.evaluate(() => window.calls.map(({ made, connected }) => [made, connected]));
    // An attempt that failed counts into the wait of whoever looks.
    return calls.at(-1)[1] - calls[0][0];
  } finally {
    await page.close();
  }
}

async function measure() {
  const lab = await Lab.open();
  let browser;
  let porthole;
  try {
    porthole = await start({ access: "open", port: PORT, listen: "0.0.0.0", within: lab.within("cam"), more: ICE });
    browser = await launchChromium({ autoplay: true, program: await lab.wrapper("view", CHROMIUM) });
    const paths = [];
    for (const { id, title, near = false, home, away } of PATHS) {
      lab.visit(near);
      if (home) lab.router("home", home);
      if (away) lab.router("away", away);
      const link = `http://${near ? CAMERA : HOME}:${PORT}/#room=${porthole.room}`;
      // The first visit of the browser loads its media libraries.
      if (paths.length === 0) await visit(browser, link);
      const connected = [];
      for (let number = 0; number < visits; number += 1) connected.push(await visit(browser, link));
      paths.push({ id, title, connected });
    }
    return { version: browser.version, paths };
  } finally {
    await browser?.close();
    await porthole?.stop();
    await lab.close();
  }
}

const skipped = missingLab() ?? missing("chromium");
process.stdout.write(JSON.stringify(skipped ? { skipped } : await measure()));
