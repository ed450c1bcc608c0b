// What the camera said of itself, and how long that is believed. Whoever loses the relay may miss the end of it, and believes
// it all the same until the camera is there again: a slate that is taken for the picture costs an alarm, the other way round
// only a false one. Times as in `Life`. Must not know calls.

/** How long a camera that is there again may take to repeat what is still so. */
export const RECALL_MS = 3_000;

/** What a camera says of itself; pictures and sound go on coming in either case, with something that stands in. */
export type News = "camera-lost" | "camera-back" | "privacy-on" | "privacy-off" | "sound-lost" | "sound-back";

export class Told {
  cameraLost = false;
  privacy = false;
  /** Its microphone gives no sound. */
  mute = false;
  /** Until when it may repeat what is still so; null: nothing is open. */
  private until: number | null = null;

  hear(news: News): void {
    // It has begun to repeat what is so: what it does not is over.
    if (this.until !== null) this.forget();
    if (news === "camera-lost" || news === "camera-back") this.cameraLost = news === "camera-lost";
    else if (news === "sound-lost" || news === "sound-back") this.mute = news === "sound-lost";
    else this.privacy = news === "privacy-on";
  }

  /** The relay is gone, and nothing is heard of the camera. */
  away(): void {
    this.until = null;
  }

  /** The camera is in the room, and was not or we were not. */
  back(now: number): void {
    this.until = now + RECALL_MS;
  }

  time(now: number): void {
    if (this.until !== null && this.until <= now) this.forget();
  }

  /** Another call is made: what is still so is said again behind its answer. */
  forget(): void {
    this.until = null;
    this.cameraLost = this.privacy = this.mute = false;
  }
}
