/** Boxes that `canvass footage blur FILE --json` suggests: read strictly, given new names, kept within the clip. */
import { Problem } from "$lib/problem";

import { type Box, type BoxKey, type BoxReason, clampRect, REASONS } from "./boxes";

/** Largest file, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Most boxes of one file; what suggests more keeps to this itself. */
const MAX_BOXES = 10_000;
/** Most places of one box. */
const MAX_KEYS = 100_000;

export interface Suggestions {
  /** The recording's name, as the program saw it. */
  file: string;
  /** How long it is, in seconds. */
  duration: number;
  boxes: Box[];
}

const bad = () => new Problem("evidence.redact.suggest.bad", "evidence.redact.suggest.bad.remedy");
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw bad();
  return value;
}

function keyOf(value: unknown): BoxKey {
  if (!isObject(value)) throw bad();
  const [x, y] = [number(value.x), number(value.y)];
  const [width, height] = [number(value.width), number(value.height)];
  return { at: number(value.at), ...clampRect({ x, y, width, height }) };
}

function boxOf(value: unknown, duration: number): Box {
  if (!isObject(value) || !Array.isArray(value.keys)) throw bad();
  if (value.keys.length === 0 || value.keys.length > MAX_KEYS) throw bad();
  const keys = value.keys.map(keyOf).sort((a, b) => a.at - b.at);
  const within = (at: number) => Math.min(Math.max(at, 0), duration);
  const [from, until] = [within(number(value.from)), within(number(value.until))];
  if (until < from || (value.style !== "blur" && value.style !== "cover")) throw bad();
  const reason = REASONS.find((each) => each === value.reason);
  if (value.reason !== undefined && !reason) throw bad();
  return { id: crypto.randomUUID(), style: value.style, from, until, keys, ...(reason && { reason }) };
}

/** What a text suggests for a clip of this length (seconds). Throws a {@link Problem} for anything else. */
export function parseSuggestions(text: string, duration: number): Suggestions {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad();
  }
  if (!isObject(value) || typeof value.file !== "string" || !Array.isArray(value.boxes)) throw bad();
  if (value.boxes.length > MAX_BOXES) throw bad();
  const boxes = value.boxes.map((each) => boxOf(each, duration));
  return { file: value.file.slice(0, 255), duration: number(value.duration), boxes };
}

/** Reads the file. */
export async function readSuggestions(file: Blob, duration: number): Promise<Suggestions> {
  if (file.size > MAX_BYTES) throw bad();
  return parseSuggestions(await file.text(), duration);
}

/** How many of each reason. */
export function countOf(boxes: readonly Box[]): Record<"faces" | "heads" | "plates", number> {
  const of = (reason: BoxReason) => boxes.filter((box) => box.reason === reason).length;
  return { faces: of("face"), heads: of("head"), plates: of("plate") };
}
