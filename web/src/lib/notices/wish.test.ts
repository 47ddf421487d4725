import fc from "fast-check";
import { expect, test } from "vitest";

import { padded } from "./wish";

test("every wish has one length, whatever it says", () => {
  const text = fc.string({ maxLength: 300, unit: "grapheme" });
  fc.assert(
    fc.property(text, text, (address, language) => {
      const sealed = padded({ act: "mail", regions: ["832a36fffffffff"], language, address });
      expect(new TextEncoder().encode(sealed).length).toBe(4096);
      expect(JSON.parse(sealed)).toMatchObject({ v: 1, act: "mail", address });
    }),
  );
  expect(padded({ act: "stop", token: "x" }).length).toBe(4096);
});

test("a wish that does not fit is refused before it is sealed", () => {
  expect(() => padded({ act: "stop", token: "x".repeat(5000) })).toThrow();
});
