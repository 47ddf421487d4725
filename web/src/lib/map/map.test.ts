import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { cellToLatLng, gridDisk, latLngToCell } from "h3-js";
import { describe, expect, it } from "vitest";

import type { Polygon, Position } from "$lib/format/types";

import { FOLDER } from "../../../scripts/map-data.js";
import { parseCorners } from "./corners";
import {
  areaSqMi,
  boundsOf,
  centreOf,
  contains,
  corners,
  crossing,
  metres,
  metresTo,
  metresToEdge,
  padded,
  polygonOf,
  rectangle,
  wind,
} from "./geometry";
import { best, type Columns, coordinates, folded, nearestOf, unpack } from "./places";
import { isRegion, NEAR, regionOf, regionPolygon, regionsNear } from "./regions";
import { scaleBar } from "./scale";

const vectors = join(import.meta.dirname, "../../../../vectors/requests");
/** Places where people live; H3's cells and Mercator both end badly at the poles. */
const place = fc.tuple(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.double({ min: -70, max: 75, noNaN: true }),
) as fc.Arbitrary<Position>;
const home = fc.tuple(
  fc.double({ min: -124, max: -68, noNaN: true }),
  fc.double({ min: 26, max: 48, noNaN: true }),
) as fc.Arbitrary<Position>;

describe("regions", () => {
  it("always hold the place, wherever it is", () => {
    fc.assert(
      fc.property(place, (point) => {
        const regions = regionsNear(point);
        expect(regions[0]).toBe(latLngToCell(point[1], point[0], 3));
        expect(new Set(regions).size).toBe(regions.length);
        for (const region of regions) expect(isRegion(region)).toBe(true);
      }),
    );
  });

  it("hold every point within the distance: an area asked about nearby is never missed", () => {
    const ring = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
    fc.assert(
      fc.property(home, ring, fc.double({ min: 0, max: 0.98, noNaN: true }), (point, angle, share) => {
        const [dx, dy] = [Math.sin(angle) * share * NEAR, Math.cos(angle) * share * NEAR];
        const k = Math.cos((point[1] * Math.PI) / 180);
        const near: Position = [point[0] + dx / 111_195 / k, point[1] + dy / 111_195];
        expect(regionsNear(point)).toContain(regionOf(near));
      }),
    );
  });

  it("are outlined around their middle, over the 180th meridian too", () => {
    for (const cell of [...gridDisk(latLngToCell(43.2, -71.5, 3), 2), latLngToCell(52, 180, 3)]) {
      const [latitude, longitude] = cellToLatLng(cell);
      const polygon = regionPolygon(cell);
      const first = polygon.coordinates[0]?.[0]?.[0] ?? 0;
      const x = longitude - first > 180 ? longitude - 360 : longitude - first < -180 ? longitude + 360 : longitude;
      expect(contains(polygon, [x, latitude])).toBe(true);
    }
  });

  it("know a region's name from another text", () => {
    expect(isRegion("832a36fffffffff")).toBe(true);
    for (const bad of ["", "aaaaaaaaaaaaaaa", "842a361ffffffff", "832a36ffffffffg"]) expect(isRegion(bad)).toBe(false);
  });
});

describe("geometry", () => {
  it("measures as the server does", () => {
    const cases = JSON.parse(readFileSync(join(vectors, "place.json"), "utf8")) as {
      set?: { "/area"?: Polygon };
      problems?: string[];
    }[];
    let judged = 0;
    for (const { set, problems } of cases) {
      const area = set?.["/area"];
      if (!area || !problems) continue;
      if (problems.includes("area:too-small")) expect(areaSqMi(area)).toBeLessThan(0.025);
      if (problems.includes("area:too-large")) expect(areaSqMi(area)).toBeGreaterThan(0.5);
      if (problems.length === 1 && problems[0] === "area:too-large") judged += 1;
      if (problems.length === 0) {
        expect(areaSqMi(area)).toBeGreaterThanOrEqual(0.025);
        expect(areaSqMi(area)).toBeLessThanOrEqual(0.5);
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(0);
  });

  it("gives a rectangle the size that was asked for", () => {
    const side = fc.integer({ min: 50, max: 2_000 });
    fc.assert(
      fc.property(home, side, side, (centre, width, height) => {
        const area = rectangle(centre, width, height);
        const wanted = (width * height) / 2_589_988.110336;
        // A sphere of the mean radius and the ellipsoid differ by less than half a percent there.
        expect(Math.abs(areaSqMi(area) / wanted - 1)).toBeLessThan(0.006);
        expect(contains(area, centre)).toBe(true);
        expect(metresTo(area, centre)).toBe(0);
        const [x, y] = centreOf(area);
        expect(metres([x, y], centre)).toBeLessThan(1);
      }),
    );
  });

  it("keeps size under turning the corners' order, and corners under closing", () => {
    fc.assert(
      fc.property(fc.array(home, { minLength: 3, maxLength: 9 }), (points) => {
        const forth = polygonOf(points);
        const back = polygonOf([...points].reverse());
        expect(areaSqMi(back)).toBeCloseTo(areaSqMi(forth), 6);
        expect(corners(forth)).toHaveLength(points.length);
        const box = boundsOf(points);
        expect(box).toBeDefined();
        const [w, s, e, n] = padded(box ?? [0, 0, 0, 0], 0.1, 1_000);
        for (const [x, y] of points) expect(x >= w && x <= e && y >= s && y <= n).toBe(true);
      }),
    );
  });

  it("finds edges that cross", () => {
    const square: Position[] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    expect(crossing(square)).toBeUndefined();
    expect(crossing([square[0], square[2], square[1], square[3]] as Position[])).toEqual([1, 3]);
  });

  it("says how far and where", () => {
    expect(metres([-71.5376, 43.2081], [-71.0589, 42.3601])).toBeGreaterThan(100_000);
    expect(metresToEdge([0, 0.01], [-1, 0], [1, 0])).toBeCloseTo(1112, -1);
    expect(metresToEdge([179.99, 0], [-179.99, -1], [-179.99, 1])).toBeLessThan(2_300);
    expect(wind([0, 0], [0, 1])).toBe("n");
    expect(wind([0, 0], [1, 1])).toBe("ne");
    expect(wind([0, 0], [-1, 0])).toBe("w");
  });
});

describe("corners as text", () => {
  it("read back what they write", () => {
    fc.assert(
      fc.property(fc.array(home, { minLength: 3, maxLength: 30 }), (points) => {
        const lines = points.map(([x, y]) => `${y.toFixed(6)}, ${x.toFixed(6)}`);
        const read = parseCorners(lines.join("\n"));
        expect(Array.isArray(read)).toBe(true);
        const geo = parseCorners(JSON.stringify(polygonOf(points)));
        expect(Array.isArray(geo)).toBe(true);
      }),
    );
  });

  it("names the line that can't be read", () => {
    expect(parseCorners("43.2, -71.5\nhere\n43.3, -71.6")).toEqual({ kind: "line", line: 2 });
    expect(parseCorners("43.2, -71.5\n43.3, -71.6")).toEqual({ kind: "count" });
    expect(parseCorners('{"type":"Point"}')).toEqual({ kind: "line", line: 1 });
    expect(parseCorners("")).toEqual({ kind: "count" });
    expect(coordinates("93.2, -71.5")).toBeUndefined();
  });
});

describe("places", () => {
  const read = <T>(name: string) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as T;
  const cities = unpack(read<Columns>("places.json"));
  const abroad = unpack(read<Columns>("places-abroad.json"), true);
  const names = new Map([
    ["NH", "new hampshire"],
    ["CA", "california"],
  ]);
  const admins = ({ state }: { state: string }) => {
    const name = names.get(state);
    return name ? [name] : [];
  };
  const first = (text: string) => {
    const [found] = best([...cities, ...abroad], text, admins);
    return found && `${found.name}, ${found.state || found.country}`;
  };

  it("are found as people type them", () => {
    expect(first("concord nh")).toBe("Concord, NH");
    expect(first("Concord, New Hampshire")).toBe("Concord, NH");
    expect(first("concord, n")).toMatch(/^Concord, N[HCY]$/);
    expect(first("concord")).toBe("Concord, CA");
    expect(first("new york")).toBe("New York City, NY");
    expect(first("lyon")).toBe("Lyon, FR");
    expect(first("xyzzyx")).toBeUndefined();
    expect(first("c")).toBeUndefined();
    expect(folded("Saint-Étienne")).toBe("saint etienne");
  });

  it("answer within a moment", () => {
    const all = [...cities, ...abroad];
    const begun = performance.now();
    for (let at = 0; at < 5; at += 1) best(all, "spring", admins);
    expect((performance.now() - begun) / 5).toBeLessThan(150);
  });

  it("lie where they are, and the nearest one is named", () => {
    expect(cities.length).toBeGreaterThan(15_000);
    for (const { point, name, state } of cities) {
      expect(Math.abs(point[0]) <= 180 && Math.abs(point[1]) <= 90 && name !== "" && state !== "").toBe(true);
    }
    const found = nearestOf(cities, [-71.541, 43.209]);
    expect(found?.place.name).toBe("Concord");
    expect(found?.distance).toBeLessThan(2_000);
    expect(nearestOf(cities, [-40, 30])).toBeUndefined();
  });
});

describe("scale", () => {
  it("is a round length that fits", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 50_000, noNaN: true }), fc.boolean(), (perPixel, miles) => {
        const { value, pixels } = scaleBar(perPixel, 100, miles);
        expect(pixels).toBeGreaterThan(15);
        expect(pixels).toBeLessThanOrEqual(100.001);
        expect(["1", "2", "5"]).toContain(value.toExponential(0)[0]);
      }),
    );
  });
});
