/** The Merkle tree of RFC 6962 section 2.1, its proofs (RFC 9162 sections 2.1.3, 2.1.4), and proofs as text (C2SP tlog-proof). */
import { concat, decimal, FormatError, fromBase64, hashFromBase64, same, sha256, text, toBase64, utf8 } from "./bytes";
import {
  checkCheckpoint,
  formatNote,
  MAX_NOTE,
  parseCheckpoint,
  type SignedCheckpoint,
  type Trust,
  type Trusted,
} from "./note";

export type Hash = Uint8Array;

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** Hash of an entry: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Hash {
  return sha256(concat(LEAF, entry));
}

/** Hash of an inner node: SHA-256(0x01 || left || right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(concat(NODE, left, right));
}

/** Root of the tree with no entries. */
export function emptyRoot(): Hash {
  return sha256(new Uint8Array());
}

/** Joins neighbouring perfect subtrees, largest first, from the right. */
export function join(subtrees: Hash[]): Hash | null {
  return subtrees.reduceRight<Hash | null>((right, left) => (right ? nodeHash(left, right) : left), null);
}

/** Root of the perfect tree over 2^n hashes. */
export function perfect(hashes: Hash[]): Hash {
  const tree = new Frontier();
  hashes.forEach((hash) => tree.push(hash));
  return tree.root();
}

/** A tree that only remembers what it needs to grow: at most 63 hashes. */
export class Frontier {
  size = 0;
  private peaks: Hash[] = [];

  /** Adds a leaf by its hash. */
  push(leaf: Hash): void {
    let hash = leaf;
    for (let carry = this.size; carry % 2 === 1; carry = Math.floor(carry / 2)) {
      const left = this.peaks.pop();
      if (left) hash = nodeHash(left, hash);
    }
    this.peaks.push(hash);
    this.size += 1;
  }

  /** Root of the tree so far. */
  root(): Hash {
    return join(this.peaks) ?? emptyRoot();
  }
}

const wrong = (what: string) => new FormatError("proof", `proof ${what}`);

/** Checks that a leaf is at an index of the tree with this root. */
export function verifyInclusion(leaf: Hash, index: bigint, size: bigint, proof: Hash[], root: Hash): void {
  if (index >= size) throw wrong(`index ${index} lies outside a tree of ${size} entries`);
  let [node, last, hash] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) throw wrong("has the wrong number of hashes for these sizes");
    if ((node & 1n) === 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else hash = nodeHash(hash, sibling);
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last !== 0n) throw wrong("has the wrong number of hashes for these sizes");
  if (!same(hash, root)) throw new FormatError("root", "proof leads to another root");
}

/** Checks that the new tree continues the old one; from size 0 and between equal sizes the proof is empty. */
export function verifyConsistency(from: bigint, fromRoot: Hash, to: bigint, toRoot: Hash, proof: Hash[]): void {
  const length = () => wrong("has the wrong number of hashes for these sizes");
  const split = () => new FormatError("split", "proof leads to another root");
  if (from > to) throw new FormatError("rollback", `old size ${from} is larger than new size ${to}`);
  if (from === 0n || from === to) {
    if (proof.length > 0) throw length();
    if (!(from === to ? same(fromRoot, toRoot) : same(fromRoot, emptyRoot()))) throw split();
    return;
  }
  const power = (from & (from - 1n)) === 0n;
  const start = power ? fromRoot : proof[0];
  if (!start || proof.length === 0) throw length();
  let [node, last] = [from - 1n, to - 1n];
  while ((node & 1n) === 1n) [node, last] = [node >> 1n, last >> 1n];
  let [before, after] = [start, start];
  for (const sibling of power ? proof : proof.slice(1)) {
    if (last === 0n) throw length();
    if ((node & 1n) === 1n || node === last) {
      [before, after] = [nodeHash(sibling, before), nodeHash(sibling, after)];
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else after = nodeHash(after, sibling);
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last !== 0n) throw length();
  if (!same(before, fromRoot) || !same(after, toRoot)) throw split();
}

/** A self-contained proof of inclusion. */
export interface InclusionProof {
  /** Opaque data that travels along and proves nothing. */
  extra: Uint8Array | null;
  index: bigint;
  /** Siblings from the leaf to the root. */
  hashes: Hash[];
  checkpoint: SignedCheckpoint;
}

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
const MAX_PROOF = 63;
const MAX_EXTRA = 65_536;
const MAX_PROOF_TEXT = MAX_NOTE + 128 * 1024;

/** Reads a proof; this verifies nothing. Throws {@link FormatError} naming the line at fault. */
export function parseProof(input: Uint8Array | string): InclusionProof {
  const line = (at: number, what: string) => wrong(`, line ${at} ${what}`);
  const limit = () => wrong("is over the limit of 655360 bytes, 65536 bytes of extra data or 63 hashes");
  const bytes = typeof input === "string" ? utf8(input) : input;
  if (bytes.length > MAX_PROOF_TEXT) throw limit();
  const proof = text(bytes);
  if (proof === null) throw line(1, "is not UTF-8");
  const blank = proof.indexOf("\n\n");
  if (blank < 0) throw line(1, "is followed by no blank line and checkpoint");
  const lines = proof.slice(0, blank).split("\n");
  if (lines[0] !== FIRST_LINE) throw line(1, "is not c2sp.org/tlog-proof@v1");
  let at = 1;
  let extra: Uint8Array | null = null;
  if (lines[1]?.startsWith("extra ")) {
    extra = fromBase64(lines[1].slice(6));
    if (!extra) throw line(2, "has extra data that is not base64");
    if (extra.length > MAX_EXTRA) throw limit();
    at = 2;
  }
  const indexLine = lines[at];
  if (indexLine === undefined) throw line(2, "is missing");
  const index = indexLine.startsWith("index ") ? decimal(indexLine.slice(6)) : null;
  if (index === null) throw line(at + 1, "is not an index in plain decimal below 2^63");
  const hashes = lines.slice(at + 1).map((encoded, next) => {
    if (next === MAX_PROOF) throw limit();
    const hash = hashFromBase64(encoded);
    if (!hash) throw line(at + 2 + next, "is not a hash of 32 bytes in base64");
    return hash;
  });
  return { extra, index, hashes, checkpoint: parseCheckpoint(proof.slice(blank + 2)) };
}

/** Writes a proof. */
export function formatProof({ extra, index, hashes, checkpoint }: InclusionProof): string {
  const head = [FIRST_LINE, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...hashes.map(toBase64)];
  return `${head.join("\n")}\n\n${formatNote(checkpoint.note)}`;
}

/** Checks that the entry with this hash is in a log that is trusted, where the proof says. */
export function verifyProof(proof: InclusionProof, leaf: Hash, trust: Trust): Trusted {
  const trusted = checkCheckpoint(trust, formatNote(proof.checkpoint.note));
  const { size, root } = trusted.checkpoint;
  verifyInclusion(leaf, proof.index, size, proof.hashes, root);
  return trusted;
}

/** A span of entries: first, and one past the last. */
type Span = [number, number];

/** Where RFC 6962 section 2.1 splits a subtree of more than one entry. */
function middle([low, high]: Span): number {
  let half = 1;
  while (half * 2 < high - low) half *= 2;
  return low + half;
}

/**
 * Opens the common proof of a feed bundle: the tree is walked from its root, left before right; a subtree that holds one of the
 * entries is opened, one that holds none is a hash of the proof. `entries` are in order, none twice. Returns the root.
 */
export function openCommonProof(size: number, entries: { index: number; hash: Hash }[], hashes: Hash[]): Hash {
  const unfit = () => wrong("does not fit: the hashes are not the common proof of the entries");
  const last = entries.at(-1);
  if (!last || last.index >= size) throw unfit();
  let used = 0;
  const fold = (span: Span, from: number, to: number): Hash => {
    if (from === to) {
      const hash = hashes[used++];
      if (!hash) throw unfit();
      return hash;
    }
    if (span[1] - span[0] === 1) {
      const leaf = entries[from];
      if (!leaf || to - from !== 1) throw unfit();
      return leaf.hash;
    }
    const split = middle(span);
    let cut = from;
    while (cut < to && (entries[cut]?.index ?? Infinity) < split) cut += 1;
    const left = fold([span[0], split], from, cut);
    return nodeHash(left, fold([split, span[1]], cut, to));
  };
  const root = fold([0, size], 0, entries.length);
  if (used !== hashes.length) throw unfit();
  return root;
}
