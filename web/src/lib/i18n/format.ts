/** Numbers, times, lengths and sizes as the reader writes them. */
import { currentLanguage, t } from "./index.svelte";

/** A moment in a zone, with the zone named: `Nov 24, 2026, 6:05 PM EST`. */
export function when(at: string | Date, zone?: string, style: "full" | "short" = "full"): string {
  const date = typeof at === "string" ? new Date(at) : at;
  return new Intl.DateTimeFormat(locale(), {
    weekday: style === "full" ? "short" : undefined,
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone: zone,
  }).format(date);
}

/** A day in a zone. */
export function day(at: string | Date, zone?: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: zone }).format(new Date(at));
}

/**
 * The hour that the coarse time of an oversight entry, `2026-11-26T08Z`, stands for. To its last minute, so that the hour before
 * midnight does not run into another day.
 */
export function hourOf(coarse: string): { from: Date; until: Date } {
  const from = new Date(`${coarse.slice(0, 13)}:00:00Z`);
  return { from, until: new Date(from.getTime() + 59 * 60_000) };
}

/** The coarse time of an oversight entry in words, with its day. */
export function hour(coarse: string): string {
  const { from, until } = hourOf(coarse);
  return new Intl.DateTimeFormat(locale(), {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  }).formatRange(from, until);
}

/** A time frame in its place's zone, the day said once where it is one day. */
export function frame(start: string, end: string, zone: string): string {
  return new Intl.DateTimeFormat(locale(), {
    weekday: "short",
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone: zone,
  }).formatRange(new Date(start), new Date(end));
}

/** How long from now, in words: "in 3 days", "2 hours ago". */
export function relative(at: string | Date, now: Date = new Date()): string {
  const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  return format.format(Math.trunc(seconds), "second");
}

/** A number. */
export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** A size in bytes, with a unit that fits. */
export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let at = 0;
  let size = value;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: units[at] ?? "byte",
    unitDisplay: at === 0 ? "long" : "short",
    maximumFractionDigits: size < 10 && at > 0 ? 1 : 0,
  }).format(size);
}

/** A length of time: "1 h 5 min", "42 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const part = (value: number, unit: "hour" | "minute" | "second") =>
    new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(value);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const parts =
    h > 0
      ? [part(h, "hour"), m > 0 ? part(m, "minute") : ""]
      : m > 0
        ? [part(m, "minute"), s > 0 ? part(s, "second") : ""]
        : [part(s, "second")];
  return parts.filter(Boolean).join(" ");
}

/** A distance in the reader's unit: miles in the United States, kilometres elsewhere. */
export function distance(metres: number): string {
  const miles = /-(US|GB|LR|MM)$/.test(navigator.language);
  const value = miles ? metres / 1609.344 : metres / 1000;
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: miles ? "mile" : "kilometer",
    unitDisplay: "short",
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

/** The name of an incident type, an agency class, a state: a word of the API, in the reader's language. */
export function word(group: "incident" | "class" | "state" | "role" | "clip", value: string): string {
  return t(`${group}.${value}` as Parameters<typeof t>[0]);
}

function locale(): string {
  const region = navigator.languages.find((tag) => tag.toLowerCase().startsWith(currentLanguage()));
  return region ?? currentLanguage();
}
