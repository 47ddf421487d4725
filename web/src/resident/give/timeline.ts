/** What became of an offer, as a line of events. Pure. */
import type { OfferStatus } from "$lib/seal/types";

export type EventKind =
  | "sealed"
  | "received"
  | "waiting"
  | "opened"
  | "accepted"
  | "declined"
  | "pending"
  | "asked"
  | "answered"
  | "wished"
  | "granted"
  | "kept"
  | "withdrawn"
  | "destroyed"
  | "refused";

/** One event; `at` is RFC 3339 where a time is known. */
export interface OfferEvent {
  kind: EventKind;
  at: string | null;
  /** Numbers of clips, for decisions. */
  clips?: number[];
  /** Why, in the words of who decided. */
  reason?: string | null;
}

/** What is known on this device. */
export interface Known {
  /** When it was sealed here. */
  sealed: string | null;
  /** When the receipt says that it was received. */
  received: string | null;
  /** Which questions were answered from here, and when. */
  answers: Record<string, string>;
}

/** The events, oldest first as far as their times are known. */
export function timeline(status: OfferStatus | null, known: Known): OfferEvent[] {
  const events: OfferEvent[] = [];
  if (known.sealed) events.push({ kind: "sealed", at: known.sealed });
  if (!status) return events;
  if (status.state === "refused") return [...events, { kind: "refused", at: status.updated, reason: status.reason }];
  events.push({ kind: "received", at: known.received });
  events.push(...openings(status));
  for (const asked of status.questions) {
    events.push({ kind: "asked", at: asked.asked });
    const answered = asked.answered ?? known.answers[asked.id];
    if (answered) events.push({ kind: "answered", at: answered });
  }
  events.push(...ending(status));
  return byTime(events);
}

// The status tells that it was opened and what was decided, but not when: who looked, and at what hour, is the agency's.
function openings(status: OfferStatus): OfferEvent[] {
  const of = (state: string) => status.clips.filter((clip) => clip.state === state).map((clip) => clip.number);
  const [accepted, declined, pending] = [of("accepted"), of("declined"), of("pending")];
  const events: OfferEvent[] = [];
  if (status.state === "received") return [{ kind: "waiting", at: null }];
  if (status.clips.length > 0) events.push({ kind: "opened", at: null });
  if (accepted.length > 0) events.push({ kind: "accepted", at: null, clips: accepted });
  if (declined.length > 0) events.push({ kind: "declined", at: null, clips: declined });
  if (pending.length > 0 && (status.state === "opened" || status.state === "triaged"))
    events.push({ kind: "pending", at: null, clips: pending });
  return events;
}

function ending(status: OfferStatus): OfferEvent[] {
  const wish = status.withdrawal;
  const events: OfferEvent[] = [];
  // An unopened offer is withdrawn at once; then there is nobody who had to grant it.
  if (wish && status.clips.length > 0) {
    events.push({ kind: "wished", at: wish.at });
    if (wish.granted !== null) events.push({ kind: wish.granted ? "granted" : "kept", at: null, reason: wish.reason });
  }
  const atOnce = wish !== null && status.clips.length === 0;
  if (status.state === "withdrawn" || (status.state === "destroyed" && atOnce))
    events.push({ kind: "withdrawn", at: wish?.at ?? status.updated });
  if (status.state === "destroyed") events.push({ kind: "destroyed", at: status.updated });
  return events;
}

// Events without a time stay after the one before them.
function byTime(events: OfferEvent[]): OfferEvent[] {
  let last = 0;
  const placed = events.map((event, order) => {
    if (event.at) last = Math.max(last, Date.parse(event.at));
    return { event, order, at: event.at ? Date.parse(event.at) : last };
  });
  return placed.sort((a, b) => a.at - b.at || a.order - b.order).map(({ event }) => event);
}

/** Questions that wait for an answer: neither the server nor this device has one. */
export function waitingQuestions(status: OfferStatus, answers: Record<string, string>): OfferStatus["questions"] {
  return status.questions.filter((asked) => !asked.answered && !answers[asked.id]);
}
