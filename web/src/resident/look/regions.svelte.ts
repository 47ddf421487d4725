/** Regions that were read in this tab. A request is looked up in what everybody fetches, so opening one sends nothing. */
import { type CheckedRegion, loadRegion } from "$lib/format/feed";

/** After this many milliseconds a region is read again when the reader comes back to it. */
const FRESH = 5 * 60_000;

interface Kept {
  region: CheckedRegion;
  /** When it was read. */
  at: number;
}

const kept = new Map<string, Kept>();
const reading = new Map<string, Promise<Kept>>();

async function fetchRegion(id: string): Promise<Kept> {
  const already = reading.get(id);
  if (already) return already;
  const fetching = loadRegion(id).then((region) => ({ region, at: Date.now() }));
  reading.set(id, fetching);
  try {
    const got = await fetching;
    kept.set(id, got);
    return got;
  } finally {
    reading.delete(id);
  }
}

/** Regions as they are shown. */
export interface Seen {
  regions: CheckedRegion[];
  /** When the oldest of them was read. */
  at: Date;
  /** Whether reading again failed, so that these are older than they should be. */
  stale: boolean;
}

/** Regions, from this tab if they are fresh. Throws when one was never read and can't be. */
export async function readRegions(ids: readonly string[], again = false): Promise<Seen> {
  let stale = false;
  const all = await Promise.all(
    ids.map(async (id) => {
      const old = kept.get(id);
      if (old && !again && Date.now() - old.at < FRESH) return old;
      try {
        return await fetchRegion(id);
      } catch (error) {
        if (!old) throw error;
        stale = true;
        return old;
      }
    }),
  );
  const at = Math.min(...all.map((each) => each.at));
  return { regions: all.map((each) => each.region), at: new Date(at), stale };
}

/** What was read already, for a first picture without waiting. */
export function keptRegions(ids: readonly string[]): Seen | undefined {
  const all = ids.map((id) => kept.get(id));
  if (all.some((each) => !each)) return undefined;
  const known = all as Kept[];
  return {
    regions: known.map((each) => each.region),
    at: new Date(Math.min(...known.map((each) => each.at))),
    stale: false,
  };
}
