/** What a member wrote last as a purpose, for each case or request, in this tab: offered again, never sent by itself. */
import { whenSessionEnds } from "../session/session.svelte";

export const PURPOSE_LEAST = 10;
export const PURPOSE_MOST = 500;
const PREFIX = "canvass.desk.purpose.";

/** Whether a text may stand as a purpose: 10 to 500 characters. */
export function isPurpose(text: string): boolean {
  const length = [...text.trim()].length;
  return length >= PURPOSE_LEAST && length <= PURPOSE_MOST;
}

/** What was written last for this case or request. */
export function lastPurpose(scope: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + scope);
  } catch {
    return null;
  }
}

/** Remembers a purpose for this tab. */
export function keepPurpose(scope: string, text: string): void {
  try {
    sessionStorage.setItem(PREFIX + scope, text.trim());
  } catch {
    // Storage may be off: nothing is offered next time then.
  }
}

/** A purpose as a header carries it: on one line, its UTF-8 bytes as the bytes of the header. */
export function purposeHeader(text: string): string {
  const line = text.trim().replace(/\s+/gu, " ");
  return Array.from(new TextEncoder().encode(line), (byte) => String.fromCharCode(byte)).join("");
}

whenSessionEnds(() => {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept then.
  }
});
