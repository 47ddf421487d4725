/** The consent of a draft, in the reader's language. */
import { bytes, duration, frame } from "$lib/i18n/format";
import { t } from "$lib/i18n/index.svelte";

import { consentParts, type Part } from "./consent";
import type { GiveDraft } from "./draft.svelte";
import { rfc3339 } from "./times";

export function partsOf(draft: GiveDraft): Part[] {
  const { to } = draft;
  const clips = draft.clips.map((clip) => {
    const copy = clip.changes ? clip.copy : null;
    return {
      name: draft.nameOf(clip),
      bytes: clip.given?.size ?? 0,
      when: clip.span ? frame(rfc3339(clip.span.start), rfc3339(clip.span.end), to.zone) : null,
      known: clip.known,
      outside: draft.outside(clip),
      how: copy?.how ?? [],
      why: clip.edit.why,
      original: Boolean(copy && clip.original),
    };
  });
  return consentParts(
    {
      agency: to.agency,
      destination: to.id,
      code: to.code,
      clips,
      keepNames: draft.keepNames,
      mailbox: draft.mailbox,
      contact: draft.told,
    },
    { say: t, size: bytes, length: duration },
  );
}
