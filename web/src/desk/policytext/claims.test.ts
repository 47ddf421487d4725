import { expect, test } from "vitest";

import type { SettingValue } from "$lib/format/transparency";

import { claimsOf, textOf } from "./claims";

const SETTINGS: { setting: string; value: SettingValue }[] = [
  { setting: "retention.untriaged_days", value: 90 },
  { setting: "ask.max_area_sq_mi", value: 0.5 },
  { setting: "ask.moderated", value: true },
  { setting: "sharing.federal", value: "none" },
];

test("an empty field claims nothing, and each other what the setting's form is", () => {
  expect(claimsOf({}, SETTINGS)).toEqual([]);
  const texts = {
    "retention.untriaged_days": " 60 ",
    "ask.max_area_sq_mi": "0,25",
    "ask.moderated": "false",
    "sharing.federal": "named",
  };
  expect(claimsOf(texts, SETTINGS).map(({ value }) => value)).toEqual([60, 0.25, false, "named"]);
  expect(claimsOf({ "retention.untriaged_days": "sixty" }, SETTINGS)).toMatchObject([{ value: "sixty" }]);
});

test("what is claimed comes back as it was", () => {
  const texts = Object.fromEntries(SETTINGS.map(({ setting, value }) => [setting, textOf(value)]));
  expect(claimsOf(texts, SETTINGS)).toEqual(SETTINGS);
});
