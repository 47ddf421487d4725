import fc from "fast-check";
import { expect, test } from "vitest";

import type { FieldProblem } from "./api";
import { highlights } from "./highlights";

const finding = (rule: string, more: Partial<FieldProblem>): FieldProblem => ({
  field: "details",
  rule,
  message: "",
  remedy: "",
  ...more,
});

test("the pieces joined are the text, whatever the ranges", () => {
  const range = fc.tuple(fc.integer({ min: -5, max: 60 }), fc.integer({ min: -5, max: 60 }));
  fc.assert(
    fc.property(
      fc.string({ maxLength: 50 }),
      fc.array(fc.array(range, { maxLength: 4 }), { maxLength: 3 }),
      (text, all) => {
        const pieces = highlights(
          text,
          all.map((ranges, at) => finding(`r${at}`, { ranges })),
        );
        expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      },
    ),
  );
});

test("ranges of two rules that overlap are told for each piece", () => {
  const pieces = highlights("the protest march ended", [
    finding("assembly", { ranges: [[4, 17]] }),
    finding("scope", { ranges: [[12, 23]] }),
  ]);
  expect(pieces).toEqual([
    { text: "the ", rules: [] },
    { text: "protest ", rules: ["assembly"] },
    { text: "march", rules: ["assembly", "scope"] },
    { text: " ended", rules: ["scope"] },
  ]);
});

test("without ranges, every place of the quoted words is marked", () => {
  const marked = highlights("March here, march there", [finding("assembly", { matched: "march" })]);
  expect(marked.filter((piece) => piece.rules.length > 0).map((piece) => piece.text)).toEqual(["March", "march"]);
});
