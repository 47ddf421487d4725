/** The inbox's filters, as they stand in the address. */
import type { Offer, Query } from "../evidence/call";

/** What the address says; empty where nothing is wanted. */
export interface Filters {
  state: string;
  destination: string;
  case: string;
  /** A member's id, `me` or `none`. */
  assignee: string;
  tag: string;
  /** Whether only offers whose reminder has come. */
  due: boolean;
  /** Whether only offers in which a resident waits: for an answer to a withdrawal, or with a new answer. */
  waiting: boolean;
}

export const STATES = ["received", "opened", "triaged", "withdrawn", "destroyed"] as const;

/** Views that are one click away. Each is a set of filters; the rest is cleared. */
export const VIEWS = [
  { id: "new", query: { state: "received" } },
  { id: "mine", query: { assignee: "me" } },
  { id: "unassigned", query: { assignee: "none" } },
  { id: "reminders", query: { reminder: "due" } },
  { id: "waiting", query: { waiting: "yes" } },
  { id: "all", query: {} },
] as const satisfies readonly { id: string; query: Partial<Record<string, string>> }[];

const NAMES = ["state", "destination", "case", "assignee", "tag", "reminder", "waiting"] as const;

/** Reads the filters out of the address. */
export function filtersOf(query: URLSearchParams): Filters {
  const text = (name: string) => query.get(name) ?? "";
  const state = text("state");
  return {
    state: (STATES as readonly string[]).includes(state) ? state : "",
    destination: text("destination"),
    case: text("case"),
    assignee: text("assignee"),
    tag: text("tag"),
    due: query.get("reminder") === "due",
    waiting: query.get("waiting") === "yes",
  };
}

/** The filters as parameters of `GET /offers`. */
export function asQuery(filters: Filters): Query {
  const { due, waiting, ...same } = filters;
  return { ...same, reminder_due: due || null, waiting: waiting || null };
}

/** Whether the resident asks to have the offer back and waits for an answer. */
export function wantsBack(offer: Offer): boolean {
  return !!offer.withdrawal && typeof offer.withdrawal.granted !== "boolean";
}

/** Changes of the address that show one of the {@link VIEWS}. */
export function changesTo(view: (typeof VIEWS)[number]): Record<string, string | null> {
  const wanted: Partial<Record<string, string>> = view.query;
  return Object.fromEntries(NAMES.map((name) => [name, wanted[name] ?? null]));
}

/** Which of the {@link VIEWS} the address shows exactly; none when it is a mix. */
export function viewOf(query: URLSearchParams): (typeof VIEWS)[number]["id"] | null {
  const same = (view: (typeof VIEWS)[number]) =>
    Object.entries(changesTo(view)).every(([name, value]) => (query.get(name) ?? "") === (value ?? ""));
  return VIEWS.find(same)?.id ?? null;
}

/** Whether any filter narrows the list. */
export function isNarrowed(filters: Filters): boolean {
  return Object.values(filters).some((value) => value !== "" && value !== false);
}
