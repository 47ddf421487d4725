import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PDFDocument } from "@cantoo/pdf-lib";
import fc from "fast-check";
import jsqr from "jsqr";
import { describe, expect, it } from "vitest";

import type { RequestBody } from "$lib/format/types";

import { clipped, makePoster, PosterLetters, type PosterInput, wrap } from "./poster";
import { qr } from "./qr";

const body: RequestBody = {
  v: 1,
  id: "req_cov4tk4xgruesyv7ipvqecmzi4",
  agency: { id: "agy_vnwaxkkha2c2le7vaybsafxc24", name: "Concord Police Department", class: "municipal" },
  code: "26-004512",
  incident: "burglary",
  details: "A garage on Elm Street was broken into. We look for a white van.",
  contact: { name: "Det. R. Álvarez", phone: "+1 603 555 0142" },
  area: {
    type: "Polygon",
    coordinates: [
      [
        [-71.545, 43.205],
        [-71.537, 43.205],
        [-71.537, 43.213],
        [-71.545, 43.213],
        [-71.545, 43.205],
      ],
    ],
  },
  time_frame: { start: "2026-11-25T08:02:57Z", end: "2026-11-25T10:02:57Z", zone: "America/New_York" },
  recipient: "age1",
  languages: ["en"],
  active_days: 14,
  created: "2026-11-26T04:02:57Z",
};
const input: PosterInput = {
  body,
  link: "https://canvass.example/r/832a36fffffffff#req_cov4tk4xgruesyv7ipvqecmzi4",
  where: "In or near Concord, NH",
  closes: "2026-12-10T04:02:57Z",
  languages: ["en"],
  paper: "letter",
  miles: true,
};

function textOf(pdf: Uint8Array): string | undefined {
  const file = join(mkdtempSync(join(tmpdir(), "poster-")), "poster.pdf");
  writeFileSync(file, pdf);
  try {
    return execFileSync("pdftotext", ["-layout", file, "-"], { encoding: "utf8" });
  } catch {
    // Not every machine has the tool.
    return undefined;
  }
}

/** Reads a QR code back from its modules, as a camera would see them. */
function scanned(text: string): string | undefined {
  const { rows, size } = qr(text);
  const scale = 4;
  const pixels = new Uint8ClampedArray(size * size * scale * scale * 4).fill(255);
  for (let y = 0; y < size * scale; y += 1)
    for (let x = 0; x < size * scale; x += 1)
      if (rows[Math.floor(y / scale)]?.[Math.floor(x / scale)])
        pixels.fill(0, (y * size * scale + x) * 4, (y * size * scale + x) * 4 + 3);
  const read = (jsqr as unknown as { default?: typeof jsqr }).default ?? jsqr;
  return read(pixels, size * scale, size * scale)?.data;
}

describe("poster", () => {
  it.each(["letter", "a4"] as const)("is one page of %s with the facts on it", async (paper) => {
    const pdf = await makePoster({ ...input, paper });
    const read = await PDFDocument.load(pdf);
    expect(read.getPageCount()).toBe(1);
    const text = textOf(pdf);
    if (text !== undefined)
      for (const part of [
        "Concord Police Department",
        "26-004512",
        "white van",
        "Det. R. Álvarez",
        "In or near Concord",
      ])
        expect(text).toContain(part);
  });

  it("speaks two languages, and holds the longest details on one page", async () => {
    const details = "Buscamos grabaciones de una camioneta blanca. ".repeat(43);
    const pdf = await makePoster({ ...input, languages: ["es", "en"], body: { ...body, details } });
    expect((await PDFDocument.load(pdf)).getPageCount()).toBe(1);
  });

  it("says so when a text has letters that it can't print", async () => {
    const details = "Xin vui lòng cho biết nếu quý vị thấy chiếc xe tải màu trắng này.";
    await expect(makePoster({ ...input, body: { ...body, details } })).rejects.toThrow(PosterLetters);
  });

  it("breaks lines without losing a letter", () => {
    const font = { widthOfTextAtSize: (text: string, size: number) => text.length * size };
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z ]{0,200}$/), fc.integer({ min: 3, max: 40 }), (text, width) => {
        const lines = wrap(text, font, 1, width);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("clips lines to the map", () => {
    const box = { x: 0, y: 0, width: 10, height: 10 };
    expect(clipped([-5, 5], [15, 5], box)).toEqual([
      [0, 5],
      [10, 5],
    ]);
    expect(clipped([-5, -5], [-1, 20], box)).toBeUndefined();
  });
});

describe("QR code", () => {
  it("reads back", () => {
    expect(scanned(input.link)).toBe(input.link);
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true }), (url) => {
        expect(scanned(url)).toBe(url);
      }),
      { numRuns: 20 },
    );
  });
});
