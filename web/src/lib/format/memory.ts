/**
 * What this device saw of a Canvass before: its keys, as they were first seen, and the newest checkpoint of each ledger. Nothing
 * in it tells what was looked at. Without storage, nothing is remembered and nothing is refused.
 */
import { fromBase64, toBase64 } from "./bytes";
import type { Checkpoint } from "./note";
import type { Keys, Log } from "./types";

const KEY = "canvass.seen";

/** Where it is kept; the browser's local storage, or a map in tests. */
export interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface Memory {
  v: 1;
  /** When the keys were first seen. */
  since: string;
  keys: Pick<Keys, "logs" | "receipts">;
  heads: Partial<Record<Log, { origin: string; size: string; root: string; at: string }>>;
}

function storage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

function read(store: Storage | null): Memory | null {
  try {
    const memory = JSON.parse(store?.getItem(KEY) ?? "null") as Memory | null;
    return memory?.v === 1 && memory.keys && memory.heads ? memory : null;
  } catch {
    return null;
  }
}

function write(store: Storage | null, memory: Memory): void {
  try {
    store?.setItem(KEY, JSON.stringify(memory));
  } catch {
    // A full or closed storage only means that nothing is remembered.
  }
}

/** When this device first saw these keys; `null` when it never did. */
export function keysSeenSince(store = storage()): string | null {
  return read(store)?.since ?? null;
}

/** Whether the keys are those that were first seen here; remembers them the first time. */
export function pinKeys(keys: Keys, now: Date, store = storage()): "same" | "first" | "changed" {
  const memory = read(store);
  const mine = { logs: keys.logs, receipts: keys.receipts };
  if (!memory) {
    write(store, { v: 1, since: now.toISOString(), keys: mine, heads: {} });
    return "first";
  }
  const text = ({ logs, receipts }: Memory["keys"]) =>
    [logs.requests, logs.oversight].map(({ origin, vkey }) => `${origin} ${vkey}`).join("\n") + `\n${receipts.vkey}`;
  return text(memory.keys) === text(mine) ? "same" : "changed";
}

/** The newest head of a ledger that was found sound here, and when. */
export function seenHead(log: Log, store = storage()): { head: Checkpoint; at: string } | null {
  const seen = read(store)?.heads[log];
  const root = seen ? fromBase64(seen.root) : null;
  if (!seen || !root || !/^\d+$/.test(seen.size)) return null;
  return { head: { origin: seen.origin, size: BigInt(seen.size), root, extensions: [] }, at: seen.at };
}

/** Remembers a head that was found sound, unless it, or a later one, is remembered already. */
export function rememberHead(log: Log, head: Checkpoint, now: Date, store = storage()): void {
  const memory = read(store);
  const seen = memory?.heads[log];
  if (!memory || (seen && BigInt(seen.size) >= head.size)) return;
  const { origin, size, root } = head;
  memory.heads[log] = { origin, size: String(size), root: toBase64(root), at: now.toISOString() };
  write(store, memory);
}

/** Forgets what was seen: after a change of keys that the operator announced. */
export function forget(store = storage()): void {
  store?.removeItem(KEY);
}
