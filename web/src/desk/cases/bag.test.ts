import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bagInfo, digestOfBytes, isBagPath, manifest } from "./bag";

const sum = (path: string, bytes = 1) => ({ path, bytes, sha256: "a".repeat(64) });

describe("BagIt files", () => {
  it("list files by the bytes of their paths, with the escapes of RFC 8493", () => {
    const text = manifest([sum("data/ü"), sum("data/b%"), sum("data/a"), sum("data/a\nb")]);
    const hash = "a".repeat(64);
    expect(text).toBe(`${hash}  data/a\n${hash}  data/a%0Ab\n${hash}  data/b%25\n${hash}  data/ü\n`);
  });
  it("name length and number of the payload", () => {
    const lines: [string, string][] = [
      ["Bagging-Date", "2026-11-24"],
      ["Payload-Oxum", ""],
    ];
    expect(bagInfo(lines, [sum("data/a", 5), sum("data/b", 7)])).toBe("Bagging-Date: 2026-11-24\nPayload-Oxum: 12.2\n");
  });
  it("take no path that leaves the bag", () => {
    for (const path of ["", "/etc/passwd", "../x", "data/../../x", "data//x", "data/./x", "a\\b", "a\u0000b"])
      expect(isBagPath(path)).toBe(false);
    expect(isBagPath("data/originals/itm_a/porch 1.mp4")).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.constantFrom("..", ".", "", "a", "b c"), { maxLength: 6 }), (parts) => {
        if (isBagPath(parts.join("/"))) expect(parts.some((part) => ["..", ".", ""].includes(part))).toBe(false);
      }),
    );
  });
  it("hash as SHA-256", () => {
    expect(digestOfBytes(new Uint8Array())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });
});
