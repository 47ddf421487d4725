import type { Polygon } from "$lib/format/types";

/** An area on a map. */
export interface MapArea {
  id: string;
  polygon: Polygon;
  /** A few words beside it. */
  label: string;
  /** `quiet` is for what is only shown for orientation, such as a jurisdiction. */
  tone?: "accent" | "quiet";
}

/** Drawing: the outline as it stands, and what hears of each change. `null` is none. */
export interface Drawing {
  polygon: Polygon | null;
  onchange: (polygon: Polygon | null) => void;
}
