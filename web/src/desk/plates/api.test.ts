import { describe, expect, it } from "vitest";

import { pictureAddress, type PlatesFound, shownReads } from "./api";

describe("pictures of reads", () => {
  it("are shown as what they are, and nothing else is", () => {
    expect(pictureAddress("/9j/4AAQSkZJRg==")).toBe("data:image/jpeg;base64,/9j/4AAQSkZJRg==");
    expect(pictureAddress("iVBORw0KGgoAAAA")).toBe("data:image/png;base64,iVBORw0KGgoAAAA");
    expect(pictureAddress("UklGRgAAAABXRUJQ")).toBe("data:image/webp;base64,UklGRgAAAABXRUJQ");
    for (const other of ["PHN2Zz4=", "", '/9j/"onerror=alert(1)', "R0lGODlh"]) expect(pictureAddress(other)).toBeNull();
  });

  it("are asked for by the entry of the first owner that was searched", () => {
    const page = { matches: [{ label: "exact" }], searched: [{ entry: "aud_a" }, { entry: "aud_b" }] };
    expect(shownReads(page as unknown as PlatesFound)).toEqual([{ label: "exact", entry: "aud_a" }]);
    expect(shownReads({ ...page, searched: [] } as unknown as PlatesFound)).toEqual([{ label: "exact" }]);
  });
});
