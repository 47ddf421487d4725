/** What the transparency page shows, kept in the fragment of its address, which browsers never send. */
import { go, route } from "$lib/route.svelte";

export const VIEWS = ["counts", "use", "access", "ledger", "settings", "agencies"] as const;
export type View = (typeof VIEWS)[number];

export interface Filters {
  view: View;
  agency: string;
  type: string;
  log: string;
  search: string;
  period: string;
}

const NAMES = ["agency", "type", "log", "search", "period"] as const;

/** Reads the fragment of the present address. */
export function filtersNow(): Filters {
  const values = new URLSearchParams(route.fragment);
  const view = VIEWS.find((each) => each === values.get("view")) ?? "counts";
  const read = (name: string) => values.get(name) ?? "";
  return {
    view,
    agency: read("agency"),
    type: read("type"),
    log: read("log"),
    search: read("search"),
    period: read("period"),
  };
}

/** The address of a page with these filters. */
export function addressOf(filters: Partial<Filters>): string {
  const values = new URLSearchParams();
  if (filters.view && filters.view !== "counts") values.set("view", filters.view);
  for (const name of NAMES) if (filters[name]) values.set(name, filters[name]);
  const text = values.toString();
  return text ? `/ledger#${text}` : "/ledger";
}

/** Changes filters without a step in the history. */
export function setFilters(changes: Partial<Filters>): void {
  go(addressOf({ ...filtersNow(), ...changes }), { replace: true, keepFocus: true });
}
