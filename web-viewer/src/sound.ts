// Playing: browsers let a page start a silent picture, but sound often only after somebody has touched the page.
// Tries with sound first, falls back to silence, and says which button is needed. Remembers a wish for silence.
// Must not know cameras, calls or the page's layout.

import type { Kept } from "./picture";

/** `none`: there is nothing to hear. `blocked`: the browser wants a touch first. `still`: even for the picture. */
export type SoundState = "none" | "on" | "off" | "blocked" | "still";

const KEPT = "porthole.sound";

export class Sound {
  private readonly videos = new Set<HTMLVideoElement>();
  private readonly audible = new Set<HTMLVideoElement>();
  private wanted: boolean;
  private refused: "nothing" | "sound" | "picture" = "nothing";

  /** `kept` is where the wish is remembered, null where the browser gives us no place. `changed` after every change. */
  constructor(private readonly kept: Kept | null, private readonly changed: () => void) {
    this.wanted = kept?.getItem(KEPT) !== "off";
  }

  state(): SoundState {
    if (this.refused === "picture") return "still";
    if (this.audible.size === 0) return "none";
    return !this.wanted ? "off" : this.refused === "sound" ? "blocked" : "on";
  }

  /** Plays what is in `video`; `audible` when there is sound in it. */
  async play(video: HTMLVideoElement, audible: boolean): Promise<void> {
    this.videos.add(video);
    if (audible) this.audible.add(video);
    else this.audible.delete(video);
    const silent = !this.wanted || this.refused !== "nothing";
    video.muted = silent;
    let refusal = await refusalOf(video);
    if (refusal && !silent) {
      this.refused = "sound";
      for (const one of this.videos) one.muted = true;
      refusal = await refusalOf(video);
    }
    if (refusal) this.refused = "picture";
    this.changed();
  }

  forget(video: HTMLVideoElement): void {
    this.videos.delete(video);
    this.audible.delete(video);
    this.changed();
  }

  /** The picture went away and with it its sound; the next `play` says what comes. */
  silent(video: HTMLVideoElement): void {
    this.audible.delete(video);
    this.changed();
  }

  /** The person turns the sound on or off. Must be called from within the touch or key press itself. */
  toggle(): void {
    this.wanted = this.state() !== "on";
    this.kept?.setItem(KEPT, this.wanted ? "on" : "off");
    if (this.wanted) this.refused = "nothing";
    for (const video of this.videos) {
      video.muted = !this.wanted;
      if (this.wanted && video.srcObject) void this.play(video, this.audible.has(video));
    }
    this.changed();
  }
}

/** Whether the browser will not play it without a touch. That a newer picture came in between is no refusal. */
async function refusalOf(video: HTMLVideoElement): Promise<boolean> {
  try {
    await video.play();
    return false;
  } catch (error) {
    return error instanceof DOMException && error.name === "NotAllowedError";
  }
}
