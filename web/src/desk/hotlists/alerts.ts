/** Which alerts a page shows, from what it loaded and what came since. */
import { type AlertFilter, type AlertView, STATES } from "./api";

/** Reads the filters out of the address. */
export function filterOf(query: URLSearchParams): AlertFilter {
  const state = query.get("state") ?? "";
  const list = query.get("list") ?? "";
  return {
    state: (STATES as readonly string[]).includes(state) ? state : "",
    list: /^htl_[a-z2-7]{26}$/.test(list) ? list : "",
  };
}

/** Whether the filters let an alert through. */
export const fits = (alert: AlertView, { state, list }: AlertFilter): boolean =>
  (state === "" || alert.state === state) && (list === "" || alert.list === list);

/** Alerts, newest first and each once; of those in both, what came later counts. */
export function merged(loaded: readonly AlertView[], later: readonly AlertView[]): AlertView[] {
  const known = new Map([...loaded, ...later].map((alert) => [alert.id, alert]));
  return [...known.values()].sort((one, other) => other.place - one.place);
}
