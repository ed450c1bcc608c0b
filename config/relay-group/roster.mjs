// Who is in which room over all relays of the group: our own peers, and what the other relays say of theirs. Pure; must
// not know sockets, Redis or what a call is.
//
// A card is {room, from, role: "camera" | "viewer", name, since}; `since` (ms) tells a peer that came back from the
// connection it had before. A change is {what: "joined" | "left", card}.

/** How long a relay may be silent before its peers count as gone, in milliseconds. It speaks every few seconds. */
export const SILENCE_MS = 15_000;

export class Roster {
  #own = new Cards();
  /** Relay → {heard, cards}. */
  #others = new Map();

  /** The newest card of a peer, wherever it is; `own` tells whether it is here. */
  find(room, from) {
    const own = this.#own.get(room, from);
    if (own) return { card: own, own: true };
    const cards = [...this.#others.values()].map(({ cards }) => cards.get(room, from)).filter(Boolean);
    const [card] = cards.sort((a, b) => b.since - a.since);
    return card ? { card, own: false } : null;
  }

  /** Everybody in a room, by peer id. */
  inRoom(room) {
    const all = new Map();
    for (const { cards } of this.#others.values()) for (const card of cards.inRoom(room)) all.set(card.from, card);
    for (const card of this.#own.inRoom(room)) all.set(card.from, card);
    return [...all.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
  }

  /** All cards of our own peers, for the other relays. */
  own() {
    return this.#own.all();
  }

  /** How many relays there are, this one among them. */
  relays() {
    return this.#others.size + 1;
  }

  /** A peer of our own has come. */
  come(card) {
    this.#own.put(card);
    return [{ what: "joined", card }];
  }

  /** A peer of our own has gone. Nobody is told while it is somewhere else again. */
  go(card) {
    return this.#own.take(card) ? this.#left(card) : [];
  }

  /**
   * Another relay speaks: {is: "came" | "left", card}, {is: "all", cards} or {is: "gone"}.
   * @returns {{ changes: object[], cut: object[], met: boolean }} `cut`: cards of our own that came back over there;
   *   `met`: it was not known before.
   */
  hear(relay, said, now) {
    const met = !this.#others.has(relay);
    if (said.is === "gone") return { changes: this.#forget(relay), cut: [], met: false };
    if (met) this.#others.set(relay, { heard: now, cards: new Cards() });
    const other = this.#others.get(relay);
    other.heard = now;
    const changes = [];
    const came = said.is === "all" ? said.cards : said.is === "came" ? [said.card] : [];
    const cut = came.map((card) => this.#own.get(card.room, card.from)).filter((own, at) => own && own.since < came[at].since);
    for (const own of cut) this.#own.take(own);
    for (const card of came) {
      if (other.cards.get(card.room, card.from)?.since === card.since) continue;
      other.cards.put(card);
      if (!this.#own.get(card.room, card.from)) changes.push({ what: "joined", card });
    }
    const still = new Set(said.is === "all" ? came.map(({ room, from }) => `${room} ${from}`) : []);
    const went = said.is === "left" ? [said.card]
      : said.is === "all" ? other.cards.all().filter(({ room, from }) => !still.has(`${room} ${from}`)) : [];
    for (const card of went) if (other.cards.take(card)) changes.push(...this.#left(card));
    return { changes, cut, met };
  }

  /** Forgets relays that have been silent for too long. */
  expire(now) {
    const silent = [...this.#others].filter(([, { heard }]) => now - heard > SILENCE_MS);
    return silent.flatMap(([relay]) => this.#forget(relay));
  }

  /** We were deaf ourselves: nobody has been silent for longer than from now on. */
  excuse(now) {
    for (const other of this.#others.values()) other.heard = now;
  }

  #forget(relay) {
    const cards = this.#others.get(relay)?.cards.all() ?? [];
    this.#others.delete(relay);
    return cards.flatMap((card) => this.#left(card));
  }

  #left(card) {
    return this.find(card.room, card.from) ? [] : [{ what: "left", card }];
  }
}

/** Cards by room and peer. */
class Cards {
  #rooms = new Map();

  get(room, from) {
    return this.#rooms.get(room)?.get(from);
  }

  put(card) {
    if (!this.#rooms.has(card.room)) this.#rooms.set(card.room, new Map());
    this.#rooms.get(card.room).set(card.from, card);
  }

  /** Takes it out, unless there is a newer one or none. */
  take({ room, from, since }) {
    const peers = this.#rooms.get(room);
    if (!peers?.has(from) || peers.get(from).since !== since) return false;
    peers.delete(from);
    if (peers.size === 0) this.#rooms.delete(room);
    return true;
  }

  inRoom(room) {
    return [...(this.#rooms.get(room)?.values() ?? [])];
  }

  all() {
    return [...this.#rooms.values()].flatMap((peers) => [...peers.values()]);
  }
}

/** Whether something that came from another relay can be read. */
export function readable(said) {
  const card = (one) => typeof one === "object" && one !== null && Number.isFinite(one.since)
    && ["room", "from", "role", "name"].every((key) => typeof one[key] === "string");
  switch (said?.is) {
    case "came":
    case "left":
      return card(said.card);
    case "all":
      return Array.isArray(said.cards) && said.cards.every(card);
    default:
      return said?.is === "gone" || said?.is === "who";
  }
}
