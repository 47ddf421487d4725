/** When a clip shows something, and how that meets the time that is asked for. Pure. */
import type { TimeFrame } from "$lib/format/types";

/** A length of time. */
export interface Span {
  start: Date;
  end: Date;
}

/** How a clip's time meets the asked time frame. */
export type Meeting =
  /** Nothing is asked for in particular: a portal. */
  | { kind: "any" }
  /** Nobody knows when the clip is from. */
  | { kind: "unknown" }
  | { kind: "before" | "after"; seconds: number }
  /** `seconds` of it are within; `whole` when all of the asked time is shown. */
  | { kind: "within"; seconds: number; whole: boolean };

/** How a clip meets the asked time frame. Touching counts, as it does for the command line. */
export function meeting(span: Span | null, frame: TimeFrame | null): Meeting {
  if (!frame) return { kind: "any" };
  if (!span) return { kind: "unknown" };
  const [start, end] = [Date.parse(frame.start), Date.parse(frame.end)];
  const [from, until] = [floor(span.start), floor(span.end)];
  if (until < start) return { kind: "before", seconds: (start - until) / 1000 };
  if (from > end) return { kind: "after", seconds: (from - end) / 1000 };
  return {
    kind: "within",
    seconds: (Math.min(end, until) - Math.max(start, from)) / 1000,
    whole: from <= start && until >= end,
  };
}

/** Whether the clip shows nothing of the asked time, or nobody knows: what `outside_time_frame` of a consent says. */
export function outside(span: Span | null, frame: TimeFrame | null): boolean {
  const { kind } = meeting(span, frame);
  return kind !== "any" && kind !== "within";
}

/** The asked time in seconds of a clip that began at `start`; may reach beyond it on both sides. */
export function askedIn(start: Date | null, frame: TimeFrame | null): { from: number; until: number } | null {
  if (!start || !frame) return null;
  const at = (text: string) => (Date.parse(text) - start.getTime()) / 1000;
  return { from: at(frame.start), until: at(frame.end) };
}

/** The part of a clip of this length (seconds) that is asked for; none if there is none, or all of it is. */
export function onlyAsked(
  start: Date | null,
  duration: number,
  frame: TimeFrame | null,
): { from: number; until: number } | null {
  const asked = askedIn(start, frame);
  if (!asked || asked.until <= 0 || asked.from >= duration) return null;
  const part = { from: Math.max(0, asked.from), until: Math.min(duration, asked.until) };
  return part.from > 0 || part.until < duration ? part : null;
}

/** RFC 3339 in UTC with whole seconds, as all our files have it. */
export function rfc3339(date: Date): string {
  return new Date(floor(date)).toISOString().replace(".000Z", "Z");
}

function floor(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}

// ---- times of a place, for fields of a form

/** What the clocks of a zone show, as `<input type="datetime-local" step="1">` has it. */
export function localText(date: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(date);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "00";
  return `${of("year").padStart(4, "0")}-${of("month")}-${of("day")}T${of("hour")}:${of("minute")}:${of("second")}`;
}

/**
 * The moment at which the clocks of a zone show `text`. Where they show it twice (clocks put back) it is the first, where
 * they never do (put forward) the moment as long after the change. None if the text is no time.
 */
export function fromLocal(text: string, zone: string): Date | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)) return null;
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) return null;
  const offset = (at: number) => Date.parse(`${localText(new Date(at), zone)}Z`) - Math.floor(at / 1000) * 1000;
  // The offset in force is that of a day before or a day after; the earlier moment wins where both fit.
  const candidates = [offset(wanted - 86_400_000), offset(wanted + 86_400_000)].map((by) => wanted - by);
  const fits = candidates.filter((at) => offset(at) === wanted - at);
  return new Date(fits.length > 0 ? Math.min(...fits) : Math.max(...candidates));
}
