import fc from "fast-check";
import { expect, test } from "vitest";

import { polygonIn } from "./geojson";

const ring = [
  [-71.5, 43.2],
  [-71.4, 43.2],
  [-71.4, 43.3],
  [-71.5, 43.2],
];
const polygon = { type: "Polygon", coordinates: [ring] };

test("a geometry, a feature and a collection of one give the same area", () => {
  const feature = { type: "Feature", properties: {}, geometry: polygon };
  for (const value of [polygon, feature, { type: "FeatureCollection", features: [feature] }])
    expect(polygonIn(JSON.stringify(value))).toEqual(polygon);
});

test("holes, several features, places off the earth and other texts are refused", () => {
  const bad = [
    { type: "Polygon", coordinates: [ring, ring] },
    { type: "FeatureCollection", features: [] },
    {
      type: "Polygon",
      coordinates: [
        [
          [43, 171],
          [43, 172],
          [44, 171],
          [43, 171],
        ],
      ],
    },
    { type: "Point", coordinates: [1, 2] },
    null,
    [],
  ];
  for (const value of bad) expect(polygonIn(JSON.stringify(value))).toBeNull();
  expect(polygonIn("not JSON")).toBeNull();
});

test("no JSON makes it throw", () => {
  fc.assert(fc.property(fc.json(), (text) => void polygonIn(text)));
});
