// The real daemon in a room in which its microphone hears nothing but its speaker: PulseAudio has a speaker that plays into
// nothing and can be listened to, and ALSA reaches both. Whoever talks back must not hear themselves.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launchChromium, missing } from "./browsers.mjs";
import { voice } from "./fixtures/voice.mjs";
import { start } from "./porthole.mjs";
import { camera, health, live, until } from "./waiting.mjs";

const PULSE = "/usr/bin/pulseaudio";
const without = existsSync(PULSE) ? missing("chromium") : `${PULSE} is not there`;
/** Samples a second. */
const RATE = 48_000;
/** For how many seconds is listened at a time. */
const LISTEN = 3;

describe("Echo", { skip: without ?? false }, () => {
  let folder;
  let pulse;
  let browser;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-echo-"));
    const socket = join(folder, "pulse");
    const { DBUS_SESSION_BUS_ADDRESS: _, DISPLAY: __, ...rest } = process.env;
    pulse = spawn(PULSE, [
      "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no",
      "-L", `module-null-sink sink_name=room rate=${RATE} channels=1`, "-L", `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    ], { stdio: "ignore", env: { ...rest, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_RUNTIME_PATH: folder } });
    const device = (name, of) => `pcm.${name} { type pulse server "unix:${socket}" device "${of}" }\n`;
    await writeFile(join(folder, ".asoundrc"), device("mouth", "room") + device("ear", "room.monitor"));
    await voice(join(folder, "voice.wav"));
    browser = await launchChromium({ fakeDevices: true, autoplay: true, flags: [`--use-file-for-fake-audio-capture=${join(folder, "voice.wav")}`] });
    await until(async () => existsSync(socket), (there) => there, "PulseAudio listens");
  });
  after(async () => {
    await browser?.close();
    pulse?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  /** How loud, in dB, is what comes back to somebody who talks, as soon as it fits: a room has to be learnt. */
  async function comesBack(echo, fits) {
    const porthole = await start({
      within: ["env", `HOME=${folder}`],
      audio: 'source = "alsa"\ndevice = "ear"',
      more: `[speaker]\nsink = "alsa"\ndevice = "mouth"\necho = "${echo}"`,
    });
    // Nobody else may talk in this room.
    try {
      return await listen(porthole, fits);
    } finally {
      await porthole.stop();
    }
  }

  async function listen(porthole, fits) {
    const page = await browser.open(porthole.link);
    await live(page);
    await page.until((seen) => seen.talk.word === "ready", "it may be talked");
    await page.click("#talk .talk");
    await health(porthole, ({ speaker }) => speaker.level !== null && speaker.level > -40, "the voice is heard");
    const heard = async () => camera(await page.snapshot());
    const level = async () => {
      const before = await heard();
      const now = await until(heard, ({ audioSamples }) => audioSamples >= before.audioSamples + LISTEN * RATE, "sound comes");
      const energy = (now.audioEnergy - before.audioEnergy) / ((now.audioSamples - before.audioSamples) / RATE);
      return 10 * Math.log10(Math.max(energy, 1e-10));
    };
    const fitting = await until(level, fits, "what comes back fits");
    await page.close();
    return fitting;
  }

  test("what the speaker plays does not come back to whoever talks", async (t) => {
    const plain = await comesBack("off", (level) => level > -30);
    const cancelled = await comesBack("cancel", (level) => level < plain - 8);
    t.diagnostic(`comes back with ${plain.toFixed(1)} dB, and with ${cancelled.toFixed(1)} dB where echo is cancelled`);
  });

  test("where it cannot be cancelled the microphone is all but off", async (t) => {
    const half = await comesBack("half", (level) => level < -28);
    t.diagnostic(`comes back with ${half.toFixed(1)} dB where the microphone is all but off`);
  });
});
