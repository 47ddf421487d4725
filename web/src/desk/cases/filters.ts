/** The filters of the list of cases, as they stand in the address. */
import type { Query } from "../evidence/call";

export interface Filters {
  /** `open` or `closed`; empty for both. */
  state: string;
  /** Text in title or code. */
  q: string;
  assignee: string;
  tag: string;
  due: boolean;
}

export const NAMES = ["state", "q", "assignee", "tag", "reminder"] as const;

export function filtersOf(query: URLSearchParams): Filters {
  const state = query.get("state") ?? "";
  return {
    state: ["open", "closed"].includes(state) ? state : "",
    q: query.get("q") ?? "",
    assignee: query.get("assignee") ?? "",
    tag: query.get("tag") ?? "",
    due: query.get("reminder") === "due",
  };
}

/** The filters as parameters of `GET /cases`. */
export function asQuery(filters: Filters): Query {
  const { due, ...same } = filters;
  return { ...same, reminder_due: due || null };
}

export function isNarrowed(filters: Filters): boolean {
  return Object.values(filters).some((value) => value !== "" && value !== false);
}

/** Changes of the address that clear all filters. */
export const CLEAR: Record<string, null> = Object.fromEntries(NAMES.map((name) => [name, null]));
