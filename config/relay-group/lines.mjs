// Lines to Redis, and whether it answers on them. A line is one connection after another: each is asked every second, and
// given up for a new one when no answer comes, whatever the library believes of it (a connection that breaks while it is
// made, or whose other end freezes, may be ready for ever). Must not know sockets, rooms, or what is said on a line.

import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";

/** How often Redis is asked on each line, and how long it may take to answer, in milliseconds. */
const ASK_EVERY_MS = 1_000;
const ANSWER_MS = 3_500;
/** How long a new connection may take; less than an answer, so that the library has ended it before it is given up. */
const CONNECT_MS = 3_000;
/** How long a reader may wait in Redis for something to read. What it is asked meanwhile waits as long. */
export const READ_MS = 1_000;

/** All lines of a relay. */
export class Lines {
  #url;
  #told;
  #lines = [];
  #well = null;

  /** @param {(well: boolean, why?: string) => void} told Hears whenever Redis is reached, or no longer. */
  constructor(url, told) {
    this.#url = url;
    this.#told = told;
  }

  /** Whether Redis answers on every line. That it does not is known 5 seconds after the fact at the latest. */
  get well() {
    return this.#well === true;
  }

  /** A new line; it connects when it is told to. */
  line() {
    const line = new Line(this.#url, (why) => this.#weigh(why), () => this.line());
    this.#lines.push(line);
    return line;
  }

  #weigh(why) {
    const answers = this.#lines.map((line) => line.answers);
    if (answers.includes(null) && !answers.includes(false)) return;
    const well = !answers.includes(false);
    if (well === this.#well) return;
    this.#well = well;
    this.#told(well, why);
  }
}

/** One line, with the methods of a Redis client that are needed here and by the adapter. */
class Line extends EventEmitter {
  /** Whether Redis has answered when it was last asked; null as long as that is not known. */
  answers = null;
  #url;
  #weigh;
  #client = null;
  #subscriptions = [];
  #now = null;
  #over = false;
  /** Ends the present connection. */
  #giveUp = () => {};

  constructor(url, weigh, duplicate) {
    super();
    this.#url = url;
    this.#weigh = weigh;
    this.duplicate = duplicate;
  }

  /** Connects, and again whenever that is needed. Does not wait for Redis. */
  async connect() {
    this.#live();
  }

  async disconnect() {
    this.#over = true;
    this.#giveUp(new Error("no longer wanted"));
  }

  async publish(...args) {
    return this.#reached().publish(...args);
  }

  async xAdd(...args) {
    return this.#reached().xAdd(...args);
  }

  /**
   * Waits until there is a connection: the adapter reads on and on, at once after each failure. Until it has read
   * anything it asks for what comes "from now on" ("$") each time, and would lose what comes in between: for it, now is
   * when it asked first.
   */
  async xRead([{ key, id }], options) {
    if (!this.#client) await once(this, "up");
    const client = this.#reached();
    if (id === "$") this.#now ??= (await client.xRevRange(key, "+", "-", { COUNT: 1 }))[0]?.id ?? "0-0";
    return client.xRead([{ key, id: id === "$" ? this.#now : id }], options);
  }

  /** Holds on every connection to come, too. */
  async subscribe(...args) {
    await this.#listen("subscribe", args);
  }

  async sSubscribe(...args) {
    await this.#listen("sSubscribe", args);
  }

  async #listen(how, args) {
    this.#subscriptions.push([how, args]);
    // If this fails the connection is over, and the next one begins with it.
    await this.#client?.[how](...args).catch(() => {});
  }

  #reached() {
    if (!this.#client) throw new Error("Redis is not reached");
    return this.#client;
  }

  async #live() {
    for (let tries = 0; ;) {
      const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: false };
      const client = createClient({ url: this.#url, commandsQueueMaxLength: 1_000, socket });
      const broken = new Promise((_, reject) => { this.#giveUp = reject; });
      client.on("error", this.#giveUp);
      try {
        await Promise.race([broken, this.#use(client)]);
      } catch (error) {
        this.#client = null;
        if (client.isOpen) client.destroy();
        if (this.#over) return;
        tries = this.answers ? 0 : tries + 1;
        this.answers = false;
        this.#weigh(error.code ?? error.message);
      }
      await pause(Math.min(1_000, 50 * 2 ** Math.min(tries, 10)) * (0.75 + 0.5 * Math.random()));
    }
  }

  /** One connection, until it fails. */
  async #use(client) {
    await soon(client.connect());
    for (const [how, args] of this.#subscriptions) await soon(client[how](...args));
    await soon(client.ping());
    this.#client = client;
    this.emit("up");
    for (;; await soon(client.ping())) {
      this.answers = true;
      this.#weigh();
      await pause(ASK_EVERY_MS);
    }
  }
}

/** What `work` gives, if that does not take too long. */
async function soon(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), ANSWER_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
