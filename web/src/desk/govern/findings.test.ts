import { readFileSync } from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";

import { hasText, needTexts } from "$lib/i18n/index.svelte";

import { linkTo } from "../shell/links";
import { mayAnswer, recordsOf, whenOf, whyOf } from "./findings";

const crate = (file: string) => readFileSync(new URL(`../../../../crates/misuse/src/${file}`, import.meta.url), "utf8");

beforeAll(async () => {
  vi.stubGlobal("navigator", { languages: ["en-US"] });
  await needTexts(["govern"]);
});

test("each rule and each sentence that the rules give has words here", () => {
  const rules = [...crate("finding.rs").matchAll(/Self::\w+ => "(\w+)"/g)].map(([, rule]) => rule!);
  expect(rules).toHaveLength(5);
  for (const rule of rules) {
    expect(hasText(`govern.finding.rule.${rule}`), rule).toBe(true);
    expect(hasText(`govern.finding.means.${rule}`), rule).toBe(true);
  }
  const templates = rules.flatMap((rule) =>
    [...crate(`rules/${rule}.rs`).matchAll(/"([a-z]+\.[a-z-]+)"/g)].map(([, template]) => template!),
  );
  expect(templates).toHaveLength(6);
  for (const template of templates) {
    const rule = template.split(".")[0]!;
    const names = [...crate(`rules/${rule}.rs`).matchAll(/\("(\w+)", (?:count|whole|u64)/g)].map(([, name]) => name!);
    expect(names.length, template).toBeGreaterThan(0);
    const numbers = Object.fromEntries(names.map((name) => [name, 7]));
    // A value that the sentence needs and the rule does not give would throw.
    expect(whyOf({ template, numbers }), template).toMatch(/7/);
  }
});

test("a sentence that this page does not know is told by its numbers", () => {
  expect(whyOf({ template: "new.rule", numbers: { acts: 9, days: 2 } })).toBe("new.rule: acts 9, days 2");
});

test("one day is told once", () => {
  const one = { first: "2026-11-20T10:00:00Z", last: "2026-11-20T11:00:00Z" };
  expect(whenOf(one, "Ana").match(/2026/g)).toHaveLength(1);
  expect(whenOf({ ...one, last: "2026-11-24T11:00:00Z" }, "Ana").match(/2026/g)).toHaveLength(2);
});

test("an answered finding is answered anew by overseers alone, who belong to no agency", () => {
  expect(mayAnswer({ state: "open" }, "agy_a")).toBe(true);
  expect(mayAnswer({ state: "explained" }, "agy_a")).toBe(false);
  expect(mayAnswer({ state: "confirmed" }, null)).toBe(true);
});

test("records are looked for by id, never by a plate", () => {
  const id = `off_${"a2".repeat(13)}`;
  expect(recordsOf({ action: "offer.open", subject: id })).toBe(`/desk/oversight?action=offer.open&about=${id}`);
  expect(recordsOf({ action: "plate.search", subject: "ABC&1234" })).toBe("/desk/oversight?action=plate.search");
});

test("ids lead to their pages, for those who may; plates and other texts nowhere", () => {
  const id = (kind: string) => `${kind}_${"a2".repeat(13)}`;
  expect(linkTo(id("off"), () => true)).toBe(`/desk/inbox/${id("off")}`);
  expect(linkTo(id("fnd"), (action) => action === "finding.read")).toBe(`/desk/findings/${id("fnd")}`);
  expect(linkTo(id("off"), () => false)).toBeNull();
  for (const text of ["ABC1234", id("zzz"), `${id("off")}/../x`, "off_short", "constructor", "__proto__"])
    expect(
      linkTo(text, () => true),
      text,
    ).toBeNull();
});
