// What pages of other people show: they have no snapshot of their own, but their variables can be looked at by name.
// Must not know how they are spelt, nor how the daemon is started.

import { until } from "./waiting.mjs";

/** Frames after which a picture moves, not only stands. */
const MOVES = 10;

/** Waits until the page sees more than it does now, and hears; returns what arrives there. */
export async function watches(page, porthole) {
  const before = await arrives(page);
  return until(() => arrives(page), (now) => now && now.frames >= (before?.frames ?? 0) + MOVES && now.energy > (before?.energy ?? 0),
    () => `a lesson's page sees and hears; it said\n${page.said.join("\n")}\nand the daemon\n${porthole.output}`);
}

/** What arrives at a lesson's page, null while it has no call. */
export function arrives(page) {
  return page.evaluate(async () => {
    if (!peerConnection || !remoteStream) return null;
    const report = [...(await peerConnection.getStats()).values()];
    const inbound = (kind) => report.find((entry) => entry.type === "inbound-rtp" && entry.kind === kind) ?? {};
    const { videoWidth: width, videoHeight: height } = remoteVideo;
    const codec = report.find(({ id }) => id === inbound("video").codecId)?.mimeType;
    return { width, height, codec, frames: inbound("video").framesDecoded ?? 0, energy: inbound("audio").totalAudioEnergy ?? 0 };
  });
}
