import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { askedWithin, copyName, ffmpegFor } from "./clips";

const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 5, 0, second));
const frame = { start: at(60).toISOString(), end: at(120).toISOString() };

describe("the asked time within a clip", () => {
  it("is what both have in common", () => {
    expect(askedWithin(at(0), 300, frame)).toEqual({ from: 60, until: 120 });
    expect(askedWithin(at(90), 300, frame)).toEqual({ from: 0, until: 30 });
    expect(askedWithin(at(0), 90, frame)).toEqual({ from: 60, until: 90 });
  });
  it("is none when they do not meet, or a time is no time", () => {
    expect(askedWithin(at(0), 60, frame)).toBeNull();
    expect(askedWithin(at(120), 60, frame)).toBeNull();
    expect(askedWithin(new Date(Number.NaN), 60, frame)).toBeNull();
  });
  it("always lies within the clip", () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 500 }), (start, length) => {
        const found = askedWithin(at(start), length, frame);
        if (found) expect(found.from >= 0 && found.from < found.until && found.until <= length).toBe(true);
      }),
    );
  });
});

describe("names of copies", () => {
  it("differ from the original's and from all others", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), fc.nat(4), (stem, copies) => {
        const taken = [`${stem}.mp4`];
        for (let n = 0; n <= copies; n += 1) {
          const name = copyName(`${stem}.mp4`, "mp4", "redacted", taken);
          expect(taken).not.toContain(name);
          expect(name).toMatch(/-redacted(-\d+)?\.mp4$/);
          taken.push(name);
        }
      }),
    );
  });
  it("say once that they are redacted", () => {
    expect(copyName("porch-redacted.mp4", "mp4", "redacted", [])).toBe("porch-redacted.mp4");
    expect(copyName("porch-redacted.mp4", "mp4", "redacted", ["porch-redacted.mp4"])).toBe("porch-redacted-2.mp4");
  });
  it("are quoted for a shell", () => {
    expect(ffmpegFor("it's.avi")).toBe(`ffmpeg -i 'it'\\''s.avi' -c:v libx264 -c:a aac 'it'\\''s-playable.mp4'`);
  });
});
