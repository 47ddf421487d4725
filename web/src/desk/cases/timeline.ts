/** All that happened in a case, put together here from the chains of custody, the holds and the requests that it joins. */
import type { Schemas } from "$lib/api/client";

import { call } from "../evidence/call";
import type { CustodyView } from "../evidence/custody";
import type { RequestView } from "../evidence/names.svelte";
import type { CaseDetail, TimelineEvent } from "./case";

/** How many chains are fetched at once. */
const LANES = 6;
/** Events that stand in every item's chain and are told once, as the case's. */
const SHARED = new Map([
  ["exported", "case.exported"],
  ["case-closed", "case.closed"],
  ["case-reopened", "case.reopened"],
]);

/** The chains of all offers and items of a case. */
export async function chainsOf(detail: CaseDetail, signal?: AbortSignal): Promise<CustodyView[]> {
  const paths = [
    ...detail.offers.map((offer) => `/offers/${offer.id}/custody`),
    ...detail.items.map((item) => `/items/${item.id}/custody`),
  ];
  const found: CustodyView[] = [];
  const lane = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop())
      found.push(await call<CustodyView>("GET", path, { signal }));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return found;
}

/** One line of time, oldest first. Pure. */
export function timelineOf(
  detail: CaseDetail,
  chains: readonly CustodyView[],
  holds: readonly Schemas["Hold"][],
  requests: readonly RequestView[],
): TimelineEvent[] {
  const { id, opened, closed, by } = detail.case;
  const names = new Map(detail.items.map((item) => [item.id, item.name]));
  const events: TimelineEvent[] = [{ at: opened, kind: "case.opened", subject: id, by, detail: null }];
  const told = new Set<string>();
  for (const chain of chains) {
    const kind = chain.subject.startsWith("off_") ? "offer" : "item";
    for (const { at, event, by, detail } of chain.events) {
      const shared = SHARED.get(event);
      if (shared && told.has(shared + at + by)) continue;
      if (shared) told.add(shared + at + by);
      events.push({
        at,
        kind: shared ?? `${kind}.${event}`,
        subject: shared ? id : chain.subject,
        subject_name: shared ? null : names.get(chain.subject),
        by,
        // The case is the page's own; saying it in each line would tell nothing.
        detail: without(detail, shared ? ["case", "clip"] : ["case"]),
      });
    }
  }
  if (closed && !events.some((event) => event.kind === "case.closed"))
    events.push({ at: closed, kind: "case.closed", subject: id, detail: null });
  for (const hold of holds) {
    const { subject, by, basis } = hold;
    events.push({ at: hold.placed, kind: "hold.placed", subject, by, detail: { basis } });
    if (hold.released) events.push({ at: hold.released, kind: "hold.released", subject, detail: { basis } });
  }
  for (const request of requests) {
    const { id: subject, author, decided, decision, ended, state } = request;
    events.push({ at: request.created, kind: "request.drafted", subject, by: author, detail: null });
    if (decided && decision)
      events.push({
        at: decided,
        kind: decision.approved ? "request.published" : "request.refused",
        subject,
        detail: null,
      });
    if (ended && decision?.approved) events.push({ at: ended, kind: `request.${state}`, subject, detail: null });
  }
  // Holds stand in the chains of offers and items too; the hold's own line says more.
  const shown = events.filter((event) => !/^(offer|item)\.(held|hold-released)$/.test(event.kind));
  return shown
    .map((event, index) => ({ event, index }))
    .sort(inTime)
    .map(({ event }) => event);
}

function inTime(one: { event: TimelineEvent; index: number }, two: { event: TimelineEvent; index: number }): number {
  return one.event.at.localeCompare(two.event.at) || one.index - two.index;
}

function without(detail: unknown, names: string[]): unknown {
  if (detail === null || typeof detail !== "object") return detail;
  return Object.fromEntries(Object.entries(detail).filter(([name]) => !names.includes(name)));
}

/** The timeline of a case. */
export async function loadTimeline(
  detail: CaseDetail,
  requestOf: (id: string) => RequestView | undefined,
  signal?: AbortSignal,
): Promise<TimelineEvent[]> {
  const subjects = [detail.case.id, ...detail.offers.map((offer) => offer.id), ...detail.items.map((item) => item.id)];
  const [chains, holds] = await Promise.all([
    chainsOf(detail, signal),
    call<{ items: Schemas["Hold"][] }>("GET", "/holds", { query: { limit: 200 }, signal }),
  ]);
  const ours = holds.items.filter((hold) => subjects.includes(hold.subject));
  const destinations = new Set([...detail.case.destinations, ...detail.offers.map((offer) => offer.destination)]);
  const requests = [...destinations].map(requestOf).filter((one) => one !== undefined);
  return timelineOf(detail, chains, ours, requests);
}
