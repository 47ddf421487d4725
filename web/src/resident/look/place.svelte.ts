/**
 * The reader's own place. It lives in this tab's storage, and longer only on the reader's word; it is never part of an address
 * and never sent.
 */
import type { Position } from "$lib/format/types";

/** A place that the reader chose. */
export interface OwnPlace {
  point: Position;
  /** As it is shown, "Concord, NH"; empty for a spot on the map. */
  name: string;
}

const KEY = "canvass.place";

function parse(text: string | null): OwnPlace | undefined {
  try {
    const found = JSON.parse(text ?? "null") as OwnPlace | null;
    const [x, y] = found?.point ?? [];
    if (typeof x !== "number" || typeof y !== "number" || Math.abs(x) > 180 || Math.abs(y) > 90) return undefined;
    return { point: [x, y], name: String(found?.name ?? "") };
  } catch {
    return undefined;
  }
}

function read(): { place: OwnPlace | undefined; remembered: boolean } {
  try {
    const remembered = parse(localStorage.getItem(KEY));
    return { place: parse(sessionStorage.getItem(KEY)) ?? remembered, remembered: remembered !== undefined };
  } catch {
    return { place: undefined, remembered: false };
  }
}

const first = read();
let place = $state.raw(first.place);
let remembered = $state(first.remembered);

function write(): void {
  try {
    if (place) sessionStorage.setItem(KEY, JSON.stringify(place));
    else sessionStorage.removeItem(KEY);
    if (place && remembered) localStorage.setItem(KEY, JSON.stringify(place));
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is off: the place lives as long as the page.
  }
}

export const own = {
  /** The place, if one was chosen. */
  get place() {
    return place;
  },
  /** Whether it outlives this tab. */
  get remembered() {
    return remembered;
  },
};

export function choosePlace(chosen: OwnPlace | undefined): void {
  place = chosen;
  write();
}

export function rememberPlace(wanted: boolean): void {
  remembered = wanted;
  write();
}
