/** Opens one envelope into the private file system, verifying all of it. */
import { startTrustedTypes } from "../trusted";
import { useEngine } from "./cipher";
import { HashLane } from "./hasher";
import type { OpenJob, Word } from "./job";
import { Lanes } from "./lanes";
import { openBag, OpenFault, type ClipSink } from "./open-work";
import { folder } from "./opfs";
import { SourceFailed, streamOf } from "./pump";

startTrustedTypes();

const say = (word: Word) => self.postMessage(word);
/** How often progress is told, in milliseconds. */
const BEAT = 100;

self.onmessage = ({ data }: MessageEvent<OpenJob>) => {
  open(data).catch((error: unknown) => say({ failed: failure(error) }));
};

async function open(job: OpenJob): Promise<void> {
  const number = Math.max(1, Math.min(3, navigator.hardwareConcurrency - 1));
  const lanes = new Lanes(Array.from({ length: number }, () => cipherWorker()));
  // The envelope's hash and the clips' are computed side by side.
  const [outer, inner] = [hashLane(), hashLane()];
  useEngine(lanes);
  const place = await (await folder("opened")).getDirectoryHandle(job.out, { create: true });
  const files: string[] = [];
  let opening = 0;
  let told = 0;
  const opened = await openBag(streamOf(job.source), job, {
    hash: () => (opening++ === 0 ? outer : inner).open(),
    begin: async (index) => {
      // Names of clips stay out of the file system: they are kept beside.
      const name = `clip-${index + 1}`;
      files.push(name);
      return sink(await place.getFileHandle(name, { create: true }));
    },
    onRead: (done) => {
      if (performance.now() - told < BEAT) return;
      told = performance.now();
      say({ progress: { stage: "opening", done, total: job.bytes ?? done } });
    },
    lanes: { lanes, number },
  });
  say({ done: { kind: "opened", files, ...opened } });
}

async function sink(handle: FileSystemFileHandle): Promise<ClipSink> {
  const file = await handle.createSyncAccessHandle();
  let at = 0;
  return {
    write: (bytes) => {
      for (let done = 0; done < bytes.length;) {
        const n = file.write(bytes.subarray(done) as Uint8Array<ArrayBuffer>, { at });
        if (n === 0) throw new DOMException("no room", "QuotaExceededError");
        done += n;
        at += n;
      }
    },
    close: () => {
      file.flush();
      const kept = file.getSize();
      file.close();
      // In a private window, Chromium takes bytes beyond its room without a word (and without keeping them).
      if (kept !== at) throw new DOMException("no room", "QuotaExceededError");
    },
  };
}

function cipherWorker(): Worker {
  return new Worker(new URL("./cipher.worker.ts", import.meta.url), { type: "module" });
}

function hashLane(): HashLane {
  return new HashLane(new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" }));
}

function failure(error: unknown): { text: string; remedy?: string } {
  if (error instanceof OpenFault) return { text: `common.seal.open.${error.what}`, remedy: error.detail };
  if (error instanceof DOMException && /Quota/.test(error.name)) return { text: "common.problem.full" };
  if (error instanceof SourceFailed) return { text: error.text, remedy: error.remedy };
  return { text: "common.problem.unknown", remedy: error instanceof Error ? error.message : undefined };
}
