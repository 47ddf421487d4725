/** Places by name, from data that ships with the pages: what is typed here is sent nowhere. */
import type { Position } from "$lib/format/types";

import { readShipped } from "./base";
import abroadUrl from "./data/places-abroad.json?url";
import namedUrl from "./data/places-named.json?url";
import placesUrl from "./data/places.json?url";
import { type Bounds, metres } from "./geometry";

/** Cities in columns, as `scripts/map-data.js` writes them. */
export interface Columns {
  scale: number;
  /** Postal code of a state, or ISO 3166-1 code of a country, with how many cities it has. */
  admins: [string, number][];
  names: string;
  /** Each the difference to the one before. */
  x: number[];
  y: number[];
  /** Thousands of people. */
  people: number[];
}

type NamedArea = [name: string, state: string, ...Bounds];
interface Named {
  states: NamedArea[];
  counties: NamedArea[];
}

/** A place that can be searched. */
export interface Place {
  name: string;
  /** ISO 3166-1; empty for bare coordinates. */
  country: string;
  /** Postal code of the state, in the United States alone. */
  state: string;
  kind: "city" | "county" | "state";
  point: Position;
  bounds?: Bounds;
  /** Thousands of people; 0 for larger areas. */
  people: number;
}

/** A text without case and accents, as search compares it. */
export function folded(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[.'’]/g, "")
    .replace(/[\s,-]+/g, " ")
    .trim();
}

/** Cities out of their columns, whose admins are states or, abroad, countries. */
export function unpack(columns: Columns, abroad = false): Place[] {
  const admins = columns.admins.flatMap(([admin, count]) => Array.from({ length: count }, () => admin));
  let x = 0;
  return columns.names.split("\n").map((name, at) => {
    x += columns.x[at] ?? 0;
    const admin = admins[at] ?? "";
    return {
      name,
      country: abroad ? admin : "US",
      state: abroad ? "" : admin,
      kind: "city",
      point: [x / columns.scale, (columns.y[at] ?? 0) / columns.scale],
      people: columns.people[at] ?? 0,
    };
  });
}

let cities: Promise<Place[]> | undefined;
let rest: Promise<Place[]> | undefined;
let names: Promise<Map<string, string>> | undefined;

function once<T>(made: Promise<T> | undefined, make: () => Promise<T>, keep: (value: Promise<T> | undefined) => void) {
  if (made) return made;
  const making = make();
  keep(making);
  making.catch(() => keep(undefined));
  return making;
}

/** Cities and towns of the United States. */
export function loadCities(): Promise<Place[]> {
  return once(
    cities,
    async () => unpack(await readShipped<Columns>(placesUrl)),
    (value) => (cities = value),
  );
}

function loadNamed(): Promise<Named> {
  return readShipped<Named>(namedUrl);
}

/** States and counties, and cities abroad. */
function loadRest(): Promise<Place[]> {
  return once(
    rest,
    async () => {
      const [named, abroad] = await Promise.all([loadNamed(), readShipped<Columns>(abroadUrl)]);
      const area =
        (kind: "county" | "state") =>
        ([name, state, ...bounds]: NamedArea): Place => ({
          name,
          country: "US",
          state,
          kind,
          point: [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2],
          bounds,
          people: 0,
        });
      return [...named.states.map(area("state")), ...named.counties.map(area("county")), ...unpack(abroad, true)];
    },
    (value) => (rest = value),
  );
}

/** Full names of the states by postal code, for showing and for searching "concord new hampshire". */
export function loadStates(): Promise<Map<string, string>> {
  return once(
    names,
    async () => new Map((await loadNamed()).states.map(([name, postal]) => [postal, name])),
    (value) => (names = value),
  );
}

/** Full names of a place's state or country, in the languages that people may type, folded. */
export type AdminNames = (place: Pick<Place, "country" | "state">) => readonly string[];

/** How well a place answers what was typed: higher is better, 0 is not at all. */
export function score(place: Place, wanted: string, admins: AdminNames): number {
  const name = folded(place.name);
  const weight = place.kind === "state" ? 5 : place.kind === "county" ? 1 : Math.log10(1 + place.people);
  if (name === wanted) return 30 + weight;
  if (place.kind === "county" && `${name} county`.startsWith(wanted) && wanted.length > name.length) return 32;
  // "concord nh", "concord new hampshire", "concord n": what follows the name narrows the state or country.
  if (wanted.startsWith(`${name} `)) {
    const after = wanted.slice(name.length + 1);
    const known = [(place.state || place.country).toLowerCase(), ...admins(place)];
    if (known.includes(after)) return 40 + weight;
    return known.some((each) => each.startsWith(after)) ? 20 + weight : 0;
  }
  if (name.startsWith(wanted)) return 10 + weight;
  if (name.includes(` ${wanted}`)) return 3 + weight;
  return 0;
}

/** The best places for a text, best first; none under two letters. */
export function best(all: readonly Place[], text: string, admins: AdminNames, most = 8): Place[] {
  const wanted = folded(text);
  if (wanted.length < 2) return [];
  const found: { place: Place; score: number }[] = [];
  for (const place of all) {
    const value = score(place, wanted, admins);
    if (value > 0) found.push({ place, score: value });
  }
  return found
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ place }) => place);
}

/** Latitude and longitude as people paste them: `43.2081, -71.5376`. */
export function coordinates(text: string): Position | undefined {
  const match = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!match) return undefined;
  const [latitude, longitude] = [Number(match[1]), Number(match[2])];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? [longitude, latitude] : undefined;
}

/** Names of states from the data, and of countries in English and the reader's language. */
function adminNames(states: ReadonlyMap<string, string>): AdminNames {
  const kept = new Map<string, string[]>();
  const displays = [...new Set(["en", ...navigator.languages])].map(
    (language) => new Intl.DisplayNames([language], { type: "region", fallback: "none" }),
  );
  return ({ country, state }) => {
    const key = state ? `US-${state}` : country;
    let found = kept.get(key);
    if (!found) {
      const names = state ? [states.get(state)] : displays.map((each) => (country ? each.of(country) : undefined));
      found = names.flatMap((each) => (each ? [folded(each)] : []));
      kept.set(key, found);
    }
    return found;
  };
}

/** Places for what was typed: a town, a county, a state, or coordinates. */
export async function searchPlaces(text: string, most = 8): Promise<Place[]> {
  const point = coordinates(text);
  if (point) return [{ name: text.trim(), country: "", state: "", kind: "city", point, people: 0 }];
  const [near, far, states] = await Promise.all([loadCities(), loadRest(), loadStates()]);
  return best([...near, ...far], text, adminNames(states), most);
}

/** Where a place lies in words: the nearest town and how far it is. */
export interface Nearest {
  place: Place;
  /** Metres. */
  distance: number;
}

/** The nearest of some places. A larger town a little farther away says more than a hamlet at hand. */
export function nearestOf(all: readonly Place[], point: Position): Nearest | undefined {
  let found: Nearest | undefined;
  let least = Infinity;
  for (const place of all) {
    // Two degrees of latitude are 220 km; a rough look first, since there are many.
    if (Math.abs(place.point[1] - point[1]) > 2) continue;
    const distance = metres(place.point, point);
    const felt = distance / (1 + Math.log10(1 + place.people));
    if (felt < least) [least, found] = [felt, { place, distance }];
  }
  return found && found.distance < 200_000 ? found : undefined;
}

/** The nearest place that has a name; none far from any. */
export async function nearest(point: Position): Promise<Nearest | undefined> {
  const near = nearestOf(await loadCities(), point);
  return near ?? nearestOf(await loadRest(), point);
}

/** The largest places in a box, largest first. */
export async function placesIn([w, s, e, n]: Bounds, most: number): Promise<Place[]> {
  const inside = (each: Place) =>
    each.kind === "city" && each.point[0] >= w && each.point[0] <= e && each.point[1] >= s && each.point[1] <= n;
  let found = (await loadCities()).filter(inside);
  if (found.length === 0) found = (await loadRest()).filter(inside);
  return found.sort((a, b) => b.people - a.people).slice(0, most);
}
