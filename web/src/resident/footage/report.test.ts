import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { reportOf, rulesOf } from "./report";

const measured = readFileSync(new URL("../../../../docs/measured/vision.json", import.meta.url), "utf8");

test("what was measured is read whole", () => {
  const report = reportOf(JSON.parse(measured));
  expect(report?.plates.length).toBeGreaterThan(0);
  for (const set of report?.plates ?? []) expect(set.exact).toBeLessThanOrEqual(set.plates);
  expect(report?.models.every((model) => /^[0-9a-f]{64}$/.test(model.sha256))).toBe(true);
});

test("another form is no report and no list of rules", () => {
  const changed = { ...(JSON.parse(measured) as object), plates: [{ set: "us", plates: "23" }] };
  for (const value of [null, [], "x", {}, changed]) expect(reportOf(value)).toBeNull();
  const rule = { id: "names", title_en: "Names", title_es: "Nombres", reason_en: "No.", reason_es: "No." };
  expect(rulesOf({ rules: [rule] })).toEqual([rule]);
  for (const value of [null, {}, { rules: {} }, { rules: [{ ...rule, id: 7 }] }]) expect(rulesOf(value)).toBeNull();
});
