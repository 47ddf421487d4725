/** Time zones and languages that the draft form offers. */
import { currentLanguage, LANGUAGES } from "$lib/i18n/index.svelte";

import { isPlace } from "./form";

/** Zones that most readers here need, on top of the list. */
export const NEAR_ZONES = [
  "America/New_York",
  "America/Chicago",
  "America/Denver",
  "America/Phoenix",
  "America/Los_Angeles",
  "America/Anchorage",
  "Pacific/Honolulu",
  "America/Puerto_Rico",
];

/** All other zones of places that the browser knows, and `kept`, should it not know it. */
export function otherZones(kept: string): string[] {
  const known = Intl.supportedValuesOf("timeZone").filter((zone) => isPlace(zone) && !NEAR_ZONES.includes(zone));
  return kept && !known.includes(kept) && !NEAR_ZONES.includes(kept) ? [kept, ...known] : known;
}

/** This computer's zone. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Languages of details that are offered; others are few enough to be asked of the command line. */
const SPOKEN = ["en", "es", "zh", "vi", "tl", "ar", "fr", "ko", "pt", "ht", "ru", "hi", "pl", "so", "am"];

/** The languages in the reader's words, ours first. */
export function spokenLanguages(): { tag: string; name: string }[] {
  const names = new Intl.DisplayNames([currentLanguage()], { type: "language" });
  const rest = SPOKEN.filter((tag) => !LANGUAGES.some((each) => each === tag));
  return [...LANGUAGES, ...rest].map((tag) => ({ tag, name: languageName(tag, names) }));
}

/** The name of a language in the reader's words. */
export function languageName(
  tag: string,
  names = new Intl.DisplayNames([currentLanguage()], { type: "language" }),
): string {
  try {
    const name = names.of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(currentLanguage()) + name.slice(1);
  } catch {
    return tag;
  }
}
