import { describe, expect, it } from "vitest";

import { type CameraView, sees } from "./api";

const camera = (use: CameraView["use"], retired: string | null = null) => ({ use, retired }) as CameraView;

describe("what a camera can be searched for", () => {
  it("is what it is registered for, and both where it is for both", () => {
    const uses = ["plates", "footage", "plates-and-footage"] as const;
    expect(uses.map((use) => sees(camera(use), "plates"))).toEqual([true, false, true]);
    expect(uses.map((use) => sees(camera(use), "footage"))).toEqual([false, true, true]);
  });

  it("is nothing once it is retired", () => {
    expect(sees(camera("plates-and-footage", "2026-11-28T00:00:00Z"), "plates")).toBe(false);
  });
});
