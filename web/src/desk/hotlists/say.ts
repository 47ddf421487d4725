/** Hotlists in words. */
import { t } from "$lib/i18n/index.svelte";

import type { AlertView, HotlistEntry, HotlistVersion, HotlistView } from "./api";

/** How much is on a version, and how it differs from the one before. */
export const versionLine = ({ entries, added, removed, changed }: HotlistVersion): string =>
  t("plates.diff.line", { n: entries, added, removed, changed });

/** How many alerts of a list stand where, and how often it was wrong. */
export function countsLine({ alerts }: HotlistView): string {
  const { unconfirmed, confirmed, misread, stale, misread_percent: percent } = alerts;
  const n = unconfirmed + confirmed + misread + stale;
  const counts = t("plates.list.alerts", { n, unconfirmed, confirmed, misread, stale });
  return typeof percent === "number" ? `${counts} ${t("plates.list.misread", { n: percent })}` : counts;
}

/** A plate with its region, in one word for keys and sentences. */
export const entryName = ({ plate, region }: HotlistEntry): string => (region ? `${plate} (${region})` : plate);

/** The list of an alert; its id where the name is gone. */
export const listName = ({ list, list_name: name }: AlertView): string => name || list;

/** The camera of an alert; its id where the name is gone. */
export const cameraName = ({ camera, camera_name: name }: AlertView): string => name || camera;
