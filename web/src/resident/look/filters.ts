/** Choosing among the requests that this device already has. Pure: nothing is fetched for a choice. */
import { type CheckedRegion, type CheckedRequest, isOpen } from "$lib/format/feed";
import type { IncidentType, Position } from "$lib/format/types";
import { metresTo } from "$lib/map/geometry";
import { folded } from "$lib/map/places";

export type Sort = "newest" | "closing" | "nearest";

/** What the reader wants to see. */
export interface Filters {
  text: string;
  incident: IncidentType | "";
  /** Days of the time frame, `2026-11-24`, in the place's own zone. */
  from: string;
  until: string;
  /** Metres from the reader's place; 0 is any distance. */
  within: number;
  openOnly: boolean;
  sort: Sort;
}

export const NO_FILTERS: Filters = {
  text: "",
  incident: "",
  from: "",
  until: "",
  within: 0,
  openOnly: true,
  sort: "newest",
};

/** A request with what the list shows beside it. */
export interface Listed {
  request: CheckedRequest;
  region: string;
  open: boolean;
  /** Metres from the reader's place. */
  distance: number | null;
}

/** Requests of regions, once each. */
export function listed(regions: readonly CheckedRegion[], place: Position | undefined, now: Date): Listed[] {
  const all = new Map<string, Listed>();
  for (const region of regions)
    for (const request of region.requests) {
      if (all.has(request.id)) continue;
      const distance = place && request.body ? metresTo(request.body.area, place) : null;
      all.set(request.id, { request, region: region.region, open: isOpen(request, now), distance });
    }
  return [...all.values()];
}

function dayIn(at: string, zone: string): string {
  try {
    return new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(new Date(at));
  } catch {
    return at.slice(0, 10);
  }
}

function fits({ request, open, distance }: Listed, wanted: Filters): boolean {
  const { body } = request;
  if (wanted.openOnly && !open) return false;
  if (wanted.incident && body?.incident !== wanted.incident) return false;
  if (wanted.within > 0 && (distance === null || distance > wanted.within)) return false;
  if (wanted.from && (!body || dayIn(body.time_frame.end, body.time_frame.zone) < wanted.from)) return false;
  if (wanted.until && (!body || dayIn(body.time_frame.start, body.time_frame.zone) > wanted.until)) return false;
  const words = folded(wanted.text).split(" ").filter(Boolean);
  if (words.length === 0) return true;
  const text = folded([body?.details, body?.agency.name, body?.code, request.decision.reason, request.id].join(" "));
  return words.every((word) => text.includes(word));
}

const compare: Record<Sort, (a: Listed, b: Listed) => number> = {
  newest: (a, b) => b.request.at.localeCompare(a.request.at),
  closing: (a, b) => (a.request.closes ?? "9").localeCompare(b.request.closes ?? "9"),
  nearest: (a, b) => (a.distance ?? Infinity) - (b.distance ?? Infinity),
};

/** The requests that fit, in order; open ones come before those that are over. */
export function choose(all: readonly Listed[], wanted: Filters): Listed[] {
  return all
    .filter((each) => fits(each, wanted))
    .sort(
      (a, b) =>
        Number(b.open) - Number(a.open) || compare[wanted.sort](a, b) || a.request.id.localeCompare(b.request.id),
    );
}

/** How many filters narrow the list. */
export function narrowing(wanted: Filters): number {
  const { text, incident, from, until, within } = wanted;
  return [text.trim(), incident, from, until, within].filter(Boolean).length + (wanted.openOnly ? 0 : 1);
}
