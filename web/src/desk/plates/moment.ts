/** Moments as fields of local time have them, and as the server takes them. */

/** A moment as a field of local time has it. */
export function local(milliseconds: number): string {
  const at = new Date(milliseconds);
  return new Date(milliseconds - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What a field of local time says, as the server takes it; null for an empty one. */
export const moment = (text: string): string | null => (text === "" ? null : new Date(text).toISOString());
