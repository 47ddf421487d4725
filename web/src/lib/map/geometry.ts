/** Shapes on the earth: sizes, distances, boxes. WGS 84 degrees, longitude first (RFC 7946). */
import type { Polygon, Position } from "$lib/format/types";

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

/** Square metres in a square mile (international mile of 1609.344 m). */
export const SQUARE_MILE = 2_589_988.110336;
/** Most corners that an area may have; the server refuses more. */
export const MOST_CORNERS = 500;
const EQUATOR = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const E2 = FLATTENING * (2 - FLATTENING);
const E = Math.sqrt(E2);
const RAD = Math.PI / 180;
/** Mean radius for distances, as haversine wants a sphere. */
const MEAN = 6_371_008.8;

/** The corners without the repeated first one. */
export function corners(polygon: Polygon): Position[] {
  return (polygon.coordinates[0] ?? []).slice(0, -1);
}

/** An area from its corners; the ring is closed here, and kept to seven decimals as the server does. */
export function polygonOf(points: readonly Position[]): Polygon {
  const round = (value: number) => Math.round(value * 1e7) / 1e7 + 0;
  const ring = points.map(([x, y]): Position => [round(x), round(y)]);
  const first = ring[0];
  return { type: "Polygon", coordinates: [first ? [...ring, first] : []] };
}

// Snyder, Map Projections (USGS Professional Paper 1395), equation 3-12: the q of the authalic latitude.
function authalic(latitude: number): number {
  const s = Math.sin(latitude * RAD);
  const es = E * s;
  return (1 - E2) * (s / (1 - es * es) - (1 / (2 * E)) * Math.log((1 - es) / (1 + es)));
}

/**
 * Size in square metres on the WGS 84 ellipsoid, on an equal-area projection. The server measures with geodesic edges; at the
 * size of a request the two agree to a ten-thousandth.
 */
export function areaM2(polygon: Polygon): number {
  const ring = polygon.coordinates[0] ?? [];
  let twice = 0;
  for (let at = 0; at + 1 < ring.length; at += 1) {
    const [from, to] = [ring[at] as Position, ring[at + 1] as Position];
    twice += (to[0] - from[0]) * RAD * (authalic(from[1]) + authalic(to[1]));
  }
  return (Math.abs(twice) * EQUATOR * EQUATOR) / 4;
}

/** Size in square miles. */
export function areaSqMi(polygon: Polygon): number {
  return areaM2(polygon) / SQUARE_MILE;
}

/** Distance of two places in metres, on a sphere. */
export function metres([x1, y1]: Position, [x2, y2]: Position): number {
  const dy = Math.sin(((y2 - y1) * RAD) / 2);
  const dx = Math.sin(((x2 - x1) * RAD) / 2);
  const h = dy * dy + Math.cos(y1 * RAD) * Math.cos(y2 * RAD) * dx * dx;
  return 2 * MEAN * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Degrees of longitude and latitude for metres at a latitude. */
export function degrees(width: number, height: number, latitude: number): [number, number] {
  const perDegree = MEAN * RAD;
  return [width / (perDegree * Math.max(0.01, Math.cos(latitude * RAD))), height / perDegree];
}

/** An upright rectangle around a centre; width and height in metres. */
export function rectangle(centre: Position, width: number, height: number): Polygon {
  const [dx, dy] = degrees(width / 2, height / 2, centre[1]);
  const [x, y] = centre;
  return polygonOf([
    [x - dx, y - dy],
    [x + dx, y - dy],
    [x + dx, y + dy],
    [x - dx, y + dy],
  ]);
}

/** The box around places. */
export function boundsOf(points: readonly Position[]): Bounds | undefined {
  if (points.length === 0) return undefined;
  const box: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

/** The box around areas. */
export function boundsOfAreas(polygons: readonly Polygon[]): Bounds | undefined {
  return boundsOf(polygons.flatMap(corners));
}

/** A box, wider by a share of its size on each side, and never narrower than `least` metres. */
export function padded([w, s, e, n]: Bounds, share: number, least = 0): Bounds {
  const [dx, dy] = degrees(least, least, (s + n) / 2);
  const x = Math.max((e - w) * share, (dx - (e - w)) / 2);
  const y = Math.max((n - s) * share, (dy - (n - s)) / 2);
  return [w - x, Math.max(-85, s - y), e + x, Math.min(85, n + y)];
}

/** The middle of the box around an area: good enough to say where it is. */
export function centreOf(polygon: Polygon): Position {
  const [w, s, e, n] = boundsOfAreas([polygon]) ?? [0, 0, 0, 0];
  return [(w + e) / 2, (s + n) / 2];
}

/** Whether a place lies in an area (even-odd rule). */
export function contains(polygon: Polygon, [x, y]: Position): boolean {
  const ring = polygon.coordinates[0] ?? [];
  let inside = false;
  for (let at = 0; at + 1 < ring.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [ring[at] as Position, ring[at + 1] as Position];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

/** How far a place lies from an edge, in metres, on the plane that touches the earth there. */
export function metresToEdge(place: Position, from: Position, to: Position): number {
  const k = Math.cos(place[1] * RAD);
  // The shorter way around the earth, so that an edge across the 180th meridian stays short.
  const flat = ([x, y]: Position): Position => {
    const dx = ((((x - place[0] + 180) % 360) + 360) % 360) - 180;
    return [dx * k * MEAN * RAD, (y - place[1]) * MEAN * RAD];
  };
  const [a, b] = [flat(from), flat(to)];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, -(a[0] * dx + a[1] * dy) / length));
  return Math.hypot(a[0] + along * dx, a[1] + along * dy);
}

/** How far a place lies from an area, in metres; 0 inside. */
export function metresTo(polygon: Polygon, place: Position): number {
  if (contains(polygon, place)) return 0;
  const ring = polygon.coordinates[0] ?? [];
  let least = Infinity;
  for (let at = 0; at + 1 < ring.length; at += 1)
    least = Math.min(least, metresToEdge(place, ring[at] as Position, ring[at + 1] as Position));
  return least;
}

/** Sixteen winds would be too many for people; eight do. */
export const WINDS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export type Wind = (typeof WINDS)[number];

/** In which direction `to` lies, seen from `from`. */
export function wind(from: Position, to: Position): Wind {
  const dx = (to[0] - from[0]) * Math.cos(((from[1] + to[1]) / 2) * RAD);
  const angle = Math.atan2(dx, to[1] - from[1]) / (Math.PI / 4);
  return WINDS[(Math.round(angle) + 8) % 8] as Wind;
}

function side(a: Position, b: Position, c: Position): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

/** The first two edges that cross, counted from 1; none if the outline is simple. For a hint while drawing: the server decides. */
export function crossing(points: readonly Position[]): [number, number] | undefined {
  const n = points.length;
  for (let i = 0; i < n; i += 1)
    for (let j = i + 2; j < n; j += 1) {
      if (i === 0 && j === n - 1) continue;
      const [a, b] = [points[i] as Position, points[(i + 1) % n] as Position];
      const [c, d] = [points[j] as Position, points[(j + 1) % n] as Position];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return [i + 1, j + 1];
    }
  return undefined;
}

/** Web Mercator on the unit square, for drawing without a map library. */
export function mercator([x, y]: Position): [number, number] {
  const s = Math.sin(Math.min(85, Math.max(-85, y)) * RAD);
  return [(x + 180) / 360, 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)];
}
