/** Drawing an outline on the live map: corners are buttons that can be dragged, moved with arrow keys, and removed. */
import { Marker } from "maplibre-gl";

import type { Position } from "$lib/format/types";

import type { LiveMap } from "./live";

export interface DrawTexts {
  corner: (number: number) => string;
  between: (number: number) => string;
}

export interface DrawEvents {
  /** Each change, dragging included. */
  onchange: (points: Position[]) => void;
  /** The corner that has the focus, from 0. */
  onfocus: (corner: number | null) => void;
}

/** Pixels that an arrow key moves a corner; with Shift ten times as many. */
const STEP = 2;

/** The corners of an outline on a map. */
export class Drawer {
  #live: LiveMap;
  #texts: DrawTexts;
  #events: DrawEvents;
  #points: Position[] = [];
  #markers: Marker[] = [];
  #middles: Marker[] = [];

  constructor(live: LiveMap, texts: DrawTexts, events: DrawEvents) {
    this.#live = live;
    this.#texts = texts;
    this.#events = events;
  }

  /** Takes another outline over, such as one typed into the form. */
  set(points: readonly Position[]): void {
    this.#points = points.map(([x, y]) => [x, y]);
    this.#show();
  }

  #change(points: Position[]): void {
    this.#points = points;
    this.#show();
    this.#events.onchange([...points]);
  }

  /** Adds a corner at the end, or where it lengthens the outline least once there are three. */
  add(point: Position): void {
    const points = [...this.#points];
    let place = points.length;
    if (points.length >= 3) {
      const length = (a: Position, b: Position) => {
        const [p, q] = [this.#live.map.project(a), this.#live.map.project(b)];
        return Math.hypot(p.x - q.x, p.y - q.y);
      };
      let least = Infinity;
      points.forEach((from, at) => {
        const to = points[(at + 1) % points.length] as Position;
        const more = length(from, point) + length(point, to) - length(from, to);
        if (more < least) [least, place] = [more, at + 1];
      });
    }
    points.splice(place, 0, point);
    this.#change(points);
  }

  /** Removes a corner. */
  remove(corner: number): void {
    this.#change(this.#points.filter((_, at) => at !== corner));
    const next = this.#markers[Math.min(corner, this.#markers.length - 1)];
    next?.getElement().focus();
  }

  #button(className: string, label: string): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = className;
    button.ariaLabel = label;
    button.title = label;
    // A press on a corner is not a click on the map.
    button.addEventListener("click", (event) => event.stopPropagation());
    return button;
  }

  #corner(at: number): Marker {
    const element = this.#button("canvass-corner", this.#texts.corner(at + 1));
    const marker = new Marker({ element, draggable: true }).setLngLat(this.#points[at] as Position);
    marker.addTo(this.#live.map);
    // MapLibre names markers itself; ours have their own words.
    element.ariaLabel = this.#texts.corner(at + 1);
    element.addEventListener("focus", () => this.#events.onfocus(at));
    element.addEventListener("keydown", (event) => this.#key(event, at));
    marker.on("drag", () => {
      const { lng, lat } = marker.getLngLat();
      this.#move(at, [lng, lat]);
    });
    return marker;
  }

  #move(at: number, point: Position): void {
    this.#points[at] = point;
    this.#markers[at]?.setLngLat(point);
    this.#live.outline(this.#points);
    this.#placeMiddles();
    this.#events.onchange([...this.#points]);
  }

  #key(event: KeyboardEvent, at: number): void {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(at);
      return;
    }
    const step = event.shiftKey ? STEP * 10 : STEP;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    const now = this.#points[at];
    if (!by || !now) return;
    event.preventDefault();
    event.stopPropagation();
    const pixel = this.#live.map.project(now);
    const { lng, lat } = this.#live.map.unproject([pixel.x + (by[0] ?? 0), pixel.y + (by[1] ?? 0)]);
    this.#move(at, [lng, lat]);
  }

  #middle(at: number): Marker {
    const element = this.#button("canvass-middle", this.#texts.between(at + 1));
    // Corners are enough to walk through with the keyboard; the form and "add" do the rest.
    element.tabIndex = -1;
    const marker = new Marker({ element, draggable: true }).setLngLat(this.#halfway(at)).addTo(this.#live.map);
    element.ariaLabel = this.#texts.between(at + 1);
    const insert = () => {
      const { lng, lat } = marker.getLngLat();
      const points = [...this.#points];
      points.splice(at + 1, 0, [lng, lat]);
      this.#change(points);
    };
    element.addEventListener("click", insert);
    marker.on("drag", () => {
      const { lng, lat } = marker.getLngLat();
      const points = [...this.#points];
      points.splice(at + 1, 0, [lng, lat]);
      this.#live.outline(points);
    });
    marker.on("dragend", insert);
    return marker;
  }

  #halfway(at: number): Position {
    const [a, b] = [this.#points[at] as Position, this.#points[(at + 1) % this.#points.length] as Position];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  #placeMiddles(): void {
    this.#middles.forEach((marker, at) => marker.setLngLat(this.#halfway(at)));
  }

  #show(): void {
    for (const marker of [...this.#markers, ...this.#middles]) marker.remove();
    this.#markers = this.#points.map((_, at) => this.#corner(at));
    this.#middles = this.#points.length > 2 ? this.#points.map((_, at) => this.#middle(at)) : [];
    this.#live.outline(this.#points);
  }

  destroy(): void {
    for (const marker of [...this.#markers, ...this.#middles]) marker.remove();
    this.#live.outline([]);
  }
}
