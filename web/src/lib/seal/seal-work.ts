/** Sealing: clips → bag in tar → age → a file. The same code in a worker with lanes, and in Node without. */
import { Encrypter } from "age-encryption";

import { bagStream, type BagHash, type BagPlan } from "./bag";
import { isBlank, type Lanes } from "./lanes";
import type { ClipSum } from "./types";

/** Batches on their way for each lane, beside the one that is gathered. */
const DEPTH = 3;

/** What sealing writes to and works with. */
export interface SealTools {
  hash: BagHash;
  /** Takes the envelope's bytes in order; they may be used again after it returns. */
  write: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Bytes of clips read so far. */
  onRead: (bytes: number) => void;
  /** Cipher workers, set as the engine; without them age works here. */
  lanes?: { lanes: Lanes; number: number };
}

/** Seals; gives the clips' digests and the envelope's length. */
export async function sealBag(
  plan: BagPlan & { recipient: string },
  { hash, write, onRead, lanes }: SealTools,
): Promise<{ clips: ClipSum[]; bytes: number }> {
  const bag = bagStream(plan, hash, onRead);
  const encrypter = new Encrypter();
  encrypter.addRecipient(plan.recipient);
  const sealed = await encrypter.encrypt(bag.readable);
  let bytes = 0;
  const put = (part: Uint8Array<ArrayBuffer>) => {
    write(part);
    bytes += part.length;
  };
  const reader = sealed.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!isBlank(value)) put(value as Uint8Array<ArrayBuffer>);
    else while (lanes && lanes.lanes.pending > DEPTH * lanes.number) await lanes.lanes.takeWhole(put);
  }
  lanes?.lanes.flush();
  while (lanes && lanes.lanes.pending > 0) await lanes.lanes.takeWhole(put);
  return { clips: await bag.clips, bytes };
}
