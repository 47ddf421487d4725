/** Reading an area from a GeoJSON file. */
import type { Polygon, Position } from "$lib/format/types";
import { polygonOf } from "$lib/map/geometry";

/**
 * The one polygon without holes in a GeoJSON text (RFC 7946): a geometry, a feature, or a collection with one feature.
 * Null for anything else.
 */
export function polygonIn(text: string): Polygon | null {
  try {
    let value = JSON.parse(text) as Record<string, unknown> | undefined;
    if (value?.type === "FeatureCollection") {
      const features = value.features as Record<string, unknown>[];
      value = features.length === 1 ? features[0] : undefined;
    }
    if (value?.type === "Feature") value = value.geometry as Record<string, unknown>;
    const rings = (value?.type === "Polygon" ? value.coordinates : []) as Position[][];
    if (rings.length !== 1) return null;
    const points = (rings[0] ?? []).slice(0, -1);
    const sound = points.every(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90);
    return points.length >= 3 && sound ? polygonOf(points.map(([x, y]): Position => [x, y])) : null;
  } catch {
    return null;
  }
}
