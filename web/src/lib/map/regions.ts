/** Regions: H3 cells of resolution 3. Which ones are read follows from the place alone, never from what is asked there. */
import { cellToBoundary, cellToLatLng, getResolution, gridDisk, isValidCell, latLngToCell } from "h3-js";

import type { Polygon, Position } from "$lib/format/types";

import { metresTo } from "./geometry";

/** The resolution of regions in H3. */
const RESOLUTION = 3;
/** Nearer to an edge than this, in metres, the region across it is read too. */
export const NEAR = 25_000;

/** The region that a place lies in. */
export function regionOf([longitude, latitude]: Position): string {
  return latLngToCell(latitude, longitude, RESOLUTION);
}

/** Whether a text names a region. */
export function isRegion(text: string): boolean {
  return isValidCell(text) && getResolution(text) === RESOLUTION;
}

/** The outline of a region. Longitudes run on over the 180th meridian, so that the outline is whole. */
export function regionPolygon(region: string): Polygon {
  const ring = cellToBoundary(region, true) as Position[];
  const first = ring[0]?.[0] ?? 0;
  const whole = ring.map(([x, y]): Position => [x - first > 180 ? x - 360 : x - first < -180 ? x + 360 : x, y]);
  return { type: "Polygon", coordinates: [whole] };
}

/** The middle of a region. */
export function regionCentre(region: string): Position {
  const [latitude, longitude] = cellToLatLng(region);
  return [longitude, latitude];
}

/** The regions within `within` metres of a place, its own first. */
export function regionsNear(place: Position, within = NEAR): string[] {
  const own = regionOf(place);
  const far = gridDisk(own, 1)
    .filter((cell) => cell !== own)
    .map((cell) => ({ cell, distance: metresTo(regionPolygon(cell), place) }))
    .filter(({ distance }) => distance <= within)
    .sort((a, b) => a.distance - b.distance);
  return [own, ...far.map(({ cell }) => cell)];
}
