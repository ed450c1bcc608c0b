// Starts a relay of config/relay-group, and the Redis such relays meet in, for a test and stops them again. Must not know
// browsers, the daemon, nor what a test is about.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REDIS = process.env.PORTHOLE_REDIS ?? "/usr/bin/redis-server";
const SERVER = fileURLToPath(new URL("../../config/relay-group/server.mjs", import.meta.url));
/** Only bounds a hang. */
const HANG_MS = 30_000;

/** Why there can be no group here, or null: what `node:test` takes as `skip`. */
export const missingRedis = () => (existsSync(REDIS) ? null : `${REDIS} is not there`);

/** A port of loopback that nobody has. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A Redis that keeps nothing, at `port` of loopback. */
export async function startRedis(port) {
  const folder = await mkdtemp(join(tmpdir(), "porthole-redis-"));
  const how = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", "", "--appendonly", "no"];
  const redis = new Program(spawn(REDIS, how, { stdio: ["ignore", "pipe", "pipe"] }), folder);
  await redis.says(/Ready to accept connections/);
  return redis;
}

/** What stands where Redis was, and hangs up as soon as it is spoken to; `connections` counts how often. */
export async function startBrokenRedis(port) {
  const open = new Set();
  const broken = {
    connections: 0,
    async close() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  const server = createServer((socket) => {
    open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
    socket.once("data", () => {
      broken.connections += 1;
      socket.destroy();
    });
  });
  await new Promise((ready, failed) => server.once("error", failed).listen(port, "127.0.0.1", ready));
  return broken;
}

/** A relay of the group; `env` is what is set for it. */
export async function startMember(port, redisPort, env = {}) {
  const set = { PORT: `${port}`, REDIS_URL: `redis://127.0.0.1:${redisPort}`, ROOMS: "house,yard", ...env };
  const relay = new Program(spawn(process.execPath, [SERVER], {
    env: { PATH: process.env.PATH, ...set }, stdio: ["ignore", "pipe", "pipe"],
  }));
  relay.url = `http://127.0.0.1:${port}`;
  await relay.says(/listening on/);
  return relay;
}

class Program {
  /** Everything it has printed so far. */
  output = "";
  url = "";
  #look = () => {};

  constructor(child, folder = null) {
    this.child = child;
    this.folder = folder;
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve({ code: null, signal: null, error }));
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.output += text;
        this.#look();
      });
    }
  }

  /** Waits until it has printed this. */
  async says(pattern) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not say ${pattern}:\n${this.output}`)), HANG_MS);
    });
    const said = new Promise((resolve) => {
      this.#look = () => pattern.test(this.output) && resolve();
      this.#look();
    });
    const over = this.ended.then(({ code, signal, error }) => {
      throw new Error(`it ended (${error ?? signal ?? code}) before it said ${pattern}:\n${this.output}`);
    });
    await Promise.race([said, over, late]).finally(() => clearTimeout(timer));
  }

  /** What a relay's `/healthz` answers. */
  async health() {
    return (await fetch(`${this.url}/healthz`)).json();
  }

  /** Takes it away without a word. */
  kill() {
    return this.#end("SIGKILL");
  }

  /** Asks it to end. */
  stop() {
    return this.#end("SIGTERM");
  }

  async #end(signal) {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), HANG_MS);
    const ended = await this.ended;
    clearTimeout(timer);
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
    return ended;
  }
}
