// Starts the real daemon, or a relay alone, for a test and stops it again. The binary is PORTHOLE_BIN, else the debug build.
// Must not know browsers, nor what a test is about.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { setDefaultResultOrder } from "node:dns";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// Its link says localhost and it listens on 127.0.0.1. Node.js 18 tries only the first address of a name, which is ::1.
setDefaultResultOrder("ipv4first");

const BINARY = process.env.PORTHOLE_BIN ?? fileURLToPath(new URL("../../target/debug/porthole", import.meta.url));
/** Only bounds a hang: encoders are probed at the start, and a loaded machine is slow. */
const START_MS = 60_000;
/** Only bounds a hang. */
const STOP_MS = 30_000;
/** Only bounds a hang of a whole file: a `before` that failed leaves what it started, and Node.js waits for that. */
const FILE_MS = 20 * 60_000;
/** What the daemon prints for a person to open. */
const LINK = /https?:\/\/\S+\/#room=[\w.:@-]+(&key=[\w.-]+)?(&relay=\S+)?/;

const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
setTimeout(() => {
  console.error(`this file did not come to its end within ${FILE_MS / 60_000} minutes`);
  process.exit(1);
}, FILE_MS).unref();

/**
 * Starts a daemon on a free port of loopback, with the test picture.
 * @param {{ access?: "keys" | "local" | "open", port?: number, room?: string, relay?: string, video?: string, audio?: string,
 *   more?: string, folder?: string, journal?: boolean, listen?: string, within?: string[] }} [how] `room`, `relay`, `video`, `audio`: further lines for these sections; `more`: further
 *   sections; `port`: 0 takes a free one; `folder`: with what an earlier one has left behind, and kept; `journal`: as
 *   systemd starts it; `listen`: the address of the port; `within`: the words of a program that starts it somewhere else.
 * @returns {Promise<Porthole>}
 */
export async function start(how = {}) {
  return linked(await launch(how));
}

/** The same without waiting until it says its link. */
export function launch(how = {}) {
  const { access = "local", port = 0, room = "", relay = "", video = `source = "test"`, audio = `source = "test"`, more = "" } = how;
  const { folder, journal = false, listen = "127.0.0.1", within = [] } = how;
  return spawned("run", [
    "[room]", `access = "${access}"`, room,
    "[relay]", `listen = "${listen}:${port}"`, relay,
    "[video]", video,
    "[audio]", audio,
    more, "",
  ].join("\n"), folder, journal, within);
}

/**
 * Starts a relay without a camera.
 * @param {{ config?: string }} [how] `config`: its whole configuration.
 * @returns {Promise<Porthole>}
 */
export async function startRelay({ config = "" } = {}) {
  return linked(await spawned("relay", `${config}\n`));
}

async function spawned(command, text, kept = undefined, journal = false, within = []) {
  const folder = kept ?? await mkdtemp(join(tmpdir(), "porthole-e2e-"));
  const config = join(folder, "porthole.toml");
  await writeFile(config, text);
  const { JOURNAL_STREAM: _, ...rest } = process.env;
  const env = { ...rest, STATE_DIRECTORY: join(folder, "state"), ...(journal ? { JOURNAL_STREAM: "8:1" } : {}) };
  const [program, ...words] = [...within, BINARY, command, "--config", config];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], env });
  running.add(child);
  child.once("close", () => running.delete(child));
  return new Porthole(child, folder, { env, config, keep: kept !== undefined });
}

/** Waits until the program has said its link. */
async function linked(porthole) {
  try {
    porthole.link = await porthole.says(LINK, START_MS);
  } catch (error) {
    await porthole.kill();
    throw error;
  }
  return porthole;
}

export class Porthole {
  /** Everything it has printed so far. */
  output = "";
  /** The link to open, with its `#room=`. */
  link = "";

  constructor(child, folder, { env, config, keep }) {
    this.child = child;
    this.folder = folder;
    this.env = env;
    this.config = config;
    this.keep = keep;
    this.listeners = new Set();
    /** `{ code, signal }` once it has ended. */
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve({ code: null, signal: null, error }));
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.output += text;
        for (const listener of this.listeners) listener();
      });
    }
  }

  /** Where page, Socket.IO and /healthz are, without a slash at the end. */
  get url() {
    return new URL(this.link).origin;
  }

  get room() {
    return new URLSearchParams(new URL(this.link).hash.slice(1)).get("room");
  }

  get port() {
    return Number(new URL(this.link).port);
  }

  /** What `porthole access` prints for this camera. */
  async access(...words) {
    const { stdout } = await promisify(execFile)(BINARY, ["access", "--config", this.config, ...words], { env: this.env });
    return stdout;
  }

  /** What `porthole WORD…` prints about this daemon. */
  async command(...words) {
    const { stdout } = await promisify(execFile)(BINARY, [...words, "--config", this.config], { env: this.env });
    return stdout;
  }

  /** Makes a key for `name`, and gives the link that carries it. */
  async add(name, ...more) {
    const [, token] = (await this.access("add", name, ...more)).match(/&key=(\S+)/);
    return this.linkWith(token);
  }

  /** The link to open with this key, or with none. */
  linkWith(token) {
    const link = new URL(this.link);
    const parts = new URLSearchParams(link.hash.slice(1));
    const relay = parts.get("relay");
    const key = token === undefined ? "" : `&key=${token}`;
    return `${link.origin}/#room=${parts.get("room")}${key}${relay === null ? "" : `&relay=${relay}`}`;
  }

  /** What `/healthz` answers. */
  async health() {
    return (await fetch(`${this.url}/healthz`)).json();
  }

  /** The first text in what it prints that matches. */
  async says(pattern, withinMs = START_MS) {
    let timer;
    let listener;
    try {
      return await Promise.race([
        new Promise((resolve) => {
          listener = () => {
            const found = this.output.match(pattern);
            if (found) resolve(found[0]);
          };
          this.listeners.add(listener);
          listener();
        }),
        this.ended.then(({ code, signal, error }) => {
          throw new Error(`porthole ended (${error ?? signal ?? code}) before it said ${pattern}:\n${this.output}`);
        }),
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error(`porthole did not say ${pattern}:\n${this.output}`)), withinMs);
        }),
      ]);
    } finally {
      clearTimeout(timer);
      this.listeners.delete(listener);
    }
  }

  /** Asks it to end, as systemd does, and waits until it has. */
  async stop() {
    this.child.kill("SIGTERM");
    return this.gone();
  }

  /** Takes it away without a word, as a power cut does. */
  async kill() {
    this.child.kill("SIGKILL");
    return this.gone();
  }

  /** Nothing that it printed has the secret of a key in it, but the links that a first start shows. */
  async keptSecrets() {
    const file = await readFile(join(this.env.STATE_DIRECTORY, "keys.json"), "utf8").catch(() => `{ "keys": [] }`);
    const shown = this.output.replaceAll(new RegExp(LINK, "g"), "");
    for (const { id, secret } of JSON.parse(file).keys) {
      assert.ok(!shown.includes(secret), `the secret of ${id} was printed:\n${this.output}`);
    }
  }

  async gone() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        this.child.kill("SIGKILL");
        reject(new Error(`porthole did not end:\n${this.output}`));
      }, STOP_MS);
    });
    try {
      const ended = await Promise.race([this.ended, late]);
      await this.keptSecrets();
      return ended;
    } finally {
      clearTimeout(timer);
      if (!this.keep) await rm(this.folder, { recursive: true, force: true });
    }
  }
}
