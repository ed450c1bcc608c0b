// Which cameras the page shows: one place each, kept while the camera is away, taken over when it comes back under
// another peer id (a daemon that was restarted). Pure; must not know calls, the page or the relay's protocol.

import type { Peer } from "./wire";

/** What the page calls a camera whose name nobody has said. */
export const NAMELESS = "Camera";

/** A camera's place on the page. `peer` null: the only camera of a room whose relay tells nobody who is there. */
export interface Place {
  readonly key: number;
  peer: string | null;
  name: string;
  /** Null while the relay is away and nobody can tell. */
  here: boolean | null;
}

/** What became of a place. */
export interface Change {
  what: "new" | "present" | "anew" | "gone" | "renamed";
  place: Place;
}

export class Roster {
  readonly places: Place[] = [];
  private keys = 0;

  /** The relay says who is in the room. */
  listed(peers: Peer[]): Change[] {
    const cameras = peers.filter((peer) => peer.role === "camera");
    const changes: Change[] = [];
    for (const place of this.places) {
      if (place.here !== false && !cameras.some((camera) => camera.from === place.peer)) {
        place.here = false;
        changes.push({ what: "gone", place });
      }
    }
    // Those who are known come first, so that a newcomer never takes a place whose camera is in the same list.
    const known = (peer: Peer) => this.places.some((place) => place.peer === peer.from);
    for (const camera of [...cameras.filter(known), ...cameras.filter((peer) => !known(peer))]) {
      changes.push(...this.enter(camera, "present"));
    }
    return changes;
  }

  /** Somebody came into the room. */
  joined(peer: Peer): Change[] {
    return peer.role === "camera" ? this.enter(peer, "anew") : [];
  }

  /** Somebody left the room. */
  left(peer: string): Change[] {
    const place = this.places.find((one) => one.peer === peer && one.here !== false);
    if (!place) return [];
    place.here = false;
    return [{ what: "gone", place }];
  }

  /** The relay says nothing about who is in the room: there may be a camera all the same. */
  untold(): Change[] {
    if (this.places.length === 0) return this.add({ from: null, name: NAMELESS });
    return this.places.filter((place) => !place.here).map((place) => {
      place.here = true;
      return { what: "present", place };
    });
  }

  /** The connection to the relay is lost, and with it the knowledge of who is there. */
  forget(): void {
    for (const place of this.places) place.here = null;
  }

  /** A camera that the relay has told us nothing about says itself what it is called. */
  introduced(place: Place, name: string): void {
    if (place.peer === null) place.name = name;
  }

  private enter(camera: Peer, what: "present" | "anew"): Change[] {
    const place = this.placeOf(camera);
    if (!place) return this.add(camera);
    const changes: Change[] = [];
    if (place.name !== camera.name) {
      place.name = camera.name;
      changes.push({ what: "renamed", place });
    }
    const other = place.peer !== camera.from;
    const back = !place.here;
    place.peer = camera.from;
    place.here = true;
    if (what === "anew" || other) changes.push({ what: "anew", place });
    else if (back) changes.push({ what: "present", place });
    return changes;
  }

  private placeOf(camera: Peer): Place | undefined {
    const empty = this.places.filter((place) => !place.here);
    return this.places.find((place) => place.peer === camera.from)
      ?? this.places.find((place) => place.peer === null)
      ?? empty.find((place) => place.name === camera.name)
      ?? (this.places.length === 1 ? empty[0] : undefined);
  }

  private add(camera: { from: string | null; name: string }): Change[] {
    const place: Place = { key: this.keys++, peer: camera.from, name: camera.name, here: true };
    this.places.push(place);
    return [{ what: "new", place }, { what: "present", place }];
  }
}
