/** Where a large file goes: straight to a place that the member picks, or through the page's private file system. */

/** A place for a file that is being written. */
export interface Place {
  stream: WritableStream<Uint8Array>;
  /** Hands the finished file over: nothing to do where it was written in place, else a download. */
  finish: () => Promise<void>;
  /** Removes what is left of it. */
  discard: () => Promise<void>;
}

interface PickerWindow {
  showSaveFilePicker?: (options: {
    suggestedName: string;
    types: { accept: Record<string, string[]> }[];
  }) => Promise<FileSystemFileHandle>;
}

const FOLDER = "bundles";

async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const base = await root.getDirectoryHandle("canvass", { create: true });
  return base.getDirectoryHandle(FOLDER, { create: true });
}

/**
 * Opens a place for a ZIP file. Call it at once on a click: a browser asks for a place only then.
 * @returns null when the member picked no place
 */
export async function placeFor(name: string): Promise<Place | null> {
  const picker = (window as PickerWindow).showSaveFilePicker;
  if (picker) {
    try {
      const handle = await picker.call(window, {
        suggestedName: name,
        types: [{ accept: { "application/zip": [".zip"] } }],
      });
      return {
        stream: await handle.createWritable(),
        finish: () => Promise.resolve(),
        discard: () => Promise.resolve(),
      };
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
      // Some browsers name the picker and refuse it; the other way is open.
    }
  }
  return privatePlace(name);
}

async function privatePlace(name: string): Promise<Place> {
  const place = await folder();
  // One bundle at a time lies here; what an earlier tab left goes.
  for await (const old of place.keys()) await place.removeEntry(old).catch(() => undefined);
  const own = `${crypto.randomUUID()}.zip`;
  const handle = await place.getFileHandle(own, { create: true });
  return {
    stream: await handle.createWritable(),
    finish: async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await handle.getFile());
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 600_000);
    },
    discard: () => place.removeEntry(own).catch(() => undefined),
  };
}
