/** Where reads were seen, as the map shows it: one area a camera. */
import { t } from "$lib/i18n/index.svelte";
import { rectangle } from "$lib/map/geometry";

import type { FoundRead } from "./api";

/** The cameras of these reads, each with how many they are. */
export function camerasOf(reads: readonly FoundRead[]) {
  const counts: Record<string, { name: string; position: readonly number[]; n: number }> = {};
  for (const one of reads)
    if (one.position) {
      const before = counts[one.read.camera];
      counts[one.read.camera] = { name: one.camera_name, position: one.position, n: (before?.n ?? 0) + 1 };
    }
  return Object.entries(counts).map(([id, one]) => ({
    id,
    polygon: rectangle([one.position[0] ?? 0, one.position[1] ?? 0], 25, 25),
    label: t("plates.map.camera", { name: one.name, n: one.n }),
  }));
}
