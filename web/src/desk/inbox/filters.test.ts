import { describe, expect, it } from "vitest";

import type { Offer } from "../evidence/call";
import { asQuery, changesTo, filtersOf, isNarrowed, viewOf, VIEWS, wantsBack } from "./filters";

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
  it("are all asked of the server, in its words", () => {
    const query = asQuery(filtersOf(new URLSearchParams("assignee=none&reminder=due&tag=van")));
    expect(query).toMatchObject({ assignee: "none", tag: "van", reminder_due: true, waiting: null });
    expect(asQuery(filtersOf(new URLSearchParams("waiting=yes")))).toMatchObject({ waiting: true, reminder_due: null });
  });
  it("know who wants an offer back and has no answer yet", () => {
    const offer = (withdrawal: unknown) => ({ withdrawal }) as Offer;
    expect(wantsBack(offer({ at: "x" }))).toBe(true);
    expect(wantsBack(offer({ at: "x", granted: false }))).toBe(false);
    expect(wantsBack(offer(null))).toBe(false);
  });
});
