/** Receipts, checked with no network: the signature, what the ledger's entry commits to, and the proof of that entry. */
import { base64nopad, base64url, base64urlnopad, hex } from "@scure/base";

import { type DefectCode, FormatError, fromBase64, text, toHex, utf8 } from "./bytes";
import { canonical, commitment, verifyEd25519 } from "./jcs";
import { leafHash, parseProof, verifyProof } from "./merkle";
import { type Checkpoint, parseVkey, type VerifierKey } from "./note";
import { parseKeys } from "./public";
import type { OversightLeaf } from "./types";

/** Longest receipt read, in bytes. */
const MAX_RECEIPT = 256 * 1024;

/** `NAME.receipt.json`, without its signature. */
export interface Receipt {
  version: 1;
  offer: string;
  lookup: string;
  destination_id: string;
  destination_digest: string;
  ciphertext_sha256: string;
  ciphertext_len: number;
  received_at: string;
  /** 32 bytes, base64. */
  salt: string;
  /** What the ledger's entry commits to. */
  record: unknown;
  /** The ledger's entry, base64. */
  leaf: string;
  /** Text of a C2SP tlog-proof. */
  proof: string;
  /** Name of the key that signs. */
  key: string;
}

/** A receipt that holds. */
export interface CheckedReceipt {
  receipt: Receipt;
  leaf: OversightLeaf;
  /** Place of its entry in the oversight ledger, and the ledger's size at that time. */
  index: number;
  size: number;
  /** The ledger's head that the proof leads to. */
  checkpoint: Checkpoint;
}

const STRINGS = [
  "offer",
  "lookup",
  "destination_id",
  "destination_digest",
  "ciphertext_sha256",
  "received_at",
  "salt",
  "leaf",
  "proof",
  "key",
] as const;

const wrong = (what: string, code: DefectCode = "receipt") => new FormatError(code, what);

/** Reads a receipt file; forms of its fields are checked later. Throws {@link FormatError}. */
export function parseReceipt(source: string): { receipt: Receipt; signature: string } {
  if (source.length > MAX_RECEIPT) throw wrong("receipt: longer than is read");
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(source) as Record<string, unknown>;
  } catch {
    // Its text is never repeated: it may be another file.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("receipt: not a receipt");
  const { signature, ...receipt } = value;
  const names = new Set<string>([...STRINGS, "version", "ciphertext_len", "record"]);
  const integer = (name: string) => Number.isInteger(receipt[name]) && (receipt[name] as number) >= 0;
  const fits =
    typeof signature === "string" &&
    Object.keys(receipt).length === names.size &&
    Object.keys(receipt).every((name) => names.has(name)) &&
    STRINGS.every((name) => typeof receipt[name] === "string") &&
    integer("version") &&
    integer("ciphertext_len");
  if (!fits) throw wrong("receipt: not a receipt");
  return { receipt: receipt as unknown as Receipt, signature: signature as string };
}

/** The bytes of the ledger's entry. */
function leafBytes(receipt: Receipt): Uint8Array {
  const bytes = fromBase64(receipt.leaf);
  if (!bytes) throw wrong("leaf: it isn't base64");
  if (bytes.length === 0 || bytes.length > 65_535) throw wrong("leaf: it is empty or longer than a ledger entry");
  return bytes;
}

function digestHex(encoded: string): string | null {
  if (encoded.length === 64) return /^[0-9a-f]{64}$/.test(encoded) ? encoded : null;
  for (const form of [{ decode: fromBase64 }, base64nopad, base64url, base64urlnopad]) {
    try {
      const bytes = form.decode(encoded);
      if (bytes) return bytes.length === 32 ? hex.encode(bytes) : null;
    } catch {
      // Another form, then.
    }
  }
  return null;
}

function checkForms(receipt: Receipt): void {
  const id = (value: string) => /^[^\u0000-\u001f\u007f-\u009f]{1,256}$/.test(value);
  const sha256 = /^[0-9a-f]{64}$/;
  const time = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const forms: [string, boolean][] = [
    ["offer: it isn't an id", id(receipt.offer)],
    ["lookup: it isn't 32 characters of a-z and 2-7", /^[a-z2-7]{32}$/.test(receipt.lookup)],
    ["destination_id: it isn't an id", id(receipt.destination_id)],
    ["destination_digest: it isn't a SHA-256", sha256.test(receipt.destination_digest)],
    ["ciphertext_sha256: it isn't a SHA-256", sha256.test(receipt.ciphertext_sha256)],
    ["ciphertext_len: it isn't a length", receipt.ciphertext_len > 0 && receipt.ciphertext_len <= 2 ** 53],
    [
      "received_at: it isn't an RFC 3339 time",
      time.test(receipt.received_at) && !Number.isNaN(Date.parse(receipt.received_at)),
    ],
    ["key: it isn't the name of a key", /^[^\s+\p{Cc}]{1,256}$/u.test(receipt.key)],
  ];
  for (const [what, holds] of forms) if (!holds) throw wrong(what);
}

function checkCommitment(receipt: Receipt): void {
  const salt = fromBase64(receipt.salt);
  if (!salt) throw wrong("salt: it isn't base64");
  if (salt.length !== 32) throw wrong("salt: it isn't 32 bytes long");
  let leaf: unknown;
  try {
    leaf = JSON.parse(text(leafBytes(receipt)) ?? "");
  } catch (error) {
    throw error instanceof FormatError ? error : wrong("leaf: it isn't JSON");
  }
  const found = (leaf as { commitment?: unknown } | null)?.commitment;
  if (typeof found !== "string") throw wrong("leaf: it has no field commitment");
  const digest = digestHex(found);
  if (digest === null) throw wrong("leaf: its commitment isn't 32 bytes in base64 or hexadecimal");
  if (digest !== commitment(salt, receipt.record))
    throw wrong("leaf: its commitment isn't that of this record", "commitment");
}

/**
 * Checks forms, signature and commitment, and with `prove` that the entry is in the ledger. Throws {@link FormatError}, the first
 * thing that does not hold.
 */
export function verifySigned(
  source: string,
  server: VerifierKey,
  prove: (proof: string, leaf: Uint8Array) => void,
): Receipt {
  const { receipt, signature } = parseReceipt(source);
  if (receipt.version !== 1) throw wrong(`version: ${String(receipt.version)} isn't read here`);
  if (receipt.key !== server.name)
    throw wrong("key: the receipt is signed by another key than the one given", "receipt-signature");
  const bytes = fromBase64(signature);
  if (bytes?.length !== 64 || !verifyEd25519(server.public, utf8(canonical(receipt)), bytes))
    throw wrong("signature: doesn't hold", "receipt-signature");
  checkForms(receipt);
  checkCommitment(receipt);
  const leaf = leafBytes(receipt);
  try {
    prove(receipt.proof, leaf);
  } catch (error) {
    throw new FormatError(
      error instanceof FormatError ? error.code : "proof",
      `proof: ${error instanceof Error ? error.message : "it does not hold"}`,
    );
  }
  return receipt;
}

// The record is what the ledger commits to: it must say what the receipt says.
function checkRecord(receipt: Receipt): void {
  const record = receipt.record as { detail?: unknown } | null;
  const detail = (record?.detail ?? record) as Record<string, unknown> | null;
  const expected: [string, unknown][] = [
    ["offer", receipt.offer],
    ["destination", receipt.destination_id],
    ["ciphertext_sha256", receipt.ciphertext_sha256],
    ["ciphertext_bytes", receipt.ciphertext_len],
  ];
  for (const [name, value] of expected)
    if (detail && name in detail && detail[name] !== value)
      throw wrong(`receipt: the record in the ledger has another ${name} than the receipt`, "commitment");
  if (typeof detail?.ciphertext_sha256 !== "string")
    throw wrong("receipt: its record doesn't name the envelope", "commitment");
}

/**
 * Checks a receipt file against a `keys.json`, as `canvass verify receipt` does.
 *
 * @throws {@link FormatError} the first thing that does not hold; `code` names a text `ledger.defect.<code>`.
 */
export function checkReceipt(source: string, keys: unknown): CheckedReceipt {
  const parsed = parseKeys(keys);
  const server = parseVkey(parsed.keys.receipts.vkey.trim());
  let index = 0;
  let checkpoint: Checkpoint | null = null;
  const receipt = verifySigned(source, server, (proof, leaf) => {
    const read = parseProof(proof);
    const trusted = verifyProof(read, leafHash(leaf), { ...parsed.trust.oversight, quorum: 0 });
    index = Number(read.index);
    checkpoint = trusted.checkpoint;
  });
  const leaf = JSON.parse(text(leafBytes(receipt)) ?? "") as OversightLeaf;
  if (leaf.subject !== receipt.offer) throw wrong("receipt: its ledger entry is of another offer", "commitment");
  checkRecord(receipt);
  const head = checkpoint as Checkpoint | null;
  if (!head) throw wrong("proof: it leads nowhere", "proof");
  return { receipt, leaf, index, size: Number(head.size), checkpoint: head };
}

/** Whether bytes with this SHA-256 are the envelope that a receipt is of. */
export function isEnvelope(receipt: Receipt, bytes: number, sha256: Uint8Array): boolean {
  return receipt.ciphertext_len === bytes && receipt.ciphertext_sha256 === toHex(sha256);
}
