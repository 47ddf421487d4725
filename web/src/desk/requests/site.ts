/** Addresses of what is public, for links, posters and QR codes. */
import { latLngToCell } from "h3-js";

import { loadSite } from "$lib/format/feed";
import type { Polygon } from "$lib/format/types";

/** Resolution of the regions in H3, as the server cuts its feed. */
const RESOLUTION = 3;

/** Where the public pages live, without a slash at the end; this origin when the site does not say. */
export async function publicUrl(): Promise<string> {
  try {
    const site = await loadSite();
    return site.public_url.replace(/\/+$/, "") || location.origin;
  } catch {
    return location.origin;
  }
}

/** A region that holds the area. */
export function regionOf(area: Polygon): string {
  const [x, y] = area.coordinates[0]?.[0] ?? [0, 0];
  return latLngToCell(y, x, RESOLUTION);
}

/** The public page of a request: the region in the path, the request in the fragment, which no server sees. */
export async function publicLink(area: Polygon, id: string): Promise<string> {
  return `${await publicUrl()}/r/${regionOf(area)}#${id}`;
}
