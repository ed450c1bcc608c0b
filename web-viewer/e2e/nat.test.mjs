// Ways through networks: the real daemon behind one router, Chromium behind another, a real coturn between them, and routers
// that translate addresses in every way that matters. Each test is one row of a table of paths, printed at the end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { CHROMIUM, launchChromium, missing } from "./browsers.mjs";
import { CLOCK } from "./fixtures/clock.mjs";
import { CAMERA, CAMERA_V6, FORWARDED, HOME, Lab, missingLab, SECRET, TURN } from "./fixtures/lab.mjs";
import { start } from "./porthole.mjs";
import { camera, until } from "./waiting.mjs";

const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");
/** Only bounds a hang. */
const HANG_MS = 90_000;

/** What `porthole status` calls the ways that the page tells apart. */
const CAMERA_SAYS = { near: "direct", direct: "direct", nat: "nat", relay: "relayed" };
/** The cameras, each with a page at a port of its own. */
const CAMERAS = {
  /** What a careful owner writes. */
  helped: {
    port: 8080,
    ice: (lab) => `stun = ["stun:${TURN}"]\nturn_lifetime = 300\nca = "${lab.authority}"\nturn = [${[
      `{ url = "turn:${TURN}:3478?transport=udp", secret = "${SECRET}" }`, `{ url = "turn:${TURN}:3478?transport=tcp", secret = "${SECRET}" }`,
      `{ url = "turns:${TURN}:443", secret = "${SECRET}" }`,
    ].join(", ")}]`,
  },
  /** Only over TLS to the relay, and from there. */
  hidden: {
    port: 8081,
    ice: (lab) => `policy = "relay"\nca = "${lab.authority}"\nturn = [{ url = "turns:${TURN}:443", secret = "${SECRET}" }]`,
  },
  /** No server at all, but ports that the router passes on. */
  forwarded: {
    port: 8082,
    ice: () => `ports = "${FORWARDED}"\ntcp = true\naddresses = ["!::/0"]\nannounce = ["${HOME}"]`,
  },
  /** With a secret that is not the server's. */
  mistaken: {
    port: 8083,
    ice: () => `stun = ["stun:${TURN}"]\nturn = [{ url = "turn:${TURN}:3478?transport=tcp", secret = "south" }]`,
  },
};

describe("ways through networks", { skip: missingLab() ?? missing("chromium") ?? false, timeout: 400_000 }, () => {
  let lab;
  let browser;
  const cameras = {};
  const table = [];

  before(async () => {
    lab = await Lab.open();
    const home = join(lab.folder, "person");
    await mkdir(join(home, ".pki/nssdb"), { recursive: true });
    const certutil = (...line) => promisify(execFile)("certutil", ["-d", `sql:${join(home, ".pki/nssdb")}`, ...line]);
    await certutil("-N", "--empty-password");
    await certutil("-A", "-n", "lab", "-t", "C,,", "-i", lab.authority);
    const program = await lab.wrapper("view", CHROMIUM);
    const starting = Object.entries(CAMERAS).map(async ([name, { port, ice }]) => {
      cameras[name] = await start({
        access: "open", port, listen: "[::]", within: lab.within("cam"), video: VIDEO, room: "max_calls = 5", more: `[ice]\n${ice(lab)}`,
      });
    });
    [browser] = await Promise.all([launchChromium({ autoplay: true, program, home, flags: ["--force-webrtc-ip-handling-policy=default"] }), ...starting]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all(Object.values(cameras).map((one) => one.stop()));
    await lab?.close();
    if (table.length > 0) process.stdout.write(`# ways through networks\n${columns(table)}\n`);
  });

  /** Opens the page of a camera as the routers are now. */
  const open = async (t, name, host = HOME) => {
    const { port, room } = { port: CAMERAS[name].port, room: cameras[name].room };
    const page = await browser.open(`http://${host}:${port}/#room=${room}`, { script: CLOCK });
    t.after(() => page.close().catch(() => {}));
    return page;
  };
  /** Waits for a picture that moves, and notes the way for the table. */
  const seen = async (t, name, kind, host) => {
    const page = await open(t, name, host);
    // A better way may be found while the first that works is taken already.
    const live = await page.until((now) => camera(now).word === "live" && camera(now).framesDecoded >= 3 && camera(now).path?.kind === kind,
      `a live picture (${kind}); the camera said:\n${cameras[name].output.slice(-4000)}`, HANG_MS);
    const said = await until(() => page.text(".way"), (text) => text !== "", "the way is said");
    const { took, theirs } = await page.evaluate(async () => {
      const { made, connected, pc } = window.calls.at(-1);
      const stats = [...(await pc.getStats()).values()].filter(({ type }) => type === "remote-candidate");
      return { took: connected - made, theirs: stats.map(({ candidateType, address, protocol }) => ({ candidateType, address, protocol })) };
    });
    // The camera says the same of its own accord.
    const its = async () => JSON.parse(await cameras[name].command("status", "--json")).viewers.at(-1)?.path;
    await until(its, (path) => path === CAMERA_SAYS[kind], `the camera says ${CAMERA_SAYS[kind]}`);
    const attempts = await page.evaluate(() => window.calls.length);
    table.push([t.name, said, `${Math.round(took)} ms`, attempts > 1 ? `attempt ${attempts}` : ""]);
    return { said, theirs, ...camera(live).path };
  };
  /** Waits until the page has said why a call found no way. */
  const fails = async (t, name, title) => {
    const page = await open(t, name);
    const { trouble } = camera(await page.until((now) => camera(now).trouble, "why there is no way", HANG_MS));
    const said = await page.text(".veil p");
    table.push([`no UDP for the viewer: ${title}`, said, "", ""]);
    return { trouble, said };
  };
  const routers = (home, away) => {
    lab.router("home", home);
    lab.router("away", away);
  };

  test("in the camera's own network", async (t) => {
    lab.visit(true);
    t.after(() => lab.visit(false));
    assert.equal((await seen(t, "helped", "near", CAMERA)).said, "In the same network");
  });

  test("full cone NAT on both sides", async (t) => {
    routers({ nat: "cone" }, { nat: "cone" });
    const { over, said } = await seen(t, "helped", "nat");
    assert.deepEqual([over, said], ["udp", "Directly, through a router (NAT)"]);
  });

  test("port-restricted NAT on both sides", async (t) => {
    routers({ nat: "restricted" }, { nat: "restricted" });
    assert.equal((await seen(t, "helped", "nat")).over, "udp");
  });

  test("symmetric NAT before the viewer, full cone before the camera", async (t) => {
    routers({ nat: "cone" }, { nat: "symmetric" });
    assert.equal((await seen(t, "helped", "nat")).over, "udp");
  });

  test("symmetric NAT on both sides", async (t) => {
    routers({ nat: "symmetric" }, { nat: "symmetric" });
    // The server is asked over UDP and over TCP, and now and then the latter way is found first.
    const { said } = await seen(t, "helped", "relay");
    const over = (how) => `Through the relay server ${TURN} (TURN)${how}`;
    assert.ok([over(""), over(", over TCP")].includes(said), said);
  });

  test("no UDP for the viewer, symmetric NAT before the camera", async (t) => {
    routers({ nat: "symmetric" }, { nat: "restricted", udp: false });
    assert.notEqual((await seen(t, "helped", "relay")).over, "udp");
  });

  test("no UDP on either side", async (t) => {
    routers({ nat: "restricted", udp: false }, { nat: "restricted", udp: false });
    assert.notEqual((await seen(t, "helped", "relay")).over, "udp");
  });

  test("nothing but TLS on either side", async (t) => {
    const tls = { nat: "restricted", udp: false, tcp: [443, "8080-8099"] };
    routers(tls, tls);
    const { over, said } = await seen(t, "helped", "relay");
    assert.deepEqual([over, said], ["tls", `Through the relay server ${TURN} (TURN), over TLS`]);
  });

  test("a camera that is reached through its relay only", async (t) => {
    routers({ nat: "cone" }, { nat: "cone" });
    const { theirs } = await seen(t, "hidden", "relay");
    assert.ok(theirs.every(({ candidateType, address }) => candidateType !== "host" && address !== CAMERA && address !== HOME), JSON.stringify(theirs));
  });

  test("ports passed on to the camera, without any server", async (t) => {
    routers({ nat: "restricted", forwarded: true }, { nat: "symmetric" });
    assert.equal((await seen(t, "forwarded", "nat")).over, "udp");
  });

  test("the same over TCP, for a viewer without UDP", async (t) => {
    routers({ nat: "restricted", forwarded: true }, { nat: "symmetric", udp: false });
    const { over, said } = await seen(t, "forwarded", "nat");
    assert.deepEqual([over, said], ["tcp", "Directly, through a router (NAT), over TCP"]);
  });

  test("IPv6 on both sides", async (t) => {
    routers({ nat: "symmetric", ipv6: true }, { nat: "symmetric", ipv6: true });
    const { said, theirs } = await seen(t, "helped", "direct", `[${CAMERA_V6}]`);
    assert.equal(said, "Directly, from network to network");
    assert.ok(theirs.some(({ address }) => address?.replace(/[[\]]/g, "") === CAMERA_V6), JSON.stringify(theirs));
  });

  test("IPv6 on both sides, and a camera that keeps to IPv4", async (t) => {
    routers({ nat: "restricted", forwarded: true, ipv6: true }, { nat: "cone", ipv6: true });
    const { theirs } = await seen(t, "forwarded", "nat");
    assert.ok(theirs.every(({ address }) => !address?.includes(":")), JSON.stringify(theirs));
  });

  test("no UDP for the viewer, and a camera without help, and one whose relay knows another secret", async (t) => {
    routers({ nat: "restricted" }, { nat: "symmetric", udp: false });
    const [helpless, mistaken] = await Promise.all([fails(t, "forwarded", "no server"), fails(t, "mistaken", "another secret")]);
    assert.equal(helpless.trouble, "no-servers");
    assert.match(helpless.said, /owner writes servers below stun and turn under \[ice\]/);
    assert.equal(mistaken.trouble, "relay-refuses");
    assert.match(mistaken.said, new RegExp(`The relay server ${TURN.replaceAll(".", "[.]")} refuses this browser \\(401\\)`));
  });

  test("what the TURN server saw was made for one call, and no secret is in any log", async () => {
    assert.match(lab.said, /user <\d{10}:camera>/);
    assert.match(lab.said, /user <\d{10}:viewer>/);
    const output = Object.values(cameras).map((one) => one.output).join("");
    for (const secret of [SECRET, "south"]) assert.ok(!output.includes(secret), output);
  });
});

/** Rows under each other. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => Math.min(row[column].length, 70))));
  return rows.map((row) => `#   ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()}`).join("\n");
}
