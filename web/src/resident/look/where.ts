/** Where something lies, in words: the nearest town, and how far and in which direction. */
import type { Position } from "$lib/format/types";
import { distance } from "$lib/i18n/format";
import { currentLanguage, t } from "$lib/i18n/index.svelte";
import { wind } from "$lib/map/geometry";
import { nearest, type Nearest, type Place } from "$lib/map/places";

/** Nearer than this, in metres, a place is "in or near" a town. */
const AT = 2_500;

/** "Concord, NH", "Lyon, France", "Ontario County, NY". */
export function placeName(place: Pick<Place, "name" | "country" | "state" | "kind">): string {
  const name = place.kind === "county" ? t("look.county", { name: place.name }) : place.name;
  if (place.kind === "state" || place.country === "") return name;
  return `${name}, ${place.state || countryName(place.country)}`;
}

function countryName(code: string): string {
  try {
    return new Intl.DisplayNames([currentLanguage()], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** A nearest place in words. */
export function whereText(found: Nearest | undefined, point: Position): string {
  if (!found) return t("look.where.none", { lat: point[1].toFixed(3), lng: point[0].toFixed(3) });
  const place = placeName(found.place);
  if (found.distance < AT) return t("look.where.at", { place });
  return t("look.where.off", {
    place,
    distance: distance(found.distance),
    wind: t(`look.wind.${wind(found.place.point, point)}`),
  });
}

/** Where a point lies, in words. */
export async function where(point: Position): Promise<string> {
  return whereText(await nearest(point).catch(() => undefined), point);
}
