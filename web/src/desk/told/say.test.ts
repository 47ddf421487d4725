import { beforeAll, expect, test, vi } from "vitest";

import { needTexts } from "$lib/i18n/index.svelte";

import { resultText, standing } from "./say";

beforeAll(async () => {
  vi.stubGlobal("navigator", { languages: ["en-US"] });
  await needTexts(["common", "plates"]);
});

test("a webhook is on until nothing comes through, and off when it was switched off", () => {
  expect(standing({ off: null, failing: null })).toBe("on");
  expect(standing({ off: null, failing: "2026-11-28T05:00:00Z" })).toBe("failing");
  const off = { at: "2026-11-28T05:00:00Z", why: "gone" as const };
  expect(standing({ off, failing: "2026-11-28T05:00:00Z" })).toBe("off");
});

test("what became of a try is said in words, a status by its number", () => {
  const said = [null, { status: 1000 }, "timed-out", "unreachable", "forbidden"].map((result) =>
    resultText({ result: result as null }),
  );
  expect(new Set(said).size).toBe(said.length);
  expect(said[1]).toContain("1000");
});
