/** The filters of the list of cases, as they stand in the address. */
import type { Schemas } from "$lib/api/client";

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

/** What the server filters, as parameters of `GET /cases`. */
export function asQuery(filters: Filters, me: string | undefined): Query {
  const { state, tag, assignee } = filters;
  return { state, tag, assignee: assignee === "me" ? me : assignee === "none" ? null : assignee };
}

/** Whether the filters need the whole list here, since the server does not know them. */
export function filtersHere(filters: Filters): boolean {
  return filters.q !== "" || filters.assignee === "none" || filters.due;
}

/** Whether a case passes what only this page filters. */
export function passes(one: Schemas["CaseView"], filters: Filters, now: Date): boolean {
  const { assignee, remind } = one.annotations;
  const text = `${one.title}\n${one.code ?? ""}`.toLocaleLowerCase();
  return (
    text.includes(filters.q.toLocaleLowerCase()) &&
    (filters.assignee !== "none" || !assignee) &&
    (!filters.due || (!!remind && new Date(remind) <= now))
  );
}

export function isNarrowed(filters: Filters): boolean {
  return Object.values(filters).some((value) => value !== "" && value !== false);
}

/** Changes of the address that clear all filters. */
export const CLEAR: Record<string, null> = Object.fromEntries(NAMES.map((name) => [name, null]));
