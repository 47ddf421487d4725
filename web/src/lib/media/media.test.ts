import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type Box,
  boxAt,
  clampRect,
  hiddenIn,
  MIN_SIDE,
  newBox,
  placeAt,
  type Rect,
  rectOf,
  shifted,
  withKey,
  withoutKey,
  withSpan,
} from "./boxes";
import { createdIn, plausible } from "./created";
import { blocksOf, pixels } from "./paint";
import { guessKind } from "./probe";
import { clock, parseClock, share } from "./times";

const side = fc.double({ min: 0, max: 1, noNaN: true });
const rect: fc.Arbitrary<Rect> = fc.record({ x: side, y: side, width: side, height: side }).map(clampRect);
const moment = fc.integer({ min: 0, max: 6000 }).map((tenths) => tenths / 10);
const box: fc.Arbitrary<Box> = fc
  .record({
    keys: fc.uniqueArray(fc.record({ at: moment, rect }), { minLength: 1, maxLength: 6, selector: (key) => key.at }),
    ends: fc.tuple(moment, moment),
  })
  .map(({ keys, ends }) => ({
    id: "b",
    style: "blur" as const,
    from: Math.min(...ends),
    until: Math.max(...ends),
    keys: keys.map((key) => ({ at: key.at, ...key.rect })).sort((a, b) => a.at - b.at),
  }));

const inside = (a: Rect) => a.x >= -1e-9 && a.y >= -1e-9 && a.x + a.width <= 1 + 1e-9 && a.y + a.height <= 1 + 1e-9;
const holds = (outer: Rect, inner: Rect) =>
  outer.x <= inner.x + 1e-9 &&
  outer.y <= inner.y + 1e-9 &&
  outer.x + outer.width >= inner.x + inner.width - 1e-9 &&
  outer.y + outer.height >= inner.y + inner.height - 1e-9;

describe("boxes", () => {
  it("are where they were put, at each of their moments", () => {
    fc.assert(
      fc.property(box, (each) => {
        for (const key of each.keys) {
          const at = placeAt(each, key.at);
          expect(holds(at, key) && holds(key, at)).toBe(true);
        }
      }),
    );
  });

  it("stay in the picture and between their neighbours at every moment", () => {
    fc.assert(
      fc.property(box, moment, (each, time) => {
        const place = placeAt(each, time);
        expect(inside(place)).toBe(true);
        const xs = each.keys.map((key) => key.x);
        expect(place.x).toBeGreaterThanOrEqual(Math.min(...xs) - 1e-9);
        expect(place.x).toBeLessThanOrEqual(Math.max(...xs) + 1e-9);
      }),
    );
  });

  it("hide nothing outside their time, and whole frames at its edges", () => {
    fc.assert(
      fc.property(box, moment, (each, time) => {
        const shown = boxAt(each, time) !== null;
        expect(shown).toBe(time >= each.from - 0.008 && time <= each.until + 0.008);
        // A frame of 40 ms that begins before the box does still hides it.
        if (shown) expect(hiddenIn([each], Math.max(0, time - 0.03), 0.04)).toHaveLength(1);
      }),
    );
  });

  it("hide all that they pass while a frame is shown", () => {
    fc.assert(
      fc.property(box, moment, fc.double({ min: 0, max: 1, noNaN: true }), (each, time, part) => {
        const [hidden] = hiddenIn([each], time, 0.5);
        const within = boxAt(each, time + part * 0.5);
        // A key in the middle of a frame may turn the way; both ends are hidden in any case.
        const straight = !each.keys.some((key) => key.at > time && key.at < time + 0.5);
        if (hidden && within && straight && time >= each.from && time + 0.5 <= each.until)
          expect(holds(hidden.rect, within)).toBe(true);
      }),
    );
  });

  it("of a cut clip hide what they hid in the whole", () => {
    fc.assert(
      fc.property(box, moment, moment, moment, (each, a, b, time) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(time >= start && time <= end);
        const before = boxAt(each, time);
        const [cut] = shifted([each], start, end);
        const after = cut ? boxAt(cut, time - start) : null;
        // Ends may differ by the rounding of a subtraction, less than a frame.
        if (Math.abs(time - each.from) < 0.02 || Math.abs(time - each.until) < 0.02) return;
        expect(after === null).toBe(before === null);
        if (before && after) expect(Math.abs(before.x - after.x)).toBeLessThan(1e-6);
      }),
    );
  });

  it("keep the order of their moments, one a frame", () => {
    fc.assert(
      fc.property(box, moment, rect, (each, at, place) => {
        const changed = withKey(each, at, place);
        expect(changed.keys.map((key) => key.at)).toEqual([...changed.keys.map((key) => key.at)].sort((a, b) => a - b));
        expect(boxAt({ ...changed, from: 0, until: 600 }, at)?.width).toBeCloseTo(clampRect(place).width, 9);
        expect(withoutKey(changed, at).keys.length).toBeGreaterThan(0);
      }),
    );
  });

  it("are drawn from any corner to any other, and never too small or outside", () => {
    fc.assert(
      fc.property(side, side, side, side, (ax, ay, bx, by) => {
        const drawn = rectOf({ x: ax, y: ay }, { x: bx, y: by });
        expect(inside(drawn)).toBe(true);
        expect(drawn.width).toBeGreaterThanOrEqual(MIN_SIDE);
      }),
    );
  });

  it("begin by hiding the whole clip, and have a time with its ends in order", () => {
    const fresh = newBox({ x: 0.1, y: 0.1, width: 0.2, height: 0.2 }, 5, 60);
    expect([fresh.from, fresh.until]).toEqual([0, 60]);
    expect(withSpan(withSpan(fresh, { until: 10 }, 60), { from: 20 }, 60)).toMatchObject({ from: 20, until: 20 });
    expect(withSpan(fresh, { from: -3, until: 99 }, 60)).toMatchObject({ from: 0, until: 60 });
  });

  it("cover whole pixels, and are a few blocks only", () => {
    fc.assert(
      fc.property(
        rect,
        fc.integer({ min: 16, max: 4096 }),
        fc.integer({ min: 16, max: 4096 }),
        (each, width, height) => {
          const at = pixels(each, width, height);
          expect(at.x).toBeLessThanOrEqual(each.x * width);
          expect(at.x + at.width).toBeGreaterThanOrEqual(Math.min(width, (each.x + each.width) * width) - 1e-6);
          const { across, down } = blocksOf(at.width, at.height);
          expect(across * down).toBeLessThanOrEqual(4 * 12);
        },
      ),
    );
  });
});

describe("times", () => {
  it("are read as they are written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 359_999 }), (tenths) => {
        expect(parseClock(clock(tenths / 10, true))).toBeCloseTo(tenths / 10, 6);
      }),
    );
    expect(parseClock("1:15,5")).toBe(75.5);
    for (const odd of ["", "1:75", "abc", "1:2:3:4", "-5", "1:60:00"]) expect(parseClock(odd)).toBeNull();
    expect(share(5, 0)).toBe(0);
  });
});

describe("files", () => {
  const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

  it("are told apart by their beginning", () => {
    expect(guessKind(bytes("RIFF\x10\x20\x30\x40AVI LIST")).container).toBe("AVI");
    expect(guessKind(bytes("Hello, this is a text\n")).kind).toBe("text");
    expect(guessKind(bytes("%PDF-1.7")).kind).toBe("document");
    expect(guessKind(bytes("\x89PNG\r\n")).kind).toBe("picture");
    expect(guessKind(bytes("\x01\x02\x00\xff")).kind).toBe("unknown");
    expect(guessKind(new Uint8Array()).kind).toBe("unknown");
  });

  it("tell when they were recorded only if their clock was set", async () => {
    const box = (type: string, content: number[]) => {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, 8 + content.length);
      [...type].forEach((sign, at) => view.setUint8(4 + at, sign.charCodeAt(0)));
      return [...new Uint8Array(view.buffer), ...content];
    };
    const header = (seconds: number) => {
      const view = new DataView(new ArrayBuffer(20));
      view.setUint32(4, seconds);
      return [...new Uint8Array(view.buffer)];
    };
    const file = (seconds: number) =>
      new Blob([
        new Uint8Array([...box("ftyp", [...bytes("isom0000")]), ...box("moov", box("mvhd", header(seconds)))]),
      ]);
    const at = Date.UTC(2026, 10, 1, 12) / 1000 + 2_082_844_800;
    expect((await createdIn(file(at)))?.toISOString()).toBe("2026-11-01T12:00:00.000Z");
    expect(await createdIn(file(0))).toBeNull();
    expect(await createdIn(new Blob([bytes("moov")]))).toBeNull();
    expect(await createdIn(new Blob([new Uint8Array(64).fill(0xff)]))).toBeNull();
    expect(plausible(new Date(Number.NaN))).toBeNull();
  });

  it("never make the reading of a time fail, whatever they hold", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        const found = await createdIn(new Blob([noise as Uint8Array<ArrayBuffer>]));
        expect(found === null || found instanceof Date).toBe(true);
      }),
    );
  });
});
