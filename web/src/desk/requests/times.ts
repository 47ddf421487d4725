/** Time frames of drafts, which may be local texts or moments. */
import { frame } from "$lib/i18n/format";

import { localTime } from "./form";

/** The moment of a text in a zone, for showing: a local time is taken at the offset that the zone keeps about then. */
export function momentOf(text: string, zone: string): Date | null {
  if (/(Z|[+-]\d{2}:\d{2})$/i.test(text)) {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? null : at;
  }
  const utc = new Date(`${text}Z`);
  if (Number.isNaN(utc.getTime())) return null;
  try {
    // Twice: the first guess may lie on the other side of a change of the clocks.
    let at = utc;
    for (let round = 0; round < 2; round += 1) {
      const shown = new Date(`${localTime(at.toISOString(), zone)}Z`);
      at = new Date(at.getTime() + utc.getTime() - shown.getTime());
    }
    return at;
  } catch {
    return null;
  }
}

/** A draft's time frame in words, or its texts while they can't be read. */
export function frameOf(draft: { start: string; end: string; zone: string }): string {
  const [start, end] = [momentOf(draft.start, draft.zone), momentOf(draft.end, draft.zone)];
  if (!start || !end) return [draft.start, draft.end].filter(Boolean).join(" – ");
  try {
    return frame(start.toISOString(), end.toISOString(), draft.zone);
  } catch {
    return `${draft.start} – ${draft.end}`;
  }
}

/** Elapsed minutes of a time frame; null while it can't be read. */
export function minutesOf(draft: { start: string; end: string; zone: string }): number | null {
  const [start, end] = [momentOf(draft.start, draft.zone), momentOf(draft.end, draft.zone)];
  return start && end ? Math.round((end.getTime() - start.getTime()) / 60_000) : null;
}
