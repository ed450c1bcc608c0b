// What of Socket.IO's client and of the hashes the page does not use is left out of what is built: every byte is loaded by a
// phone outside. Knows exactly the versions in package.json; with another one the build fails here, and does not go on
// with something half left out.
import { readFile } from "node:fs/promises";
import ts from "typescript";

/**
 * Files with something smaller in their place. The page speaks over WebSocket and, where that does not get through, by
 * asking again and again, with what every browser here has: nothing over HTTP/3, and nothing binary; what comes binary is
 * received, and means nothing. It knows one server and one namespace.
 */
const INSTEAD = {
  "socket.io-client/build/esm/index.js": `
    import { Manager } from "./manager.js";
    export const io = (to, options) => typeof to === "string"
      ? new Manager(to, options).socket("/", options)
      : new Manager(location.origin, to).socket("/", to);`,
  "engine.io-client/build/esm/index.js": `
    export { Socket } from "./socket.js";
    export { installTimerFunctions, nextTick } from "./util.js";`,
  "engine.io-client/build/esm/transports/index.js": `
    import { XHR } from "./polling-xhr.js";
    import { WS } from "./websocket.js";
    export const transports = { websocket: WS, polling: XHR };`,
  "engine.io-client/build/esm/transports/polling-xhr.js": `
    import { Polling } from "./polling.js";
    export class XHR extends Polling {
      doPoll() {
        this.ask("poll", {}, (text) => this.onData(text));
      }
      doWrite(body, then) {
        this.ask("post", { method: "POST", body, headers: { "Content-type": "text/plain;charset=UTF-8" } }, then);
      }
      ask(what, how, then) {
        const { signal } = gone;
        let status = 0;
        fetch(this.uri(), { ...how, signal }).then((answer) => (status = answer.status) === 200 ? answer.text() : Promise.reject())
          .then(then, () => signal.aborted || this.onError("xhr " + what + " error", status));
      }
    }
    // What a page waits for that goes away, nobody needs; what it says then is another matter.
    let gone = new AbortController();
    addEventListener("pagehide", () => { gone.abort(); gone = new AbortController(); });`,
  "engine.io-client/build/esm/util.js": `
    export const pick = () => ({});
    export const installTimerFunctions = (it) => {
      it.setTimeoutFn = setTimeout.bind(self);
      it.clearTimeoutFn = clearTimeout.bind(self);
    };
    export const byteLength = (text) => new TextEncoder().encode(text).length;
    export const randomString = () => Date.now().toString(36).slice(3) + Math.random().toString(36).slice(2, 5);
    export const nextTick = (then) => Promise.resolve().then(then);`,
  "engine.io-client/build/esm/globals.js": `
    export { nextTick } from "./util.js";
    export const globalThisShim = self;
    export const defaultBinaryType = "arraybuffer";
    export const createCookieJar = null;`,
  "engine.io-client/build/esm/contrib/parseuri.js": `
    export const parse = (source) => {
      const { protocol, hostname, port } = new URL(source);
      return { protocol: protocol.slice(0, -1), host: hostname.replace(/[\\[\\]]/g, ""), port };
    };`,
  "engine.io-client/build/esm/contrib/parseqs.js": `
    export const encode = (words) => String(new URLSearchParams(words));
    export const decode = null;`,
  "@socket.io/component-emitter/lib/esm/index.js": `
    export class Emitter {
      on(event, then) {
        this.thens ||= new Map();
        this.thens.set(event, [...(this.thens.get(event) || []), then]);
        return this;
      }
      once(event, then) {
        const once = (...what) => {
          this.off(event, once);
          then.apply(this, what);
        };
        once.fn = then;
        return this.on(event, once);
      }
      off(event, then) {
        if (!event) this.thens = null;
        else this.thens?.set(event, then ? (this.thens.get(event) || []).filter((one) => one !== then && one.fn !== then) : []);
        return this;
      }
      emit(event, ...what) {
        for (const then of this.thens?.get(event) || []) then.apply(this, what);
        return this;
      }
    }
    const { off, emit } = Emitter.prototype;
    Object.assign(Emitter.prototype, { removeListener: off, removeAllListeners: off, emitReserved: emit });`,
  "socket.io-client/build/esm/contrib/backo2.js": `
    export class Backoff {
      constructor({ min, max, jitter }) {
        Object.assign(this, { min, max, jitter, attempts: 0 });
      }
      duration() {
        const spread = (2 * Math.random() - 1) * this.jitter;
        return Math.min(this.min * 2 ** this.attempts++ * (1 + spread), this.max);
      }
      reset() {
        this.attempts = 0;
      }
    }`,
  "engine.io-parser/build/esm/decodePacket.browser.js": `
    import { ERROR_PACKET, PACKET_TYPES_REVERSE } from "./commons.js";
    export const decodePacket = (said) => {
      const known = typeof said === "string" ? said[0] : "b";
      if (known === "b") return { type: "message", data: new ArrayBuffer(0) };
      const type = PACKET_TYPES_REVERSE[known];
      return type ? { type, ...(said.length > 1 && { data: said.slice(1) }) } : ERROR_PACKET;
    };`,
  "engine.io-parser/build/esm/encodePacket.browser.js": `
    import { PACKET_TYPES } from "./commons.js";
    export const encodePacket = ({ type, data }, _, then) => then(PACKET_TYPES[type] + (data || ""));
    export const encodePacketToBinary = null;`,
  "socket.io-parser/build/esm/is-binary.js": `
    export const isBinary = (it) => it instanceof ArrayBuffer;
    export const hasBinary = () => false;`,
  "socket.io-parser/build/esm/binary.js": `
    export const deconstructPacket = null;
    export const reconstructPacket = (packet) => packet;`,
};

/** Methods that nobody calls, and texts with what is there instead: mostly the answer to a question that is never open. */
const LESS = {
  "socket.io-client/build/esm/socket.js": {
    without: [
      "send", "emitWithAck", "_addToQueue", "_drainQueue", "close", "compress", "volatile", "prependAny", "offAny", "listenersAny", "disconnected",
      "onAnyOutgoing", "prependAnyOutgoing", "offAnyOutgoing", "listenersAnyOutgoing", "notifyOutgoingListeners",
    ],
    texts: [
      ["this._drainQueue(true);", ""],
      ["this.notifyOutgoingListeners(packet);", ""],
      ["this._opts.retries && !this.flags.fromQueue && !this.flags.volatile", "false"],
      ["this.flags.volatile && !isTransportWritable", "false"],
      ["packet.options.compress = this.flags.compress !== false;", ""],
      [`typeof this.auth == "function"`, "false"],
    ],
  },
  "socket.io-client/build/esm/manager.js": {
    without: ["reconnection", "reconnectionAttempts", "reconnectionDelay", "reconnectionDelayMax", "randomizationFactor", "timeout", "connect", "disconnect"],
    texts: [
      ["this.reconnection(opts.reconnection !== false);", "this._reconnection = true;"],
      ["this.reconnectionAttempts(opts.reconnectionAttempts || Infinity);", "this._reconnectionAttempts = Infinity;"],
      ["this.reconnectionDelay(opts.reconnectionDelay || 1000);", ""],
      ["this.reconnectionDelayMax(opts.reconnectionDelayMax || 5000);", ""],
      ["this.randomizationFactor((_a = opts.randomizationFactor) !== null && _a !== void 0 ? _a : 0.5);", ""],
      ["min: this.reconnectionDelay()", "min: opts.reconnectionDelay"],
      ["max: this.reconnectionDelayMax()", "max: opts.reconnectionDelayMax"],
      ["jitter: this.randomizationFactor()", "jitter: opts.randomizationFactor"],
      ["this.timeout(null == opts.timeout ? 20000 : opts.timeout);", "this._timeout = opts.timeout;"],
      ["const _parser = opts.parser || parser;", ""],
      ["new _parser.Encoder()", "new parser.Encoder()"],
      ["new _parser.Decoder()", "new parser.Decoder()"],
      [`uri && "object" === typeof uri`, "false"],
      ["false !== this._timeout", "true"],
      ["this.opts.autoUnref", "false"],
      ["this.backoff.attempts >= this._reconnectionAttempts", "false"],
    ],
  },
  "engine.io-client/build/esm/socket.js": {
    without: ["send"],
    texts: [
      [`uri && "object" === typeof uri`, "false"],
      ["opts.host)", "false)"],
      ["parsedUri.query)", "false)"],
      ["opts.transportImplementations && opts.transports)", "false)"],
      [`opts.transportImplementations ||
            (((_a = opts.transports) === null || _a === void 0 ? void 0 : _a.length) && typeof opts.transports[0] === "function")`, "false"],
      [`typeof this.opts.query === "string"`, "false"],
      ["this.opts.closeOnBeforeunload", "false"],
      ["this._beforeunloadEventListener)", "false)"],
      ["this.opts.withCredentials", "false"],
      ["this.opts.rememberUpgrade &&", "false &&"],
      ["this.opts.autoUnref", "false"],
      ["this._upgrades.indexOf(\"webtransport\") !== -1 &&", "false &&"],
      ["agent: false,", ""], ["rememberUpgrade: false,", ""], ["rejectUnauthorized: true,", ""], ["closeOnBeforeunload: false,", ""],
      ["withCredentials: false,", ""],
      [`perMessageDeflate: {
                threshold: 1024,
            },`, ""],
      ["Socket.protocol = protocol;", ""],
    ],
  },
  "engine.io-client/build/esm/transports/websocket.js": {
    texts: [
      ["this.opts.extraHeaders", "false"],
      ["this.opts.autoUnref", "false"],
      [`typeof navigator !== "undefined" &&
    typeof navigator.product === "string" &&
    navigator.product.toLowerCase() === "reactnative"`, "false"],
      ["globalThis.WebSocket || globalThis.MozWebSocket", "WebSocket"],
      [`? protocols
                ? new WebSocketCtor(uri, protocols)
                : new WebSocketCtor(uri)`, "? new WebSocketCtor(uri)"],
    ],
  },
  "socket.io-parser/build/esm/index.js": {
    without: ["encodeAsBinary"],
    texts: [
      ["hasBinary(obj)", "false"],
      [`Number.isInteger ||
    function (value) {
        return (typeof value === "number" &&
            isFinite(value) &&
            Math.floor(value) === value);
    }`, "Number.isInteger"],
    ],
  },
  // What comes in is of the right kind: `proof.ts` has types. And every browser here knows numbers of 64 bits.
  "@noble/hashes/esm/hmac.js": {
    without: ["clone", "_cloneInto"],
    texts: [["ahash(hash);", ""], ["aexists(this);", ""], ["abytes(out, this.outputLen);", ""], ["typeof this.iHash.update !== 'function'", "false"]],
  },
  "@noble/hashes/esm/_md.js": {
    without: ["clone", "_cloneInto"],
    texts: [
      ["aexists(this);", ""], ["abytes(data);", ""], ["aoutput(out, this);", ""], ["typeof view.setBigUint64 === 'function'", "true"],
      ["if (len % 4)", "if (false)"], ["if (outLen > state.length)", "if (false)"],
    ],
  },
  "@noble/hashes/esm/utils.js": { texts: [["abytes(data);", ""], ["abytes(a);", ""]] },
};

/** `code` without these methods and accessors. */
function cut(file, code, methods) {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const found = [];
  const visit = (node) => {
    const is = ts.isMethodDeclaration(node) || ts.isGetAccessor(node);
    if (is && methods.includes(node.name.text)) found.push(node);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  const missing = methods.filter((name) => !found.some((node) => node.name.text === name));
  if (missing.length > 0) throw new Error(`${file} has no ${missing.join(", ")}`);
  return found.reverse().reduce((left, node) => left.slice(0, node.getStart()) + left.slice(node.end), code);
}

function put(file, code, [from, to]) {
  if (!code.includes(from)) throw new Error(`${file} does not say: ${from}`);
  return code.replaceAll(from, to);
}

/** For esbuild. */
export const lean = {
  name: "lean",
  setup({ onLoad, onEnd }) {
    const loaded = new Set();
    const each = (file, load) => {
      const filter = new RegExp(`/node_modules/${file.replaceAll(".", "\\.")}$`);
      onLoad({ filter }, async ({ path }) => {
        loaded.add(file);
        return { contents: await load(path), resolveDir: path.slice(0, path.lastIndexOf("/")) };
      });
    };
    for (const [file, contents] of Object.entries(INSTEAD)) each(file, () => contents);
    for (const [file, { without = [], texts = [] }] of Object.entries(LESS)) {
      each(file, async (path) => texts.reduce((code, text) => put(file, code, text), cut(file, await readFile(path, "utf8"), without)));
    }
    onEnd(({ errors }) => {
      const idle = [...Object.keys(INSTEAD), ...Object.keys(LESS)].filter((file) => !loaded.has(file));
      return errors.length > 0 || idle.length === 0 ? null : { errors: [{ text: `not loaded any more: ${idle.join(", ")}` }] };
    });
  },
};
