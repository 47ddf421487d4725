import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CheckedRegion, CheckedRequest } from "$lib/format/feed";
import type { IncidentType } from "$lib/format/types";

import { choose, type Filters, listed, narrowing, NO_FILTERS } from "./filters";

const now = new Date("2026-11-26T12:00:00Z");

function request(
  id: string,
  set: { incident?: IncidentType; start?: string; closes?: string; at?: string; x?: number },
): CheckedRequest {
  const x = set.x ?? -71.54;
  const start = set.start ?? "2026-11-25T08:00:00Z";
  const ring = [
    [x, 43.2],
    [x + 0.01, 43.2],
    [x + 0.01, 43.21],
    [x, 43.2],
  ] as [number, number][];
  return {
    id,
    state: "published",
    body: {
      v: 1,
      id,
      agency: { id: "agy_a", name: "Policía de Concord", class: "municipal" },
      code: "26-1",
      incident: set.incident ?? "burglary",
      details: "A white van",
      contact: { name: "Det. A" },
      area: { type: "Polygon", coordinates: [ring] },
      time_frame: { start, end: new Date(Date.parse(start) + 7_200_000).toISOString(), zone: "America/New_York" },
      recipient: "age1",
      languages: ["en"],
      active_days: 14,
      created: start,
    },
    signed: null,
    decision: { request: id, approved: true, reason: "clear", at: start },
    at: set.at ?? "2026-11-26T00:00:00Z",
    closes: set.closes ?? "2026-12-10T00:00:00Z",
    checked: true,
    defect: null,
    key: { id: "k", agency: "agy_a" },
    entries: [],
  };
}

const region = (...requests: CheckedRequest[]): CheckedRegion => ({
  region: "832a36fffffffff",
  generated: "",
  sound: true,
  defects: [],
  witnesses: { have: 0, need: 0 },
  size: 0,
  requests,
});
const ids = (all: ReturnType<typeof choose>) => all.map((each) => each.request.id);
const wanted = (set: Partial<Filters>): Filters => ({ ...NO_FILTERS, ...set });

describe("filters", () => {
  const all = listed(
    [
      region(
        request("a", { at: "2026-11-20T00:00:00Z", closes: "2026-11-27T00:00:00Z", x: -71.6 }),
        request("b", { incident: "collision", start: "2026-11-01T03:30:00Z" }),
        request("c", { closes: "2026-11-25T00:00:00Z" }),
      ),
      region(request("a", {})),
    ],
    [-71.535, 43.203],
    now,
  );

  it("show each request once, open ones first", () => {
    expect(ids(choose(all, wanted({ openOnly: false })))).toEqual(["b", "a", "c"]);
    expect(ids(choose(all, NO_FILTERS))).toEqual(["b", "a"]);
  });

  it("narrow by type, text, day and distance", () => {
    expect(ids(choose(all, wanted({ incident: "collision" })))).toEqual(["b"]);
    expect(ids(choose(all, wanted({ text: "policia VAN" })))).toEqual(["b", "a"]);
    expect(ids(choose(all, wanted({ text: "bus" })))).toEqual([]);
    // 03:30 in UTC is still the day before in the place's own zone.
    expect(ids(choose(all, wanted({ until: "2026-10-31" })))).toEqual(["b"]);
    expect(ids(choose(all, wanted({ from: "2026-11-02" })))).toEqual(["a"]);
    expect(ids(choose(all, wanted({ within: 1_000 })))).toEqual(["b"]);
  });

  it("order", () => {
    expect(ids(choose(all, wanted({ sort: "closing" })))).toEqual(["a", "b"]);
    expect(ids(choose(all, wanted({ sort: "nearest" })))).toEqual(["b", "a"]);
  });

  it("never show what was not there, and show all when nothing is filtered", () => {
    const filters = fc.record({
      text: fc.constantFrom("", "van", "nothing"),
      incident: fc.constantFrom<IncidentType | "">("", "burglary", "collision"),
      from: fc.constantFrom("", "2026-11-02"),
      until: fc.constantFrom("", "2026-11-30"),
      within: fc.constantFrom(0, 1_000),
      openOnly: fc.boolean(),
      sort: fc.constantFrom<Filters["sort"]>("newest", "closing", "nearest"),
    });
    fc.assert(
      fc.property(filters, (set) => {
        const shown = choose(all, set);
        expect(shown.length).toBeLessThanOrEqual(all.length);
        if (narrowing({ ...set, openOnly: true }) === 0 && !set.openOnly) expect(shown).toHaveLength(all.length);
      }),
    );
  });
});
