/**
 * Boxes that hide a part of the picture over a length of time. Places are shares of the shown picture (0 to 1, after
 * rotation), times are seconds of the clip. Pure: no DOM.
 */

/** A rectangle in shares of the shown picture. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a box is at a moment; between two of them it moves in a straight line. */
export interface BoxKey extends Rect {
  /** Seconds of the clip. */
  at: number;
}

/** `blur` leaves a few blocks of colour; `cover` paints it over and leaves nothing. */
export type BoxStyle = "blur" | "cover";

/** Why a box was suggested: a face, the head of a person whose face was not found, a number plate. */
export const REASONS = ["face", "head", "plate"] as const;
export type BoxReason = (typeof REASONS)[number];

/** A box, from a moment until another (both included). `keys` is never empty and is in the order of time. */
export interface Box {
  id: string;
  style: BoxStyle;
  from: number;
  until: number;
  keys: BoxKey[];
  /** Why it was suggested; none for a box that a person drew. */
  reason?: BoxReason;
}

/** Smallest side of a box, as a share of the picture. */
export const MIN_SIDE = 0.01;
/** Two moments nearer than this (seconds) are the same frame. */
export const SAME_FRAME = 0.008;

const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** The rectangle, moved and shrunk until it lies within the picture. */
export function clampRect(rect: Rect): Rect {
  const width = within(rect.width, MIN_SIDE, 1);
  const height = within(rect.height, MIN_SIDE, 1);
  return { x: within(rect.x, 0, 1 - width), y: within(rect.y, 0, 1 - height), width, height };
}

/** The rectangle between two corners, whichever way it was drawn. */
export function rectOf(a: { x: number; y: number }, b: { x: number; y: number }): Rect {
  return clampRect({
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  });
}

/** A new box that hides this rectangle for the whole clip: too much hidden is mended, too little is given away. */
export function newBox(rect: Rect, at: number, duration: number, style: BoxStyle = "blur"): Box {
  return {
    id: crypto.randomUUID(),
    style,
    from: 0,
    until: Math.max(duration, at),
    keys: [{ at, ...clampRect(rect) }],
  };
}

/** Where the box is at a moment; none outside its time. Before its first and after its last key it stands still. */
export function boxAt(box: Box, time: number): Rect | null {
  if (time < box.from - SAME_FRAME || time > box.until + SAME_FRAME) return null;
  return placeAt(box, time);
}

/** Where the box would be at a moment, whether it hides anything then or not. */
export function placeAt(box: Box, time: number): Rect {
  let before = box.keys[0];
  let after = box.keys[box.keys.length - 1];
  for (const key of box.keys) {
    if (key.at <= time) before = key;
    if (key.at >= time) {
      after = key;
      break;
    }
  }
  if (!before || !after) return { x: 0, y: 0, width: 1, height: 1 };
  // One of the two is on the wrong side of the moment: it is before the first key, or after the last.
  if (before.at > time) return rect(before);
  if (after.at < time) return rect(after);
  const span = after.at - before.at;
  const share = span > 0 ? (time - before.at) / span : 0;
  const mix = (a: number, b: number) => a + (b - a) * share;
  return {
    x: mix(before.x, after.x),
    y: mix(before.y, after.y),
    width: mix(before.width, after.width),
    height: mix(before.height, after.height),
  };
}

const rect = ({ x, y, width, height }: Rect): Rect => ({ x, y, width, height });

/**
 * What has to be hidden in a frame that is shown from `time` for `length` seconds. A box whose time begins or ends while
 * the frame is shown hides the whole frame; of a box that moves, all that it passes is hidden.
 */
export function hiddenIn(boxes: readonly Box[], time: number, length = 0): { rect: Rect; style: BoxStyle }[] {
  const end = time + Math.max(0, length);
  return boxes.flatMap((box) => {
    if (end < box.from - SAME_FRAME || time > box.until + SAME_FRAME) return [];
    const [first, last] = [placeAt(box, Math.max(time, box.from)), placeAt(box, Math.min(end, box.until))];
    return [{ rect: union(first, last), style: box.style }];
  });
}

function union(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** The box with its place at a moment set; a key of the same frame is replaced. */
export function withKey(box: Box, at: number, place: Rect): Box {
  const others = box.keys.filter((key) => Math.abs(key.at - at) > SAME_FRAME);
  const keys = [...others, { at, ...clampRect(place) }].sort((a, b) => a.at - b.at);
  return { ...box, keys };
}

/** The box without the key at a moment; the last key stays. */
export function withoutKey(box: Box, at: number): Box {
  const keys = box.keys.filter((key) => Math.abs(key.at - at) > SAME_FRAME);
  return keys.length > 0 ? { ...box, keys } : box;
}

/** The box with another time; an end before the beginning moves the other along. */
export function withSpan(box: Box, span: { from?: number; until?: number }, duration: number): Box {
  let from = within(span.from ?? box.from, 0, duration);
  let until = within(span.until ?? box.until, 0, duration);
  if (from > until) {
    if (span.from !== undefined) until = from;
    else from = until;
  }
  return { ...box, from, until };
}

/** Boxes of a clip whose first `start` seconds are cut off, and all after `end`; those that hide nothing there are left out. */
export function shifted(boxes: readonly Box[], start: number, end: number): Box[] {
  return boxes
    .filter((box) => box.until >= start && box.from <= end)
    .map((box) => ({
      ...box,
      from: Math.max(0, box.from - start),
      until: Math.min(end, box.until) - start,
      keys: box.keys.map((key) => ({ ...key, at: key.at - start })),
    }));
}
