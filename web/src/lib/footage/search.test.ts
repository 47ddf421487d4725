import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { type Moment, score, search, type Understood } from "./search";
import { likeness, parseSightings, type Sighting } from "./sighting";

interface Vectors {
  likeness: [string, string, number][];
  sightings: Sighting[];
  cases: { text: string; least: number; understood: Understood; scores: number[]; moments: Omit<Moment, "kind">[] }[];
}

const file = new URL("../../../../vectors/footage/searches.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;

describe("matching agrees with the program", () => {
  it("in how far colours are alike", () => {
    expect(vectors.likeness.length).toBeGreaterThan(150);
    for (const [one, other, share] of vectors.likeness)
      expect(likeness(one, other), `${one} ${other}`).toBeCloseTo(share, 5);
  });

  it.each(vectors.cases)("for “$text” from $least on", ({ understood, least, scores, moments }) => {
    expect(vectors.sightings.length).toBe(scores.length);
    vectors.sightings.forEach((sighting, at) => {
      expect(score(understood, sighting), `sighting ${String(at)}`).toBeCloseTo(scores[at]!, 4);
    });
    const found = search(understood, vectors.sightings, least);
    expect(found.map(({ kind: _, score: __, ...moment }) => moment)).toEqual(
      moments.map(({ score: _, ...moment }) => moment),
    );
    found.forEach((moment, at) => {
      expect(moment.score).toBeCloseTo(moments[at]!.score, 4);
    });
  });
});

describe("lists of sightings", () => {
  const line = JSON.stringify(vectors.sightings[0]);
  it("are read line by line", () => {
    expect(parseSightings(`${line}\n\n${line}\n`)).toHaveLength(2);
    expect(parseSightings("")).toEqual([]);
  });
  it.each([
    ["no JSON", `${line}\nx`],
    ["another thing", `${line}\n[]`],
    ["a score that is a word", line.replace(/"score":[\d.]+/, '"score":"high"')],
    ["a box of three", line.replace(/"box":\[\d+,/, '"box":[')],
    ["colours that are none", line.replace(/"colours":\{/, '"colours":{"Hat":{"Blue":"much"},')],
  ])("with %s are refused", (_, text) => {
    expect(parseSightings(text)).toBeNull();
  });
});
