/** Corners of an area as people type or paste them. */
import type { Position } from "$lib/format/types";

import { MOST_CORNERS } from "./geometry";
import { coordinates } from "./places";

export type CornersProblem = { kind: "line"; line: number } | { kind: "count" };

interface Geo {
  type?: string;
  coordinates?: unknown;
  geometry?: Geo;
  features?: Geo[];
}

function fromGeoJson(text: string): Position[] | undefined {
  try {
    let found = JSON.parse(text) as Geo;
    if (found.type === "FeatureCollection") found = found.features?.[0] ?? {};
    if (found.type === "Feature") found = found.geometry ?? {};
    if (found.type !== "Polygon" || !Array.isArray(found.coordinates)) return undefined;
    const ring: unknown = found.coordinates[0];
    if (!Array.isArray(ring)) return undefined;
    return ring.map((each: unknown): Position => {
      const [x, y] = Array.isArray(each) ? (each as unknown[]) : [];
      if (typeof x !== "number" || typeof y !== "number" || Math.abs(x) > 180 || Math.abs(y) > 90)
        throw new TypeError("not a position");
      return [x, y];
    });
  } catch {
    return undefined;
  }
}

/** Reads one `latitude, longitude` a line, or a GeoJSON polygon. A repeated first corner at the end is left out. */
export function parseCorners(text: string): Position[] | CornersProblem {
  const points: Position[] = [];
  const pasted = text.trim().startsWith("{") ? fromGeoJson(text) : undefined;
  if (pasted) points.push(...pasted);
  else
    for (const [at, line] of text.split("\n").entries()) {
      if (line.trim() === "") continue;
      const point = coordinates(line);
      if (!point) return { kind: "line", line: at + 1 };
      points.push(point);
    }
  const [first, last] = [points[0], points.at(-1)];
  if (points.length > 1 && first && last && first[0] === last[0] && first[1] === last[1]) points.pop();
  return points.length < 3 || points.length > MOST_CORNERS ? { kind: "count" } : points;
}
