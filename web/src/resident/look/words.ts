/** A region in words: the largest places in it. */
import { currentLanguage, t } from "$lib/i18n/index.svelte";
import { boundsOfAreas, contains } from "$lib/map/geometry";
import { nearest, placesIn } from "$lib/map/places";
import { isRegion, regionCentre, regionPolygon } from "$lib/map/regions";

import { placeName } from "./where";

/** "Manchester, Nashua and Concord, NH". A text that names no region is given back as it is. */
export async function regionWords(region: string): Promise<string> {
  if (!isRegion(region)) return region;
  const polygon = regionPolygon(region);
  const bounds = boundsOfAreas([polygon]);
  try {
    const inside = (await placesIn(bounds ?? [0, 0, 0, 0], 60))
      .filter((each) => contains(polygon, each.point))
      .slice(0, 3);
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
