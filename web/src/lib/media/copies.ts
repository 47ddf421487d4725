/** Where altered copies are kept: the origin's private file system. A copy that was not finished is never kept. */
import { BufferTarget, type StreamTargetChunk, StreamTarget, type Target } from "mediabunny";

import { Problem } from "$lib/problem";

const FOLDER = "media";
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

async function folder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create: true });
  } catch {
    // Private windows of some browsers have none.
    return null;
  }
}

/** Begins a copy of about `bytes` bytes. */
export async function beginCopy(bytes: number, extension: string): Promise<Writing> {
  const place = await folder();
  if (!place || !("createWritable" in FileSystemFileHandle.prototype)) return inMemory(bytes, extension);
  const { quota, usage } = await navigator.storage.estimate();
  if (quota !== undefined && usage !== undefined && quota - usage < bytes) throw new Problem("common.problem.full");
  const name = `${crypto.randomUUID()}.${extension}`;
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
      await place.removeEntry(name).catch(() => undefined);
    },
  };
}

function inMemory(bytes: number, extension: string): Writing {
  if (bytes > MOST_IN_MEMORY) throw new Problem("player.problem.memory");
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

/** A copy that was made before, after a reload; none if it is gone. */
export async function openCopy(path: string): Promise<File | null> {
  const place = await folder();
  try {
    const file = await (await place?.getFileHandle(path))?.getFile();
    return file && file.size > 0 ? file : null;
  } catch {
    return null;
  }
}

/** Deletes a copy. */
export async function deleteCopy(path: string | null): Promise<void> {
  if (!path) return;
  const place = await folder();
  await place?.removeEntry(path).catch(() => undefined);
}

/** Deletes all copies but these: what a closed tab left. */
export async function sweepCopies(keep: readonly string[]): Promise<void> {
  const place = await folder();
  if (!place) return;
  const names: string[] = [];
  for await (const name of place.keys()) if (!keep.includes(name)) names.push(name);
  await Promise.all(names.map((name) => place.removeEntry(name).catch(() => undefined)));
}
