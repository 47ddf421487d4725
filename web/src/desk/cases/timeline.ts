/** All that happened in a case, as the desk tells it: requests, offers, items, holds and the case itself in one line of time. */
import { api, type Schemas } from "$lib/api/client";
import { Problem } from "$lib/problem";

/** One event in the life of a case. */
export type TimelineEvent = Schemas["TimelineEvent"];

/** How many events are asked for at once; the newest come first. */
const PART = 500;
/** As many as one answer may hold. */
const MOST = 2000;

/** A part of a case's events, oldest first. `earlier` are those before it. */
export async function loadTimeline(id: string, skip = 0, signal?: AbortSignal): Promise<Schemas["Timeline"]> {
  return ask(id, { skip, limit: PART }, signal);
}

/** The newest events of a case, for who took part in it. */
export async function newestEvents(id: string): Promise<TimelineEvent[]> {
  return (await ask(id, { skip: 0, limit: MOST })).events;
}

async function ask(id: string, query: { skip: number; limit: number }, signal?: AbortSignal) {
  const params = { path: { case: id }, query };
  const { data } = await api.GET("/api/v1/cases/{case}/timeline", { params, signal });
  if (!data) throw new Problem("common.problem.unknown");
  return data;
}
