// Which way a call takes through the networks, read out of the browser's statistics; and when it found none, why, read out
// of what the browser noticed meanwhile. Pure; must not know calls, the page, or the words for it.

/** As much of `RTCStatsReport` as is read. */
export interface Report {
  forEach(look: (entry: Record<string, unknown>) => void): void;
}

/**
 * `near`: in one network; `direct`: without anybody translating addresses, such as IPv6; `nat`: through a router that does;
 * `relay`: through a TURN server, whose host is `relay` as far as it is known. `over` is how our end speaks to what it sends to.
 */
export interface Path {
  kind: "near" | "direct" | "nat" | "relay";
  relay: string | null;
  over: "udp" | "tcp" | "tls";
}

/** What was noticed of a call's search for a way. */
export interface Search {
  /** The servers it was to use. */
  servers: readonly RTCIceServer[];
  /** Types of candidates (`host`, `srflx`, `relay`) that this browser had. */
  ours: ReadonlySet<string>;
  /** The same of those that the camera told. */
  theirs: ReadonlySet<string>;
  /** What servers answered, or that they did not (`RTCPeerConnectionIceErrorEvent`). */
  errors: readonly { url: string; code: number }[];
}

/** Why no way was found, as far as can be told; `server` is the host of one. */
export type Trouble =
  | { is: "mute-browser" | "mute-camera" | "udp-blocked" | "no-servers" | "no-relay" | "behind-relay" }
  | { is: "relay-refuses"; server: string; code: number }
  | { is: "relay-away"; server: string };

/** A server that did not answer at all, or could not be asked (W3C WebRTC, section 4.8.3). */
const AWAY = 701;

/** The pair of candidates that the call goes over, as the browser tells of it. */
export function chosenPair(report: Report): Record<string, unknown> | undefined {
  const entries: Record<string, unknown>[] = [];
  report.forEach((entry) => entries.push(entry));
  const named = entries.find(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId)?.selectedCandidatePairId;
  // Firefox names no pair in its transport.
  return entries.find(({ id }) => named !== undefined && id === named) ?? entries.find(({ type, nominated, selected, state }) =>
    type === "candidate-pair" && state === "succeeded" && (selected === true || nominated === true));
}

/** The way that the call takes; null while there is none. */
export function pathOf(report: Report, servers: readonly RTCIceServer[]): Path | null {
  const entries = new Map<unknown, Record<string, unknown>>();
  report.forEach((entry) => entries.set(entry.id, entry));
  const chosen = chosenPair(report);
  const ours = entries.get(chosen?.localCandidateId);
  const theirs = entries.get(chosen?.remoteCandidateId);
  if (!ours || !theirs) return null;

  const relayed = ours.candidateType === "relay";
  const over = word(relayed ? ours.relayProtocol : ours.protocol);
  const path = { relay: null, over: over === "tcp" || over === "tls" ? over : "udp" } as const;
  if (relayed || theirs.candidateType === "relay") {
    return { ...path, kind: "relay", relay: relayed ? hostOf(word(ours.url)) ?? onlyRelay(servers) : named(word(theirs.address), servers) };
  }
  const told = theirs.candidateType === "host";
  // A browser that hides its addresses may hear its own for the first time from the other end.
  if (told && ours.candidateType === "prflx" && isBeside(word(ours.address), word(theirs.address))) return { ...path, kind: "near" };
  if (!told || ours.candidateType !== "host") return { ...path, kind: "nat" };
  return { ...path, kind: isNear(word(ours.address), word(theirs.address)) ? "near" : "direct" };
}

/** Why a call found no way. */
export function troubleOf({ servers, ours, theirs, errors }: Search): Trouble {
  if (ours.size === 0) return { is: "mute-browser" };
  if (theirs.size === 0) return { is: "mute-camera" };
  const relays = urls(servers).filter(isRelay);
  if (relays.length > 0 && !ours.has("relay")) {
    const ofRelays = errors.filter(({ url }) => isRelay(url));
    const refused = ofRelays.find(({ code }) => code >= 300 && code < AWAY);
    if (refused) return { is: "relay-refuses", server: hostOf(refused.url) ?? "", code: refused.code };
    return { is: "relay-away", server: hostOf(ofRelays[0]?.url ?? relays[0] ?? "") ?? "" };
  }
  if (relays.length > 0) return { is: "behind-relay" };
  const asked = urls(servers).length > 0;
  if (!asked) return { is: "no-servers" };
  return ours.has("srflx") ? { is: "no-relay" } : { is: "udp-blocked" };
}

/** Host of a STUN or TURN server's URL (RFC 7064, RFC 7065); null where it is none. */
export function hostOf(url: string): string | null {
  return /^(?:stun|turn)s?:(\[[^\]]+\]|[^:?/]+)/.exec(url)?.[1] ?? null;
}

function urls(servers: readonly RTCIceServer[]): string[] {
  return servers.flatMap((server) => server.urls);
}

function isRelay(url: string): boolean {
  return /^turns?:/.test(url);
}

/** The name of the relay at `address`: the one configured there, else the only one there is, else the address. */
function named(address: string, servers: readonly RTCIceServer[]): string | null {
  const there = urls(servers).filter(isRelay).map(hostOf).includes(address);
  return there ? address : onlyRelay(servers) ?? (address || null);
}

function onlyRelay(servers: readonly RTCIceServer[]): string | null {
  const hosts = new Set(urls(servers).filter(isRelay).map(hostOf));
  return hosts.size === 1 ? [...hosts][0] ?? null : null;
}

/** Whether two ends that see each other's own addresses are in one network. A browser may hide its own. */
function isNear(ours: string, theirs: string): boolean {
  if (isPrivate(theirs) || ours === theirs) return true;
  return theirs.includes(":") && network(ours) === network(theirs);
}

/** Whether two private addresses are as close as those of one home are: the same but for the last of their four numbers. */
function isBeside(ours: string, theirs: string): boolean {
  const most = (address: string) => address.slice(0, address.lastIndexOf("."));
  return isPrivate(ours) && isPrivate(theirs) && theirs.includes(".") && most(ours) === most(theirs);
}

/** Addresses that nobody has on the internet (RFC 1918, RFC 3927, RFC 4193, RFC 4291 section 2.5.6), and loopback. */
function isPrivate(address: string): boolean {
  return /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address)
    || /^\[?(::1$|f[cd]|fe[89ab])/i.test(address) || address.endsWith(".local");
}

/** The first 64 bits of an IPv6 address, which are those of its network; null for what is none. */
function network(address: string): string | null {
  const [head = "", tail] = address.replace(/[[\]]/g, "").toLowerCase().split("::");
  if (!address.includes(":")) return null;
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const filled = tail === undefined ? groups : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - behind.length)).fill("0"), ...behind];
  return filled.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

function word(value: unknown): string {
  return typeof value === "string" ? value : "";
}
