import fc from "fast-check";
import { expect, test } from "vitest";

import type { DraftBody } from "./api";
import { draftOf, emptyForm, formOf, localTime, offsetAt, readings, unstorable } from "./form";

const draft: DraftBody = {
  code: "26-004512",
  incident: "burglary",
  details: "A garage was broken into.",
  contact: { name: "Det. Ruiz", phone: "603-555-0100" },
  area: {
    type: "Polygon",
    coordinates: [
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
    ],
  },
  start: "2026-11-20T22:00",
  end: "2026-11-21T02:00",
  zone: "America/New_York",
  languages: ["en"],
  active_days: 14,
  own_case: true,
};

test("a draft with local times comes back as it was", () => {
  expect(draftOf(formOf(draft))).toEqual(draft);
});

test("moments are shown in the zone and mean the same moment when sent back", () => {
  const zones = fc.constantFrom(
    "America/New_York",
    "America/Phoenix",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Europe/Dublin",
  );
  const moments = fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }).map((at) => at - (at % 60));
  fc.assert(
    fc.property(zones, moments, (zone, at) => {
      const moment = new Date(at * 1000).toISOString().replace(".000", "");
      const sent = draftOf(formOf({ ...draft, start: moment, zone })).start;
      expect(new Date(sent).getTime()).toBe(at * 1000);
    }),
  );
});

test("both readings of a repeated hour are told apart", () => {
  expect(localTime("2026-11-01T05:30:00Z", "America/New_York")).toBe("2026-11-01T01:30");
  expect(localTime("2026-11-01T06:30:00Z", "America/New_York")).toBe("2026-11-01T01:30");
  expect(offsetAt("2026-11-01T05:30:00Z", "America/New_York")).toBe("-04:00");
  expect(offsetAt("2026-11-01T06:30:00Z", "America/New_York")).toBe("-05:00");
  expect(readings("write 2026-11-01T01:30:00-04:00 or 2026-11-01T01:30:00-05:00, whichever is meant")).toHaveLength(2);
});

test("what can't be stored is named", () => {
  expect(unstorable(emptyForm("UTC", "en", 14))).toEqual(["incident", "area"]);
  expect(emptyForm("UTC", "en", 14).zone).toBe("");
  expect(unstorable(formOf(draft))).toEqual([]);
});
