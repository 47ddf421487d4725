import { expect, test } from "vitest";

import { characters } from "./compare";

const marked = (plate: string, ...differences: [number, string | null, string | null][]) =>
  characters(
    plate,
    differences.map(([position, asked, read]) => ({ position, asked, read })),
  )
    .map(({ text, differs }) => (differs ? `[${text}]` : text))
    .join("");

test("what differs is marked where it stands in the read", () => {
  expect(marked("ABC123")).toBe("ABC123");
  expect(marked("A8C1Z3", [2, "B", "8"], [5, "2", "Z"])).toBe("A[8]C1[Z]3");
  expect(marked("AXBC123", [2, null, "X"])).toBe("A[X]BC123");
  expect(marked("AC1Z3", [2, "B", null], [5, "2", "Z"])).toBe("AC1[Z]3");
  expect(marked("ABC123X", [7, null, "X"])).toBe("ABC123[X]");
});
