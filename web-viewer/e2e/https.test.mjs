// The page over https, with the camera's own authority installed in a real browser as people install it, and without; and
// the page over http that shows the way there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { launchChromium, missing } from "./browsers.mjs";
import { start } from "./porthole.mjs";
import { live, until } from "./waiting.mjs";

/** A name of this machine that no browser takes for the machine it runs on. */
const NAME = `${hostname().split(".")[0].toLowerCase()}.local`;
const FLAGS = [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, "--disable-features=WebRtcHideLocalIpsWithMdns"];
const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");

/** Puts an authority among those that a person's Chromium trusts. */
async function trust(home, certificate) {
  const database = `sql:${join(home, ".pki/nssdb")}`;
  await mkdir(join(home, ".pki/nssdb"), { recursive: true });
  const certutil = (...line) => promisify(execFile)("certutil", ["-d", database, ...line]);
  await certutil("-N", "--empty-password");
  await certutil("-A", "-n", "camera", "-t", "C,,", "-i", certificate);
}

describe("the page over https", { skip: missing("chromium") ?? false, timeout: 240_000 }, () => {
  let porthole;
  let home;
  let browser;
  let stranger;
  const at = (scheme, name) => `${scheme}://${name}:${porthole.port}/#room=${porthole.room}`;
  const open = async (t, who, url) => {
    const page = await who.open(url);
    t.after(() => page.close().catch(() => {}));
    return page;
  };
  const hint = (page) => page.evaluate(() => {
    const link = document.querySelector("#secure a");
    return link && { href: link.href, text: document.querySelector("#secure p").textContent, code: document.querySelector("#secure code")?.textContent };
  });

  before(async () => {
    porthole = await start({ access: "open", video: VIDEO });
    home = await mkdtemp(join(tmpdir(), "porthole-home-"));
    await mkdir(join(home, "stranger"));
    const file = join(home, "ca.crt");
    await writeFile(file, Buffer.from(await (await fetch(`${porthole.url}/ca.crt`)).arrayBuffer()));
    await trust(home, file);
    browser = await launchChromium({ autoplay: true, flags: FLAGS, home });
    stranger = await launchChromium({ flags: FLAGS, home: join(home, "stranger") });
  });
  after(async () => {
    await browser?.close();
    await stranger?.close();
    await porthole?.stop();
    await rm(home, { recursive: true, force: true });
  });

  test("is shown without a question where the authority is installed, and may use the microphone", async (t) => {
    for (const name of [NAME, "localhost", "127.0.0.1"]) {
      const page = await open(t, browser, at("https", name));
      await live(page, `a live picture at ${name}`);
      const able = await page.evaluate(() => [isSecureContext, navigator.mediaDevices !== undefined, document.querySelector("#secure") !== null]);
      assert.deepEqual(able, [true, true, false], name);
    }
  });

  test("is not shown where it is not", async () => {
    await assert.rejects(stranger.open(at("https", NAME)), /ERR_CERT_AUTHORITY_INVALID/);
  });

  test("over http the picture is there, and one sentence leads to https with the same room", async (t) => {
    const page = await open(t, browser, at("http", NAME));
    const seen = await live(page);
    assert.equal(seen.relay, "up");
    assert.deepEqual(await page.evaluate(() => [isSecureContext, navigator.mediaDevices !== undefined]), [false, false]);
    const shown = await until(() => hint(page), (now) => now !== null, "the way to https");
    assert.equal(shown.href, at("https", NAME));
    assert.match(shown.text, /^To talk back, open this page over https\.$/);
    const file = await readFile(join(home, "ca.crt"));
    const digest = createHash("sha256").update(file).digest("hex").toUpperCase().match(/../g).join(":");
    assert.equal(shown.code, digest);
    assert.ok(porthole.output.includes(digest), "the same as it printed");
    const answer = await fetch(`${porthole.url}/ca.crt`);
    assert.equal(answer.headers.get("content-type"), "application/x-x509-ca-cert");
    await page.click("#secure a");
    await live(page, "a live picture over https");
    assert.equal(await page.evaluate(() => location.href), at("https", NAME));
  });

  test("on the machine itself nobody is sent anywhere", async (t) => {
    const page = await open(t, browser, at("http", "localhost"));
    await live(page);
    assert.equal(await hint(page), null);
  });
});
