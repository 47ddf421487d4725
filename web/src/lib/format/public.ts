/** Fetches public files of this origin, and the keys and heads by which they are checked. */
import { Problem } from "../problem";
import { FormatError, text } from "./bytes";
import { pinKeys, rememberHead, seenHead } from "./memory";
import { checkCheckpoint, type Checkpoint, MAX_NOTE, newTrust, type Note, parseVkey, type Trust } from "./note";
import { checkGrowth, type ReadFile } from "./tiles";
import { FORMS } from "./form";
import type { Keys, Log, PublicAgency } from "./types";

/** Largest public file of one record, in bytes. */
const MAX_RECORD = 4 * 1024 * 1024;

/** Bytes of a file; `null` when there is none. Throws {@link Problem} when the server can't be reached or fails. */
export async function readPublic(path: string, limit = MAX_RECORD, cache?: RequestCache): Promise<Uint8Array | null> {
  let response: Response;
  let bytes: ArrayBuffer;
  try {
    response = await fetch(path, { cache, credentials: "omit", referrerPolicy: "no-referrer", redirect: "error" });
    bytes = await response.arrayBuffer();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("common.problem.offline");
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new Problem("common.problem.unavailable", undefined, [], response.status);
  // The page itself answers for addresses that it does not know; a public file is never a page.
  if (response.headers.get("content-type")?.startsWith("text/html")) return null;
  if (bytes.byteLength > limit)
    throw new FormatError("form", `${path} has ${bytes.byteLength} bytes, more than are read`);
  return new Uint8Array(bytes);
}

/** A JSON file, not checked for its form; `null` when there is none or it is no JSON. */
export async function readJsonFile<T>(path: string, cache?: RequestCache): Promise<T | null> {
  const bytes = await readPublic(path, MAX_RECORD, cache);
  try {
    return bytes ? (JSON.parse(text(bytes) ?? "") as T) : null;
  } catch {
    return null;
  }
}

/** Files below a ledger's folder. */
export function logFiles(log: Log, signal?: AbortSignal): ReadFile {
  return (path) => {
    signal?.throwIfAborted();
    return readPublic(`/ledger/${log}/${path}`, 256 * (65_535 + 2));
  };
}

/** The keys that count. */
export interface KnownKeys {
  keys: Keys;
  trust: Record<Log, Trust>;
  /** Whether they are others than those that this device saw first. */
  changed: boolean;
  /** Whether they were never seen here before. */
  first: boolean;
}

/** Reads `keys.json`, whose keys must all be sound. Throws {@link FormatError}. */
export function parseKeys(value: unknown): { keys: Keys; trust: Record<Log, Trust> } {
  const keys = value as Keys;
  const bad = () => new FormatError("key", "keys.json: not the keys of a Canvass");
  if (keys?.v !== 1 || !keys.logs?.requests || !keys.logs.oversight || typeof keys.receipts?.vkey !== "string")
    throw bad();
  const named = keys.witnesses ?? [];
  if (!Array.isArray(named) || named.length > 64 || !Number.isSafeInteger(keys.quorum ?? 0)) throw bad();
  const trust = (log: Log) => {
    const { origin, vkey } = keys.logs[log];
    return newTrust(origin, parseVkey(vkey), named.map(parseVkey), keys.quorum ?? 0);
  };
  parseVkey(keys.receipts.vkey.trim());
  return { keys, trust: { requests: trust("requests"), oversight: trust("oversight") } };
}

/** The server's keys, compared with those that this device saw first. Throws {@link FormatError} or {@link Problem}. */
export async function keysOf(now: Date): Promise<KnownKeys> {
  const parsed = parseKeys(await readJsonFile("/ledger/keys.json"));
  const pinned = pinKeys(parsed.keys, now);
  return { ...parsed, changed: pinned === "changed", first: pinned === "first" };
}

/** A ledger's head with what vouches for it. */
export interface Head {
  head: Checkpoint;
  /** The note it came in, with all signatures. */
  note: Note;
  cosigned: { name: string; at: Date }[];
  witnesses: { have: number; need: number };
}

/**
 * Reads a ledger's checkpoint: signed by its key, cosigned by the quorum, and a continuation of what this device saw before.
 * Throws {@link FormatError} `rollback` or `split` when it is not.
 */
export async function readHead(log: Log, keys: KnownKeys, bytes: Uint8Array | null): Promise<Head> {
  if (!bytes || bytes.length > MAX_NOTE) throw new FormatError("missing", "the log serves no checkpoint");
  const { checkpoint: head, note, cosigned } = checkCheckpoint(keys.trust[log], bytes);
  const seen = keys.changed ? null : seenHead(log);
  if (seen) await checkGrowth(logFiles(log), seen.head, head);
  if (!keys.changed) rememberHead(log, head, new Date());
  return { head, note, cosigned, witnesses: { have: cosigned.length, need: keys.trust[log].quorum } };
}

/** Reads the list of agencies; throws {@link FormatError}. */
export function parseAgencies(value: unknown): PublicAgency[] {
  const list = (value as { agencies?: unknown } | null)?.agencies ?? [];
  if (!Array.isArray(list) || !list.every(FORMS.publicAgency)) throw new FormatError("form", "not a list of agencies");
  return list as PublicAgency[];
}
