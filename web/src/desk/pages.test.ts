import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { homeFor, pageFor, SECTIONS } from "./pages";

const roles = readFileSync(new URL("../../../policies/roles.txt", import.meta.url), "utf8");
const order = ["operator", "moderator", "overseer", "investigator", "supervisor", "custodian", "administrator"];

/** What a role may do, as the policy says. */
function rightsOf(role: string): Set<string> {
  const rows = roles.split("\n").filter((line) => /^[a-z]+\.[a-z.]+ /.test(line));
  const cells = rows.map((row) => row.replace(" * ", " ").trim().split(/\s+/));
  return new Set(cells.filter((row) => row[1 + order.indexOf(role)] !== "-").map(([action = ""]) => action));
}

test("each section asks for rights that exist, and leads to a page of its own", () => {
  const known = new Set(order.flatMap((role) => [...rightsOf(role)]));
  expect(known.size).toBeGreaterThan(40);
  for (const section of SECTIONS) {
    expect(`/desk/${pageFor(section.href).section}`).toBe(section.href);
    expect(section.rights.filter((right) => !known.has(right))).toEqual([]);
  }
});

test("each role has a home", () => {
  for (const role of order) {
    const rights = rightsOf(role);
    expect(SECTIONS.some((section) => section.href === homeFor((right) => rights.has(right)))).toBe(true);
  }
});

test("ids become properties; other addresses give the page that says so", () => {
  const id = `req_${"a2".repeat(13)}`;
  expect(pageFor(`/desk/requests/${id}`).props).toEqual({ id });
  expect(pageFor(`/desk/requests/${id}/edit/`).props).toEqual({ id });
  for (const path of ["/desk/nowhere", "/desk/requests/short", "/desk/requests/../people"])
    expect(pageFor(path).section).toBe("");
});
