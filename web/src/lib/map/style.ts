/** How the map looks: layers over the shipped outlines, or over the operator's own tiles, in the colours of the pages. */
import type { ExpressionSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";

import type { Site } from "$lib/format/types";

/** Colours, from the tokens of the theme in use. */
export interface Colours {
  water: string;
  land: string;
  line: string;
  lineStrong: string;
  text: string;
  quiet: string;
  accent: string;
  warn: string;
  page: string;
  raised: string;
}

/** Reads the theme's colours. */
export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(name).trim();
  const dark = style.colorScheme === "dark" || (style.colorScheme !== "light" && isDark());
  return {
    water: get("--sunken"),
    land: dark ? get("--raised") : get("--page"),
    line: get("--line"),
    lineStrong: get("--line-strong"),
    text: get("--text"),
    quiet: get("--text-quiet"),
    accent: get("--accent"),
    warn: get("--warn"),
    page: get("--page"),
    raised: dark ? get("--line") : get("--raised"),
  };
}

function isDark(): boolean {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

const EMPTY = { type: "FeatureCollection" as const, features: [] };
/** The face that labels are drawn with; glyphs are made on the device, none are fetched. */
const FONT = ["Public Sans Variable", "system-ui", "sans-serif"];

function shippedLayers(c: Colours): LayerSpecification[] {
  const borders = (rank: number, minzoom: number, width: number, color: string): LayerSpecification => ({
    id: `border-${rank}`,
    type: "line",
    source: "lines",
    minzoom,
    filter: ["==", ["get", "rank"], rank],
    paint: { "line-color": color, "line-width": width },
  });
  return [
    { id: "land", type: "fill", source: "land", paint: { "fill-color": c.land } },
    borders(3, 5, 1, c.line),
    borders(2, 0, 1.25, c.lineStrong),
    borders(1, 0, 1.5, c.lineStrong),
  ];
}

// Towns show by size: at a zoom only those with so many thousand people.
function townLayer(c: Colours): LayerSpecification {
  return {
    id: "towns",
    type: "symbol",
    source: "towns",
    filter: [">=", ["get", "people"], ["step", ["zoom"], 900, 4, 400, 5, 150, 6, 60, 7, 20, 8, 6, 9, 2, 10, 0]],
    layout: {
      "text-field": ["get", "name"],
      "text-font": FONT,
      "text-size": ["interpolate", ["linear"], ["zoom"], 4, 11, 10, 14],
      "symbol-sort-key": ["-", 0, ["get", "people"]],
      "text-variable-anchor": ["top", "bottom", "left", "right"],
      "text-radial-offset": 0.4,
      "text-justify": "auto",
      "text-padding": 6,
      "text-max-width": 8,
    },
    paint: { "text-color": c.quiet, "text-halo-color": c.land, "text-halo-width": 1.5 },
  };
}

// The layers of the Protomaps base map schema, as far as a quiet map needs them.
function tileLayers(c: Colours): LayerSpecification[] {
  const road = (kind: string[], minzoom: number, width: number, color: string): LayerSpecification => ({
    id: `road-${kind[0]}`,
    type: "line",
    source: "tiles",
    "source-layer": "roads",
    minzoom,
    filter: ["in", ["get", "kind"], ["literal", kind]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": color,
      "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 6, width / 4, 18, width * 5],
    },
  });
  const names = (id: string, layer: string, minzoom: number, along: boolean): LayerSpecification => ({
    id,
    type: "symbol",
    source: "tiles",
    "source-layer": layer,
    minzoom,
    layout: {
      "text-field": ["coalesce", ["get", "name"], ""],
      "text-font": FONT,
      "text-size": along ? 12 : 14,
      "symbol-placement": along ? "line" : "point",
    },
    paint: { "text-color": along ? c.quiet : c.text, "text-halo-color": c.land, "text-halo-width": 1.5 },
  });
  const face = (id: string, layer: string, color: string, minzoom = 0): LayerSpecification => ({
    id,
    type: "fill",
    source: "tiles",
    "source-layer": layer,
    minzoom,
    paint: { "fill-color": color },
  });
  return [
    face("earth", "earth", c.land),
    face("tile-water", "water", c.water),
    face("buildings", "buildings", c.raised, 14),
    road(["path", "other"], 14, 0.8, c.line),
    road(["minor_road"], 11, 1.6, c.line),
    road(["major_road", "medium_road"], 8, 2.4, c.lineStrong),
    road(["highway"], 5, 3, c.lineStrong),
    {
      id: "boundaries",
      type: "line",
      source: "tiles",
      "source-layer": "boundaries",
      paint: { "line-color": c.lineStrong, "line-dasharray": [3, 2] },
    },
    names("road-names", "roads", 13, true),
    names("place-names", "places", 3, false),
  ];
}

/** Across a ring, in pixels. */
const RING = 20;

function areaLayers(c: Colours): LayerSpecification[] {
  // Metres that a ring covers at each zoom, at middle latitudes: what is smaller there gets one.
  const ringed: ExpressionSpecification = ["step", ["zoom"], RING * 60_000];
  for (let zoom = 1; zoom <= 16; zoom += 1) ringed.push(zoom, (RING * 60_000) / 2 ** zoom);
  const chosen: ExpressionSpecification = ["==", ["get", "selected"], true];
  const accent: ExpressionSpecification = ["==", ["get", "tone"], "accent"];
  const color: ExpressionSpecification = ["case", accent, c.accent, c.lineStrong];
  return [
    {
      id: "areas-fill",
      type: "fill",
      source: "areas",
      paint: { "fill-color": color, "fill-opacity": ["case", chosen, 0.28, 0.14] },
    },
    { id: "areas-hatch", type: "fill", source: "areas", filter: accent, paint: { "fill-pattern": "hatch" } },
    {
      id: "areas-line",
      type: "line",
      source: "areas",
      layout: { "line-join": "round" },
      paint: { "line-color": color, "line-width": ["case", chosen, 4, 2] },
    },
    // From afar an area is smaller than a point can be seen: a ring shows about where to look.
    {
      id: "areas-far",
      type: "circle",
      source: "rings",
      filter: ["<", ["get", "size"], ringed],
      paint: {
        "circle-radius": ["case", chosen, 14, 10],
        "circle-color": color,
        "circle-opacity": 0.16,
        "circle-stroke-color": color,
        "circle-stroke-width": ["case", chosen, 4, 2],
      },
    },
    {
      id: "areas-name",
      type: "symbol",
      source: "rings",
      minzoom: 8,
      layout: {
        "text-field": ["get", "label"],
        "text-font": FONT,
        "text-size": 13,
        "text-offset": [0, 1.6],
        "text-anchor": "top",
        "text-max-width": 12,
      },
      paint: { "text-color": c.text, "text-halo-color": c.land, "text-halo-width": 2 },
    },
  ];
}

function drawLayers(c: Colours): LayerSpecification[] {
  return [
    { id: "draw-fill", type: "fill", source: "draw", paint: { "fill-color": c.accent, "fill-opacity": 0.16 } },
    { id: "draw-line", type: "line", source: "draw", paint: { "line-color": c.accent, "line-width": 3 } },
  ];
}

/** The style. Without `glyphs`, MapLibre makes all letters from fonts of the page. */
export function styleFor(base: Site["base_map"], c: Colours): StyleSpecification {
  const geojson = (): SourceSpecification => ({ type: "geojson", data: EMPTY });
  const sources: Record<string, SourceSpecification> = {
    land: geojson(),
    lines: geojson(),
    towns: { type: "geojson", data: EMPTY, maxzoom: 10 },
    areas: geojson(),
    rings: geojson(),
    draw: geojson(),
  };
  const layers: LayerSpecification[] = [
    { id: "water", type: "background", paint: { "background-color": c.water } },
    ...shippedLayers(c),
  ];
  if (base.kind === "raster") {
    sources.tiles = { type: "raster", tiles: [base.url], tileSize: 256 };
    layers.push({ id: "raster", type: "raster", source: "tiles" });
  } else if (base.kind === "pmtiles") {
    sources.tiles = { type: "vector", url: `pmtiles://${new URL(base.url, location.href).href}` };
    layers.push(...tileLayers(c));
  }
  // Letters stand above the areas' tint; the names of areas find their room first.
  const areas = areaLayers(c);
  const names = areas.splice(-1);
  layers.push(...areas, ...(base.kind === "shipped" ? [townLayer(c)] : []), ...names, ...drawLayers(c));
  return { version: 8, sources, layers };
}

/** A hatch in the accent: an area is told from its surroundings by more than its colour. */
export function hatch(color: string): ImageData | undefined {
  const size = 16;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  context.strokeStyle = color;
  context.globalAlpha = 0.45;
  context.lineWidth = 1.5;
  for (let at = -size; at <= size * 2; at += 8) {
    context.beginPath();
    context.moveTo(at, size);
    context.lineTo(at + size, 0);
    context.stroke();
  }
  return context.getImageData(0, 0, size, size);
}
