/** Where altered copies are kept: the origin's private file system. A copy that was not finished is never kept. */
import { folder, freshName, remove, room } from "$lib/seal/opfs";

/** The folder of copies; none where the browser has no private file system. */
export async function copies(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await folder("clips");
  } catch {
    // Private windows of some browsers have none.
    return null;
  }
}

/** Largest file that is kept whole in the private file system, in bytes: for larger ones the device would need the room twice. */
const MOST_KEPT = 200_000_000;

/** Keeps a small chosen file, so that a reload need not ask for it again. Its name for {@link openCopy}; none if it is not kept. */
export async function keepFile(file: File): Promise<string | null> {
  if (file.size > MOST_KEPT) return null;
  const [place, left] = [await copies(), await room()];
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
  const place = await copies();
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
  const place = await copies();
  if (place) await remove(place, path).catch(() => undefined);
}
