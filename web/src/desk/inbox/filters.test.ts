import { describe, expect, it } from "vitest";

import type { Offer } from "../evidence/call";
import { asQuery, changesTo, filtersHere, filtersOf, isNarrowed, isWaiting, passes, viewOf, VIEWS } from "./filters";

const now = new Date("2026-11-24T05:00:00Z");
const offer = (over: Partial<Offer>): Offer =>
  ({
    questions: [],
    withdrawal: null,
    annotations: { notes: [], tags: [], assignee: null, remind: null },
    ...over,
  }) as Offer;
const reminded = (remind: string | null): Offer =>
  offer({ annotations: { notes: [], tags: [], assignee: null, remind } });

describe("filters of the inbox", () => {
  it("show each view exactly, and tell which one it is", () => {
    for (const view of VIEWS) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(changesTo(view))) if (value) query.set(name, value);
      expect(viewOf(query)).toBe(view.id);
      expect(isNarrowed(filtersOf(query))).toBe(view.id !== "all");
    }
  });
  it("are no view when mixed", () => {
    expect(viewOf(new URLSearchParams("state=received&tag=plate"))).toBeNull();
  });
  it("leave out what is no state", () => {
    expect(filtersOf(new URLSearchParams("state=robbery")).state).toBe("");
  });
  it("ask the server for one's own by id, and for nobody's not at all", () => {
    const mine = filtersOf(new URLSearchParams("assignee=me"));
    expect(asQuery(mine, "mbr_a").assignee).toBe("mbr_a");
    const nobody = filtersOf(new URLSearchParams("assignee=none"));
    expect(asQuery(nobody, "mbr_a").assignee).toBeNull();
    expect([filtersHere(mine), filtersHere(nobody)]).toEqual([false, true]);
  });
  it("know whose reminder has come", () => {
    const filters = filtersOf(new URLSearchParams("reminder=due"));
    expect(passes(reminded("2026-11-24T04:00:00Z"), filters, now)).toBe(true);
    expect(passes(reminded("2026-11-25T04:00:00Z"), filters, now)).toBe(false);
    expect(passes(reminded(null), filters, now)).toBe(false);
  });
  it("know who waits: whoever wants it back, and whoever answered last", () => {
    expect(isWaiting(offer({ withdrawal: { at: "x" } as Offer["withdrawal"] }))).toBe(true);
    expect(isWaiting(offer({ withdrawal: { at: "x", granted: false } as Offer["withdrawal"] }))).toBe(false);
    const question = (answered: string | null) => ({ id: "qst_a", answered }) as Offer["questions"][number];
    expect(isWaiting(offer({ questions: [question(null), question("x")] }))).toBe(true);
    expect(isWaiting(offer({ questions: [question("x"), question(null)] }))).toBe(false);
  });
});
