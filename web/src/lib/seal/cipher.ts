/**
 * ChaCha20-Poly1305 as age's STREAM asks for it. Vite puts this module in the place of `@noble/ciphers/chacha.js` for
 * age-encryption's `stream.js` alone. It is that module, unless a worker has set an engine that does the work elsewhere:
 * age still decides keys, nonces, chunks and their order.
 */
import { chacha20poly1305 as noble } from "@noble/ciphers/chacha.js";

/** Takes a chunk and returns at once something of the result's length; the result itself comes by the engine's own way. */
export interface Engine {
  encrypt(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): Uint8Array;
  decrypt(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): Uint8Array;
}

let engine: Engine | null = null;

/** Sets the engine of this page or worker; none is noble's own code. */
export function useEngine(next: Engine | null): void {
  engine = next;
}

/** As in `@noble/ciphers/chacha.js`. */
export function chacha20poly1305(key: Uint8Array, nonce: Uint8Array) {
  const set = engine;
  if (!set) return noble(key, nonce);
  return {
    encrypt: (chunk: Uint8Array) => set.encrypt(key, nonce, chunk),
    decrypt: (chunk: Uint8Array) => set.decrypt(key, nonce, chunk),
  };
}
