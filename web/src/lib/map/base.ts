/** The base map that ships with the pages: outlines of countries, states and counties, loaded as far as a view needs them. */
import type { Feature, FeatureCollection, MultiLineString } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";

import { Problem } from "$lib/problem";

import statesUrl from "./data/states.json?url";
import fineUrl from "./data/world-fine.json?url";
import worldUrl from "./data/world.json?url";
import type { Bounds } from "./geometry";

const countyUrls = import.meta.glob<string>("./data/counties/*.json", { query: "?url", import: "default" });

type Shapes = Topology<Record<string, GeometryCollection<{ name: string }>>>;
interface States extends Shapes {
  boxes: [string, Bounds][];
}

/** Outlines to draw. */
export interface Outlines {
  /** Land as faces. */
  land: FeatureCollection;
  /** Borders as lines; `rank` 1 country, 2 state, 3 county. */
  lines: FeatureCollection<MultiLineString, { rank: number }>;
}

const kept = new Map<string, Promise<unknown>>();

/** Reads a file of ours once. A failure is not remembered, so that trying again helps. */
export function readShipped<T>(url: string): Promise<T> {
  let reading = kept.get(url) as Promise<T> | undefined;
  if (!reading) {
    reading = fetch(url).then((response) => {
      if (!response.ok) throw new Problem("common.problem.offline");
      return response.json() as Promise<T>;
    });
    kept.set(url, reading);
    reading.catch(() => kept.delete(url));
  }
  return reading;
}

const overlap = (a: Bounds, b: Bounds) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

function line(topology: Shapes, name: string, rank: number): Feature<MultiLineString, { rank: number }>[] {
  const object = topology.objects[name];
  if (!object) return [];
  return [{ type: "Feature", properties: { rank }, geometry: mesh(topology, object) as MultiLineString }];
}

function faces(topology: Shapes, name: string): Feature[] {
  const object = topology.objects[name];
  return object ? feature(topology, object).features : [];
}

/** States whose box meets a view, by postal code. */
export async function statesIn(view: Bounds): Promise<string[]> {
  const { boxes } = await readShipped<States>(statesUrl);
  return boxes.filter(([, box]) => overlap(box, view)).map(([postal]) => postal);
}

/**
 * Outlines for a view. `detail` 0 is the world at a glance, 1 adds finer coasts abroad where the view leaves the United States,
 * 2 adds the counties of the states in view.
 */
export async function outlines(view: Bounds, detail: 0 | 1 | 2): Promise<Outlines> {
  const states = await readShipped<States>(statesUrl);
  const near = states.boxes.filter(([, box]) => overlap(box, view)).map(([postal]) => postal);
  // Near a state, its own coast is fine enough; the large file is for places far from any.
  const world = await readShipped<Shapes>(detail > 0 && near.length === 0 ? fineUrl : worldUrl);
  const counties =
    detail < 2
      ? []
      : await Promise.all(
          near.slice(0, 12).map(async (postal) => {
            const url = await countyUrls[`./data/counties/${postal}.json`]?.();
            return url ? readShipped<Shapes>(url) : undefined;
          }),
        );
  return {
    land: {
      type: "FeatureCollection",
      features: [...faces(world, "countries"), ...faces(states, "states")],
    },
    lines: {
      type: "FeatureCollection",
      features: [
        ...line(world, "countries", 1),
        ...line(states, "states", 2),
        ...counties.flatMap((each) => (each ? line(each, "counties", 3) : [])),
      ],
    },
  };
}
