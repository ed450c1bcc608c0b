// The page with an access key, in a real browser: against a camera that asks for keys and a relay that lies. The other end
// is made for this test, so that it can misbehave as no daemon does.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { Keyed } from "./fixtures/keyed.mjs";
import { camera, live, look, until } from "./waiting.mjs";

/** A name that is not loopback's own: to the browser a page from there is on plain http, without WebCrypto. */
const PLAIN_HTTP = "nursery.example";
const FLAGS = [`--host-resolver-rules=MAP ${PLAIN_HTTP} 127.0.0.1`, "--disable-features=WebRtcHideLocalIpsWithMdns"];

/** In the page: the size of the picture that is kept under the veil, and whether there is one before it. */
function lastPicture() {
  const { width, height } = document.querySelector(".last");
  return [width, height, document.querySelector("video").srcObject !== null];
}

describe("the page with a key", { skip: missing("chromium") ?? false, timeout: 240_000 }, () => {
  let browser;
  let keyed;
  let token;
  const open = async (t, link) => {
    const page = await browser.open(link);
    t.after(() => page.close().catch(() => {}));
    return page;
  };
  /** What the page says where there is no tile yet. */
  const noted = async (page, title) => {
    await until(() => page.text("#note h1"), (text) => text === title, `the note ${title}`);
    return page.text("#note p");
  };
  /** That the camera's answer reached the page and nothing of it was used. */
  const rejects = async (page, why) => {
    const seen = await page.until((now) => camera(now).word === "refused", "the answer is refused");
    assert.deepEqual([camera(seen).reason, camera(seen).call, camera(seen).framesReceived], [why, null, undefined]);
    await until(() => keyed.said("bye"), (byes) => byes.length === 1, "the camera is told");
    const [{ reason, call, to }] = keyed.said("bye");
    assert.deepEqual([reason, call, to], ["bad-answer", keyed.said("offer")[0].call, keyed.camera]);
    const { video, last, buttons } = await look(page);
    assert.deepEqual([video, last], [null, null]);
    assert.ok(buttons.includes("Try again"), buttons.join());
    assert.equal(keyed.said("offer").length, 1, "it does not call by itself");
  };

  before(async () => { browser = await launchChromium({ autoplay: true, flags: FLAGS }); });
  beforeEach(async () => {
    keyed = await Keyed.open(browser);
    token = keyed.add("grandma");
  });
  afterEach(() => keyed?.close());
  after(() => browser?.close());

  test("on plain http, where browsers hide WebCrypto, it proves itself and sees the camera", async (t) => {
    const page = await open(t, keyed.link(token, PLAIN_HTTP));
    assert.deepEqual(await page.evaluate(() => [isSecureContext, crypto.subtle === undefined]), [false, true]);
    const seen = await live(page);
    assert.deepEqual([seen.key, seen.door, seen.relay], ["grandma", null, "up"]);
    assert.deepEqual(keyed.knocks, [null]);
    const [offer] = keyed.said("offer");
    assert.deepEqual([offer.key, offer.to, offer.proof.length], ["grandma", keyed.camera, 43]);
    const secret = token.split(".")[1];
    assert.doesNotMatch(JSON.stringify([keyed.heard, seen, page.said]), new RegExp(secret), "the secret stays in the page");
  });

  test("without a key it asks for one, and calls nobody", async (t) => {
    const page = await open(t, keyed.link());
    assert.match(await noted(page, "A key is needed here"), /^This camera only opens to people with a key\. /);
    assert.equal((await page.snapshot()).door, "no-key");
    assert.deepEqual(keyed.heard, []);
  });

  test("with a key that was cut off it says so, and does not even knock", async (t) => {
    const page = await open(t, keyed.link(token.slice(0, -5)));
    assert.match(await noted(page, "This link is not complete"), /^The key in it was cut off or changed on the way\. /);
    assert.deepEqual([keyed.knocks, keyed.heard], [[], []]);
  });

  test("with a key that is whole and unknown it is not let in, until the camera knows it", async (t) => {
    const secret = keyed.keys.get("grandma");
    keyed.keys.delete("grandma");
    const page = await open(t, keyed.link(token));
    assert.match(await noted(page, "You are not let in"), /^The camera does not know the key in this link, or /);
    keyed.keys.set("grandma", secret);
    await live(page);
  });

  test("an answer whose fingerprint the relay swapped is not played", async (t) => {
    keyed.passOn = (said) => {
      const swapped = said.sdp?.sdp.replace(/a=fingerprint:sha-256 .*/g, `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`);
      return said.sdp ? { ...said, sdp: { ...said.sdp, sdp: swapped } } : said;
    };
    const page = await open(t, keyed.link(token));
    await rejects(page, "changed");
    assert.match((await look(page)).text, /^Somebody between this page and the camera changed what it answered/);
  });

  test("an answer whose proof the relay stripped is not played", async (t) => {
    keyed.passOn = ({ proof: _, ...said }) => said;
    const page = await open(t, keyed.link(token));
    await rejects(page, "unproved");
    keyed.passOn = (said) => said;
    await page.click(".veil .primary");
    await live(page);
  });

  test("an answer proved for another call is not played", async (t) => {
    const before = [];
    keyed.passOn = (said) => (said.proof ? before.push(said) && said : said);
    const first = await open(t, keyed.link(token));
    await live(first);
    await first.close();
    keyed.heard.length = 0;
    keyed.passOn = ({ call, to, ...said }) => ({ ...said, call, to, sdp: before[0].sdp, proof: before[0].proof });
    await rejects(await open(t, keyed.link(token)), "changed");
  });

  test("nobody in the room ends the call in the camera's name, and the camera knows who hangs up", async (t) => {
    const page = await open(t, keyed.link(token));
    const { call } = camera(await live(page));
    const [offer] = keyed.said("offer");
    for (const forged of [{ call }, { call, to: offer.from, proof: offer.proof }, { call, to: offer.from, proof: "" }, {}]) {
      keyed.say("bye", { ...forged, reason: "hang-up" });
      keyed.say("refused", { ...forged, reason: "revoked-key" });
    }
    // What was said before has been heard by then.
    keyed.say("watching", { viewers: [{ since: 1_800_000_000 }] });
    const now = await page.until((seen) => camera(seen).watching.length === 1, "the last word is heard");
    assert.deepEqual([camera(now).word, camera(now).call], ["live", call]);
    await page.click(".control[title^='Hang up']");
    const [bye] = await until(() => keyed.said("bye"), (byes) => byes.length === 1, "the camera is told");
    assert.ok(keyed.believes(bye, "grandma"), JSON.stringify(bye));
  });

  test("a key that is taken back ends the call, says so, and the page stays away", async (t) => {
    const page = await open(t, keyed.link(token));
    await live(page);
    keyed.worthless.set("grandma", "revoked-key");
    keyed.end(keyed.said("offer")[0], "revoked-key");
    keyed.io.disconnectSockets();
    const seen = await page.until(({ door }) => door === "revoked-key", "turned away");
    assert.deepEqual([camera(seen).word, camera(seen).reason, camera(seen).call], ["refused", "revoked-key", null]);
    assert.deepEqual(await page.evaluate(lastPicture), [0, 0, false], "nor is the last picture seen any more");
    const { title, text, buttons } = await look(page);
    assert.equal(title, "Your key was taken back");
    assert.match(text, /^The camera’s owner does not let this link in any more\. /);
    assert.ok(!buttons.includes("Try again"), buttons.join());
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    // Another page, which does come again, has been here three times before this one would have been once.
    await open(t, keyed.link());
    await until(() => keyed.knocks.filter((why) => why === "not-allowed").length, (count) => count === 3, "three knocks without a key");
    assert.deepEqual(keyed.knocks.filter((why) => why !== "not-allowed"), [null, "revoked-key"]);
  });

  test("a key that has expired is told at the door", async (t) => {
    keyed.worthless.set("grandma", "expired-key");
    const page = await open(t, keyed.link(token));
    assert.match(await noted(page, "Your key has expired"), /^It was made for a time that is over\. /);
    assert.deepEqual(keyed.knocks, ["expired-key"]);
  });

  test("who else watches is shown while they do", async (t) => {
    const page = await open(t, keyed.link(token));
    const { call } = camera(await live(page));
    const others = () => page.evaluate(() => [...document.querySelectorAll(".others:not([hidden])")].map((one) => one.textContent));
    assert.deepEqual(await others(), []);
    const minutes = (ago) => Math.floor(Date.now() / 1000) - 60 * ago;
    keyed.say("watching", { viewers: [{ name: "uncle <b>Jo</b>", since: minutes(1) }, { name: "tablet", since: minutes(0) }] });
    const [text] = await until(others, (said) => said.length === 1, "the others are shown");
    assert.match(text, /^2 others watch: uncle <b>Jo<\/b> since [\w ]*\d\d:\d\d, tablet since [\w ]*\d\d:\d\d$/);
    keyed.io.emit("watching", { room: keyed.room, from: "mallory", viewers: [] });
    keyed.say("watching", { viewers: [{ since: minutes(1) }] });
    await until(others, ([said]) => /^Somebody else is watching too, since [\w ]*\d\d:\d\d$/.test(said), "without a name");
    keyed.say("watching", { viewers: [] });
    await until(others, (said) => said.length === 0, "nobody else");
    assert.equal(camera(await page.snapshot()).call, call);
  });

  test("where the relay does not say who is there, it calls whoever is the camera, and believes the one that has its key", async (t) => {
    keyed.tells = false;
    const page = await open(t, keyed.link(token));
    await live(page);
    const [offer] = keyed.said("offer");
    assert.deepEqual([offer.key, offer.to, "to" in offer.sdp], ["grandma", undefined, false]);
    await page.click(".control[title^='Hang up']");
    await until(() => keyed.said("bye"), ([bye]) => bye?.to === keyed.camera, "the camera that has answered is told");
  });

  test("where the relay does not say who is there, an answer in the camera's name without its key is not played", async (t) => {
    keyed.tells = false;
    keyed.passOn = (said) => (said.proof ? { ...said, from: "mallory" } : said);
    const page = await open(t, keyed.link(token));
    const seen = await page.until((now) => camera(now).word === "refused", "the answer is refused");
    assert.deepEqual([camera(seen).reason, camera(seen).framesReceived], ["changed", undefined]);
  });
});
