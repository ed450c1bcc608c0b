// The page's beginning and end: reads the link, starts the viewer or asks for a room, says good-bye when it goes.
// For tests and the curious it puts `window.porthole.snapshot()` there: a promise of what the page knows, see `Snapshot`.

import { claimPeerId, destination, elsewhere, fresh, releasePeerId } from "./address";
import { Page } from "./page";
import type { Kept } from "./picture";
import { offerSecure } from "./secure";
import type { Snapshot } from "./snapshot";
import { Viewer } from "./viewer";
import { isName } from "./wire";
import { TEXT } from "./words";

declare global {
  interface Window {
    readonly porthole: { snapshot(): Promise<Snapshot> };
  }
}

start();

function start(): void {
  const usual = document.querySelector<HTMLMetaElement>('meta[name="porthole-relay"]')?.content ?? "";
  const to = destination(location.hash, usual);
  // Another link in the same tab is another page.
  window.addEventListener("hashchange", () => location.reload());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  if (to.is !== "room") {
    const nothing = () => undefined;
    const page = new Page({ sound: nothing, callOrHangUp: nothing, showAll: nothing, details: nothing, alarm: nothing, hush: nothing });
    // Nobody types a key: whoever has the whole link opens that.
    if (to.is === "bad" && to.part === "key") return page.tell(TEXT.badKey, false);
    const problem = to.is === "none" ? null : to.part === "room" ? TEXT.badLink : TEXT.badRelay;
    page.ask(problem, isName, (room) => {
      location.hash = elsewhere(location.hash, room);
    });
    return;
  }
  const tab = storage(() => sessionStorage);
  const me = tab ? claimPeerId(tab) : fresh("viewer-");
  const viewer = new Viewer(to, me, fresh, lasting(storage(() => localStorage)));
  Object.defineProperty(window, "porthole", { value: Object.freeze({ snapshot: () => viewer.snapshot() }) });
  void offerSecure(to.relay?.origin ?? null);
  window.addEventListener("pagehide", () => {
    viewer.leave();
    if (tab) releasePeerId(tab);
  });
}

/** Where what a person chose is kept. One that is full is no reason not to do it. */
function lasting(kept: Storage | null): Kept | null {
  return kept && {
    getItem: (key) => kept.getItem(key),
    setItem: (key, value) => {
      try {
        kept.setItem(key, value);
      } catch {
        // Then it holds until the page is closed.
      }
    },
  };
}

/** A browser may forbid a page to keep anything; it works all the same. */
function storage(which: () => Storage): Storage | null {
  try {
    return which();
  } catch {
    return null;
  }
}
