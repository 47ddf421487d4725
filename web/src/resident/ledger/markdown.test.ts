import fc from "fast-check";
import { expect, test } from "vitest";

import { blocksOf } from "./markdown";

test("headings, lists and paragraphs are told apart, and the rest stays as it is written", () => {
  const text =
    "# What we keep\nFootage is **kept** 90\ndays.\n\n- one\n- two\n  and more\n\n1. first\nSee [law](https://a.example/x).";
  expect(blocksOf(text)).toEqual([
    { kind: "heading", text: "What we keep" },
    { kind: "paragraph", text: "Footage is kept 90 days." },
    { kind: "list", items: ["one", "two and more"] },
    { kind: "list", items: ["first See law (https://a.example/x)."] },
  ]);
  expect(blocksOf("<script>alert(1)</script>")).toEqual([{ kind: "paragraph", text: "<script>alert(1)</script>" }]);
  expect(blocksOf("")).toEqual([]);
});

test("no line is lost", () => {
  const line = fc.constantFrom("# a", "- b", "c", "", "2) d");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const words = blocksOf(lines.join("\n")).flatMap((block) => (block.kind === "list" ? block.items : [block.text]));
      const due = lines.join(" ").replaceAll(/[^a-d]/g, "");
      expect(words.join("").replaceAll(" ", "")).toBe(due);
    }),
  );
});
