/** Why the server refused an offer, in the reader's language. */
import { t, type MessageKey } from "$lib/i18n/index.svelte";

/** Parts of the reasons that intake gives (`crates/core/src/intake`), and their text here. */
const REASONS: readonly (readonly [RegExp, MessageKey])[] = [
  [/takes no more offers/, "common.seal.upload.closed"],
  [/agency is suspended/, "give.sent.refused.suspended"],
  [/invitation.*used already/, "give.sent.refused.used"],
  [/^invitation/, "give.sent.refused.invitation"],
  [/envelope of \d+ bytes/, "common.seal.upload.large"],
];

/** What to say of a reason; one that has no text here is shown as the server wrote it. */
export function refusalText(reason: string): string {
  const known = REASONS.find(([part]) => part.test(reason));
  return known ? t(known[1]) : reason;
}
