/** How the gallery looks at a screen: in two looks, with all that must hold of each. */
import type { BrowserContextOptions } from "@playwright/test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { accessible, expect, type Page } from "./fixtures";

export type Language = "en" | "es";
export interface Look {
  name: string;
  language: Language;
  context: BrowserContextOptions;
}

/** The two ends of what there is; what lies between is made of the same. */
export const LOOKS: readonly Look[] = [
  {
    name: "es-dark-320",
    language: "es",
    context: { locale: "es-US", colorScheme: "dark", viewport: { width: 320, height: 640 } },
  },
  {
    name: "en-light-desk",
    language: "en",
    context: { locale: "en-US", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  },
];

const TEXTS = join(import.meta.dirname, "../src/lib/i18n");

function textsOf(language: Language): Record<string, string> {
  const files = readdirSync(join(TEXTS, language)).filter((file) => file.endsWith(".json"));
  const parts = files.map((file) => JSON.parse(readFileSync(join(TEXTS, language, file), "utf8")) as object);
  return Object.assign({}, ...parts) as Record<string, string>;
}

const TEXT = { en: textsOf("en"), es: textsOf("es") };

/** The pages' own words in a language, by their key. */
export const wordsOf = (language: Language) => (key: string) => {
  const text = TEXT[language][key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text;
};

/** English sentences that have another form in Spanish: none may stand on a Spanish page. */
const ENGLISH = Object.entries(TEXT.en)
  .filter(([key, text]) => text.length > 20 && !/[{]/.test(text) && TEXT.es[key] !== text)
  .map(([, text]) => text);

/** Everything that holds of every screen, and its picture. */
export async function shoot(page: Page, file: string, look: Look): Promise<void> {
  // Fonts, pictures and the one transition that there is.
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(300);
  await page.screenshot({ path: file, fullPage: true });
  await accessible(page, file);
  const text = await page.locator("body").innerText();
  const raw = text.split(/[\s,;:()«»"“”]+/).filter((word) => word.includes(".") && word in TEXT.en);
  expect(raw, `no key stands for a text in ${file}`).toEqual([]);
  expect(await page.title()).not.toMatch(/^[a-z]+(\.[a-z]+)+/i);
  if (look.language === "es")
    expect(
      ENGLISH.filter((sentence) => text.includes(sentence)),
      `no English in ${file}`,
    ).toEqual([]);
}
