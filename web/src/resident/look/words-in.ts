/** Texts in a language that need not be the reader's: a poster speaks to those who walk by. */
import { IntlMessageFormat } from "intl-messageformat";

import type { Language, MessageKey, Values } from "$lib/i18n/index.svelte";

const files = import.meta.glob<Record<string, string>>("../../lib/i18n/{en,es}/{look,common}.json", {
  import: "default",
});

export type Say = (key: MessageKey, values?: Values) => string;

/** The texts of a language. */
export async function wordsIn(language: Language): Promise<Say> {
  const parts = await Promise.all(
    ["look", "common"].map((area) => files[`../../lib/i18n/${language}/${area}.json`]?.() ?? {}),
  );
  const messages: Record<string, string> = Object.assign({}, ...parts);
  return (key, values) =>
    String(new IntlMessageFormat(messages[key] ?? key, language, undefined, { ignoreTag: true }).format(values));
}
