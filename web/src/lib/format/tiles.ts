/** The files of a ledger (C2SP tlog-tiles): their paths, their bytes, and proofs made from them. */
import { decimal, FormatError, MAX_SIZE } from "./bytes";
import { type Hash, join, nodeHash, verifyConsistency } from "./merkle";
import type { Checkpoint } from "./note";

/** Hashes of a full tile, entries of a full bundle. */
export const FULL = 256;

/** Where a tile or an entry bundle stands. */
export interface TilePath {
  level: number | "entries";
  index: bigint;
  /** 1 to 256. */
  width: number;
}

const badPath = (part: string) => new FormatError("tile", `tile path: ${part}: write tile/<level>/<index>[.p/<width>]`);

/** Writes a path. */
export function formatPath({ level, index, width }: TilePath): string {
  const groups = [];
  for (let rest = index; groups.length === 0 || rest > 0n; rest /= 1000n)
    groups.unshift(`${groups.length > 0 ? "x" : ""}${String(rest % 1000n).padStart(3, "0")}`);
  return `tile/${level}/${groups.join("/")}${width < FULL ? `.p/${width}` : ""}`;
}

/** Reads a path; throws {@link FormatError} naming the part at fault. */
export function parsePath(path: string): TilePath {
  if (path.length > 64) throw badPath("longer than 64 bytes");
  if (!path.startsWith("tile/")) throw badPath("does not start with tile/");
  const slash = path.indexOf("/", 5);
  if (slash < 0) throw badPath("has no index");
  const kind = path.slice(5, slash);
  const level = kind === "entries" ? kind : small(kind, 63);
  if (level === null) throw badPath("level is not a number from 0 to 63");
  const [indexText = "", ...widths] = path.slice(slash + 1).split(".p/");
  const width = widths.length === 0 ? FULL : small(widths.join(".p/"), FULL - 1);
  if (!width) throw badPath("width is not a number from 1 to 255");
  const groups = indexText.split("/");
  const last = groups.pop() ?? "";
  const sound = /^\d{3}$/.test(last) && groups.every((group) => /^x\d{3}$/.test(group)) && groups[0] !== "x000";
  const index = sound ? BigInt([...groups.map((group) => group.slice(1)), last].join("")) : null;
  if (index === null || index > 2n * MAX_SIZE + 1n) throw badPath("index is not in the x001/x234/067 form");
  return { level, index, width };
}

function small(text: string, most: number): number | null {
  const value = decimal(text);
  return value !== null && value <= BigInt(most) ? Number(value) : null;
}

/** Hashes of a tile of this width. */
export function decodeTile(bytes: Uint8Array, width: number): Hash[] {
  if (bytes.length !== width * 32)
    throw new FormatError("tile", `hash tile has ${bytes.length} bytes, ${width * 32} expected`);
  return Array.from({ length: width }, (_, at) => bytes.slice(at * 32, at * 32 + 32));
}

/** Entries of a bundle of this width. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < width) {
    const cut = () => new FormatError("tile", `entry bundle ends inside entry ${entries.length}`);
    if (at + 2 > bytes.length) throw cut();
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    at += 2;
    if (at + length > bytes.length) throw cut();
    entries.push(bytes.subarray(at, at + length));
    at += length;
  }
  const found = entries.length + (at < bytes.length ? 1 : 0);
  if (found !== width) throw new FormatError("tile", `entry bundle holds ${found} entries, ${width} expected`);
  return entries;
}

/** Reads a file below the ledger's folder; `null` when there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | null>;

// A file at its width, or the beginning of the full one where the partial file was cleaned up.
async function readEither(read: ReadFile, path: TilePath): Promise<{ bytes: Uint8Array; width: number }> {
  const bytes = await read(formatPath(path));
  if (bytes) return { bytes, width: path.width };
  const full = path.width < FULL ? await read(formatPath({ ...path, width: FULL })) : null;
  if (full) return { bytes: full, width: FULL };
  throw new FormatError("missing", `file ${formatPath(path)} is missing`);
}

function pathIn(level: number | "entries", index: number, size: number): TilePath {
  const hashes = Math.floor(size / FULL ** (level === "entries" ? 0 : level));
  const width = Math.min(FULL, hashes - index * FULL);
  if (width < 1) throw new FormatError("tile", `tile ${level}/${index} lies outside a tree of ${size} entries`);
  return { level, index: BigInt(index), width };
}

/** Hashes of a tile in a tree of `size` entries. */
export async function readTile(read: ReadFile, level: number, index: number, size: number): Promise<Hash[]> {
  const path = pathIn(level, index, size);
  const { bytes, width } = await readEither(read, path);
  return decodeTile(bytes, width).slice(0, path.width);
}

/** Entries of a bundle in a tree of `size` entries, as they are served: compare them with the tree. */
export async function readEntries(read: ReadFile, index: number, size: number): Promise<Uint8Array[]> {
  const path = pathIn("entries", index, size);
  const { bytes, width } = await readEither(read, path);
  return decodeBundle(bytes, width).slice(0, path.width);
}

interface Node {
  level: number;
  index: number;
}

/** The perfect subtrees of a range, largest first. */
function cover(low: number, high: number): Node[] {
  const nodes: Node[] = [];
  for (let start = low; start < high;) {
    let level = 0;
    while (start % 2 ** (level + 1) === 0 && start + 2 ** (level + 1) <= high) level += 1;
    nodes.push({ level, index: start / 2 ** level });
    start += 2 ** level;
  }
  return nodes;
}

const split = (n: number) => {
  let half = 1;
  while (half * 2 < n) half *= 2;
  return half;
};

/** The ranges beside the way from the root to a subtree, lowest first. */
function siblingRanges(low: number, high: number, size: number): [number, number][] {
  const ranges: [number, number][] = [];
  let [from, to] = [0, size];
  while (to - from > high - low) {
    const middle = from + split(to - from);
    ranges.unshift(low < middle ? [middle, to] : [from, middle]);
    [from, to] = low < middle ? [from, middle] : [middle, to];
  }
  if (from !== low || to !== high) throw new FormatError("tile", `entries ${low} to ${high} are no subtree`);
  return ranges;
}

function consistencyRanges(from: number, to: number): [number, number][] {
  const ranges: [number, number][] = [];
  if (from === 0) return ranges;
  let [low, high] = [0, to];
  while (from !== high) {
    const middle = low + split(high - low);
    ranges.unshift(from <= middle ? [middle, high] : [low, middle]);
    [low, high] = from <= middle ? [low, middle] : [middle, high];
  }
  if (low > 0) ranges.unshift([low, high]);
  return ranges;
}

async function follow(read: ReadFile, ranges: [number, number][], size: number): Promise<Hash[]> {
  const tiles = new Map<string, Promise<Hash[]>>();
  const lookup = async ({ level, index }: Node): Promise<Hash> => {
    const [tileLevel, up] = [Math.floor(level / 8), level % 8];
    const first = index * 2 ** up;
    const tile = Math.floor(first / FULL);
    const name = `${tileLevel}/${tile}`;
    const hashes = tiles.get(name) ?? readTile(read, tileLevel, tile, size);
    tiles.set(name, hashes);
    let row = (await hashes).slice(first % FULL, (first % FULL) + 2 ** up);
    while (row.length > 1)
      row = Array.from({ length: row.length / 2 }, (_, at) => join(row.slice(at * 2, at * 2 + 2)) as Hash);
    const hash = row[0];
    if (!hash) throw new FormatError("tile", "a hash that the proof needs is not in its tile");
    return hash;
  };
  return Promise.all(ranges.map(async ([low, high]) => join(await Promise.all(cover(low, high).map(lookup))) as Hash));
}

/** The inclusion proof of an entry in the tree of `size` entries. */
export function proveInclusion(read: ReadFile, index: number, size: number): Promise<Hash[]> {
  return follow(read, siblingRanges(index, index + 1, size), size);
}

/** The hashes that lead from the root of a subtree, such as a bundle of entries, to the root of the tree. */
export function proveSpan(read: ReadFile, low: number, high: number, size: number): Promise<Hash[]> {
  return follow(read, siblingRanges(low, high, size), size);
}

/** The tree's root that these hashes lead to. */
export function rootOfSpan(hash: Hash, low: number, high: number, size: number, siblings: Hash[]): Hash {
  return siblingRanges(low, high, size).reduce((below, [from], at) => {
    const sibling = siblings[at] ?? new Uint8Array();
    return from < low ? nodeHash(sibling, below) : nodeHash(below, sibling);
  }, hash);
}

/** The consistency proof between two sizes of the tree. */
export function proveConsistency(read: ReadFile, from: number, to: number): Promise<Hash[]> {
  return follow(read, consistencyRanges(from, to), to);
}

/** Checks, with a few tiles, that a log continues what was seen before. Throws {@link FormatError} `rollback` or `split`. */
export async function checkGrowth(read: ReadFile, seen: Checkpoint, now: Checkpoint): Promise<void> {
  if (seen.origin !== now.origin) throw new FormatError("origin", `remembered checkpoint is of log ${seen.origin}`);
  if (now.size < seen.size)
    throw new FormatError("rollback", `the log has ${now.size} entries, ${seen.size} were seen before`);
  const proof =
    seen.size === now.size || seen.size === 0n ? [] : await proveConsistency(read, Number(seen.size), Number(now.size));
  verifyConsistency(seen.size, seen.root, now.size, now.root, proof);
}
