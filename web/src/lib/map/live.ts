/** The live map: MapLibre with the pages' style, areas, and the outline being drawn. Loaded only where a map is shown. */
import "maplibre-gl/dist/maplibre-gl.css";

import type { Feature, FeatureCollection, Point } from "geojson";
import { addProtocol, type GeoJSONSource, Map as MapLibre, Marker, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

import type { Polygon, Position, Site } from "$lib/format/types";

import { outlines } from "./base";
import { type Bounds, boundsOfAreas, centreOf, metres } from "./geometry";
import { loadCities } from "./places";
import { colours, hatch, styleFor } from "./style";
import type { MapArea } from "./types";

setWorkerUrl(workerUrl);

/** What the map tells the page. */
export interface Events {
  onselect: (id: string) => void;
  /** Whether areas answer to clicks now; while one draws they don't. */
  selectable: () => boolean;
  /** A click that met no area that answers. */
  onpick: (point: Position) => void;
  onview: (view: { bounds: Bounds; zoom: number; latitude: number }) => void;
  /** The graphics context is gone and did not come back. */
  onlost: () => void;
}

export interface Options {
  container: HTMLElement;
  base: Site["base_map"];
  bounds: Bounds;
  interactive: boolean;
  /** Words for the reader, keys as MapLibre names them. */
  locale: Record<string, string>;
  /** A page that scrolls by one finger: the map then moves by two. */
  twoFingers: boolean;
}

const collection = (features: Feature[]): FeatureCollection => ({ type: "FeatureCollection", features });

/** The longer side of the box around an area, in metres. */
function sizeOf(polygon: Polygon): number {
  const [w, s, e, n] = boundsOfAreas([polygon]) ?? [0, 0, 0, 0];
  return Math.max(metres([w, s], [e, s]), metres([w, s], [w, n]));
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Milliseconds that a drawing stands in for the live map at most, once that could be shown. */
const PATIENCE = 4_000;

let pmtiles: Promise<void> | undefined;

/** Lets MapLibre read the operator's PMTiles archive. */
function usePmtiles(): Promise<void> {
  pmtiles ??= import("pmtiles").then(({ Protocol }) => {
    addProtocol("pmtiles", new Protocol().tile);
  });
  return pmtiles;
}

/** A map in an element. */
export class LiveMap {
  readonly map: MapLibre;
  #base: Site["base_map"];
  #events: Events;
  #data: Record<string, FeatureCollection> = {};
  #ready = false;
  #detail = "";
  #stop: (() => void)[] = [];
  #here: Marker | undefined;

  /** Makes the map; the promise ends when its first picture stands. */
  static async make(options: Options, events: Events): Promise<LiveMap> {
    if (options.base.kind === "pmtiles") await usePmtiles();
    const live = new LiveMap(options, events);
    await new Promise<void>((resolve) => live.map.once("load", () => resolve()));
    // The drawing below stays until the outlines stand here too, or until that has taken too long.
    await Promise.race([
      live.#look().then(() => new Promise<void>((resolve) => live.map.once("idle", () => resolve()))),
      new Promise<void>((resolve) => setTimeout(resolve, PATIENCE)),
    ]);
    return live;
  }

  private constructor(options: Options, events: Events) {
    this.#base = options.base;
    this.#events = events;
    this.map = new MapLibre({
      container: options.container,
      style: styleFor(options.base, colours()),
      bounds: options.bounds,
      fitBoundsOptions: { padding: 16 },
      interactive: options.interactive,
      cooperativeGestures: options.twoFingers,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 19,
      renderWorldCopies: true,
      fadeDuration: still() ? 0 : 200,
      locale: options.locale,
      trackResize: true,
    });
    this.map.touchZoomRotate?.disableRotation();
    this.map.keyboard?.disableRotation();
    this.map.on("style.load", () => this.#dress());
    this.map.on("moveend", () => void this.#look());
    this.map.on("move", () => this.#tell());
    this.map.on("load", () => {
      this.#tell();
      if (this.#base.kind === "shipped") void this.#towns();
    });
    const lost = () => events.onlost();
    this.map.getCanvas().addEventListener("webglcontextlost", lost);
    // Taking the map away loses its context too, which is no failure.
    this.#stop.push(() => this.map.getCanvas().removeEventListener("webglcontextlost", lost));
    this.#listen();
    this.#followTheme();
  }

  #listen(): void {
    const layers = ["areas-fill", "areas-far"];
    this.map.on("click", (event) => {
      const hit = this.map.queryRenderedFeatures(event.point, {
        layers: layers.filter((id) => this.map.getLayer(id)),
      })[0];
      const id: unknown = hit?.properties.id;
      if (typeof id === "string" && this.#events.selectable()) this.#events.onselect(id);
      else this.#events.onpick([event.lngLat.lng, event.lngLat.lat]);
    });
    for (const layer of layers) {
      this.map.on("mouseenter", layer, () => this.#pointer(this.#events.selectable() ? "pointer" : ""));
      this.map.on("mouseleave", layer, () => this.#pointer(""));
    }
  }

  #cursor = "";
  #pointer(cursor: string): void {
    this.map.getCanvas().style.cursor = cursor || this.#cursor;
  }

  /** The cursor over the map; empty is the usual one. */
  set cursor(cursor: string) {
    this.#cursor = cursor;
    this.#pointer("");
  }

  #followTheme(): void {
    const again = () => this.map.setStyle(styleFor(this.#base, colours()), { diff: false });
    const seen = new MutationObserver(again);
    seen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    this.#stop.push(
      () => seen.disconnect(),
      () => dark.removeEventListener("change", again),
    );
  }

  #dress(): void {
    this.#ready = true;
    const image = hatch(colours().accent);
    if (image && !this.map.hasImage("hatch")) this.map.addImage("hatch", image);
    for (const [name, data] of Object.entries(this.#data)) this.#put(name, data);
  }

  #put(name: string, data: FeatureCollection): void {
    this.#data[name] = data;
    if (this.#ready) this.map.getSource<GeoJSONSource>(name)?.setData(data);
  }

  #view(): Bounds {
    const box = this.map.getBounds();
    return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
  }

  #tell(): void {
    this.#events.onview({
      bounds: this.#view(),
      zoom: this.map.getZoom(),
      latitude: this.map.getCenter().lat,
    });
  }

  // Loads the outlines that this view needs, once each.
  async #look(): Promise<void> {
    if (this.#base.kind === "raster") return;
    const zoom = this.map.getZoom();
    const detail = zoom < 3.5 ? 0 : zoom < 5 ? 1 : 2;
    const [w, s, e, n] = this.#view();
    const key = [detail, ...[w, s].map(Math.floor), ...[e, n].map(Math.ceil)].join();
    if (key === this.#detail) return;
    this.#detail = key;
    try {
      const { land, lines } = await outlines([w, s, e, n], detail);
      if (key !== this.#detail) return;
      this.#put("land", land);
      this.#put("lines", lines);
    } catch {
      // Without outlines the areas still stand; the next move tries again.
      this.#detail = "";
    }
  }

  async #towns(): Promise<void> {
    const all = await loadCities().catch(() => []);
    this.#put(
      "towns",
      collection(
        all.map(({ name, people, point }) => ({
          type: "Feature",
          properties: { name, people },
          geometry: { type: "Point", coordinates: point },
        })),
      ),
    );
  }

  /** Shows areas. */
  areas(areas: readonly MapArea[], selected?: string): void {
    const properties = (each: MapArea) => ({
      id: each.id,
      label: each.label,
      tone: each.tone ?? "accent",
      selected: each.id === selected,
    });
    const shapes = areas.map((each) => ({ type: "Feature", properties: properties(each), geometry: each.polygon }));
    const rings = areas.map((each): Feature<Point> => ({
      type: "Feature",
      properties: { ...properties(each), size: sizeOf(each.polygon) },
      geometry: { type: "Point", coordinates: centreOf(each.polygon) },
    }));
    this.#put("areas", collection(shapes as Feature[]));
    this.#put("rings", collection(rings));
  }

  /** Shows the outline being drawn. */
  outline(points: readonly Position[]): void {
    const ring = points.length > 0 ? [...points, points[0] as Position] : [];
    const features: Feature[] = [];
    if (points.length > 2)
      features.push({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } });
    else if (points.length === 2)
      features.push({
        type: "Feature",
        properties: {},
        geometry: { type: "LineString", coordinates: points as Position[] },
      });
    this.#put("draw", collection(features));
  }

  /** Marks the reader's own place; it is known to this page alone. */
  here(point: Position | undefined, label: string): void {
    this.#here?.remove();
    this.#here = undefined;
    if (!point) return;
    const element = document.createElement("div");
    element.className = "canvass-here";
    element.role = "img";
    element.ariaLabel = label;
    this.#here = new Marker({ element }).setLngLat(point).addTo(this.map);
  }

  /** Moves the view to a box. */
  fit(bounds: Bounds, most = 16): void {
    this.map.fitBounds(bounds, { padding: 32, maxZoom: most, animate: !still(), duration: 500 });
  }

  /** Moves the view to areas. */
  fitAreas(polygons: readonly Polygon[]): void {
    const bounds = boundsOfAreas(polygons);
    if (bounds) this.fit(bounds);
  }

  zoom(by: number): void {
    const to = this.map.getZoom() + by;
    if (still()) this.map.jumpTo({ zoom: to });
    else this.map.easeTo({ zoom: to, duration: 200 });
  }

  destroy(): void {
    for (const stop of this.#stop) stop();
    this.map.remove();
  }
}
