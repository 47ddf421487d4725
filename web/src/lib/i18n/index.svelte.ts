/**
 * Texts in the reader's language. Messages are ICU MessageFormat in `en/<area>.json` and `es/<area>.json`; an app loads the
 * areas it shows first with {@link startTexts} and others with {@link needTexts}; `t` is then synchronous and reactive to a
 * change of language.
 */
import { IntlMessageFormat } from "intl-messageformat";

import type { Area, MessageKey } from "./keys";

export type { Area, MessageKey };
export const LANGUAGES = ["en", "es"] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", es: "Español" };

type Messages = Record<string, string>;
const files = import.meta.glob<Messages>("./{en,es}/*.json", { import: "default" });
const KEY = "canvass.language";

const areas = new Set<Area>();
let language = $state<Language>("en");
let messages = $state.raw<Messages>({});
const formats = new Map<string, IntlMessageFormat>();

function preferred(): Language {
  const known = (tag: string | null) => LANGUAGES.find((each) => tag?.toLowerCase().startsWith(each));
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // Storage may be off; the browser's languages decide then.
  }
  return known(kept) ?? navigator.languages.map(known).find((each) => each !== undefined) ?? "en";
}

async function read(wanted: Language, of: readonly Area[]): Promise<Messages> {
  const parts = await Promise.all(
    of.map((area) => {
      const file = files[`./${wanted}/${area}.json`];
      if (!file) throw new Error(`no texts for ${area} in ${wanted}`);
      return file();
    }),
  );
  return Object.assign({}, ...parts) as Messages;
}

async function load(wanted: Language): Promise<void> {
  const of = [...areas];
  const all = await read(wanted, of);
  formats.clear();
  messages = all;
  language = wanted;
  document.documentElement.lang = wanted;
  // An area that was asked for meanwhile came in the language before.
  if (areas.size > of.length) await load(wanted);
}

/** Loads the texts of these areas in the reader's language. */
export async function startTexts(wanted: readonly Area[]): Promise<void> {
  for (const area of wanted) areas.add(area);
  await load(preferred());
}

/** Loads the texts of these areas too, where they are not there yet. Throws when they can't be loaded. */
export async function needTexts(wanted: readonly Area[]): Promise<void> {
  const missing = wanted.filter((area) => !areas.has(area));
  if (missing.length === 0) return;
  const before = language;
  const more = await read(before, missing);
  for (const area of missing) areas.add(area);
  if (before === language) messages = { ...messages, ...more };
  else await load(language);
}

/** The language in use. */
export function currentLanguage(): Language {
  return language;
}

/** Changes the language, and remembers it on this device. */
export async function setLanguage(wanted: Language): Promise<void> {
  await load(wanted);
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // Not remembered then; the page still changes.
  }
}

export type Values = Record<string, string | number | boolean | Date | null | undefined>;

/** The text of `key` in the reader's language. A key without text shows itself, which the tests find. */
export function t(key: MessageKey, values?: Values): string {
  const text = messages[key];
  if (text === undefined) return key;
  let format = formats.get(key);
  if (!format) {
    format = new IntlMessageFormat(text, language, undefined, { ignoreTag: true });
    formats.set(key, format);
  }
  return String(format.format(values));
}

/** Whether there is a text for a key made at run time, such as an error code. */
export function hasText(key: string): key is MessageKey {
  return key in messages;
}
