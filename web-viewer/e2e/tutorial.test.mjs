// Pages that know nothing of this product: what people write after their first WebRTC lesson, on a server of its own,
// calling a camera whose room is open, and one whose room is not.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { watches } from "./lesson.mjs";
import { start } from "./porthole.mjs";
import { health, live, moves, until } from "./waiting.mjs";

/** A small picture: each page encodes one of its own as well. */
const VIDEO = ['source = "test"', "width = 640", "height = 360", "framerate = 15", "bitrate = 600"].join("\n");
/** What the page's own server has to give, and where it is. */
const FILES = {
  "/": ["text/html", "./fixtures/tutorial/index.html"],
  "/main.js": ["text/javascript", "./fixtures/tutorial/main.js"],
  "/socket.io/socket.io.js": ["text/javascript", "../node_modules/socket.io-client/dist/socket.io.min.js"],
};

describe("a page from a lesson", { skip: missing("chromium") ?? false, timeout: 240_000 }, () => {
  let site;
  let browser;
  let open;
  let local;
  /** The page, joined to the room of `porthole`. */
  const visit = async (t, porthole, shape) => {
    const asked = new URLSearchParams({ relay: porthole.url, room: porthole.room, shape });
    const page = await browser.open(`http://127.0.0.1:${site.address().port}/?${asked}`);
    t.after(() => page.close());
    return page;
  };

  before(async () => {
    site = await serve();
    [open, local, browser] = await Promise.all([
      start({ access: "open", video: VIDEO }), start({ video: VIDEO }),
      launchChromium({ fakeDevices: true, autoplay: true }),
    ]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([open?.stop(), local?.stop()]);
    site?.close();
  });

  for (const shape of ["offer", "sdp", "text", "bare"]) {
    test(`sees and hears the camera (${shape})`, async (t) => {
      const page = await visit(t, open, shape);
      await joined(page);
      await page.click("#startCallBtn");
      const seen = await watches(page, open);
      assert.deepEqual([seen.width, seen.height, seen.codec], [640, 360, "video/H264"]);
    });
  }

  test("shares the camera with another one and with our own page", async (t) => {
    await health(open, (now) => now.calls === 0, "those before have left");
    const [one, other, ours] = [await visit(t, open, "offer"), await visit(t, open, "sdp"), await browser.open(open.link)];
    t.after(() => ours.close());
    for (const page of [one, other]) {
      await joined(page);
      await page.click("#startCallBtn");
    }
    await Promise.all([watches(one, open), watches(other, open), live(ours)]);
    const { renditions } = await health(open, (now) => now.calls === 3 && now.live === 3, "three calls");
    assert.deepEqual(renditions, ["H.264"]);
    await one.click("#stopCallBtn");
    await health(open, (now) => now.calls === 2 && now.live === 2, "the one that hung up is gone");
    await Promise.all([watches(other, open), moves(ours)]);
  });

  test("is turned away from a room that is not open, and who is there does not notice", async (t) => {
    const ours = await browser.open(local.link);
    t.after(() => ours.close());
    await live(ours);
    const page = await visit(t, local, "offer");
    await until(() => page.said, (lines) => lines.some((line) => line.includes("not connected")), "it is turned away");
    await page.click("#startCallBtn");
    await moves(ours);
    assert.ok(!page.said.some((line) => line.startsWith("log: connected")), page.said.join("\n"));
    const { calls, relay } = await local.health();
    assert.deepEqual([calls, relay.peers], [1, 1]);
  });
});

/** Waits until the page has been let into the room. */
function joined(page) {
  return until(() => page.said, (lines) => lines.some((line) => line.startsWith("log: joined")), "the page is in the room");
}

/** A static server for the page, on a port of its own. */
async function serve() {
  const server = createServer(async (asked, answer) => {
    const [type, file] = FILES[new URL(asked.url, "http://localhost").pathname] ?? [];
    if (!file) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": type }).end(await readFile(new URL(file, import.meta.url)));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}
