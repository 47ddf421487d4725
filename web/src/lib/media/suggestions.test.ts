import { describe, expect, it } from "vitest";

import { boxAt } from "./boxes";
import { countOf, parseSuggestions } from "./suggestions";

/** As `canvass footage blur` writes it. */
const FILE = {
  file: "porch.mp4",
  width: 768,
  height: 432,
  duration: 4,
  boxes: [
    {
      id: "head-1",
      reason: "head",
      style: "cover",
      from: 0.4,
      until: 4.6,
      keys: [
        { at: 0.4, x: 0.1, y: 0.2, width: 0.1, height: 0.15 },
        { at: 4.6, x: 0.5, y: 0.2, width: 0.1, height: 0.15 },
      ],
    },
    {
      id: "plate-1",
      reason: "plate",
      style: "blur",
      from: 1,
      until: 2,
      keys: [{ at: 1, x: 0.9, y: 0.9, width: 0.3, height: 0.1 }],
    },
    { id: "mine", style: "cover", from: 0, until: 4, keys: [{ at: 0, x: 0, y: 0, width: 0.1, height: 0.1 }] },
  ],
};
const changed = (change: (file: typeof FILE) => void) => {
  const copy = structuredClone(FILE);
  change(copy);
  return JSON.stringify(copy);
};

describe("suggestions", () => {
  it("become boxes that can be changed, with their reasons, within the clip", () => {
    const { boxes, file, duration } = parseSuggestions(JSON.stringify(FILE), 4);
    expect([file, duration, boxes.length]).toEqual(["porch.mp4", 4, 3]);
    expect(countOf(boxes)).toEqual({ faces: 0, heads: 1, plates: 1 });
    expect(boxes.map((box) => box.reason)).toEqual(["head", "plate", undefined]);
    expect(boxes[0]?.until).toBe(4);
    expect(boxAt(boxes[0]!, 2.5)?.x).toBeCloseTo(0.3);
    // A box that reaches out of the picture is moved into it.
    expect(boxes[1]!.keys[0]!.x).toBeCloseTo(0.7);
    expect(new Set(boxes.map((box) => box.id)).size).toBe(3);
    expect(boxes.some((box) => box.id === "head-1")).toBe(false);
  });

  it.each([
    ["no JSON", "boxes"],
    ["a list", "[]"],
    ["no boxes", '{"file":"a","duration":1}'],
    ["no keys", changed((file) => (file.boxes[0]!.keys = []))],
    ["a place that is no number", changed((file) => (file.boxes[0]!.keys[0]!.x = null as unknown as number))],
    ["another style", changed((file) => (file.boxes[0]!.style = "shred"))],
    ["another reason", changed((file) => (file.boxes[0]!.reason = "name"))],
    ["a box that ends before it begins", changed((file) => (file.boxes[1]!.until = 0.5))],
  ])("%s is refused", (_, text) => {
    expect(() => parseSuggestions(text, 4)).toThrow("evidence.redact.suggest.bad");
  });
});
