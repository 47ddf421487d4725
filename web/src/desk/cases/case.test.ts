import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Item } from "../evidence/call";
import { families, peopleOf } from "./case";
import type { TimelineEvent } from "./timeline";

const item = (id: string, copy_of: string | null = null) => ({ id, name: id, copy_of }) as Item;

describe("originals and copies", () => {
  it("stand together, a copy of a copy under the first original", () => {
    const found = families([item("c", "b"), item("a"), item("b", "a"), item("d")]);
    expect(found.map((one) => [one.original.id, one.copies.map((copy) => copy.id)])).toEqual([
      ["a", ["c", "b"]],
      ["d", []],
    ]);
  });
  it("are all shown once, whatever refers to what", () => {
    const ids = ["a", "b", "c", "d", "e"];
    const parents = fc.array(fc.option(fc.constantFrom(...ids, "gone")), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(parents, (all) => {
        // No rings: a copy is made after what it is a copy of.
        const items = ids.map((id, at) => {
          const parent = all[at] ?? null;
          return item(id, parent !== null && (parent === "gone" || parent < id) ? parent : null);
        });
        const shown = families(items).flatMap((one) => [one.original, ...one.copies].map((each) => each.id));
        expect(shown.sort()).toEqual(ids);
      }),
    );
  });
});

describe("the people of a case", () => {
  it("are told once each, most events first, with the last time they acted", () => {
    const event = (by: string | null, kind: string, at: string): TimelineEvent => ({
      at,
      by,
      kind,
      subject: "itm_a",
      detail: {},
    });
    const found = peopleOf([
      event("mbr_b", "case.opened", "2026-11-24T05:00:00Z"),
      event(null, "offer.received", "2026-11-24T05:30:00Z"),
      event("mbr_a", "item.accepted", "2026-11-24T06:00:00Z"),
      event("mbr_a", "item.accepted", "2026-11-24T06:30:00Z"),
    ]);
    expect(found.map((one) => [one.id, one.kinds, one.last])).toEqual([
      ["mbr_a", ["item.accepted"], "2026-11-24T06:30:00Z"],
      ["mbr_b", ["case.opened"], "2026-11-24T05:00:00Z"],
    ]);
  });
});
