/** Bytes and their texts, strictly: what a second reader could read otherwise is refused. */
import { sha256 } from "@noble/hashes/sha2.js";
import { base64, hex } from "@scure/base";

const encoder = new TextEncoder();
// A byte order mark is a character like any other: dropping it would change what was signed.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export { sha256 };

/** Why something that was read is not to be believed; the message is for logs and tests, `code` for a text `ledger.defect.<code>`. */
export class FormatError extends Error {
  constructor(
    public readonly code: DefectCode,
    message: string,
  ) {
    super(message);
    this.name = "FormatError";
  }
}

/** Everything that may be wrong with a public file. */
export const DEFECTS = [
  "form",
  "canonical",
  "note",
  "key",
  "keys-changed",
  "origin",
  "log-signature",
  "quorum",
  "rollback",
  "split",
  "newer",
  "proof",
  "root",
  "missing",
  "leaf",
  "agency",
  "agency-state",
  "decision",
  "state",
  "body",
  "signature",
  "signing-key",
  "region",
  "tile",
  "entry",
  "receipt",
  "receipt-signature",
  "commitment",
] as const;
export type DefectCode = (typeof DEFECTS)[number];

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes; `null` when they are none. */
export function text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Bytes of padded base64 (RFC 4648 section 4), canonical only; `null` otherwise. */
export function fromBase64(encoded: string): Uint8Array | null {
  try {
    return base64.decode(encoded);
  } catch {
    return null;
  }
}

/** Padded base64. */
export function toBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return hex.encode(bytes);
}

/** 32 bytes of base64; `null` otherwise. */
export function hashFromBase64(encoded: string): Uint8Array | null {
  const bytes = fromBase64(encoded);
  return bytes?.length === 32 ? bytes : null;
}

/** Whether two byte strings are the same; these are public, so it need not take constant time. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Byte strings, one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The largest tree and index of C2SP: 2^63 - 1. */
export const MAX_SIZE = 2n ** 63n - 1n;

/** A decimal as C2SP writes sizes and indices: digits, no sign, no leading zero, below 2^63; `null` otherwise. */
export function decimal(digits: string): bigint | null {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(digits)) return null;
  const value = BigInt(digits);
  return value <= MAX_SIZE ? value : null;
}
