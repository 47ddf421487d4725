/** A region in words: the largest places in it. */
import { currentLanguage, t } from "$lib/i18n/index.svelte";
import { boundsOfAreas, contains, metres } from "$lib/map/geometry";
import { nearest, type Place, placesIn } from "$lib/map/places";
import { isRegion, regionCentre, regionPolygon } from "$lib/map/regions";

import { placeName } from "./where";

/** Places named together are at least this far apart, in metres. */
const APART = 12_000;

/** "Manchester, Nashua and Concord, NH". A text that names no region is given back as it is. */
export async function regionWords(region: string): Promise<string> {
  if (!isRegion(region)) return region;
  const polygon = regionPolygon(region);
  const bounds = boundsOfAreas([polygon]);
  try {
    const inside: Place[] = [];
    for (const each of await placesIn(bounds ?? [0, 0, 0, 0], 60)) {
      // Three names from three corners say more than a town and its suburbs.
      const apart = inside.every((other) => metres(other.point, each.point) > APART);
      if (apart && contains(polygon, each.point) && inside.length < 3) inside.push(each);
    }
    if (inside.length === 0) {
      const near = await nearest(regionCentre(region));
      return near ? t("look.region.near", { place: placeName(near.place) }) : region;
    }
    const one = new Set(inside.map((each) => each.state || each.country)).size === 1;
    // One state is said once, at the end.
    const names = inside.map((each, at) => (one && at < inside.length - 1 ? each.name : placeName(each)));
    return new Intl.ListFormat(currentLanguage(), { type: "conjunction" }).format(names);
  } catch {
    return region;
  }
}
