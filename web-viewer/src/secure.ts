// Says on a page over plain http where the same page is over https, and how to get there without being asked: browsers
// hand a microphone to no other page. Must not know calls or the relay's protocol.

import { element } from "./dom";
import { TEXT } from "./words";

/** Where https is spoken, and by which authority of the camera's own, if by one. */
export interface Secure {
  origin: string;
  fingerprint: string | null;
}

/** As much of a `Location` as is needed. */
export type Place = Pick<Location, "protocol" | "pathname" | "search" | "hash">;

/** What the server says of https (`https.json`), if it can be meant; `null` where there is none. */
export function readSecure(said: unknown): Secure | null {
  if (typeof said !== "object" || said === null) return null;
  const { origin, fingerprint } = said as Record<string, unknown>;
  if (typeof origin !== "string" || !isSecureOrigin(origin)) return null;
  const sound = typeof fingerprint === "string" && /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/.test(fingerprint);
  return { origin, fingerprint: sound ? fingerprint : null };
}

/** This very page over https, with room and key. */
export function secureLink(secure: Secure, at: Place): string {
  return secure.origin + at.pathname + at.search + at.hash;
}

/** Whether a page over https could do more: it is not there yet, and would be allowed to speak with the room's relay. */
export function isBetterSecure(at: Place, trusted: boolean, relay: string | null): boolean {
  return !trusted && at.protocol === "http:" && (relay === null || relay.startsWith("https:"));
}

/** Shows the way, where there is one. `relay` is the origin of somebody else's, if the room is there. */
export async function offerSecure(relay: string | null): Promise<void> {
  if (!isBetterSecure(location, window.isSecureContext, relay)) return;
  const secure = await ask();
  if (secure) document.querySelector(".over")?.prepend(way(secure));
}

async function ask(): Promise<Secure | null> {
  try {
    const answer = await fetch("https.json", { cache: "no-store" });
    return answer.ok ? readSecure(await answer.json()) : null;
  } catch {
    // Whatever serves this page does not know.
    return null;
  }
}

function way({ origin, fingerprint }: Secure): HTMLElement {
  const link = element("a", { href: secureLink({ origin, fingerprint }, location) }, TEXT.secureLink);
  const said = element("p", {}, `${TEXT.secureWhy} `, link, ".");
  if (!fingerprint) return element("aside", { id: "secure" }, said);
  const file = element("a", { href: "ca.crt" }, TEXT.authorityLink);
  const how = TEXT.authorityHow.map((step) => element("li", {}, step));
  return element("aside", { id: "secure" }, said, element("details", {},
    element("summary", {}, TEXT.authorityAsked),
    element("p", {}, `${TEXT.authorityWhy} `, file, `. ${TEXT.authorityCompare}`),
    element("code", {}, fingerprint),
    element("ul", {}, ...how)));
}

function isSecureOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return url.protocol === "https:" && url.username === "" && (url.origin === text || `${url.origin}:443` === text);
  } catch {
    return false;
  }
}
