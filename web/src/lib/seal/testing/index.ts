/** Help for tests: envelopes in memory, workers that are none. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import type { BagPlan } from "../bag";
import type { Hasher } from "../hasher";
import { workOn, type Aead } from "../lane-work";
import { Lanes, type Batch } from "../lanes";
import { openBag, type OpenedBag, type OpenPlan, type OpenTools } from "../open-work";
import { sealBag } from "../seal-work";

export function hasher(): Hasher {
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), digest: () => Promise.resolve(bytesToHex(hash.digest())) };
}

/** Lanes whose workers answer from here, in a random order of turns. */
export function lanes(aead: Aead, number = 2): { lanes: Lanes; number: number } {
  const workers = Array.from({ length: number }, () => {
    const worker = {
      onmessage: null as ((event: { data: unknown }) => void) | null,
      postMessage(batch: Batch) {
        setTimeout(() => worker.onmessage?.({ data: workOn(batch, aead) }), Math.random() * 4);
      },
    };
    return worker as unknown as Worker;
  });
  return { lanes: new Lanes(workers), number };
}

export async function sealed(plan: BagPlan & { recipient: string }, with_?: OpenTools["lanes"]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await sealBag(plan, {
    hash: { open: hasher, small: (bytes) => bytesToHex(sha256(bytes)) },
    write: (bytes) => void parts.push(bytes.slice()),
    onRead: () => undefined,
    lanes: with_,
  });
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

export async function opened(
  file: Uint8Array,
  plan: Partial<OpenPlan> & { identity: string },
  with_?: OpenTools["lanes"],
): Promise<{ bag: OpenedBag; clips: Uint8Array[] }> {
  const clips: Uint8Array[][] = [];
  // Parts of any size, as a network gives them.
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= file.length) return controller.close();
      const n = 1 + Math.floor(Math.random() * 200_000);
      controller.enqueue(file.slice(at, at + n));
      at += n;
    },
  });
  const bag = await openBag(
    stream,
    { limit: 1e12, ...plan },
    {
      hash: hasher,
      begin: (index) => {
        const parts: Uint8Array[] = (clips[index] = []);
        return { write: (bytes) => void parts.push(bytes.slice()), close: () => undefined };
      },
      onRead: () => undefined,
      lanes: with_,
    },
  );
  const whole = clips.map(async (parts) => new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
  return { bag, clips: await Promise.all(whole) };
}

/** Bytes that compress to nothing and repeat in every run. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
