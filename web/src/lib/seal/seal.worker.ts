/** Seals one envelope into the private file system: reads, packs, has hashed and encrypted by workers beside, writes. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { startTrustedTypes } from "../trusted";
import { ClipGone } from "./bag";
import { useEngine } from "./cipher";
import { HashLane } from "./hasher";
import type { SealJob, Word } from "./job";
import { Lanes } from "./lanes";
import { folder } from "./opfs";
import { sealBag } from "./seal-work";

startTrustedTypes();

const say = (word: Word) => self.postMessage(word);
/** How often progress is told, in milliseconds. */
const BEAT = 100;

self.onmessage = ({ data }: MessageEvent<SealJob>) => {
  seal(data).catch((error: unknown) => say({ failed: failure(error) }));
};

async function seal(job: SealJob): Promise<void> {
  const total = job.clips.reduce((sum, clip) => sum + clip.file.size, 0);
  // Small offers start faster with one lane; more than three gain nothing, since hashing is the bound then.
  const number = total < 4e6 ? 1 : Math.max(1, Math.min(3, navigator.hardwareConcurrency - 1));
  const lanes = new Lanes(Array.from({ length: number }, () => cipherWorker()));
  const hashes = new HashLane(new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" }));
  useEngine(lanes);
  const handle = await (await folder("sealed")).getFileHandle(job.out, { create: true });
  const file = await handle.createSyncAccessHandle();
  let at = 0;
  let told = 0;
  try {
    const sealed = await sealBag(job, {
      hash: { open: () => hashes.open(), small: (bytes) => bytesToHex(sha256(bytes)) },
      write: (bytes) => {
        for (let done = 0; done < bytes.length;) {
          const n = file.write(bytes.subarray(done), { at });
          if (n === 0) throw new DOMException("no room", "QuotaExceededError");
          done += n;
          at += n;
        }
      },
      onRead: (done) => {
        if (performance.now() - told < BEAT) return;
        told = performance.now();
        say({ progress: { stage: "sealing", done, total } });
      },
      lanes: { lanes, number },
    });
    file.flush();
    // In a private window, Chromium takes bytes beyond its room without a word (and without keeping them).
    if (file.getSize() !== at) throw new DOMException("no room", "QuotaExceededError");
    file.close();
    say({ progress: { stage: "sealing", done: total, total } });
    say({ done: { kind: "sealed", ...sealed } });
  } catch (error) {
    file.close();
    throw error;
  }
}

function cipherWorker(): Worker {
  return new Worker(new URL("./cipher.worker.ts", import.meta.url), { type: "module" });
}

function failure(error: unknown): { text: string; remedy?: string } {
  if (error instanceof ClipGone) return { text: "common.seal.clips.gone" };
  if (error instanceof DOMException && /Quota|NoModification|InvalidState/.test(error.name))
    return { text: "common.problem.full" };
  return { text: "common.problem.unknown", remedy: error instanceof Error ? error.message : undefined };
}
