/** This page's private file system (OPFS): where sealed envelopes wait and opened clips lie. Pages and workers use it. */

/** The folders, each for one kind of file. */
export type Folder = "sealed" | "opened" | "clips";

/** A folder of the private file system, made when it isn't there. */
export async function folder(name: Folder): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const base = await root.getDirectoryHandle("canvass", { create: true });
  return base.getDirectoryHandle(name, { create: true });
}

/** A name that nobody can guess and nothing else has. */
export function freshName(suffix = ""): string {
  return crypto.randomUUID() + suffix;
}

/**
 * Deletes a file or folder; nothing happens when there is none. A worker that was just ended may hold a file for a moment
 * longer, so it is tried several times.
 */
export async function remove(parent: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await parent.removeEntry(name, { recursive: true });
      return;
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") return;
      if (tries >= 20) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** The names in a folder. */
export async function names(parent: FileSystemDirectoryHandle): Promise<string[]> {
  const found: string[] = [];
  for await (const name of parent.keys()) found.push(name);
  return found;
}

/** Whether this browser can keep large files at all; a private window of some can't. */
export async function hasPrivateFiles(): Promise<boolean> {
  try {
    await folder("sealed");
    return true;
  } catch {
    return false;
  }
}

/** Bytes that may still be stored here, by the browser's estimate; none when it doesn't say. */
export async function room(): Promise<number | null> {
  const told = await navigator.storage.estimate().catch(() => null);
  return told?.quota === undefined || told.usage === undefined ? null : Math.max(0, told.quota - told.usage);
}
