/** Where altered copies are kept: the origin's private file system. A copy that was not finished is never kept. */
import { BufferTarget, type StreamTargetChunk, StreamTarget, type Target } from "mediabunny";

import { Problem } from "$lib/problem";
import { folder as privateFolder, freshName, remove, room } from "$lib/seal/opfs";

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
    return await privateFolder("clips");
  } catch {
    // Private windows of some browsers have none.
    return null;
  }
}

/** Begins a copy of about `bytes` bytes. */
export async function beginCopy(bytes: number, extension: string): Promise<Writing> {
  const place = await folder();
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

/** Largest file that is kept whole in the private file system, in bytes: for larger ones the device would need the room twice. */
const MOST_KEPT = 200_000_000;

/** Keeps a small chosen file, so that a reload need not ask for it again. Its name for {@link openCopy}; none if it is not kept. */
export async function keepFile(file: File): Promise<string | null> {
  if (file.size > MOST_KEPT) return null;
  const [place, left] = [await folder(), await room()];
  if (!place || !("createWritable" in FileSystemFileHandle.prototype) || (left !== null && left < 4 * file.size))
    return null;
  const name = freshName();
  try {
    const out = await (await place.getFileHandle(name, { create: true })).createWritable();
    await file.stream().pipeTo(out);
    return name;
  } catch {
    await remove(place, name).catch(() => undefined);
    return null;
  }
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

/** Deletes a copy. Those of a closed tab are swept by `$lib/seal/store`. */
export async function deleteCopy(path: string | null): Promise<void> {
  if (!path) return;
  const place = await folder();
  if (place) await remove(place, path).catch(() => undefined);
}
