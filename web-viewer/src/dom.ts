// Makes elements. No markup from text anywhere: what strangers call themselves is only ever text.

type Attributes = Record<string, string | boolean>;

/** An element with attributes and children; an attribute that is `false` is left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Whether it is not seen now, because nobody has moved for a while. */
export function faded(at: Element | null): boolean {
  if (!document.body.matches("[data-watching][data-quiet]")) return false;
  for (; at; at = at.parentElement) {
    if (Number(getComputedStyle(at).opacity) < 0.5) return true;
  }
  return false;
}

/** Outlines on a grid of 24 x 24. */
const ICONS = {
  soundOn: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 8.5a5 5 0 0 1 0 7M18 6a8.5 8.5 0 0 1 0 12",
  soundOff: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  small: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  larger: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20M10.5 8v5M8 10.5h5",
  save: "M12 4v11M7 10l5 5 5-5M5 20h14",
  all: "M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z",
  call: "M8 5.5v13l10.5-6.5z",
  details: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v6M12 7v.5",
  close: "M6 6l12 12M18 6L6 18",
  talk: "M12 3.5a2.5 2.5 0 0 1 2.5 2.5v5.5a2.5 2.5 0 0 1-5 0V6A2.5 2.5 0 0 1 12 3.5zM6 11a6 6 0 0 0 12 0M12 17v3.5",
  alarmOn: "M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM10.5 22h3M12 5V2.5",
  alarmOff: "M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM10.5 22h3M3 3l18 18",
  hangUp: "M3 14.5c-.8-1.2-.7-2.7.4-3.7a13 13 0 0 1 17.2 0c1.1 1 1.2 2.5.4 3.7-.4.6-1.1.8-1.8.6l-2.6-.8a1.5 1.5 0 0 1-1-1.7l.2-1.3a11 11 0 0 0-7.6 0l.2 1.3a1.5 1.5 0 0 1-1 1.7l-2.6.8c-.7.2-1.4 0-1.8-.6z",
} as const;
export type Icon = keyof typeof ICONS;

export function icon(name: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
