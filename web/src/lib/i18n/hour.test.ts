import { expect, test } from "vitest";

import { hourOf } from "./format";

test("a coarse time stands for its hour, and never for another day", () => {
  const { from, until } = hourOf("2026-11-26T23Z");
  expect(from.toISOString()).toBe("2026-11-26T23:00:00.000Z");
  expect(until.toISOString()).toBe("2026-11-26T23:59:00.000Z");
});
