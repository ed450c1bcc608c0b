// The daemon in rooms of other people's servers, one for each dialect, called from (or calling) the page that belongs to
// each in a real browser. Prints what came of it as a table.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { open } from "./fixtures/relays/server.mjs";
import { watches } from "./lesson.mjs";
import { start } from "./porthole.mjs";
import { health, until } from "./waiting.mjs";

/** A small picture: each page encodes one of its own as well. */
const VIDEO = ['source = "test"', "width = 320", "height = 240", "framerate = 15", "bitrate = 300"].join("\n");
const ROOM = "lobby";
/**
 * Who makes the offer, and what becomes of a second viewer: the newest wins; the server says that the room is full; or,
 * where pages in a call answer whatever offer they hear, it has to come after the first.
 */
const DIALECTS = {
  a: { offers: "page", second: "after the first" },
  a0: { offers: "page", second: "newest wins" },
  b: { offers: "page", second: "newest wins" },
  e: { offers: "page", second: "newest wins" },
  c: { offers: "camera", second: "after the first" },
  c2: { offers: "camera", second: "full" },
  d: { offers: "camera", second: "full" },
  f: { offers: "camera", second: "full" },
  g: { offers: "camera", second: "full" },
};
const COLUMNS = ["joined", "call", "picture decoded", "second viewer", "hang-up", "relay restart", "found out"];

describe("in a room of somebody else", { skip: missing("chromium") ?? false, timeout: 175_000, concurrency: 3 }, () => {
  let browser;
  const table = Object.fromEntries(Object.keys(DIALECTS).map((dialect) => [dialect, {}]));

  before(async () => {
    browser = await launchChromium({ fakeDevices: true, autoplay: true });
  });
  after(async () => {
    await browser?.close();
    print(table);
  });

  for (const [dialect, { offers, second }] of Object.entries(DIALECTS)) {
    test(`${dialect}: the camera is called, watched, left, and outlives the relay`, async (t) => {
      const row = table[dialect];
      const stage = await set(t, browser, dialect);
      const { porthole } = stage;
      row.joined = "yes";

      const one = await stage.visit();
      const seen = await watches(one, porthole);
      assert.deepEqual([seen.width, seen.height, seen.codec], [320, 240, "video/H264"]);
      assert.equal((await stage.settled(1)).room, "in");
      assert.match(porthole.output, offers === "page" ? /call started: H\.264/ : /call offered: H\.264/);
      row.call = offers === "page" ? "called" : "calling";
      row["picture decoded"] = "yes";

      const hangsUp = async (page) => {
        await page.click("#stopCallBtn");
        await health(porthole, ({ calls }) => calls === 0, "the call has ended");
        row["hang-up"] = "yes";
      };
      if (second === "after the first") await hangsUp(one);
      const two = await stage.visit();
      if (second === "full") {
        await until(() => two.said, (lines) => lines.includes("log: the room is full"), "the second is told");
        await watches(one, porthole);
        await hangsUp(one);
      } else {
        await watches(two, porthole);
        await stage.settled(1);
        await hangsUp(two);
      }
      await Promise.all([one.close(), two.close()]);
      row["second viewer"] = second;

      await until(() => stage.relay.members(ROOM), (members) => members === 1, "the camera is alone");
      const three = await stage.visit();
      await watches(three, porthole);
      await stage.restart(() => watches(three, porthole));
      await watches(three, porthole);
      if (second === "after the first") await hangsUp(three);
      const four = await stage.visit();
      await watches(four, porthole);
      const words = porthole.output.match(/the relay is (lost|reached)/g);
      assert.deepEqual(words, ["the relay is reached", "the relay is lost", "the relay is reached"], porthole.output);
      assert.equal((await stage.settled(1)).renditions.length, 1);
      row["relay restart"] = "frames go on, then a new call";
    });
  }

  for (const dialect of Object.keys(DIALECTS)) {
    test(`auto finds out that a server speaks ${dialect}`, async (t) => {
      const stage = await set(t, browser, dialect, "auto");
      await watches(await stage.visit(), stage.porthole);
      const heard = () => [...stage.porthole.output.matchAll(/the relay speaks dialect "(\w+)"/g)].at(-1)?.[1];
      await until(heard, (word) => word === dialect, () => `taken for "${dialect}" at last\n${stage.porthole.output}`);
      table[dialect]["found out"] = "yes";
    });
  }
});

/** A server that speaks `dialect`, and a daemon in its room that is told `written`. */
async function set(t, browser, dialect, written = dialect) {
  const stage = {
    relay: await open(dialect),
    porthole: undefined,
    /** Opens the server's own page, and presses its button. */
    async visit() {
      const page = await browser.open(`${stage.relay.url}/?${new URLSearchParams({ dialect, room: ROOM })}`);
      t.after(() => page.close().catch(() => {}));
      await page.page.waitForFunction(() => socket.connected);
      await page.click("#startCallBtn");
      return page;
    },
    /** Waits until there are so many calls, all of them live. */
    settled: (calls) => health(stage.porthole, (now) => now.calls === calls && now.live === calls, `${calls} live calls`),
    /** Takes the relay away, does `meanwhile`, and brings it back. */
    async restart(meanwhile) {
      const { port } = stage.relay;
      await stage.relay.close();
      await health(stage.porthole, ({ link }) => !link, "the relay is gone");
      await meanwhile();
      stage.relay = await open(dialect, { port });
      await stage.entered();
    },
    /** Waits until the camera is in the room. */
    async entered() {
      await until(() => stage.relay.cameras(ROOM), (cameras) => cameras === 1, () => `the camera comes\n${stage.porthole.output}`);
      await health(stage.porthole, ({ link, room }) => link && ["in", "asked"].includes(room), "the camera is there");
    },
  };
  t.after(() => stage.relay.close());
  const relay = ['mode = "external"', `url = "${stage.relay.url}"`, `dialect = "${written}"`].join("\n");
  stage.porthole = await start({ access: "open", room: `name = "${ROOM}"`, relay, video: VIDEO });
  t.after(() => stage.porthole.stop());
  await stage.entered();
  return stage;
}

function print(table) {
  const rows = [["dialect", ...COLUMNS], ...Object.entries(table).map(([dialect, row]) => [dialect, ...COLUMNS.map((column) => row[column] ?? "-")])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column])).join(" | "));
}
