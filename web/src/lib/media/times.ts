/** Times of a clip as people read and type them. Pure. */

/** `1:02:03.4`, `2:03.4`: seconds of a clip, with tenths where `exact`. */
export function clock(seconds: number, exact = false): string {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const whole = Math.floor(tenths / 10);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  const text = h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  return exact ? `${text}.${tenths % 10}` : text;
}

/** Reads `75`, `1:15`, `1:15.5`, `0:01:15`; none if it is no time. A decimal comma is read too. */
export function parseClock(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:[.,]\d{1,3})?)$/.exec(text.trim());
  if (!match) return null;
  const [, hours, minutes, seconds] = match;
  const s = Number((seconds ?? "").replace(",", "."));
  if (minutes !== undefined && s >= 60) return null;
  if (hours !== undefined && Number(minutes) >= 60) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + s;
}

/** A place on the line as a share of its length, 0 to 1. */
export function share(seconds: number, duration: number): number {
  return duration > 0 ? Math.min(1, Math.max(0, seconds / duration)) : 0;
}

/** Speeds of the player. */
export const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4] as const;
