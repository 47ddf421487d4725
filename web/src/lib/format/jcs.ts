/** Canonical JSON (RFC 8785), and what is made of it: digests and signed bytes. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { expand } from "@noble/hashes/hkdf.js";
import canonicalize from "canonicalize";

import { concat, fromBase64, sha256, toHex, utf8 } from "./bytes";

/** The value as canonical JSON: the same text on every machine. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("no canonical JSON");
  return text;
}

/** SHA-256 of the value's canonical JSON, in hexadecimal. */
export function digestOf(value: unknown): string {
  return toHex(sha256(utf8(canonical(value))));
}

/** What an agency signs: a context, a line end, the canonical JSON of the body. */
export function signedBytes(context: string, body: unknown): Uint8Array {
  return utf8(`${context}\n${canonical(body)}`);
}

/** Short name of an Ed25519 key: the first 16 hexadecimal digits of its SHA-256. */
export function keyName(key: Uint8Array): string {
  return toHex(sha256(key)).slice(0, 16);
}

/** The contexts under which agencies sign. */
export const CONTEXTS = {
  request: "canvass/request/v1",
  portal: "canvass/portal/v1",
  key: "canvass/agency-key/v1",
} as const;

/** Whether an Ed25519 signature (RFC 8032) is by this key; anything malformed is not. */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
}

/** Whether a body is signed by a key; both in base64. */
export function verifies(key: string, context: string, body: unknown, signature: string): boolean {
  const [public_, bytes] = [fromBase64(key), fromBase64(signature)];
  if (public_?.length !== 32 || bytes?.length !== 64) return false;
  return verifyEd25519(public_, signedBytes(context, body), bytes);
}

const FIELD = "canvass/field/v2\n";

/**
 * A record as the oversight ledger commits to it: each member, and each member of a member that is an object with members
 * (`purpose.class`). What is no object is one field without a name.
 */
export function fieldsOf(record: unknown): Map<string, unknown> {
  const members = (value: unknown): [string, unknown][] | null =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  const outer = members(record);
  if (!outer) return new Map([["", record]]);
  const fields = new Map<string, unknown>();
  for (const [name, value] of outer) {
    const inner = members(value) ?? [];
    if (inner.length === 0) fields.set(name, value);
    for (const [each, said] of inner) fields.set(`${name}.${each}`, said);
  }
  return fields;
}

/** What stands for one field in the commitment: its value with a salt of its own, made from the record's (RFC 5869, section 2.3). */
export function fieldDigest(salt: Uint8Array, path: string, value: unknown): string {
  const own = expand(sha256, salt, utf8(`${FIELD}${path}`), 32);
  return toHex(sha256(concat(utf8(FIELD), own, utf8(canonical([path, value])))));
}

/** The salted commitment of the oversight ledger to a record, in hexadecimal: over what stands for each of its fields. */
export function commitment(salt: Uint8Array, record: unknown): string {
  const digests = new Map([...fieldsOf(record)].map(([path, value]) => [path, fieldDigest(salt, path, value)]));
  return toHex(sha256(utf8(`canvass/commitment/v2\n${canonical(Object.fromEntries(digests))}`)));
}
