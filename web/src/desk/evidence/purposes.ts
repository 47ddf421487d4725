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

/** A purpose as a header carries it: percent-encoded is not asked for, so only what a header can hold goes in as it is. */
export function purposeHeader(text: string): string {
  return text.trim().replace(/\s+/gu, " ");
}

whenSessionEnds(() => {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept then.
  }
});
