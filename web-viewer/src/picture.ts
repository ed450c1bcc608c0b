// How much of the picture a person wants here: all of it, little, or sound alone; kept for each room. And how an offer says so.
// Must not know calls or the page.

export const PICTURES = ["full", "low", "sound"] as const;
export type Picture = (typeof PICTURES)[number];

/** What little of the picture takes, in kbit/s: the camera's small picture at what is worth looking at. */
export const LOW_KBIT = 150;

const KEPT = "porthole.picture.";

/** How long after a choice there is no other one before it is done. */
const CHOOSING_MS = 400;

/** Where choices are kept. */
export type Kept = Pick<Storage, "getItem" | "setItem">;

export class Choice {
  private wanted: Picture;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `kept` is where it is remembered, null where the browser gives us no place. */
  constructor(private readonly kept: Kept | null, private readonly room: string) {
    const before = kept?.getItem(KEPT + room);
    this.wanted = PICTURES.find((known) => known === before) ?? "full";
  }

  picture(): Picture {
    return this.wanted;
  }

  /** What is asked of one camera: `silent`, it has no microphone. */
  of({ silent }: { silent: boolean }): Picture {
    return silent && this.wanted === "sound" ? "low" : this.wanted;
  }

  /** Chooses, and does what is `then` to be done once no other choice follows: whoever goes through them with a key means the last. */
  choose(picture: Picture, then: () => void = () => undefined): void {
    this.wanted = picture;
    this.kept?.setItem(KEPT + this.room, picture);
    clearTimeout(this.timer);
    this.timer = setTimeout(then, CHOOSING_MS);
  }
}

/** The offer `sdp` as it is said where little is wanted: with the most that its picture may take (RFC 8866, section 5.8). */
export function bounded(sdp: string): string {
  return sdp.replace(/^m=video .*\r?\n(?:[ic]=.*\r?\n)*/m, (head) => `${head}b=AS:${LOW_KBIT}\r\n`);
}
