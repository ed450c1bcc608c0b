// Every sentence the page shows or reads out, in plain words for somebody who was just woken by the baby.
// Must not know where on the page they stand.

import type { View } from "./life";
import type { Why } from "./reasons";
import type { MonitorState } from "./monitor";
import type { Path, Trouble } from "./path";
import { NAMELESS } from "./roster";
import type { Watcher } from "./wire";

/** A heading and what else there is to say. */
export interface Words {
  title: string;
  text: string;
}

/** What to say about a reason when the page does not call again by itself, or waits for long. */
const REASONS: Record<Why, Words> = {
  "busy": { title: "All places are taken", text: "As many people watch as the camera allows. You get the next free place; just leave this page open." },
  "no-codec": { title: "This browser cannot show the picture", text: "It has no picture format in common with the camera. Another browser will do: try Chrome, Edge or Safari." },
  "no-bundle": { title: "This browser is too old", text: "It cannot receive picture and sound the way the camera sends them. Please update it or use another one." },
  "not-allowed": { title: "You are not let in", text: "The camera does not know the key in this link, or it is a key for another room. Open the whole link once more, or ask its owner for a new one." },
  "expired-key": { title: "Your key has expired", text: "It was made for a time that is over. If you are still to watch, ask the camera’s owner for a new link, and open that." },
  "revoked-key": { title: "Your key was taken back", text: "The camera’s owner does not let this link in any more. If that is a mistake, ask for a new one, and open that." },
  "bad-offer": { title: "The camera did not understand this browser", text: "Please update the browser or use another one." },
  "bad-answer": { title: "The camera did not understand the reply", text: "It called this browser and could not read what came back. The page calls by itself." },
  "bad-message": { title: "The camera did not understand this page", text: "Something was lost on the way. The page calls again by itself." },
  "too-large": { title: "The camera did not understand this browser", text: "Its call is larger than the camera reads. Please use another browser." },
  "too-often": { title: "One moment, please", text: "There were too many calls in a short time. The page calls again in about a minute." },
  "call-again": { title: "Calling again…", text: "The last call could not be changed, so the page makes a new one." },
  "not-here": { title: "The camera is not there", text: "It may be switched off or out of reach. The page calls it as soon as it is back." },
  "camera-lost": { title: "No picture from the camera", text: "It answers, but its lens or cable gives no picture. The picture comes back here as soon as there is one." },
  "shutting-down": { title: "The camera is restarting", text: "It was switched off or is starting again. The page calls it as soon as it is back." },
  "hang-up": { title: "Call ended", text: "Nothing is being watched or heard now." },
  "replaced": { title: "You are watching in another window", text: "The call moved there. You can bring it back to this one." },
  "silent": { title: "The picture stopped", text: "Nothing came from the camera for a few seconds. The page calls again by itself." },
  "no-answer": { title: "The call was not answered", text: "The camera called and heard nothing. The page calls by itself." },
  "no-connection": { title: "No way through to the camera", text: "The camera answers, but picture and sound find no way here. The page keeps trying." },
  "too-slow": { title: "The picture cannot get through", text: "The way to this device is too slow for it, or the camera’s board has too much to do. The page tries again in a moment." },
  "failed": { title: "The call went wrong", text: "Something failed on the way. The page calls again by itself." },
  "no-key": { title: "A key is needed here", text: "This camera only opens to people with a key. Ask its owner for a link of your own, and open the whole of it." },
  "no-entry": { title: "You are not let in", text: "There is no such room here, or it only opens to people with the right key. Check the link, or ask the camera’s owner for another." },
  "no-pass": { title: "The server does not let this page in", text: "This link is not enough for it, or not any more. Ask whoever gave it to you for a new one. The page keeps trying." },
  "unanswered": { title: "The camera does not answer", text: "It may be switched off or out of reach. The page keeps calling it." },
  "unproved": { title: "This may not be your camera", text: "What answered did not prove that it knows your key, so nothing of it is shown, and it hears nothing from here. Ask the camera’s owner for a new link." },
  "changed": { title: "Somebody changed the call", text: "Somebody between this page and the camera changed what it answered, so nothing of it is shown, and nobody hears anything from here. Try another network, and tell the camera’s owner." },
};

/** What a call that does not come about says about itself, where that is more than that the page goes on. */
const TELLING: readonly (Why | null)[] = ["shutting-down", "no-connection", "too-slow"];

const SOON = "The picture will be here in a moment.";
const LAST_ONE = "You see the last one meanwhile.";

/**
 * The words for what the camera named `name` is doing; `trouble`: why the last call found no way, where that is known;
 * `sound`: of sound alone, because a person wants no more; `here`: what is wrong with the way is on this side.
 */
export function words(view: View, name: string, trouble: Trouble | null = null, sound = false, here = false): Words {
  const why = (reason: Why) => reason === "no-connection" && trouble ? lost(trouble) : REASONS[reason].text;
  const who = name === NAMELESS ? "the camera" : name;
  const Who = name === NAMELESS ? "The camera" : name;
  switch (view.word) {
    case "live":
      return { title: "Live", text: "" };
    case "calling":
      return view.reason && view.reason !== "call-again"
        ? { title: `Calling ${who}…`, text: why(view.reason) }
        : { title: `Calling ${who}…`, text: sound ? "" : SOON };
    case "again":
      return {
        title: `Getting the ${sound ? "sound" : "picture"} back…`,
        text: view.reason && TELLING.includes(view.reason) ? why(view.reason) : sound ? "" : LAST_ONE,
      };
    case "sound-only":
      return { title: "Only sound", text: `${here ? "The Wi-Fi or mobile network on this side" : "The way to this device"} is too weak for the picture. It comes back here by itself.` };
    case "sound-chosen":
      return { title: "Sound only, as you chose", text: "" };
    case "camera-lost":
      return REASONS["camera-lost"];
    case "privacy":
      return TEXT.privacy;
    case "relay-lost":
      // Where the camera itself was the relay, its last word says more than the silence after it.
      if (view.reason === "shutting-down") return REASONS["shutting-down"];
      return { title: `Cannot reach ${who}`, text: TEXT.relayLost.text };
    case "absent":
      return view.reason === "unanswered"
        ? { title: `${Who} does not answer`, text: REASONS.unanswered.text }
        : { title: `${Who} is not there`, text: REASONS["not-here"].text };
    case "turned-away":
    case "waiting":
    case "refused":
    case "ended":
      return REASONS[view.reason ?? "failed"];
  }
}

/**
 * What to say where there is no tile to carry words: how far we are with the relay (`new`: nobody knows yet whether there
 * is one), whether it has `listed` who is there (null: not yet), and why it does not let us in. And whether it goes on.
 */
export function note(relay: "new" | "up" | "down", listed: boolean | null, door: Why | null): [said: Words, busy: boolean] {
  if (door !== null) return [words({ word: "turned-away", reason: door }, NAMELESS), false];
  if (relay === "down") return [TEXT.relayLost, true];
  return [relay === "up" && listed !== null ? TEXT.emptyRoom : TEXT.openingRoom, true];
}

/** How long ago a picture may have moved that goes on: looks are a second apart. */
const MOVES_MS = 1_500;

/**
 * The small line under a live picture; null: nothing to say. `away`: since when there is no relay, null while there is one.
 * `seen`: when each picture last moved. That a picture goes on is said while it does, and not because it did.
 */
export function hint(online: boolean, away: Date | null, seen: (Date | null)[], now: Date): string | null {
  if (seen.length === 0) return null;
  if (!online) return TEXT.offlineHint;
  if (away === null) return null;
  return seen.every((date) => date !== null && date > away && now.getTime() - date.getTime() < MOVES_MS) ? TEXT.relayHint : TEXT.relayAway;
}

/** How long there may be no picture before it is said since when, in milliseconds. */
const UNSEEN_MS = 15_000;

/** Since when there is no picture, where somebody waits for one; empty before it has been away for a while. */
export function unseen({ word }: View, seen: Date | null, now: Date): string {
  const waited = seen !== null && now.getTime() - seen.getTime() >= UNSEEN_MS;
  return !waited || ["live", "sound-chosen", "privacy", "refused", "ended"].includes(word) ? "" : `No picture since ${clock(seen, now)}.`;
}

/**
 * What there is to say of the alarm; null: nothing. `missing`: the cameras of which nothing comes; `note`: what is said where
 * there is none at all.
 */
export function alarmed(
  { word, until, audible }: Pick<MonitorState, "word" | "until" | "audible">,
  missing: readonly { name: string; view: View; trouble: Trouble | null }[], note: Words,
): Words | null {
  const who = missing.map(({ name }) => (name === NAMELESS ? "the camera" : name)).join(", ") || "the camera";
  const [first] = missing;
  const why = first ? words(first.view, first.name, first.trouble).text : note.text;
  // Nothing that is said beside a picture, or promises one, fits here.
  const text = ["", LAST_ONE, SOON].includes(why) ? REASONS.silent.text : why;
  const title = `Neither picture nor sound from ${who}`;
  switch (word) {
    case "sounding":
      return { title, text: audible ? text : TEXT.alarmMute.text };
    case "hushed":
      return { title, text: `Quiet until ${clock(new Date(until), new Date(until))}. ${text}` };
    case "off":
      return null;
    default:
      return !audible ? TEXT.alarmMute : word === "soon" ? { title, text: "The alarm sounds in a moment." }
        : word === "idle" ? { title: "The alarm rests", text: "Nothing is watched now." } : null;
  }
}

/** Most names of others who watch that are said. */
const NAMES_SAID = 3;

/**
 * Who else watches, since when; empty when nobody does. `since` is said in this device's own time, and only where it can
 * be true `now` (a camera without a clock counts from 1970).
 */
export function others(viewers: Watcher[], now: Date): string {
  const [only] = viewers;
  if (!only) return "";
  const since = ({ since: seconds }: Watcher) => {
    const date = new Date((seconds ?? 0) * 1000);
    const possible = date >= EARLIEST && date.getTime() <= now.getTime() + CLOCKS_APART_MS;
    return possible ? ` since ${clock(date, now)}` : "";
  };
  if (viewers.length === 1) {
    const when = since(only);
    return `${only.name ?? "Somebody else"} is watching too${when === "" ? "" : `,${when}`}`;
  }
  const named = viewers.filter(({ name }) => name !== null);
  if (named.length === 0) return `${viewers.length} others watch`;
  const said = named.slice(0, NAMES_SAID).map((viewer) => `${viewer.name}${since(viewer)}`);
  const more = viewers.length - said.length;
  return `${viewers.length} others watch: ${said.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const EARLIEST = new Date("2020-01-01T00:00:00Z");
/** How far two clocks may differ, in milliseconds. */
const CLOCKS_APART_MS = 10 * 60_000;

/** "21:04", with the day in front of it where that is not today. */
export function clock(date: Date, now: Date): string {
  const time = [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" }).replace(",", "")} ${time}`;
}

/** Which way the call takes. */
export function way({ kind, relay, over }: Path): string {
  const by = over === "udp" ? "" : `, over ${over.toUpperCase()}`;
  switch (kind) {
    case "near": return `In the same network${by}`;
    case "direct": return `Directly, from network to network${by}`;
    case "nat": return `Directly, through a router (NAT)${by}`;
    case "relay": return `Through ${relay === null ? "a relay server" : `the relay server ${relay}`} (TURN)${by}`;
  }
}

/** What of the picture the way does not carry, behind which way that is; empty where it carries all. `here`: it is this side's. */
export function weak(feed: string, here: boolean): string {
  return feed !== "picture-small" ? "" : here ? ". The Wi-Fi or mobile network on this side is weak: the picture is small" : ". It is weak: the picture is small";
}

/** Why a call found no way, and what helps. */
export function lost(trouble: Trouble): string {
  switch (trouble.is) {
    case "mute-browser":
      return "This browser names no network address of its own: an extension, a policy or a setting keeps calls (WebRTC) from it. Allow them, or use another browser.";
    case "mute-camera":
      return "The camera answers, but names no network address. Its owner should look at its log, and at interfaces and addresses below [ice] in its configuration.";
    case "relay-refuses":
      return `The relay server ${trouble.server} refuses this browser (${trouble.code}). The camera’s owner should compare the name and password, or the secret, below turn in its configuration with the server’s, and the clocks of both.`;
    case "relay-away":
      return `The relay server ${trouble.server} cannot be reached from here. Another network may let you through; for this one the camera’s owner may add the server under turns: as well, on a port that is let out, such as 443.`;
    case "behind-relay":
      return "The relay server takes this browser, but nothing of the camera arrives there. The camera’s owner should look whether the camera reaches that server: its log says so.";
    case "udp-blocked":
      return "This network lets no calls out (UDP). Another one may, such as the phone’s own; for this one the camera’s owner needs a relay server: turn below [ice] in its configuration, with ?transport=tcp or turns:.";
    case "no-relay":
      return "The routers on both sides let no direct call through. It needs a relay server in between: the camera’s owner writes one below turn under [ice] in its configuration. In the camera’s own network it works without.";
    case "no-servers":
      return "In the camera’s own network a firewall may be in the way of UDP. From another network calls need help: the camera’s owner writes servers below stun and turn under [ice] in its configuration.";
  }
}

/** One or two words for the corner of the picture and the window's title. */
export function short(view: View): string {
  switch (view.word) {
    case "live": return "Live";
    case "calling": return "Calling…";
    case "again": return "Reconnecting…";
    case "sound-only":
    case "sound-chosen": return "Only sound";
    case "camera-lost": return "No picture";
    case "privacy": return "Privacy";
    case "relay-lost": return "No connection";
    case "turned-away": return "Not let in";
    case "absent": return view.reason === "unanswered" ? "No answer" : "Not there";
    case "waiting": return "Waiting";
    case "refused": return "Refused";
    case "ended": return "Ended";
  }
}

/** What the window is called: one camera's name and what is to be said of it, else the room's. */
export function titled(room: string, cameras: readonly (readonly [name: string, view: View])[]): string {
  const [only] = cameras;
  const first = !only ? [] : cameras.length > 1 ? [room] : only[1].word === "live" ? [only[0]] : [short(only[1]), only[0]];
  return [...first, TEXT.product].join(" · ");
}

/** What a screen reader says when the state has changed; `since`: as `unseen` has it, the rest: as `words` has it. */
export function spoken(view: View, name: string, since = "", trouble: Trouble | null = null, sound = false, here = false): string {
  const { title, text } = words(view, name, trouble, sound, here);
  return view.word === "live" ? `${name} is live.` : `${name}: ${title}${/[.…?!]$/.test(title) ? "" : "."} ${since && `${since} `}${text}`.trim();
}

export const TEXT = {
  product: "Porthole",
  openingRoom: { title: "Opening…", text: "Looking for the camera." },
  relayLost: { title: "No connection", text: "Please check that this device is online. If it is, the camera’s server is away. The page keeps trying by itself." },
  privacy: { title: "Privacy is on", text: "Somebody has switched the camera and its microphone off for a while. It ends here by itself." },
  soundLost: "The microphone gives no sound. It comes back by itself.",
  emptyRoom: { title: "No camera here yet", text: "As soon as one comes into this room, you will see it here." },
  relayAway: "The camera’s server is away.",
  relayHint: "The camera’s server is away. The picture goes on.",
  offlineHint: "This device is offline.",
  hintOver: "Connected again.",
  soundOn: "Turn sound on",
  pictureOn: "Start the picture",
  mute: "Mute",
  unmute: "Unmute",
  noSound: "No sound",
  hangUp: "Hang up",
  call: "Call",
  callAgain: "Call again",
  tryAgain: "Try again",
  watchHere: "Watch here",
  showPicture: "Show the picture",
  details: "Details",
  detailsOf: (name: string) => `Details of ${name}`,
  close: "Close",
  choice: "On this device",
  choices: { full: "Picture", low: "Low data", sound: "Sound only" },
  copy: "Copy as text",
  copied: "Copied. It has no key and no address in it.",
  copyYourself: "Copy it by Ctrl+C or ⌘C; on a phone hold a finger on it.",
  fullScreen: "Full screen",
  alarmIsOn: "Alarm is on",
  alarmIsOff: "Alarm is off",
  alarmOn: "The alarm sounds when picture and sound stop for 10 seconds.",
  alarmLimits: [
    "You have just heard it. If not, turn this device up; a phone’s silent switch may mute it, too.",
    "A phone that is locked or shows something else stops this page, and so does a computer that sleeps: then no alarm sounds. Leave the page in front, the device plugged in, the laptop open.",
  ],
  screenOn: "The page keeps the screen on.",
  screenOff: "The page cannot keep the screen on here: set the device so that it stays on.",
  screenHttp: "Only over https can the page keep the screen on.",
  alarmMute: { title: "The alarm cannot sound yet", text: "The browser wants a touch first: press anywhere on the page." },
  alarmTitle: "No picture, no sound",
  hush: "Quiet for 2 minutes",
  leaveFullScreen: "Leave full screen",
  cameras: "Cameras",
  controls: "Controls",
  enlarge: (name: string) => `Show only ${name}`,
  save: "Save picture",
  showAll: "Show all cameras",
  formTitle: "Which camera?",
  formText: "Type the name of the camera’s room, or open the link you were given.",
  formLabel: "Room",
  formButton: "Watch",
  formError: "A room’s name has 1 to 64 letters, digits or . _ : @ - and no spaces.",
  badLink: "This link is not complete: the room’s name in it cannot be one.",
  badKey: { title: "This link is not complete", text: "The key in it was cut off or changed on the way. Open the whole link once more, or ask the camera’s owner to send it again." },
  badRelay: "The address of the camera’s server in this link is wrong. Open the whole link once more, or type the room’s name.",
  secureWhy: "To talk back, open",
  secureLink: "this page over https",
  authorityAsked: "If the browser warns",
  authorityWhy: "It does not know the camera’s certificate yet. You may go on all the same, or install, once on this device,",
  authorityLink: "the camera’s certificate",
  authorityCompare: "Its SHA-256 fingerprint has to be the one that the camera printed when it started:",
  authorityHow: [
    "iPhone, iPad: open it in Safari, then Settings › General › VPN & Device Management, and General › About › Certificate Trust Settings.",
    "Android: Settings › Security › Encryption & credentials › Install a certificate › CA certificate.",
    "Computers: in the browser’s settings, search for certificates and import it as an authority.",
  ],
} as const;
