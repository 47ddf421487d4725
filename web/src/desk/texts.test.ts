import { expect, test } from "vitest";

import en from "$lib/i18n/en/desk.json";
import footageEn from "$lib/i18n/en/footage.json";
import footageEs from "$lib/i18n/es/footage.json";
import governEn from "$lib/i18n/en/govern.json";
import es from "$lib/i18n/es/desk.json";
import platesEn from "$lib/i18n/en/plates.json";
import governEs from "$lib/i18n/es/govern.json";
import momentsEn from "$lib/i18n/en/moments.json";
import momentsEs from "$lib/i18n/es/moments.json";
import platesEs from "$lib/i18n/es/plates.json";
import policyEn from "$lib/i18n/en/policy.json";
import policyEs from "$lib/i18n/es/policy.json";

const names = (text: string) => [...text.matchAll(/\{([a-z]+)[,}]/g)].map((found) => found[1]).sort();

test.each([
  ["desk", en, es],
  ["govern", governEn, governEs],
  ["moments", momentsEn, momentsEs],
  ["plates", platesEn, platesEs],
  ["footage", footageEn, footageEs],
  ["policy", policyEn, policyEs],
])("both languages say the same things with the same values: %s", (_, one, another: Record<string, string>) => {
  expect(Object.keys(another).sort()).toEqual(Object.keys(one).sort());
  for (const [key, text] of Object.entries(one)) {
    const other = another[key] ?? "";
    expect(other.trim(), key).not.toBe("");
    expect([...new Set(names(other))], key).toEqual([...new Set(names(text))]);
  }
});
