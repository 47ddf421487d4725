import { expect, test } from "vitest";

import en from "$lib/i18n/en/desk.json";
import es from "$lib/i18n/es/desk.json";

const names = (text: string) => [...text.matchAll(/\{([a-z]+)[,}]/g)].map((found) => found[1]).sort();

test("both languages say the same things with the same values", () => {
  expect(Object.keys(es).sort()).toEqual(Object.keys(en).sort());
  for (const [key, text] of Object.entries(en)) {
    const other = es[key as keyof typeof es];
    expect(other.trim(), key).not.toBe("");
    expect([...new Set(names(other))], key).toEqual([...new Set(names(text))]);
  }
});
