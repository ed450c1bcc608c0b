// One Chromium behind a link that is narrow, or that loses packets: a network namespace with a pair of virtual cables into
// it, `tc` (a token bucket with a queue of 300 ms) on the side of the camera and `nft` (loss by chance) on its own. The
// daemon runs on this machine and listens on every address. Needs root, and what the Chromium row needs.
//
//   node weak.mjs PORT ROOM PLAN   ->   lines of JSON: {"skipped": why}, or {"phase": name} when one begins, and at the end
//   {"version", "phases": [{"name", "seconds", "decoded", "fps", "freezes", "frozen", "longest", "kbit", "lost", "full", "concealed"}]}
//
// PLAN is JSON: [{"name", "seconds", "kbit": number | null, "loss": percent}]. "fps" is the least of any second but the first,
// "full": after how many seconds the picture had its full width for good, null where it never had.

import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CHROMIUM, launchChromium, missing } from "../../web-viewer/e2e/browsers.mjs";
import { CLOCK } from "../../web-viewer/e2e/fixtures/clock.mjs";

const [port, room, plan] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const WIDTH = 1280;
const LIMIT = 60_000;
/** How often the statistics are looked at. */
const LOOK = 200;
const [name, cable] = [`ph${process.pid}-weak`, `phw${process.pid}`];
const [HOST, VIEWER] = ["10.77.0.1", "10.77.0.2"];

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const run = (program, words, input = "") => execFileSync(program, words, { input, stdio: ["pipe", "pipe", "pipe"], encoding: "utf8" });

function wire() {
  run("ip", ["-batch", "-"], [
    `netns add ${name}`, `link add ${cable} type veth peer name eth0 netns ${name}`,
    `addr add ${HOST}/24 dev ${cable}`, `link set ${cable} up`, "",
  ].join("\n"));
  run("ip", ["-n", name, "-batch", "-"], `link set lo up\naddr add ${VIEWER}/24 dev eth0\nlink set eth0 up\nroute add default via ${HOST}\n`);
}

/** What the cable to the viewer is like from now on. */
function shape({ kbit, loss = 0 }) {
  if (kbit) run("tc", ["qdisc", "replace", "dev", cable, "root", "tbf", "rate", `${kbit}kbit`, "burst", "10kb", "latency", "300ms"]);
  const drop = loss > 0 ? `iifname "eth0" udp sport 1024-65535 numgen random mod 1000 < ${loss * 10} drop` : "";
  run("ip", ["netns", "exec", name, "nft", "-f", "-"], [
    "table inet weak", "delete table inet weak", "table inet weak {", "chain into {",
    "type filter hook prerouting priority -300; policy accept;", drop, "}", "}", "",
  ].join("\n"));
}

/** Runs in the page. */
async function look() {
  const { pc } = window.calls.at(-1);
  const all = [...(await pc.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
  const { framesDecoded = 0, totalFreezesDuration = 0, freezeCount = 0, bytesReceived = 0, frameWidth = 0, packetsLost = 0 } = all.find(({ kind }) => kind === "video") ?? {};
  const { concealedSamples = 0, silentConcealedSamples = 0, totalSamplesReceived = 0 } = all.find(({ kind }) => kind === "audio") ?? {};
  return {
    at: performance.now(), calls: window.calls.length, framesDecoded, frozen: totalFreezesDuration, freezes: freezeCount, bytes: bytesReceived, width: frameWidth,
    lost: packetsLost, concealed: concealedSamples - silentConcealedSamples, samples: totalSamplesReceived,
  };
}

/** One phase of the plan, from what the page was like at its beginning. */
async function phase(page, part) {
  shape(part);
  say({ phase: part.name });
  const first = await page.evaluate(look);
  let [last, second, longest, full, fps] = [first, first, 0, null, Infinity];
  let freeze = 0;
  while (last.at - first.at < part.seconds * 1000) {
    await pause(LOOK);
    const now = await page.evaluate(look);
    // One freeze may be told in parts.
    freeze = now.frozen > last.frozen ? freeze + now.frozen - last.frozen : 0;
    longest = Math.max(longest, freeze);
    if (now.width !== WIDTH) full = null;
    else full ??= (now.at - first.at) / 1000;
    if (now.at - second.at >= 1000) {
      const shown = ((now.framesDecoded - second.framesDecoded) * 1000) / (now.at - second.at);
      if (second !== first) fps = Math.min(fps, shown);
      second = now;
      if (process.env.TRACE) process.stderr.write(`${part.name} ${((now.at - first.at) / 1000).toFixed(1)} s: ${now.width} ${shown.toFixed(1)}/s frozen ${(now.frozen - first.frozen).toFixed(2)} lost ${now.lost - first.lost} bytes ${now.bytes}\n`);
    }
    last = now;
  }
  const seconds = (last.at - first.at) / 1000;
  return {
    name: part.name, seconds, fps: fps === Infinity ? null : fps, longest, full,
    decoded: last.framesDecoded - first.framesDecoded, freezes: last.freezes - first.freezes, frozen: last.frozen - first.frozen,
    kbit: ((last.bytes - first.bytes) * 8) / 1000 / seconds, lost: last.lost - first.lost, calls: last.calls - first.calls,
    concealed: (100 * (last.concealed - first.concealed)) / Math.max(1, last.samples - first.samples),
  };
}

async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "porthole-weak-"));
  let browser;
  try {
    wire();
    shape(plan[0]);
    const program = join(folder, "chromium");
    await writeFile(program, `#!/bin/sh\nexec ip netns exec ${name} ${CHROMIUM} "$@"\n`);
    await chmod(program, 0o755);
    browser = await launchChromium({ autoplay: true, program });
    const page = await browser.open(`http://${HOST}:${port}/#room=${room}`, { script: CLOCK });
    await page.until(({ cameras: [camera] }) => camera?.word === "live" && camera.framesDecoded > 30, "a live picture", LIMIT);
    const phases = [];
    for (const part of plan) phases.push(await phase(page, part));
    return { version: browser.version, phases };
  } finally {
    await browser?.close();
    for (const words of [["netns", "del", name], ["link", "del", cable]]) {
      try {
        run("ip", words);
      } catch {
        // It was never made, or went with the other.
      }
    }
    await rm(folder, { recursive: true, force: true });
  }
}

function cannot() {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  for (const program of ["ip", "tc", "nft"]) {
    try {
      run("which", [program]);
    } catch {
      return `${program} is not there; scripts/setup bench installs it`;
    }
  }
  return missing("chromium");
}

const skipped = cannot();
if (skipped) say({ skipped });
else say(await measure());
