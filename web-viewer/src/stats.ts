// Reads a browser's statistics of a call into the few numbers we look at. Pure; must not know calls or the page.

import type { Report } from "./path";

/** What has arrived so far. Energy as in `totalAudioEnergy` (WebRTC statistics, section 8.2). */
export interface Arrived {
  framesReceived: number;
  framesDecoded: number;
  width: number;
  height: number;
  /** MIME type, "video/H264"; empty while nothing has arrived. */
  codec: string;
  audioCodec: string;
  /** Packets of sound; what a silent camera's browser makes up for itself does not count. */
  audioPackets: number;
  audioEnergy: number;
  audioSamples: number;
  audioLevel: number;
  packetsLost: number;
  freezes: number;
}

type Entry = Record<string, unknown>;

/** What there is of media that arrives, and the MIME type of each; empty where the browser does not say. */
export function inbound(report: Report): (readonly [entry: Entry, codec: string])[] {
  const entries: Entry[] = [];
  const codecs = new Map<unknown, unknown>();
  report.forEach((entry) => {
    if (entry.type === "inbound-rtp") entries.push(entry);
    if (entry.type === "codec") codecs.set(entry.id, entry.mimeType);
  });
  return entries.map((entry) => [entry, String(codecs.get(entry.codecId) ?? "")]);
}

export function arrived(report: Report): Arrived {
  const found: Record<string, readonly [Entry, string]> = {};
  for (const one of inbound(report)) found[String(one[0].kind)] = one;
  const { video: [video, codec] = [{}, ""], audio: [audio, audioCodec] = [{}, ""] } = found;
  return {
    framesReceived: number(video.framesReceived),
    framesDecoded: number(video.framesDecoded),
    width: number(video.frameWidth),
    height: number(video.frameHeight),
    codec,
    audioCodec,
    audioPackets: number(audio.packetsReceived),
    audioEnergy: number(audio.totalAudioEnergy),
    audioSamples: number(audio.totalSamplesReceived),
    audioLevel: number(audio.audioLevel),
    packetsLost: number(video.packetsLost),
    freezes: number(video.freezeCount),
  };
}

/**
 * How many frames are new since `before`: of those shown, or on a hidden page, where a browser may not decode, of those that
 * came. Each is compared with itself alone: that the page is looked at again is no picture.
 */
export function progress(seen: Arrived, before: Arrived | null, hidden: boolean): number {
  const decoded = seen.framesDecoded - (before?.framesDecoded ?? 0);
  return hidden ? Math.max(decoded, seen.framesReceived - (before?.framesReceived ?? 0)) : decoded;
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
