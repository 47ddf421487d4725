/** age X25519 recipients and identities in text form (C2SP age.md). */
import { x25519 } from "@noble/curves/ed25519.js";
import { bech32 } from "@scure/base";

import { Problem } from "../problem";

/** The `age1…` recipient of 32 secret bytes. */
export function recipientOfBytes(secret: Uint8Array): string {
  return bech32.encode("age", bech32.toWords(x25519.scalarMultBase(secret)), 1024);
}

/** The `age1…` recipient of an `AGE-SECRET-KEY-1…` identity.
 * @throws {@link Problem} when it is none. */
export function recipientOf(identity: string): string {
  return recipientOfBytes(identityBytes(identity));
}

/** The secret bytes of an `AGE-SECRET-KEY-1…` identity.
 * @throws {@link Problem} when it is none. */
export function identityBytes(identity: string): Uint8Array {
  const text = identity.trim();
  if (text.startsWith("age1")) throw new Problem("common.seal.key.public");
  if (!text.startsWith("AGE-SECRET-KEY-1")) throw new Problem("common.seal.key.none");
  const bytes = decode(text.toLowerCase(), "age-secret-key-");
  if (!bytes) throw new Problem("common.seal.key.damaged");
  return bytes;
}

/** Is this an `age1…` X25519 recipient, whole and undamaged? */
export function isRecipient(text: string): boolean {
  return text.length <= 90 && text.startsWith("age1") && decode(text, "age") !== null;
}

function decode(text: string, prefix: string): Uint8Array | null {
  try {
    const decoded = bech32.decode(text as `${string}1${string}`, 1024);
    const bytes = bech32.fromWords(decoded.words);
    return decoded.prefix === prefix && bytes.length === 32 ? bytes : null;
  } catch {
    return null;
  }
}
