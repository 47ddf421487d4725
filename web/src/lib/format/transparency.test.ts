import fc from "fast-check";
import { expect, test } from "vitest";

import { allCsv, csvCell, tableCsv } from "./csv";
import type { LedgerEntry } from "./ledger";
import { openContradictions, parseTransparency, type Transparency } from "./transparency";
import type { OversightLeaf, PublicAgency } from "./types";
import { countUses } from "./uses";

const A = `agy_${"a".repeat(26)}`;
const B = `agy_${"b".repeat(26)}`;
const AGENCIES = [
  { id: A, class: "municipal" },
  { id: B, class: "county" },
] as PublicAgency[];

function entry(index: number, leaf: Partial<OversightLeaf>): LedgerEntry {
  const whole = { type: "item.read", subject: "x", hour: "2026-11-24T06Z", commitment: "0", ...leaf };
  return { log: "oversight", index, leaf: whole, text: "" } as unknown as LedgerEntry;
}

const SUMMARY: Transparency = {
  v: 1,
  policy: "p",
  rules: "r",
  kept: [{ class: "draft", setting: "retention.draft_days", days: 90 }],
  plates: false,
  hotlists: [],
  safelists: [],
  deployment: { members: [{ role: "overseer", count: 1, since: "2026-11-24" }], texts: [], contradictions: [] },
  agencies: [
    {
      id: A,
      name: "Town",
      class: "municipal",
      subdivision: "US-NH",
      state: "verified",
      law: { profile: "us-nh", title: "New Hampshire", reads: { seen_seconds: 180, hit_seconds: 86_400 } },
      members: [],
      keys: { count: 1, since: "2026-11-01" },
      portals: 0,
      requests: 2,
      sharing: [],
      texts: [],
      contradictions: [{ language: "en", setting: "ask.moderated", claimed: true, live: false, since: "2026-11-02" }],
    },
  ],
  findings: {},
};

test("acts are counted by month, purpose, and whether another agency did them", () => {
  const entries = [
    entry(3, { agency: A, purpose: "crime" }),
    entry(9, { agency: A, purpose: "crime" }),
    entry(4, { agency: A, by: B, purpose: "crime" }),
    entry(5, { agency: A, type: "case.close" }),
    entry(6, { agency: A, type: "access.refused", refused: "item.read", purpose: "crime" }),
    entry(7, { agency: B, type: "erasure.done" }),
    entry(8, { agency: A, purpose: "crime", hour: "2026-12-01T00Z" }),
    { ...entry(1, {}), leaf: null } as unknown as LedgerEntry,
  ];
  const uses = countUses("uses", entries, AGENCIES);
  expect(uses.map(({ month, outside, byClass, n, first, last }) => [month, outside, byClass, n, first, last])).toEqual([
    ["2026-12", false, "municipal", 1, 8, 8],
    ["2026-11", false, "municipal", 2, 3, 9],
    ["2026-11", true, "county", 1, 4, 4],
  ]);
  expect(countUses("refusals", entries, AGENCIES)).toMatchObject([{ action: "item.read", purpose: "crime", n: 1 }]);
  expect(countUses("deletions", entries, AGENCIES)).toMatchObject([{ action: "erasure.done", agency: B, n: 1 }]);
  expect(countUses("uses", entries, AGENCIES, ({ by }) => by === B)).toHaveLength(1);
});

test("every act is in exactly one row, in any order", () => {
  const leaf = fc.record({
    type: fc.constantFrom("item.read", "offer.open", "erasure.done", "access.refused"),
    agency: fc.constantFrom(A, B, undefined),
    by: fc.constantFrom(A, B, undefined),
    purpose: fc.constantFrom("crime", "triage", undefined),
    hour: fc.constantFrom("2026-11-24T06Z", "2026-12-24T06Z"),
  });
  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 60 }), (leaves) => {
      const entries = leaves.map((each, index) => entry(index, each as Partial<OversightLeaf>));
      const sums = (["uses", "refusals", "deletions"] as const).map((sort) => {
        const uses = countUses(sort, entries, AGENCIES);
        expect(countUses(sort, entries.toReversed(), AGENCIES)).toEqual(uses);
        return uses.reduce((sum, { n }) => sum + n, 0);
      });
      const deleted = leaves.filter(({ type }) => type === "erasure.done");
      const refused = leaves.filter(({ type }) => type === "access.refused");
      const used = leaves.filter(({ type, purpose }) => purpose && type !== "access.refused");
      expect(sums).toEqual([used.length, refused.length, deleted.length]);
    }),
  );
});

test("a spreadsheet gets text where a cell could be a formula, and every cell back", () => {
  expect(csvCell('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"');
  expect(csvCell(-3)).toBe("-3");
  for (const start of ["=", "+", "-", "@", "\t", "\r"]) expect(csvCell(`${start}1`)).toBe(`"'${start}1"`);
  expect(tableCsv({ name: "a", columns: ["x", "y"], rows: [["one, two", 3]] })).toBe('x,y\r\n"one, two",3\r\n');
  const both = allCsv([
    { name: "a", columns: ["x", "y"], rows: [["1", 2]] },
    { name: "b", columns: ["y", "z"], rows: [[3, "4"]] },
  ]);
  expect(both).toBe('table,x,y,z\r\n"a","1",2,""\r\n"b","",3,"4"\r\n');
});

test("a summary is read whole or not at all", () => {
  expect(parseTransparency(SUMMARY)).toBe(SUMMARY);
  const broken: unknown[] = [
    null,
    [],
    { ...SUMMARY, v: 2 },
    { ...SUMMARY, agencies: [{}] },
    { ...SUMMARY, kept: "all" },
    { ...SUMMARY, deployment: { ...SUMMARY.deployment, members: [{ role: 1, count: 1, since: "2026-11-24" }] } },
    { ...SUMMARY, deployment: { ...SUMMARY.deployment, members: [{ role: "a", count: 1, since: "now" }] } },
  ];
  for (const each of broken) expect(parseTransparency(each)).toBeNull();
  expect(openContradictions(SUMMARY).map(({ agency, one }) => [agency, one.setting])).toEqual([[A, "ask.moderated"]]);
});
