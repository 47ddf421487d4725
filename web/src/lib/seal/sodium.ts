/** ChaCha20-Poly1305 (RFC 8439) by libsodium's WebAssembly. Workers alone import it: it is large. */
import sodium from "libsodium-wrappers";

import type { Aead } from "./lane-work";

/** Resolves once the WebAssembly is there. */
export const ready: Promise<void> = sodium.ready;

/** The cipher; `decrypt` answers nothing for bytes that don't verify. Use it after {@link ready}. */
export const aead: Aead = {
  encrypt: (key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array =>
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plain, null, null, nonce, key),
  decrypt: (key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | null => {
    try {
      return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, null, nonce, key);
    } catch {
      return null;
    }
  },
};
