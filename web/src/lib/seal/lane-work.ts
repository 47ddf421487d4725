/** What a lane does with a batch; the cipher is passed in. */
import { STRIDE, type Batch, type BatchDone } from "./lanes";

/** ChaCha20-Poly1305; `decrypt` answers nothing for bytes that don't verify. */
export interface Aead {
  encrypt(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array;
  decrypt(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | null;
}

/** Encrypts or decrypts every chunk of a batch in its place. */
export function workOn(batch: Batch, aead: Aead): BatchDone {
  const lengths: number[] = [];
  for (const [at, length] of batch.lengths.entries()) {
    const nonce = batch.nonces.subarray(at * 12, at * 12 + 12);
    const place = new Uint8Array(batch.buffer, at * STRIDE, STRIDE);
    const chunk = place.subarray(0, length);
    const result = batch.decrypt ? aead.decrypt(batch.key, nonce, chunk) : aead.encrypt(batch.key, nonce, chunk);
    if (!result) return { id: batch.id, altered: at };
    place.set(result);
    lengths.push(result.length);
  }
  return { id: batch.id, batch: { ...batch, lengths } };
}
