/** The envelope's inside while it is written: a BagIt 1.0 bag (RFC 8493) in tar, with one algorithm, SHA-256. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { createTarPacker } from "modern-tar";

import type { Hasher } from "./hasher";
import type { SealJob } from "./job";
import type { ClipSum } from "./types";

/** Base folder in the archive. */
export const BASE = "envelope";
/** Where the clips are. */
export const CLIPS = "data/clips/";
/** Largest tag file, in bytes. */
export const MAX_TAG = 1024 * 1024;

const DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
/** Bytes read of a clip in one go: each read costs the browser a round trip. */
const PIECE = 4 * 1024 * 1024;
/** Longest clip that is read whole, so that the browser's own SHA-256, which takes no streams, can hash it. */
const WHOLE = 64 * 1024 * 1024;

/** What is put into a bag. */
export type BagPlan = Pick<SealJob, "tags" | "clips" | "identifier" | "date" | "agent">;

/** A clip's file can't be read any more: moved, changed or its disk taken out. */
export class ClipGone extends Error {
  constructor(public readonly clip: string) {
    super("a chosen file can't be read any more");
  }
}

/** How a bag is hashed. */
export interface BagHash {
  /** For clips. */
  open(): Hasher;
  /** For the small files. */
  small(bytes: Uint8Array): string;
}

/**
 * The bag as a stream of tar bytes, made as it is read. `clips` resolves when the stream has ended.
 * @param onRead - bytes of clips read so far
 */
export function bagStream(
  plan: BagPlan,
  hash: BagHash,
  onRead: (bytes: number) => void,
): { readable: ReadableStream<Uint8Array>; clips: Promise<ClipSum[]> } {
  const { readable, controller } = createTarPacker();
  const clips = write(plan, hash, onRead, controller).catch((error: unknown) => {
    controller.error(error);
    throw error;
  });
  // The reader of the stream sees the same error; nobody may be asking for the sums.
  clips.catch(() => undefined);
  return { readable, clips };
}

type Packer = ReturnType<typeof createTarPacker>["controller"];

async function write(plan: BagPlan, hash: BagHash, onRead: (n: number) => void, tar: Packer): Promise<ClipSum[]> {
  // A coarse time says less about the resident.
  const mtime = new Date(`${plan.date}T00:00:00Z`);
  const entry = (path: string, size: number) =>
    tar.add({ name: `${BASE}/${path}`, size, mtime, mode: 0o644 }).getWriter();
  const listed: string[] = [];
  const tag = async (path: string, bytes: Uint8Array, list = true) => {
    const writer = entry(path, bytes.length);
    if (bytes.length > 0) await writer.write(bytes);
    await writer.close();
    if (list) listed.push(`${hash.small(bytes)}  ${path}\n`);
  };
  await tag("bagit.txt", utf8(DECLARATION));
  const sums: ClipSum[] = [];
  let read = 0;
  for (const { name, file } of plan.clips) {
    const writer = entry(`${CLIPS}${name}`, file.size);
    const put = async (piece: Uint8Array) => {
      await writer.write(piece);
      onRead((read += piece.length));
    };
    const sha256 = file.size <= WHOLE ? await small(name, file, put) : await large(name, file, hash.open(), put);
    await writer.close();
    sums.push({ name, bytes: file.size, sha256 });
  }
  for (const [name, bytes] of plan.tags) await tag(name, bytes);
  await tag("bag-info.txt", utf8(info(plan, sums)));
  await tag("manifest-sha256.txt", utf8(sums.map((sum) => `${sum.sha256}  ${CLIPS}${sum.name}\n`).join("")));
  await tag("tagmanifest-sha256.txt", utf8(listed.join("")), false);
  tar.finalize();
  return sums;
}

function info({ agent, date, identifier }: BagPlan, sums: ClipSum[]): string {
  const octets = sums.reduce((sum, clip) => sum + clip.bytes, 0);
  return [
    `Bag-Software-Agent: ${agent}`,
    `Bagging-Date: ${date}`,
    `Payload-Oxum: ${octets}.${sums.length}`,
    `External-Identifier: ${identifier}`,
    "",
  ].join("\n");
}

type Put = (piece: Uint8Array) => Promise<void>;

async function small(name: string, file: Blob, put: Put): Promise<string> {
  const bytes = await file.arrayBuffer().catch(() => null);
  if (bytes?.byteLength !== file.size) throw new ClipGone(name);
  const digest = crypto.subtle.digest("SHA-256", bytes);
  for (let at = 0; at < file.size; at += PIECE) await put(new Uint8Array(bytes).subarray(at, at + PIECE));
  return bytesToHex(new Uint8Array(await digest));
}

async function large(name: string, file: Blob, hasher: Hasher, put: Put): Promise<string> {
  for await (const piece of pieces(name, file)) {
    await hasher.update(piece);
    await put(piece);
  }
  return hasher.digest();
}

/** A file's bytes, the next piece being read while one is used. */
async function* pieces(name: string, file: Blob): AsyncGenerator<Uint8Array> {
  const read = (at: number) => {
    const piece = at < file.size ? file.slice(at, at + PIECE).arrayBuffer() : Promise.resolve(null);
    piece.catch(() => undefined);
    return piece;
  };
  let next = read(0);
  for (let at = 0; at < file.size; at += PIECE) {
    const bytes = await next.catch(() => null);
    if (bytes?.byteLength !== Math.min(PIECE, file.size - at)) throw new ClipGone(name);
    next = read(at + PIECE);
    yield new Uint8Array(bytes);
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
