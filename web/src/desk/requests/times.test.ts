import fc from "fast-check";
import { expect, test } from "vitest";

import { localTime } from "./form";
import { minutesOf, momentOf } from "./times";

test("a local time is the moment that the zone shows so", () => {
  expect(momentOf("2026-11-20T22:00", "America/New_York")?.toISOString()).toBe("2026-11-21T03:00:00.000Z");
  expect(momentOf("2026-07-20T22:00", "America/New_York")?.toISOString()).toBe("2026-07-21T02:00:00.000Z");
  expect(momentOf("2026-11-20T22:00:00Z", "America/New_York")?.toISOString()).toBe("2026-11-20T22:00:00.000Z");
  expect(momentOf("soon", "America/New_York")).toBeNull();
});

test("reading and showing agree away from changes of the clocks", () => {
  const zones = fc.constantFrom("America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Los_Angeles");
  const moments = fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }).map((at) => at - (at % 60));
  fc.assert(
    fc.property(zones, moments, (zone, at) => {
      const local = localTime(new Date(at * 1000).toISOString(), zone);
      const read = momentOf(local, zone);
      expect(read && localTime(read.toISOString(), zone)).toBe(local);
    }),
  );
});

test("elapsed minutes count the hour that the clocks give back", () => {
  expect(minutesOf({ start: "2026-10-31T22:00", end: "2026-11-01T04:00", zone: "America/New_York" })).toBe(420);
  expect(minutesOf({ start: "", end: "2026-11-01T04:00", zone: "America/New_York" })).toBeNull();
});
