// What the page says of itself in detail: in sentences with a line of figures below each, and as text for the report of a
// bug, which anybody may read. Must not know where it stands.

import type { View } from "./life";
import type { Figures, Recent } from "./figures";
import type { Path, Trouble } from "./path";
import type { Picture } from "./picture";
import { clock, spoken, way } from "./words";

/** Put in when the page is built: that of package.json. */
declare const VERSION: string;

/** What is known of one camera. `asks`: how much of its picture it was asked for, `feed`: how much it says that it sends. */
export interface Known {
  name: string;
  view: View;
  trouble: Trouble | null;
  asks: Picture;
  feed: string;
  /** The camera says that what is wrong is on this side. */
  here: boolean;
  path: Path | null;
  recent: Recent | null;
  /** The same of the call before. */
  past: Recent | null;
  /** When the call was made. */
  since: Date;
}

/** `relay`: whether it is reached; `door`: why it does not let us in; `away`: when it was lost last. `browser`: what it calls itself. */
export interface Around {
  relay: "new" | "up" | "down";
  door: unknown;
  away: Date;
  browser: string;
}

export interface Line {
  said: string;
  figures: string;
}

/** So much is lost now and then on a good way, in percent. */
const MUCH = 2;
/** So late is late, in milliseconds. */
const LATE_MS = 400;
/** Fewer frames in a second are few. */
const FEW = 6;
/** No small picture of a camera has more pixels. */
const SMALL_PIXELS = 640 * 360;
/** So far apart are picture and sound two things, in milliseconds. */
const APART_MS = 100;

/** What there is to say of a camera. What the browser does not know is left out. */
export function lines(known: Known, { relay, door, away, browser }: Around, now: Date): Line[] {
  const { view, name, trouble, path, recent } = known;
  const goes = ["live", "sound-only", "sound-chosen", "camera-lost", "privacy"].includes(view.word);
  const figures = goes && recent ? recent.figures() : null;
  return [
    ...(["live", "sound-chosen"].includes(view.word) ? [] : [{ said: spoken(view, name, "", trouble, known.asks === "sound"), figures: "" }]),
    ...(figures ? measured(known, figures, now) : []),
    goes && path && { said: `${way(path)}.`, figures: "" },
    relay === "new" || door ? null
      : { said: relay === "up" ? "The camera’s server is reached." : `The camera’s server has been away since ${clock(away, now)}.${goes ? " A call goes on without it, as it is." : ""}`, figures: "" },
    { said: `This page is Porthole ${VERSION}.`, figures: browser },
  ].filter((line): line is Line => Boolean(line));
}

/** What there is to say of the way: the `worst` loss, whether it carries `none` or but a `little` picture, and whether it is `weak`. */
function judged({ asks, feed }: Known, { picture, sound }: Figures) {
  const losses = [picture?.loss, sound?.loss].filter((loss) => typeof loss === "number");
  const worst = losses.length > 0 ? Math.max(...losses) : null;
  const none = feed === "picture-none" && asks !== "sound";
  const little = none || (feed === "picture-small" && asks === "full");
  return { worst, none, little, weak: little || (worst ?? 0) >= MUCH };
}

type Judgement = ReturnType<typeof judged>;

function measured(known: Known, figures: Figures, now: Date): (Line | null)[] {
  const judgement = judged(known, figures);
  // What stands in for the picture does not freeze, and is none of the camera's.
  const ours = known.view.word !== "camera-lost" && known.view.word !== "privacy";
  return [
    quality(known, figures, judgement), delay(figures, judgement),
    ...(ours ? [freezes(figures, known.since, now), sent(known, figures, judgement)] : []),
  ];
}

function quality({ here, path }: Known, { picture, sound }: Figures, { worst, none, little, weak }: Judgement): Line | null {
  if (!weak && worst === null) return null;
  const lost = worst === null || worst === 0 ? null : `${percent(worst)} of the packets were lost in the last 10 seconds.`;
  // Where nothing is lost, it may be the board that does not get it all out.
  const where = worst === 0 ? "The way, or the camera’s board, is too slow" : here ? "Weak Wi-Fi or mobile network on this side"
    : path?.kind === "near" ? "Weak Wi-Fi or network between the camera and this device" : "The way between the camera and this device is weak";
  return {
    said: !weak ? `The way is good: ${lost ?? "nothing was lost in the last 10 seconds."}`
      : `${where}: ${(worst ?? 0) >= MUCH || !little ? lost : none ? "it carries no picture." : "it carries a small picture only."}`,
    figures: each("lost: ", [["picture", picture?.loss, percent], ["sound", sound?.loss, percent]]),
  };
}

function delay({ picture, sound, rtt }: Figures, { weak }: Judgement): Line | null {
  if (rtt === null) return null;
  const [seen, heard] = [picture?.late ?? null, sound?.late ?? null];
  const late = Math.max(seen ?? 0, heard ?? 0);
  const why = late < LATE_MS ? "" : rtt > late ? `, because the way is ${weak ? "too narrow" : "long"}`
    : `, because this ${late === seen && late > 2 * picture!.buffer! ? "device is slow or busy" : "browser waits for what comes late"}`;
  const said = seen === null && heard === null ? `To the camera and back it takes ${ms(rtt)}`
    : seen === null || heard === null ? `The ${seen === null ? "sound" : "picture"} comes about ${ms(late)} late`
    : Math.abs(seen - heard) < APART_MS ? `Picture and sound come about ${ms(late)} late`
    : `The picture comes about ${ms(seen)} late, the sound ${ms(heard)}`;
  const buffers = each("; buffer: ", [["picture", picture?.buffer, ms], ["sound", sound?.buffer, ms]]);
  return { said: `${said}${why}.`, figures: `round trip: ${ms(rtt)}${buffers}` };
}

function freezes({ freezes, frozen }: Figures, since: Date, now: Date): Line | null {
  if (freezes === null) return null;
  const when = `since ${clock(since, now)}`;
  const long = frozen === null ? "" : `, for ${frozen.toFixed(1)} s in all`;
  return { said: freezes === 0 ? `The picture has not frozen ${when}.` : `The picture froze ${freezes === 1 ? "once" : `${freezes} times`} ${when}${long}.`, figures: "" };
}

function sent({ asks, feed }: Known, { picture, sound, made, rtt }: Figures, { worst, weak }: Judgement): Line {
  // What was asked for may have been lost on the way; nought: nothing has come.
  const pixels = (picture?.width ?? 0) * (picture?.height ?? 0);
  const what = asks === "sound" ? "sound alone, as you chose"
    : feed === "picture-none" ? "sound alone: the way carries no picture"
    : asks === "low" && feed !== "picture-full" && pixels <= SMALL_PIXELS ? pixels ? "a small picture, as you chose" : "a picture"
    : feed === "picture-small" && asks === "full" ? "a small picture: the way carries no more" : "the full picture";
  // Nor does a way on which everything waits lose anything.
  const few = made !== null && made < FEW && worst === 0 && !weak && (rtt ?? 0) < LATE_MS
    ? ", but few frames a second: that is its board, its light or its settings, not the way" : "";
  const kbit = (rate: number) => `${Math.round(rate)} kbit/s`;
  return {
    said: `The camera sends ${what}${sound || asks === "sound" ? "" : ", without sound"}${few}.`,
    figures: [
      each("picture: ", [
        [picture?.codec ?? "", picture?.width, (width) => `${width} × ${picture?.height}`], ["", picture?.frames, (rate) => `${rate.toFixed(1)} frames/s`],
        ["", picture?.kbit, kbit],
      ]),
      each("sound: ", [[sound?.codec ?? "", sound?.kbit, kbit]]),
    ].filter(Boolean).join("; "),
  };
}

/** The figures that are known, each behind its name; nothing where none is. */
function each(head: string, figures: [name: string, figure: number | null | undefined, say: (figure: number) => string][]): string {
  const known = figures.flatMap(([name, figure, say]) => (typeof figure === "number" ? [`${name} ${say(figure)}`.trim()] : []));
  return known.length === 0 ? "" : head + known.join(", ");
}

function percent(part: number): string {
  return `${part === 0 ? 0 : part < 1 ? Math.max(part, 0.1).toFixed(1) : Math.round(part)}\u00a0%`;
}

function ms(time: number): string {
  return time < 1_000 ? `${Math.round(time)}\u00a0ms` : `${(time / 1_000).toFixed(1)}\u00a0s`;
}

/** What else a report says of the page: names and states, none of which opens anything. */
export interface Page extends Around {
  room: string;
  states: Readonly<Record<string, unknown>>;
  changes: readonly string[];
}

/**
 * The text for the report of a bug. Whoever is shown it learns no key, no proof, no address: of a server in between it
 * says that there is one.
 */
export function report(cameras: readonly Known[], page: Page, now: Date): string {
  const listed = (what: Readonly<Record<string, unknown>>) => Object.entries(what).map(([name, value]) => `${name}=${value}`).join(" ");
  return [
    `Porthole ${VERSION}, ${now.toLocaleString("sv")} (${now.toISOString()})`,
    `room ${page.room}: ${listed(page.states)}`,
    ...cameras.flatMap((known) => {
      const { name, view, asks, feed, here, path, trouble, recent, past } = known;
      const looked = recent?.last();
      const last = looked ?? past?.last();
      const told = lines({ ...known, trouble: null, path: path && { ...path, relay: null } }, page, now).slice(0, -1);
      return [
        "", `camera ${name}: ${listed({ word: view.word, reason: view.reason, trouble: trouble?.is ?? null, asks, feed, here, way: path?.kind ?? null, over: path?.over ?? null })}`,
        ...told.map(({ said, figures }) => `- ${said}${figures && ` (${figures})`}`),
        ...(["video", "audio"] as const).flatMap((kind) => (last?.[kind] ? [`${looked ? "" : "before: "}${kind}: codec=${last[kind].codec} ${listed(last[kind].counts)}`] : [])),
      ];
    }),
    "", page.browser, "", "The last changes:", ...page.changes, "",
  ].join("\n");
}
