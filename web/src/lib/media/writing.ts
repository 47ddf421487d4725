/** Writes altered copies while they are made. Apart from `copies.ts`, so that who only chooses files loads no converter. */
import { BufferTarget, type StreamTargetChunk, StreamTarget, type Target } from "mediabunny";

import { Problem } from "$lib/problem";
import { freshName, remove, room } from "$lib/seal/opfs";

import { copies } from "./copies";

/** Most that is made in memory where the browser can't write to its private file system, in bytes. */
const MOST_IN_MEMORY = 500_000_000;

/** Where a copy is written to while it is made. */
export interface Writing {
  target: Target;
  /** Ends it and gives the file. */
  finish(type: string): Promise<{ file: File; path: string | null }>;
  /** Ends it and leaves nothing. */
  drop(): Promise<void>;
}

/** Begins a copy of about `bytes` bytes. */
export async function beginCopy(bytes: number, extension: string): Promise<Writing> {
  const place = await copies();
  if (!place || !("createWritable" in FileSystemFileHandle.prototype)) return inMemory(bytes, extension);
  const left = await room();
  if (left !== null && left < bytes) throw new Problem("common.problem.full");
  const name = freshName(`.${extension}`);
  const handle = await place.getFileHandle(name, { create: true });
  // What is written shows in the file only once it is closed, so a closed tab leaves an empty file, which is swept.
  const out = await handle.createWritable();
  let closed = false;
  const stream = new WritableStream<StreamTargetChunk>({
    write: (chunk) => out.write({ type: "write", data: chunk.data, position: chunk.position }),
    close: async () => {
      await out.close();
      closed = true;
    },
    abort: (reason) => out.abort(reason),
  });
  return {
    target: new StreamTarget(stream, { chunked: true, chunkSize: 4 * 1024 * 1024 }),
    async finish(type) {
      if (!closed) throw new Problem("common.problem.unknown");
      return { file: new File([await handle.getFile()], name, { type }), path: name };
    },
    async drop() {
      if (!closed) await out.abort().catch(() => undefined);
      await remove(place, name).catch(() => undefined);
    },
  };
}

function inMemory(bytes: number, extension: string): Writing {
  if (bytes > MOST_IN_MEMORY) throw new Problem("player.problem.memory", "player.problem.memory.remedy");
  const target = new BufferTarget();
  return {
    target,
    async finish(type) {
      if (!target.buffer) throw new Problem("common.problem.unknown");
      return { file: new File([target.buffer], `copy.${extension}`, { type }), path: null };
    },
    async drop() {},
  };
}
