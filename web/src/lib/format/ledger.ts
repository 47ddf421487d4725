/** The ledgers, read and recomputed in the browser from their public files. */
import { Problem } from "../problem";
import { type DefectCode, FormatError, same, text } from "./bytes";
import { Counter, type Count, type Summary, parseSummary } from "./counts";
import { readOversightLeaf, readRequestsLeaf } from "./form";
import { digestOf } from "./jcs";
import { formatProof, Frontier, type Hash, leafHash, perfect } from "./merkle";
import type { Checkpoint, Note } from "./note";
import { keysOf, type KnownKeys, logFiles, parseAgencies, readHead, readJsonFile, readPublic } from "./public";
import { keysSeenSince, seenHead } from "./memory";
import { checkAgency, Replay } from "./replay";
import { FULL, proveInclusion, proveSpan, readEntries, readTile, rootOfSpan } from "./tiles";
import type { Log, OversightLeaf, PublicAgency, RequestsLeaf } from "./types";

/** An entry that stands in a ledger. */
export interface LedgerEntry {
  log: Log;
  index: number;
  /** Canonical JSON. */
  text: string;
  /** `null` when it is not of a known form. */
  leaf: RequestsLeaf | OversightLeaf | null;
}

/** The head of a ledger as it was found. */
export interface LedgerHead {
  log: Log;
  keys: KnownKeys;
  checkpoint: Checkpoint;
  /** The note it came in, with all signatures. */
  note: Note;
  cosigned: { name: string; at: Date }[];
  /** What this device saw of it before this time. */
  seen: { size: number; at: string } | null;
}

/** How far a reading is, in entries. */
export interface Progress {
  done: number;
  total: number;
}

export interface ReadOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/** Reads a ledger's head: signed, cosigned by the quorum, a continuation of what was seen. Throws {@link FormatError}, {@link Problem}. */
export async function ledgerHead(log: Log): Promise<LedgerHead> {
  const seen = seenHead(log);
  const [keys, bytes] = await Promise.all([
    keysOf(new Date()),
    readPublic(`/ledger/${log}/checkpoint`, undefined, "no-cache"),
  ]);
  if (keys.changed) throw new FormatError("keys-changed", "its keys are others than those seen before");
  const { head, note, cosigned } = await readHead(log, keys, bytes);
  return { log, keys, checkpoint: head, note, cosigned, seen: seen && { size: Number(seen.head.size), at: seen.at } };
}

/** Reads an entry; `null` when it is none of this ledger's. */
function readEntry(log: Log, entry: string, index: number): LedgerEntry["leaf"] {
  try {
    return log === "requests" ? readRequestsLeaf(entry, index) : readOversightLeaf(entry, index);
  } catch {
    return null;
  }
}

/** One bundle of entries, proven by the ledger's head; in the order of the ledger. */
async function provenBundle(head: LedgerHead, bundle: number, signal?: AbortSignal): Promise<LedgerEntry[]> {
  const files = logFiles(head.log, signal);
  const size = Number(head.checkpoint.size);
  const [low, high] = [bundle * FULL, Math.min(size, (bundle + 1) * FULL)];
  const [entries, siblings] = await Promise.all([readEntries(files, bundle, size), proveSpan(files, low, high, size)]);
  const root = rootOfSpan(perfect(entries.map(leafHash)), low, high, size, siblings);
  if (!same(root, head.checkpoint.root))
    throw new FormatError("entry", `entries from ${low} are not those in the tree`);
  return entries.map((bytes, at) => {
    const [entry, index] = [text(bytes) ?? "", low + at];
    return { log: head.log, index, text: entry, leaf: readEntry(head.log, entry, index) };
  });
}

/** How many files are fetched at one time. */
const AT_ONCE = 6;

/**
 * The newest entries of a ledger, each proven by its head, newest first. `before` begins further back, `limit` is a number of entries
 * (whole bundles of 256 are read). Throws {@link FormatError}, {@link Problem}.
 */
export async function readNewest(
  head: LedgerHead,
  { before = Infinity, limit = FULL, onProgress, signal }: ReadOptions & { before?: number; limit?: number } = {},
): Promise<LedgerEntry[]> {
  const end = Math.min(before, Number(head.checkpoint.size));
  const first = Math.max(0, Math.floor((end - limit) / FULL));
  const bundles = Array.from(
    { length: Math.max(0, Math.ceil(end / FULL) - first) },
    (_, at) => Math.ceil(end / FULL) - 1 - at,
  );
  const read: LedgerEntry[] = [];
  for (let at = 0; at < bundles.length; at += AT_ONCE) {
    signal?.throwIfAborted();
    const some = await Promise.all(bundles.slice(at, at + AT_ONCE).map((each) => provenBundle(head, each, signal)));
    for (const entries of some) read.push(...entries.toReversed().filter(({ index }) => index < end));
    onProgress?.({ done: read.length, total: end - first * FULL });
  }
  return read;
}

/** The text of a proof (C2SP tlog-proof) that an entry stands in the ledger, made from its tiles. */
export async function proofOf(head: LedgerHead, index: number): Promise<string> {
  const hashes = await proveInclusion(logFiles(head.log), index, Number(head.checkpoint.size));
  const checkpoint = { checkpoint: head.checkpoint, note: head.note };
  return formatProof({ extra: null, index: BigInt(index), hashes, checkpoint });
}

/** A whole ledger or the newest part of it. */
export interface LedgerRead {
  head: LedgerHead;
  /** Newest first. */
  entries: LedgerEntry[];
  /** Whether this is all of it. */
  complete: boolean;
}

/** Reads a ledger's newest entries, or all of them. Throws {@link FormatError}, {@link Problem}. */
export async function readLedger(log: Log, options: ReadOptions & { limit?: number } = {}): Promise<LedgerRead> {
  const head = await ledgerHead(log);
  const entries = await readNewest(head, { limit: Infinity, ...options });
  return { head, entries, complete: entries.length === Number(head.checkpoint.size) };
}

/** Something that must not be. */
export interface Finding {
  code: DefectCode;
  /** The entry it was found in. */
  index: number | null;
  /** What exactly, in English, for a report. */
  message: string;
}

/** What an audit of a whole ledger found. */
export interface Audit {
  log: Log;
  head: LedgerHead | null;
  /** Entries that were read and hashed. */
  entries: number;
  bytes: number;
  counts: Count[];
  /** Empty when everything holds. */
  findings: Finding[];
  /** When these keys were first seen on this device. */
  keysSince: string | null;
}

const MOST_FINDINGS = 50;

/**
 * Audits a whole ledger as `canvass verify ledger` does: signatures, every entry, every tile, the root computed anew from all
 * entries, that it continues what this device saw before, that each entry could have been written when it was, and, for the
 * requests ledger, that policy and agencies are what it says. Findings are returned; throws {@link Problem} when files can't be
 * fetched, and an `AbortError` when cancelled.
 */
export async function auditLedger(log: Log, { onProgress, signal }: ReadOptions = {}): Promise<Audit> {
  const audit: Audit = { log, head: null, entries: 0, bytes: 0, counts: [], findings: [], keysSince: keysSeenSince() };
  const counter = new Counter();
  const replay = new Replay();
  const found = (error: unknown, index: number | null = null) => {
    if (!(error instanceof FormatError)) throw error;
    if (audit.findings.length < MOST_FINDINGS) audit.findings.push({ code: error.code, index, message: error.message });
  };
  try {
    const seen = seenHead(log)?.head ?? null;
    const head = await ledgerHead(log);
    audit.head = head;
    const take = (entry: Uint8Array, index: number) => {
      try {
        const source = text(entry) ?? "";
        if (log === "requests") {
          const leaf = readRequestsLeaf(source, index);
          counter.add(leaf);
          replay.apply(leaf);
        } else counter.add(readOversightLeaf(source, index));
      } catch (error) {
        found(error, index);
      }
    };
    await recompute(head, seen, take, audit, { onProgress, signal });
    if (log === "requests") await compareFiles(replay, found);
  } catch (error) {
    found(error);
  }
  audit.counts = counter.list();
  return audit;
}

/** Computes the tree from all entries, and compares it with the tiles and the head. */
async function recompute(
  head: LedgerHead,
  seen: Checkpoint | null,
  take: (entry: Uint8Array, index: number) => void,
  audit: Audit,
  { onProgress, signal }: ReadOptions,
): Promise<void> {
  const files = logFiles(head.log, signal);
  const size = Number(head.checkpoint.size);
  const tree = new Frontier();
  const levels: Hash[][] = [];
  const agrees = () => {
    if (seen && Number(seen.size) === tree.size && !same(seen.root, tree.root()))
      throw new FormatError("split", `its first ${tree.size} entries are not those seen before`);
  };
  agrees();
  const bundles = Math.ceil(size / FULL);
  for (let next = 0; next < bundles; next += AT_ONCE) {
    const wave = Array.from({ length: Math.min(AT_ONCE, bundles - next) }, (_, at) => next + at);
    const read = await Promise.all(
      wave.map((bundle) => Promise.all([readEntries(files, bundle, size), readTile(files, 0, bundle, size)])),
    );
    for (const [at, [entries, tile]] of read.entries()) {
      for (const [place, entry] of entries.entries()) {
        const hash = leafHash(entry);
        const index = tree.size;
        if (!tile[place] || !same(hash, tile[place]))
          throw new FormatError("entry", `entry ${index} is not the one in the tree`);
        take(entry, index);
        tree.push(hash);
        audit.entries += 1;
        audit.bytes += entry.length;
        agrees();
      }
      await checkAbove(files, levels, tile, (wave[at] ?? 0) + 1, size);
    }
    onProgress?.({ done: tree.size, total: size });
  }
  if (!same(tree.root(), head.checkpoint.root))
    throw new FormatError("root", `the root of all ${size} entries is not the signed one`);
}

/** Adds a full tile's root to the level above, and compares the tiles above as they fill. */
async function checkAbove(
  files: ReturnType<typeof logFiles>,
  levels: Hash[][],
  tile: Hash[],
  tiles: number,
  size: number,
): Promise<void> {
  let full = tile;
  let count = tiles;
  for (let level = 1; full.length === FULL; level += 1) {
    const row = (levels[level] ??= []);
    row.push(perfect(full));
    const last = count === Math.floor(size / FULL ** level);
    if (row.length < FULL && !last) return;
    const served = await readTile(files, level, Math.floor((count - 1) / FULL), size);
    if (served.length !== row.length || !served.every((hash, at) => same(hash, row[at] ?? new Uint8Array())))
      throw new FormatError("tile", `tile ${level}/${Math.floor((count - 1) / FULL)} does not lead to the signed root`);
    full = row;
    count = Math.floor(count / FULL);
    levels[level] = [];
  }
}

/** Compares `/policy.json`, `/rules.json` and the agencies with what the ledger says of them. */
async function compareFiles(replay: Replay, found: (error: unknown) => void): Promise<void> {
  const [policy, rules, agencies] = await Promise.all([
    readJsonFile("/policy.json"),
    readJsonFile("/rules.json"),
    loadAgencies(),
  ]);
  if (replay.policy !== null && (!policy || digestOf(policy) !== replay.policy))
    found(new FormatError("state", "/policy.json is not the policy whose digest is in the ledger"));
  if (replay.rules !== null && (!rules || digestOf(rules) !== replay.rules))
    found(new FormatError("state", "/rules.json is not the set of rules whose digest is in the ledger"));
  for (const agency of agencies) {
    try {
      checkAgency(agency, replay.agencies.get(agency.id));
    } catch (error) {
      found(error);
    }
  }
  const missing = [...replay.agencies.keys()].find((id) => !agencies.some((agency) => agency.id === id));
  if (missing) found(new FormatError("missing", `agency ${missing} of the ledger is not listed`));
}

/** All agencies, as they are listed. Throws {@link Problem} when unreachable. */
export async function loadAgencies(): Promise<PublicAgency[]> {
  return parseAgencies(await readJsonFile("/agencies/index.json"));
}

/** The counts that the server states; `null` where it states none. */
export async function loadSummary(): Promise<Summary | null> {
  return parseSummary(await readJsonFile("/ledger/summary.json"));
}

/** A failure of a reading as something to show: what was found wrong, or a {@link Problem}. */
export function asDefect(error: unknown): unknown {
  return error instanceof FormatError ? new Problem(`ledger.defect.${error.code}`, "ledger.defect.tell") : error;
}
