/** One lane: encrypts or decrypts batches of age chunks in place with libsodium. */
import { aead, ready } from "./sodium";
import { STRIDE, type Batch, type BatchDone } from "./lanes";

let queue = ready;
self.onmessage = ({ data }: MessageEvent<Batch>) => {
  queue = queue.then(() => work(data));
};

function work(batch: Batch): void {
  const lengths: number[] = [];
  for (const [at, length] of batch.lengths.entries()) {
    const nonce = batch.nonces.subarray(at * 12, at * 12 + 12);
    const place = new Uint8Array(batch.buffer, at * STRIDE, STRIDE);
    const chunk = place.subarray(0, length);
    const result = batch.decrypt ? aead.decrypt(batch.key, nonce, chunk) : aead.encrypt(batch.key, nonce, chunk);
    if (!result) return self.postMessage({ id: batch.id, altered: at } satisfies BatchDone);
    place.set(result);
    lengths.push(result.length);
  }
  const done: BatchDone = { id: batch.id, batch: { ...batch, lengths } };
  self.postMessage(done, { transfer: [batch.buffer] });
}
