import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { byWeek, type Due, hrefOf, monday, ruleOf, span } from "./schedule";

const due = (at: string, over: Partial<Due> = {}): Due => ({
  subject: "off_a",
  what: "envelope",
  due: at,
  held: false,
  reason: "untriaged",
  ...over,
});

describe("the schedule of destruction", () => {
  it("keeps every entry, in weeks that begin on Monday and follow each other", () => {
    const time = fc.date({ min: new Date("2026-01-01"), max: new Date("2028-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(time), time, (times, now) => {
        const entries = times.map((at) => due(at.toISOString()));
        const { past, weeks } = byWeek(entries, now);
        expect(past.length + weeks.reduce((sum, week) => sum + week.entries.length, 0)).toBe(entries.length);
        for (const [at, week] of weeks.entries()) {
          expect(week.start.getDay()).toBe(1);
          expect(week.entries.every((entry) => monday(new Date(entry.due)).getTime() === week.start.getTime())).toBe(
            true,
          );
          expect(week.start.getTime()).toBeGreaterThan(weeks[at - 1]?.start.getTime() ?? 0);
        }
        expect(past.every((entry) => new Date(entry.due) <= now)).toBe(true);
      }),
    );
  });
  it("names the rule", () => {
    const days = { untriaged_days: 90, declined_days: 30, closed_case_days: 365 };
    expect(ruleOf(due("x"), days)).toEqual({ field: "untriaged_days", days: 90 });
    expect(ruleOf(due("x", { reason: "declined" }), days)).toEqual({ field: "declined_days", days: 30 });
    expect(ruleOf(due("x", { what: "item" }), days)).toEqual({ field: "closed_case_days", days: 365 });
    expect(ruleOf(due("x", { what: "erasure" }), days)).toBeNull();
    const told = { field: "retention.record_days", days: 3650 };
    expect(ruleOf(due("x", { rule: told }), days)).toEqual({ field: "record_days", days: 3650 });
  });
  it("leads to the page of each thing", () => {
    expect(hrefOf("off_a")).toBe("/desk/inbox/off_a");
    expect(hrefOf("itm_a")).toBe("/desk/items/itm_a");
    expect(hrefOf("xxx_a")).toBeNull();
  });
});

describe("span", () => {
  it("says a length in the unit that people would use", () => {
    expect([90, 180, 3_600, 7_200, 86_400, 21 * 86_400].map(span)).toEqual([
      { unit: "seconds", n: 90 },
      { unit: "minutes", n: 3 },
      { unit: "minutes", n: 60 },
      { unit: "hours", n: 2 },
      { unit: "hours", n: 24 },
      { unit: "days", n: 21 },
    ]);
  });
});
