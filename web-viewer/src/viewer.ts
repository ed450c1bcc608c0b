// Puts the parts together: one link, one roster, and for each camera a life that decides, a call that performs and a tile
// that shows. Must not decide anything itself.

import type { Destination } from "./address";
import { Vigil } from "./alarm";
import { Call } from "./call";
import { isBelieved, proveBye, proveTalk } from "./farewell";
import { Inspection } from "./inspection";
import { Life, type Fact } from "./life";
import { isFinal, type Why } from "./reasons";
import { Link } from "./link";
import { look } from "./looking";
import { Monitor } from "./monitor";
import { Page } from "./page";
import { troubleOf } from "./path";
import { Choice, type Kept, type Picture } from "./picture";
import * as proof from "./proof";
import { Roster, type Change, type Place } from "./roster";
import { empty, missed, noticed, ongoing, peerOf, viewOf, watched, whose, type Ongoing, type Seat } from "./seats";
import { seen, type Snapshot } from "./snapshot";
import { Sound } from "./sound";
import { Speaking } from "./speaking";
import { Tile } from "./tiles";
import * as wire from "./wire";
import { alarmed, hint, note, others, spoken, TEXT, titled, unseen, way, weak } from "./words";

/** How long a relay may take to say who is in the room before we call without knowing. */
const UNTOLD_MS = 700;

export class Viewer {
  private readonly roster = new Roster();
  private readonly seats: Seat[] = [];
  private readonly link: Link;
  private readonly page: Page;
  private readonly sound: Sound;
  private readonly monitor: Monitor;
  private readonly speaking: Speaking;
  private readonly choice: Choice;
  private readonly inspection: Inspection;
  private iceServers: RTCIceServer[] = [];
  /** `new`: nobody knows yet whether there is one. */
  private relay: "new" | "up" | "down" = "new";
  /** When the relay was last lost. */
  private away = new Date();
  /** Whether the relay has said who is in the room; null while it may still do so. */
  private listed: boolean | null = null;
  private alone: Seat | null = null;
  /** Why the relay does not let us in. */
  private door: Why | null = null;
  private readonly room: string;
  private readonly key: proof.Key | null;

  constructor({ room, relay, token, key }: Extract<Destination, { is: "room" }>, private readonly me: string,
    private readonly fresh: (prefix: string) => string, kept: Kept | null) {
    this.room = room;
    this.key = key;
    this.choice = new Choice(kept, room);
    this.page = new Page({
      sound: () => this.sound.toggle(),
      callOrHangUp: () => this.callOrHangUp(),
      showAll: () => { if (!this.inspection.close()) this.enlarge(null); },
      details: () => this.inspection.toggle(this.alone ?? this.seats[0] ?? null),
      alarm: () => this.monitor.toggle(),
      hush: () => this.monitor.hush(),
    });
    this.speaking = new Speaking(this.page, (call, want, turn) => {
      this.link.send(wire.talk(this.address(call), want, turn, proveTalk(key, room, me, call, want, turn)));
    });
    this.inspection = new Inspection(() => ({ ...this.state(), reached: this.relay, away: this.away }), (picture) => this.choose(picture), () => this.speaking.stop());
    this.sound = new Sound(kept, () => this.page.showSound(this.sound.state()));
    const auth = { ...(token && { token }), ...(key && { key: key.id, admission: proof.ofAdmission(key, room), room }) };
    this.link = new Link(relay, wire.join(room, me, "Web page"), auth, {
      up: (confirmed) => this.up(confirmed),
      down: () => this.down(),
      unreached: () => this.unreached(),
      turnedAway: (reason) => this.turnedAway(reason, "no-key"),
      message: (event, payload) => this.message(wire.read(event, payload, room, me)),
    });
    window.addEventListener("online", () => this.online());
    window.addEventListener("offline", () => this.show());
    this.monitor = new Monitor(kept, {
      look: () => this.look(),
      watched: () => watched(this.seats),
      changed: (fresh) => this.showAlarm(fresh),
    });
    this.page.showSound(this.sound.state());
    this.showAlarm(false);
  }

  /** The page goes away: says so, that the camera need not find out. */
  leave(): void {
    this.speaking.stop();
    for (const { call } of this.seats) {
      if (call) this.bye(call, "hang-up");
    }
    this.link.close();
    for (const { call } of this.seats) call?.made.close();
  }

  async snapshot(): Promise<Snapshot> {
    return { ...this.state(), cameras: await Promise.all(this.seats.map(seen)) };
  }

  /** What is so with the page itself. */
  private state(): Omit<Snapshot, "cameras"> {
    const { room, me: peer, door } = this;
    const [relay, picture, sound, alarm, talk] = [this.relay === "up" ? "up" as const : "down" as const, this.choice.picture(), this.sound.state(), this.monitor.state(), this.speaking.state()];
    return { room, peer, key: this.key?.id ?? null, relay, door, picture, sound, alarm, talk };
  }

  private up(confirmed: boolean): void {
    this.relay = "up";
    this.listed = null;
    this.door = null;
    window.setTimeout(() => {
      if (this.listed !== null || this.relay !== "up") return;
      this.listed = false;
      this.changed(this.roster.untold());
    }, confirmed ? UNTOLD_MS : 0);
    this.show();
  }

  private down(): void {
    if (this.relay !== "down") this.away = new Date();
    this.relay = "down";
    this.roster.forget();
    for (const seat of this.seats) this.feed(seat, { is: "relay-down" });
    this.show();
  }

  /** There is no relay now, neither one that is only slow nor one that does not let us in. */
  private unreached(): void {
    if (this.relay !== "new" && this.door === null) return;
    this.door = null;
    this.down();
  }

  /** The relay does not let us in. `reason` null: in words of its own; `keyless`: what that means for a page without a key. */
  private turnedAway(reason: wire.Reason | null, keyless: "no-key" | "no-entry"): void {
    const locked = reason === "not-allowed" && (keyless === "no-entry" || !this.key);
    const why = this.door = locked ? keyless : reason ?? "no-pass";
    for (const seat of this.seats) this.feed(seat, { is: "turned-away", why });
    if (isFinal(why)) {
      this.link.close();
      this.relay = "down";
    }
    this.show();
  }

  private online(): void {
    this.link.tryNow();
    for (const seat of this.seats) this.feed(seat, { is: "online" });
    this.show();
  }

  private message(said: wire.Incoming): void {
    switch (said.is) {
      case "room":
        this.listed = true;
        this.iceServers = said.iceServers;
        this.link.askAgain(said.iceLifetime === null ? null : said.iceLifetime / 2);
        return this.changed(this.roster.listed(said.peers));
      case "joined":
        return this.changed(this.roster.joined(said.peer));
      case "left":
        return this.changed(this.roster.left(said.from));
      case "answer": {
        const seat = this.seatOf(said.call, said.from);
        if (!seat?.call) return;
        seat.call.peer ??= said.from;
        void seat.call.made.answered(said.sdp, said.proof);
        // Not one that is not believed.
        if (seat.call && said.name !== null) this.roster.introduced(seat.place, said.name);
        return this.show();
      }
      case "candidate":
        void this.seatOf(said.call, said.from)?.call?.made.candidate(said.candidate);
        return;
      case "bye":
      case "refused": {
        // A camera says which call it means; other people's pages in the room do not.
        const seat = said.call === null && said.from === null ? undefined : this.seatOf(said.call, said.from);
        const keyless = said.reason === "not-allowed" && !this.key;
        if (seat?.call && !isBelieved(this.key, this.room, this.me, said, seat.call, seat.call.made.isAnswered())) return;
        if (seat) return this.feed(seat, { is: "over", tag: said.call, reason: keyless ? "no-key" : said.reason });
        // From nobody and about no call it is the relay's word about our coming in; once we are in, anybody may have said it.
        if (said.from === null && said.call === null && this.relay !== "up") this.turnedAway(said.reason, "no-entry");
        return;
      }
      case "watching": {
        const seat = this.seats.find((one) => peerOf(one) === said.from);
        if (!seat?.call) return;
        if (said.viewers.length > seat.watching.length) this.page.awake();
        seat.watching = said.viewers;
        return this.show();
      }
      case "notice": {
        const [seat, news] = [this.seatOf(null, said.from), noticed(said.what, said.here)];
        if (!seat || !news) return;
        if ("is" in news) return this.feed(seat, news);
        Object.assign(seat, news);
        return this.show();
      }
      case "floor": {
        this.speaking.heard(this.seatOf(said.call, said.from)?.call, said.floor);
        return this.show();
      }
    }
  }

  private seatOf(tag: string | null, from: string | null): Seat | undefined {
    return whose(this.seats, tag, from);
  }

  private changed(changes: Change[]): void {
    for (const { what, place } of changes) {
      if (what === "new") this.seat(place);
      const seat = this.seats.find((one) => one.place === place);
      if (!seat) continue;
      if (what === "present" || what === "anew") this.feed(seat, { is: "present", anew: what === "anew" });
      if (what === "gone") this.feed(seat, { is: "gone" });
    }
    this.show();
  }

  private seat(place: Place): void {
    const life = new Life(() => this.fresh("call-"), Math.random);
    const tile = new Tile({
      call: () => this.feed(seat, { is: "call" }),
      enlarge: () => this.enlarge(this.alone === seat ? null : seat),
      picture: () => this.choose("full"),
      details: () => this.inspection.toggle(seat),
      seen: () => {
        if (!seat.call) return;
        this.feed(seat, { is: "picture", tag: seat.call.tag });
        this.look();
      },
    });
    const seat = empty(place, life, tile, new Vigil(performance.now()));
    this.seats.push(seat);
  }

  /** One fact for a camera's life; performs what it wants done. */
  private feed(seat: Seat, fact: Fact): void {
    const now = performance.now();
    if (fact.is === "hang-up") seat.vigil.end();
    if (fact.is === "call") seat.vigil.begin(now);
    if (fact.is === "present") this.speaking.reached(seat);
    seat.life.handle(fact, now);
    for (const deed of seat.life.deeds()) {
      if (deed.do === "drop") this.drop(seat, deed.bye);
      else this.call(seat, deed.tag);
    }
    window.clearTimeout(seat.timer);
    const deadline = seat.life.deadline();
    if (deadline !== null) {
      seat.timer = window.setTimeout(() => this.feed(seat, { is: "time" }), Math.max(0, deadline - performance.now()) + 1);
    }
    this.show();
  }

  private call(seat: Seat, tag: string): void {
    const { key, room, me } = this;
    const asks = this.choice.of(seat);
    // Whom we call stays as it was when the offer was made: a camera that comes back under another name meanwhile is another.
    const peer = seat.place.peer;
    const servers = this.iceServers;
    let pc: RTCPeerConnection;
    try {
      pc = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    } catch {
      return void Promise.resolve().then(() => this.feed(seat, { is: "broken", tag }));
    }
    const judge = (offer: string, sdp: string, proven: string | null) =>
      key && proof.doubt(key, { room, from: call.peer ?? "", to: me, call: tag }, offer, sdp, proven);
    const made = new Call(pc, () => new MediaStream(), judge, {
      offer: (sdp) => {
        const proven = key && { key: key.id, proof: proof.ofOffer(key, { room, from: me, to: peer ?? "", call: tag }, sdp) };
        this.link.send(wire.offer(this.address({ tag, peer }), sdp, proven));
      },
      answered: () => this.feed(seat, { is: "answered", tag }),
      doubted: (why) => this.feed(seat, { is: "doubted", tag, why }),
      candidate: (candidate) => this.link.send(wire.localCandidate(this.address(call), candidate)),
      path: (state) => {
        if (state === "connected") this.look();
        this.feed(seat, { is: "path", tag, state });
      },
      media: (stream) => {
        seat.tile.attach(stream);
        void this.sound.play(seat.tile.video, call.heard);
      },
      broken: () => this.feed(seat, { is: "broken", tag }),
    }, asks);
    const call = ongoing({ tag, peer }, made, asks, servers, asks !== this.choice.picture());
    seat.call = call;
    seat.vigil.called();
    void made.start();
  }

  private drop(seat: Seat, reason: wire.Reason | null): void {
    if (!seat.call) return;
    if (reason !== null) this.bye(seat.call, reason);
    seat.trouble = seat.call.path === null ? troubleOf(seat.call.made.search(seat.call.servers)) : null;
    seat.tile.detach();
    this.sound.silent(seat.tile.video);
    seat.call.made.close();
    if (seat.call.recent.last()) seat.past = seat.call.recent;
    seat.call = null;
    Object.assign(seat, { watching: [], feed: "", here: false });
  }

  private bye(call: Ongoing, reason: wire.Reason): void {
    this.link.send(wire.bye(this.address(call), reason, proveBye(this.key, this.room, this.me, call, reason)));
  }

  private address({ tag, peer }: Pick<Ongoing, "tag" | "peer">): wire.Address {
    return { room: this.room, from: this.me, to: peer, call: tag };
  }

  /** Looks at what has arrived in every call. */
  private async look(): Promise<void> {
    await Promise.all(this.seats.map((seat) => look(seat, {
      fact: (fact) => this.feed(seat, fact),
      heard: (call) => void this.sound.play(seat.tile.video, call.heard),
    })));
    this.show();
  }

  /** `fresh`: the person has just armed or disarmed it. */
  private showAlarm(fresh: boolean): void {
    const state = this.monitor.state();
    this.page.showAlarm(state, alarmed(state, missed(this.seats, state.missing), this.note()[0]), fresh);
    this.show();
  }

  /** The person wants more or less of the picture, from now on. */
  private choose(picture: Picture): void {
    this.choice.choose(picture, () => this.seats.forEach((seat) => {
      if (this.choice.of(seat) === "sound") seat.seen = null;
      this.feed(seat, { is: "otherwise" });
    }));
    this.show();
  }

  private note(): ReturnType<typeof note> {
    return note(this.relay === "new" && !navigator.onLine ? "down" : this.relay, this.listed, this.door);
  }

  private callOrHangUp(): void {
    const hangUp = this.watched().length > 0;
    for (const seat of this.seats) {
      if (hangUp || seat.life.call() === null) this.feed(seat, { is: hangUp ? "hang-up" : "call" });
    }
  }

  /** Cameras that are shown, called or waited for. */
  private watched(): Seat[] {
    return this.seats.filter(({ life }) => !["ended", "refused"].includes(life.view().word));
  }

  private enlarge(seat: Seat | null): void {
    this.alone = seat;
    this.show();
  }

  /** Brings the page in line with what is so. Cheap enough to be called after everything. */
  private show(): void {
    const several = this.seats.length > 1;
    if (!several) this.alone = null;
    for (const seat of this.seats) {
      const { place, life, tile } = seat;
      const view = viewOf(seat);
      const since = unseen(view, seat.seen, new Date());
      const alone = this.choice.of(seat) === "sound";
      tile.say(view, place.name, since, seat.trouble, alone, seat.here);
      tile.alone(this.alone === seat, several, place.name);
      const mute = life.told.mute && ["live", "sound-only", "sound-chosen", "camera-lost"].includes(view.word) ? TEXT.soundLost : "";
      const path = seat.call?.path && ["live", "sound-only", "sound-chosen"].includes(view.word)
        ? way(seat.call.path) + (seat.call.asks === "full" ? weak(seat.feed, seat.here) : "") : "";
      // Who comes and goes while the relay is away, nobody says.
      tile.facts(path, this.relay === "up" ? others(seat.watching, new Date()) : "", mute);
      const news = `${spoken(view, place.name, since, seat.trouble, alone, seat.here)} ${mute}`.trim();
      if (news !== seat.told) this.page.speak((seat.told = news));
    }
    this.speaking.show(this.alone ?? (several ? null : this.seats[0] ?? null));
    this.page.show(this.seats.map(({ tile }) => tile), this.alone?.tile ?? null);
    const hopeless = this.seats.every(({ life }) => life.isOver());
    this.page.showCall(hopeless ? "no use" : this.watched().length > 0 ? "calling" : "not calling");
    const live = this.seats.filter((seat) => viewOf(seat).word === "live");
    this.page.mayRest(live.length > 0 && this.seats.every((seat) => ["live", "sound-chosen"].includes(viewOf(seat).word)));
    this.page.whisper(hint(navigator.onLine, this.relay === "down" ? this.away : null, live.map(({ seen }) => seen), new Date()));
    this.inspection.show(this.seats);
    const [said, busy] = this.note();
    this.page.tell(this.seats.length > 0 ? null : said, busy);
    const names = this.seats.map((seat) => [seat.place.name, viewOf(seat)] as const);
    document.title = this.monitor.cries() ? `⚠ ${TEXT.alarmTitle}` : titled(this.room, names);
  }
}
