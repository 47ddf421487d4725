import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { homeFor, pageFor, SECTIONS } from "./pages";
import { rightsOf } from "./session/rights";

const roles = readFileSync(new URL("../../../policies/roles.txt", import.meta.url), "utf8");
const order = ["operator", "moderator", "overseer", "investigator", "supervisor", "custodian", "administrator"];

test("what pages believe of a role is what the policy says", () => {
  const rows = roles.split("\n").filter((line) => /^[a-z]+\.[a-z.]+ /.test(line));
  expect(rows.length).toBeGreaterThan(40);
  for (const row of rows) {
    const [action = "", ...cells] = row.replace(" * ", " ").trim().split(/\s+/);
    for (const [at, role] of order.entries()) {
      const allowed = cells[at] !== "-";
      // Pages need not know every right, but they must not promise one that is not there.
      if (rightsOf([role]).has(action)) expect(`${role} ${action} ${allowed}`).toBe(`${role} ${action} true`);
    }
  }
});

test("each section leads to a page of its own, and each role has a home", () => {
  for (const section of SECTIONS) expect(`/desk/${pageFor(section.href).section}`).toBe(section.href);
  for (const role of order) {
    const rights = rightsOf([role]);
    expect(SECTIONS.some((section) => section.href === homeFor((right) => rights.has(right)))).toBe(true);
  }
});

test("ids become properties; other addresses give the page that says so", () => {
  const id = `req_${"a2".repeat(13)}`;
  expect(pageFor(`/desk/requests/${id}`).props).toEqual({ id });
  expect(pageFor(`/desk/requests/${id}/edit/`).props).toEqual({ id });
  for (const path of ["/desk/plates", "/desk/requests/short", "/desk/requests/../people"])
    expect(pageFor(path).section).toBe("");
});
