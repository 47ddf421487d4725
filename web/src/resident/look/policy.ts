/** The limits in force, read once for a page's life. */
import { readJsonFile } from "$lib/format/public";
import type { Policy } from "$lib/format/types";

let kept: Promise<Policy | null> | undefined;

export function policyOnce(): Promise<Policy | null> {
  if (!kept) {
    kept = readJsonFile<Policy>("/policy.json");
    kept.catch(() => (kept = undefined));
  }
  return kept;
}
