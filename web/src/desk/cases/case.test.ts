import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Item } from "../evidence/call";
import type { CustodyView } from "../evidence/custody";
import { type CaseDetail, families, peopleOf } from "./case";
import { timelineOf } from "./timeline";

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

describe("the timeline of a case", () => {
  const event = (subject: string, number: number, name: string, at: string, by: string | null, detail: unknown = {}) =>
    ({ subject, number, event: name, at, by, detail, previous: "", hash: "" }) as CustodyView["events"][number];
  const chain = (subject: string, events: CustodyView["events"]) =>
    ({ subject, events, head: { length: events.length, hash: "" } }) as CustodyView;
  const detail = {
    case: { id: "cas_a", opened: "2026-11-24T05:00:00Z", closed: null, by: "mbr_a", destinations: [] },
    items: [item("itm_a"), item("itm_b")],
    offers: [],
    holds: [],
  } as unknown as CaseDetail;

  it("tells what concerns all items once, as the case's, and everything in the order of time", () => {
    const exported = (id: string) => event(id, 1, "exported", "2026-11-24T07:00:00Z", "mbr_b", { case: "cas_a" });
    const chains = [
      chain("itm_a", [event("itm_a", 0, "accepted", "2026-11-24T06:00:00Z", "mbr_a"), exported("itm_a")]),
      chain("itm_b", [event("itm_b", 0, "accepted", "2026-11-24T06:30:00Z", "mbr_a"), exported("itm_b")]),
    ];
    const found = timelineOf(detail, chains, [], []);
    expect(found.map((one) => one.kind)).toEqual(["case.opened", "item.accepted", "item.accepted", "case.exported"]);
    expect(found.map((one) => one.at)).toEqual(found.map((one) => one.at).sort());
    expect(peopleOf(found).map((one) => [one.id, one.kinds.length])).toEqual([
      ["mbr_a", 2],
      ["mbr_b", 1],
    ]);
  });
});
