/** What this installation is, read once for a page's life. */
import { loadSite } from "$lib/format/feed";
import type { Site } from "$lib/format/types";

let kept: Promise<Site> | undefined;

/** {@link loadSite}, remembered. A failure is not, so that asking again helps. */
export function siteOnce(): Promise<Site> {
  if (!kept) {
    kept = loadSite();
    kept.catch(() => (kept = undefined));
  }
  return kept;
}
