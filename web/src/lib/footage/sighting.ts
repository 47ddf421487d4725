/** What was seen: a person or vehicle in one recording, as `crates/footage` writes it; and how far one colour may be taken for another. */

/** A person or vehicle in one recording, from when it came to when it went. */
export interface Sighting {
  kind: string;
  /** How sure that is, 0 to 1. */
  score: number;
  /** Seconds from the start of the recording. */
  start: number;
  end: number;
  best: number;
  /** Where it was when it was seen best: left, upper edge, width, height, in pixels. */
  box: [number, number, number, number];
  frames: number;
  /** Shares of colours by part: `Upper`, `Lower`, `Body`. */
  colours?: Record<string, Record<string, number>>;
  /** What a person carries, leads or rides, and in which share of the frames it was seen. */
  with?: Record<string, number>;
}

/** Most sightings of one list. */
export const MAX_SIGHTINGS = 100_000;

const NEAR: [string, string, number][] = [
  ["Grey", "Silver", 0.8],
  ["Black", "Grey", 0.25],
  ["Grey", "White", 0.25],
  ["Silver", "White", 0.4],
  ["Red", "Orange", 0.25],
  ["Red", "Pink", 0.25],
  ["Orange", "Brown", 0.25],
  ["Orange", "Yellow", 0.25],
  ["Brown", "Beige", 0.25],
  ["Beige", "Yellow", 0.25],
  ["Gold", "Beige", 0.4],
  ["Gold", "Yellow", 0.4],
  ["Blue", "Purple", 0.4],
  ["Purple", "Pink", 0.4],
  ["White", "Beige", 0.25],
  ["Red", "Brown", 0.25],
  ["Yellow", "Green", 0.25],
  ["Green", "Blue", 0.25],
  ["Black", "Brown", 0.25],
  ["Gold", "Brown", 0.25],
  ["Black", "Blue", 0.15],
  ["Grey", "Beige", 0.15],
  ["Grey", "Blue", 0.15],
  ["Grey", "Brown", 0.15],
];
const LIKE = new Map(NEAR.flatMap(([a, b, share]) => [[`${a} ${b}`, share] as const, [`${b} ${a}`, share] as const]));

/** How far one colour may be taken for another, 0 to 1: light and cameras move a colour to its neighbours. */
export function likeness(one: string, other: string): number {
  return one === other ? 1 : (LIKE.get(`${one} ${other}`) ?? 0);
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isShares = (value: unknown): value is Record<string, number> =>
  typeof value === "object" && value !== null && Object.values(value).every(isNumber);

function isSighting(value: unknown): value is Sighting {
  if (typeof value !== "object" || value === null) return false;
  const one = value as Record<string, unknown>;
  const numbers = [one.score, one.start, one.end, one.best, one.frames].every(isNumber);
  const box = Array.isArray(one.box) && one.box.length === 4 && one.box.every(isNumber);
  const colours =
    one.colours === undefined ||
    (typeof one.colours === "object" && one.colours !== null && Object.values(one.colours).every(isShares));
  return typeof one.kind === "string" && numbers && box && colours && (one.with === undefined || isShares(one.with));
}

/** The sightings of a text with one on each line; `null` when a line is none. */
export function parseSightings(text: string): Sighting[] | null {
  const found: Sighting[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return null;
    }
    if (!isSighting(value) || found.length >= MAX_SIGHTINGS) return null;
    found.push(value);
  }
  return found;
}
