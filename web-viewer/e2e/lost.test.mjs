// Our own page where something is missing: the relay, a token for it, its address in the link, the camera, or the relay's
// word about who is there. What the page says has to be so, and it has to find back by itself.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { open as openRelay } from "./fixtures/relays/server.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, look, moves, until } from "./waiting.mjs";

const VIDEO = ['source = "test"', "width = 320", "height = 240", "framerate = 15", "bitrate = 300"].join("\n");
const ROOM = "lobby";
const TOKEN = "open sesame & more";
/** Where pictures for a person to look at go, if anywhere. */
const PICTURES = process.env.PORTHOLE_PICTURES;
const PHONE = { viewport: { width: 390, height: 844 }, phone: true };

describe("our own page where something is missing", { skip: missing("chromium") ?? false, timeout: 300_000 }, () => {
  let browser;
  let relay;
  let porthole;
  const open = async (t, link) => {
    const page = await browser.open(link, PHONE);
    t.after(() => page.close().catch(() => {}));
    return page;
  };
  const draw = async (page, name) => {
    if (PICTURES) await page.screenshot(join(PICTURES, `${name}.png`));
  };
  /** What the page says where there is no tile yet. */
  const noted = async (page, title) => {
    await until(() => page.text("#note h1"), (text) => text === title, `the note ${title}`);
    return page.text("#note p");
  };
  const titled = (page, title) => until(() => look(page), (now) => now.veiled && now.title === title, title);
  const read = (page) => page.text("[role=status]");
  /** A camera in the relay's room, and the relay's address behind a page that it serves. */
  const cameraThere = async (more = "") => {
    const settings = ['mode = "external"', `url = "${relay.url}"`, 'dialect = "a"', more].join("\n");
    porthole = await start({ access: "open", room: `name = "${ROOM}"\ncamera = "Nursery"`, relay: settings, video: VIDEO });
    await health(porthole, ({ room }) => room === "in", "the camera is in the room");
    return porthole;
  };
  const elsewhere = (more = "") => `${porthole.url}/#room=${ROOM}&relay=${relay.url}${more}`;

  before(async () => { browser = await launchChromium({ autoplay: true }); });
  afterEach(async () => {
    await porthole?.stop();
    await relay?.close().catch(() => {});
    porthole = relay = undefined;
  });
  after(() => browser?.close());

  test("a relay that is not there is said to be away, not looked for, and found when it comes", async (t) => {
    relay = await openRelay("a");
    const { port } = relay;
    await cameraThere();
    await relay.close();
    const page = await open(t, elsewhere());
    assert.match(await noted(page, "No connection"), /^Please check that this device is online\. If it is, the camera’s server is away\. /);
    await draw(page, "relay-never-reached");
    relay = await openRelay("a", { port });
    await live(page);
  });

  test("the served page finds the camera without a relay in its link, and with a room typed by hand", async (t) => {
    relay = await openRelay("a");
    await cameraThere();
    const linked = await open(t, `${porthole.url}/#room=${ROOM}`);
    await live(linked);
    const page = await open(t, porthole.url);
    await page.page.fill("#room", ROOM);
    await draw(page, "form");
    await page.press("Enter");
    const seen = await live(page);
    assert.equal(new URL(await page.evaluate(() => location.href)).hash, `#room=${ROOM}`);
    assert.equal(seen.relay, "up");
  });

  test("a form after a bad link keeps the relay that came with the page", async (t) => {
    relay = await openRelay("a");
    await cameraThere();
    const page = await open(t, `${porthole.url}/#room=${ROOM}&relay=nonsense`);
    assert.equal(await page.text("#problem"), "The address of the camera’s server in this link is wrong. Open the whole link once more, or type the room’s name.");
    await draw(page, "bad-relay");
    await page.page.fill("#room", ROOM);
    await page.press("Enter");
    await live(page);
  });

  test("a relay that wants a token lets nobody in without one, and the link may carry it", async (t) => {
    relay = await openRelay("a");
    relay.io.use((socket, next) => next([TOKEN, "the camera's own"].includes(socket.handshake.auth.token) ? undefined : new Error("bad token")));
    await cameraThere('auth = { token = "the camera\'s own" }');
    assert.match(porthole.output, /add\s+theirs to the end of the link: &token=TOKEN/);
    assert.doesNotMatch(porthole.output, /the camera's own\b[^.]*\bsesame|[▀▄█]{5}/, "no code of a link that leads to a closed door");
    const page = await open(t, elsewhere());
    assert.match(await noted(page, "The server does not let this page in"), /^This link is not enough for it/);
    assert.equal((await page.snapshot()).door, "no-pass");
    await draw(page, "no-token");
    await live(await open(t, elsewhere(`&token=${encodeURIComponent(TOKEN)}`)));
  });

  test("in a room without a camera nobody answers, and that is what is said, until one comes", async (t) => {
    relay = await openRelay("a");
    const other = await start();
    t.after(() => other.stop());
    const page = await open(t, `${other.url}/#room=${ROOM}&relay=${relay.url}`);
    const { text } = await titled(page, "The camera does not answer");
    assert.equal(text, "It may be switched off or out of reach. The page keeps calling it.");
    assert.match(await read(page), /^Camera: The camera does not answer\. It may be switched off/);
    await draw(page, "nobody-answers");
    await cameraThere();
    const { cameras: [{ name }] } = await live(page);
    assert.equal(name, "Nursery", "as its answer says");
    await draw(page, "answered");
  });

  test("a camera that was killed is said not to answer, and since when there is no picture", async (t) => {
    relay = await openRelay("a");
    await cameraThere();
    // The page outlives the camera's own server.
    const other = await start();
    t.after(() => other.stop());
    const page = await open(t, `${other.url}/#room=${ROOM}&relay=${relay.url}`);
    await live(page);
    await porthole.kill();
    porthole = undefined;
    const shown = await titled(page, "Nursery does not answer");
    assert.match(shown.text, /^No picture since \d\d:\d\d\. It may be switched off or out of reach\. The page keeps calling it\.$/);
    assert.ok(shown.last > 3, `the last picture is of one colour: ${shown.last}`);
    assert.match(await read(page), /^Nursery: Nursery does not answer\. No picture since \d\d:\d\d\. It may/);
    await draw(page, "killed");
    await cameraThere();
    await live(page);
  });

  test("what another camera of the room says of the call costs the picture nothing", async (t) => {
    relay = await openRelay("a");
    await cameraThere();
    const page = await open(t, elsewhere());
    const before = await live(page);
    const { call } = camera(before);
    const other = { room: ROOM, from: "camera-of-somebody", to: before.peer, call };
    for (const reason of ["no-connection", "shutting-down", "replaced"]) {
      relay.io.emit("bye", { ...other, reason });
      relay.io.emit("refused", { ...other, reason: "busy" });
    }
    relay.io.emit("notice", { room: ROOM, from: other.from, what: "camera-lost" });
    relay.io.emit("answer", { ...other, sdp: { type: "answer", sdp: "v=0\r\n" } });
    await moves(page);
    // What the camera itself says afterwards is heard after all that.
    relay.io.emit("bye", { ...other, from: camera(before).from ?? undefined, reason: "hang-up" });
    const { cameras: [ended] } = await page.until((now) => camera(now).word !== "live", "its own farewell");
    assert.deepEqual([ended.word, ended.reason], ["ended", "hang-up"]);
  });

  test("a relay that goes under a live picture is a small line, and its return is read out", async (t) => {
    relay = await openRelay("a");
    const { port } = relay;
    await cameraThere();
    const page = await open(t, elsewhere());
    await live(page);
    await relay.close();
    await until(() => look(page), ({ hint }) => hint === "The camera’s server is away. The picture goes on.", "the line");
    assert.equal(await read(page), "The camera’s server is away. The picture goes on.");
    await draw(page, "relay-away");
    relay = await openRelay("a", { port });
    await until(() => look(page), ({ hint }) => hint === "", "the line is gone");
    assert.equal(await read(page), "Connected again.");
    await moves(page);
  });
});
