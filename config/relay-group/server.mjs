// A Socket.IO relay for many Porthole cameras and their viewers, one of a group: peers of one relay reach those of the
// others through Redis. Speaks Porthole's own dialect, and passes on what it does not know as long as its sender and room
// are right. README.md says how it is set up; everything is set by environment variables.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Server } from "socket.io";
import { Lines, READ_MS } from "./lines.mjs";
import * as say from "./messages.mjs";
import { Roster, readable } from "./roster.mjs";

const settings = read(process.env);
/** This relay among the others. */
const me = randomBytes(8).toString("hex");
/** Where relays tell each other who is there, and how often they do so even if nothing changes. */
const CHANNEL = "porthole:roster";
const TELL_EVERY_MS = 5_000;
/** How long a good-bye to the other relays may take. */
const GOODBYE_MS = 500;
/** How long a connection may take to join a room. */
const JOIN_MS = 30_000;

const roster = new Roster();
/** `room from` → our own socket. */
const sockets = new Map();
const addresses = new Map();
const refusals = {};
const log = (...what) => console.log(new Date().toISOString(), ...what);

const lines = new Lines(settings.redis, (well, why) => {
  log(well ? "Redis is reached" : `Redis is not reached (${why}); calls go on, new ones only within this relay`);
  if (well) compare();
});
const [redis, ears] = [lines.line(), lines.line()];

const http = createServer((request, response) => {
  const path = request.url.split("?")[0];
  if (path !== "/healthz") return void response.writeHead(404, { "content-type": "text/plain" }).end("This is a Porthole relay.\n");
  const cards = roster.own();
  const cameras = cards.filter(({ role }) => role === "camera").length;
  const now = { healthy: lines.well, redis: lines.well, relays: roster.relays(), peers: cards.length, cameras, refusals };
  response.writeHead(now.healthy ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(now)}\n`);
});
const io = new Server(http, {
  adapter: createAdapter(redis, { streamName: "porthole:messages", channelPrefix: "porthole", maxLen: 10_000, blockTimeInMs: READ_MS }),
  cors: { origin: settings.origins },
  maxHttpBufferSize: say.MESSAGE_BYTES,
  pingInterval: 10_000,
  pingTimeout: 8_000,
  connectTimeout: 5_000,
  serveClient: false,
});

io.use((socket, next) => {
  const address = socket.handshake.address.replace(/^::ffff:/, "");
  const here = addresses.get(address) ?? 0;
  const loopback = address === "::1" || address.startsWith("127.");
  if (io.of("/").sockets.size >= settings.maxSockets || (!loopback && here >= settings.maxPerAddress)) {
    return next(new Error("too many connections"));
  }
  socket.data.address = address;
  next();
});

io.on("connection", (socket) => {
  const { address } = socket.data;
  addresses.set(address, (addresses.get(address) ?? 0) + 1);
  const pace = new say.Pace(performance.now());
  const idle = setTimeout(() => socket.data.card ?? socket.disconnect(true), JOIN_MS);
  let strays = 0;

  socket.onAny((event, ...args) => {
    const reply = typeof args.at(-1) === "function" ? args.pop() : () => {};
    const may = pace.take(performance.now());
    if (may !== "fine") {
      count("too-often");
      if (may === "first") socket.emit("refused", say.refusal("too-often"));
      if (may === "flood") socket.disconnect(true);
      return;
    }
    const [message = null] = args;
    if (!say.isPlain(message)) return refuse(socket, "bad-message");
    if (say.JOINS.has(event)) {
      const reason = join(socket, message, reply);
      if (!reason) return;
      refuse(socket, reason);
      reply(say.refusal(reason));
      if (++strays >= say.WRONG_ROOMS) socket.disconnect(true);
    } else if (say.LEAVES.has(event)) {
      leave(socket);
    } else if (say.isEvent(event)) {
      const reason = pass(socket, event, message);
      if (reason) refuse(socket, reason, message);
    } else {
      count("not-allowed");
    }
  });
  socket.on("disconnect", () => {
    clearTimeout(idle);
    const left = addresses.get(address) - 1;
    if (left > 0) addresses.set(address, left);
    else addresses.delete(address);
    leave(socket);
  });
});

/** Lets a socket into a room, or says why not. */
function join(socket, message, reply) {
  const room = say.roomIn(message);
  if (!settings.rooms.has(room)) return "not-allowed";
  const named = message.from != null;
  const from = named ? message.from : `anon-${socket.id}`;
  const role = message.role === "camera" ? "camera" : "viewer";
  if (!say.isName(from) || (named && from.startsWith("anon-"))) return "not-allowed";
  if (role === "camera" && settings.token && !same(socket.handshake.auth?.token, settings.token)) return "not-allowed";
  const inside = socket.data.card;
  if (inside && (inside.room !== room || inside.from !== from)) return "not-allowed";
  if (!inside) {
    const before = roster.find(room, from);
    if (before && before.card.role !== role) return "not-allowed";
    const since = Math.max(Date.now(), (before?.card.since ?? 0) + 1);
    const card = { room, from, role, name: say.label(message.name), since };
    const older = sockets.get(key(card));
    if (older) cut(older);
    socket.data.card = card;
    sockets.set(key(card), socket);
    // The adapter finds it by this name, from whichever relay.
    socket.join(key(card));
    welcome(socket, named, reply);
    tell(roster.come(card));
    publish({ is: "came", card });
  } else {
    welcome(socket, true, reply);
  }
  return null;
}

function welcome(socket, named, reply) {
  const { room, from, role } = socket.data.card;
  const peers = roster.inRoom(room).filter((card) => card.from !== from && (card.role === "camera" || role === "camera"));
  const said = { room, to: from, peers: peers.map(({ from: peer, role: its, name }) => ({ from: peer, role: its, name })), iceServers: settings.iceServers };
  socket.emit("room", said);
  const camera = peers.find((card) => card.role === "camera");
  // What a page that knows no `room` waits for before it offers its call button.
  if (!named && camera) socket.emit("joined", news(camera));
  reply(said);
}

function leave(socket) {
  const card = socket.data.card;
  if (!card) return;
  socket.data.card = null;
  socket.leave(key(card));
  if (sockets.get(key(card)) === socket) sockets.delete(key(card));
  const changes = roster.go(card);
  tell(changes);
  if (changes.length > 0) publish({ is: "left", card });
}

/** Passes a message on to whom it is for, or says why not. */
function pass(socket, event, message) {
  const card = socket.data.card;
  if (!card || !say.speaksFor(message, card)) return "not-allowed";
  const to = say.addressee(message);
  const there = roster.inRoom(card.room);
  const others = there.filter(({ role }) => role !== card.role || role === "camera");
  const targets = to !== null ? there.filter(({ from }) => from === to)
    : card.role === "camera" ? others.filter(({ role }) => role === "viewer")
    : others.slice(0, 1);
  if (targets.length === 0) return to === null && card.role === "camera" ? null : "not-here";
  if (targets.some((target) => target.role === "viewer" && card.role === "viewer")) return "not-allowed";
  const stamped = typeof message === "object" && message !== null && !Array.isArray(message) ? { ...message, from: card.from } : message;
  const away = [];
  for (const target of targets) {
    const near = sockets.get(key(target));
    if (near) near.emit(event, stamped);
    else away.push(key(target));
  }
  if (away.length === 0) return null;
  // What would wait for Redis would come too late; a viewer calls again by itself.
  if (!lines.well) return to === null && card.role === "camera" ? null : "not-here";
  io.to(away).emit(event, stamped);
  return null;
}

/** Tells our own peers who came and went. */
function tell(changes) {
  for (const { what, card } of changes) {
    for (const other of roster.inRoom(card.room)) {
      const mayMeet = other.from !== card.from && (other.role === "camera" || card.role === "camera");
      if (mayMeet) sockets.get(key(other))?.emit(what, news(card));
    }
    log(`room=${card.room} peer=${card.from}`, what);
  }
}

function cut(socket) {
  const card = socket.data.card;
  socket.data.card = null;
  if (card) {
    sockets.delete(key(card));
    socket.leave(key(card));
  }
  socket.disconnect(true);
}

function refuse(socket, reason, about) {
  count(reason);
  socket.emit("refused", say.refusal(reason, about));
}

function count(reason) {
  refusals[reason] = (refusals[reason] ?? 0) + 1;
}

function news({ room, from, role, name }) {
  return { room, from, role, name };
}

/** Whether two secrets are the same, without telling how far. */
function same(one, other) {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(String(text)).digest());
  return timingSafeEqual(a, b);
}

function key({ room, from }) {
  return `${room} ${from}`;
}

/** Says something to the other relays. What is lost is made good by the next telling of all. */
async function publish(said) {
  if (lines.well) await redis.publish(CHANNEL, JSON.stringify({ relay: me, ...said })).catch(() => {});
}

/** Says who is here. */
function tellAll() {
  publish({ is: "all", cards: roster.own() });
}

function hear(text) {
  // A peer elsewhere is known only when it can be reached as well; everybody is asked again as soon as that is so.
  if (!lines.well) return;
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    return;
  }
  if (!readable(said) || typeof said.relay !== "string" || said.relay === me) return;
  if (said.is === "who") return tellAll();
  const { changes, cut: gone, met } = roster.hear(said.relay, said, Date.now());
  for (const card of gone) {
    const socket = sockets.get(key(card));
    if (socket) cut(socket);
  }
  tell(changes);
  if (met) tellAll();
}

/** Redis can be heard, for the first time or again: everybody says who is there. */
function compare() {
  roster.excuse(Date.now());
  publish({ is: "who" });
  tellAll();
}

async function stop() {
  io.close();
  await Promise.race([publish({ is: "gone" }), pause(GOODBYE_MS)]);
  process.exit(0);
}

/** Settings as they stand in the environment, each wrong one said at once. */
function read(env) {
  const wrong = [];
  const number = (name, standard, most) => {
    const value = Number(env[name] || standard);
    if (!Number.isInteger(value) || value < 0 || value > most) wrong.push(`${name}=${env[name]}: a whole number up to ${most}`);
    return value;
  };
  const rooms = (env.ROOMS ?? "").split(",").map((room) => room.trim()).filter(Boolean);
  if (rooms.length === 0 || !rooms.every(say.isName)) {
    wrong.push(`ROOMS=${env.ROOMS ?? ""}: names with commas between them, such as house,yard (A-Z a-z 0-9 . _ : @ -, at most 64)`);
  }
  const redis = env.REDIS_URL || "redis://127.0.0.1:6379";
  if (!/^rediss?:$/.test(URL.canParse(redis) ? new URL(redis).protocol : "")) wrong.push("REDIS_URL: redis://host:port or rediss://user:password@host:port");
  let iceServers = [];
  try {
    iceServers = JSON.parse(env.ICE_SERVERS || "[]");
    if (!Array.isArray(iceServers)) throw new Error("no list");
  } catch {
    wrong.push('ICE_SERVERS: a JSON list such as [{"urls":"stun:stun.example:3478"}]');
  }
  const settings = {
    host: env.HOST || "127.0.0.1",
    port: number("PORT", 3000, 65_535),
    redis,
    rooms: new Set(rooms),
    token: env.CAMERA_TOKEN || null,
    origins: env.ORIGINS && env.ORIGINS !== "*" ? env.ORIGINS.split(",").map((origin) => origin.trim()) : "*",
    maxSockets: number("MAX_SOCKETS", 1_000, 100_000),
    maxPerAddress: number("MAX_PER_ADDRESS", 32, 100_000),
    iceServers,
  };
  if (wrong.length > 0) {
    for (const one of wrong) console.error(one);
    process.exit(78);
  }
  return settings;
}

// The adapter lets go of promises that fail when Redis goes. It comes back to Redis by itself, and so may the relay.
process.on("unhandledRejection", (error) => log("left undone:", error?.message ?? error));
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, stop);
// Neither waits for Redis: a relay that cannot reach it serves its own peers.
ears.subscribe(CHANNEL, hear);
redis.connect();
ears.connect();
setInterval(() => {
  if (!lines.well) return roster.excuse(Date.now());
  tellAll();
  tell(roster.expire(Date.now()));
}, TELL_EVERY_MS);
http.on("error", (error) => {
  console.error(`cannot listen on ${settings.host}:${settings.port}: ${error.message}`);
  process.exit(69);
});
http.listen(settings.port, settings.host, () => log(`listening on ${settings.host}:${http.address().port}, rooms ${[...settings.rooms].join(", ")}`));
