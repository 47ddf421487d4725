/** Signed notes, their keys, and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature). Reading verifies nothing. */
import { ed25519 } from "@noble/curves/ed25519.js";

import {
  concat,
  decimal,
  FormatError,
  fromBase64,
  hashFromBase64,
  same,
  sha256,
  text,
  toBase64,
  toHex,
  utf8,
} from "./bytes";
import { verifyEd25519 } from "./jcs";

/** Longest note in bytes. */
export const MAX_NOTE = 512 * 1024;
const MAX_SIGNATURES = 64;
const MAX_NAME = 255;
const MAX_LINE = 1024;
const MAX_EXTENSIONS = 16;
const MAX_TIME = 2n ** 63n - 1n;

/** A public key that verifies signatures: `name+id+base64(type || key)`. */
export interface VerifierKey {
  name: string;
  /** 8 hexadecimal digits. */
  id: string;
  /** `log` keys (type 1) sign notes, `cosigner` keys (type 4) are witnesses'. */
  kind: "log" | "cosigner";
  public: Uint8Array;
}

/** One signature line; for a cosignature its time comes first. */
export interface NoteSignature {
  name: string;
  id: string;
  bytes: Uint8Array;
}

/** A text, with its final newline, and the signatures under it. */
export interface Note {
  text: string;
  signatures: NoteSignature[];
}

/** A signature that verified; `at` are POSIX seconds of a cosignature. */
export interface Verified {
  key: VerifierKey;
  at: number | null;
}

/** The head of a log. */
export interface Checkpoint {
  origin: string;
  size: bigint;
  root: Uint8Array;
  extensions: string[];
}

/** A checkpoint and the note it came in. */
export interface SignedCheckpoint {
  checkpoint: Checkpoint;
  note: Note;
}

const badKey = (what: string) => new FormatError("key", `key ${what}`);
const badNote = (what: string) => new FormatError("note", what);

/** Whether a text may name a key: no Unicode space, no plus, no control character, 1 to 255 bytes. */
export function isKeyName(name: string): boolean {
  return name !== "" && utf8(name).length <= MAX_NAME && !/[\p{White_Space}+\u0000-\u001f]/u.test(name);
}

function keyId(name: string, type: number, key: Uint8Array): string {
  return toHex(sha256(concat(utf8(name), new Uint8Array([10, type]), key)).subarray(0, 4));
}

function isWeak(key: Uint8Array): boolean {
  try {
    return ed25519.Point.fromBytes(key).isSmallOrder();
  } catch {
    return true;
  }
}

/** Reads a vkey. Throws {@link FormatError} naming the part at fault. */
export function parseVkey(vkey: string): VerifierKey {
  const [name, id, ...rest] = vkey.split("+");
  if (name === undefined || id === undefined || rest.length === 0)
    throw badKey("does not have the three parts name+id+key");
  if (!isKeyName(name)) throw badKey("name is empty, too long, or has a space or control character");
  if (!/^[0-9a-f]{8}$/.test(id)) throw badKey("id is not 8 lowercase hex digits");
  const encoded = rest.join("+");
  if (encoded.length > 64) throw badKey("material is too long");
  const material = fromBase64(encoded);
  if (!material) throw badKey("material is not base64");
  const type = material[0];
  if (type === undefined) throw badKey("material is empty");
  if (type !== 1 && type !== 4) throw badKey(`has signature type ${type}, only 1 and 4 are used`);
  const key = material.slice(1);
  if (key.length !== 32) throw badKey("material is not 32 bytes after its type");
  if (isWeak(key)) throw badKey("is not a sound Ed25519 public key");
  if (keyId(name, type, key) !== id) throw badKey("id does not match name and key");
  return { name, id, kind: type === 1 ? "log" : "cosigner", public: key };
}

/** Writes a vkey. */
export function formatVkey(key: VerifierKey): string {
  return `${key.name}+${key.id}+${toBase64(concat(new Uint8Array([key.kind === "log" ? 1 : 4]), key.public))}`;
}

function parseSignature(line: string, at: number): NoteSignature {
  const wrong = (what: string) => badNote(`note, signature line ${at} ${what}`);
  if (!line.startsWith("\u2014 ")) throw wrong("does not start with an em dash and a space");
  const rest = line.slice(2);
  const space = rest.indexOf(" ");
  if (space < 0) throw wrong("has no signature after the name");
  const name = rest.slice(0, space);
  if (!isKeyName(name)) throw wrong("has an unfit key name");
  const bytes = fromBase64(rest.slice(space + 1));
  if (!bytes) throw wrong("has a signature that is not base64");
  if (bytes.length < 5) throw wrong("has a signature of fewer than 5 bytes");
  return { name, id: toHex(bytes.subarray(0, 4)), bytes: bytes.slice(4) };
}

/** Reads a note. Throws {@link FormatError} naming what is malformed. */
export function parseNote(input: Uint8Array | string): Note {
  const bytes = typeof input === "string" ? utf8(input) : input;
  if (bytes.length > MAX_NOTE) throw badNote("note is over the limit of 524288 bytes or 64 signatures");
  const note = text(bytes);
  if (note === null) throw badNote("note is not UTF-8");

  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw badNote("note has a control character");
  if (!note.endsWith("\n")) throw badNote("note does not end in a newline");
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0) throw badNote("note has no blank line between text and signatures");
  const lines = note.slice(blank + 2);
  if (lines === "") throw badNote("note has no signature lines");
  const each = lines.slice(0, -1).split("\n");
  if (each.length > MAX_SIGNATURES) throw badNote("note is over the limit of 524288 bytes or 64 signatures");
  return { text: note.slice(0, blank + 1), signatures: each.map((line, at) => parseSignature(line, at + 1)) };
}

/** Writes a note, byte for byte as it was read. */
export function formatNote(note: Note): string {
  const line = ({ name, id, bytes }: NoteSignature) => {
    const prefix = Uint8Array.from(id.match(/../g) ?? [], (digits) => parseInt(digits, 16));
    return `\u2014 ${name} ${toBase64(concat(prefix, bytes))}\n`;
  };
  return `${note.text}\n${note.signatures.map(line).join("")}`;
}

/** Checks one signature: `undefined` when it does not hold, else the time of a cosignature or `null`. */
function verifySignature(key: VerifierKey, signed: string, bytes: Uint8Array): number | null | undefined {
  if (key.kind === "log") return verifyEd25519(key.public, utf8(signed), bytes) ? null : undefined;
  if (bytes.length < 8) return undefined;
  const at = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  if (at === 0n || at > MAX_TIME) return undefined;
  const message = utf8(`cosignature/v1\ntime ${at}\n${signed}`);
  return verifyEd25519(key.public, message, bytes.subarray(8)) ? Number(at) : undefined;
}

/**
 * Checks every signature that claims to be by one of the keys; unknown signatures are passed over, and a key counts once.
 * Throws {@link FormatError} if a known key's signature fails, or if no known key signed.
 */
export function verifyNote(note: Note, keys: VerifierKey[]): Verified[] {
  const verified: Verified[] = [];
  for (const { name, id, bytes } of note.signatures) {
    for (const key of keys.filter((each) => each.name === name && each.id === id)) {
      const at = verifySignature(key, note.text, bytes);
      if (at === undefined)
        throw new FormatError(
          "log-signature",
          `note, signature by known key ${name} does not verify: the text was altered`,
        );
      if (!verified.some((seen) => seen.key === key)) verified.push({ key, at });
    }
  }
  if (verified.length === 0) throw new FormatError("log-signature", "note carries no signature by a known key");
  return verified;
}

/** Reads the text of a checkpoint, without signatures. */
export function parseCheckpointText(body: string): Checkpoint {
  const wrong = (line: number, what: string) => badNote(`checkpoint, line ${line} ${what}`);
  if (!body.endsWith("\n")) throw wrong(1, "does not end in a newline");
  const [origin, sizeText, rootText, ...extensions] = body.slice(0, -1).split("\n");
  if (!origin) throw wrong(1, "has no origin");
  if (sizeText === undefined) throw wrong(2, "is missing");
  const size = decimal(sizeText);
  if (size === null) throw wrong(2, "is not a tree size in plain decimal below 2^63");
  if (rootText === undefined) throw wrong(3, "is missing");
  const root = hashFromBase64(rootText);
  if (!root) throw wrong(3, "is not a root hash of 32 bytes in base64");
  const limit = badNote("checkpoint has a line over 1024 bytes or more than 16 extension lines");
  extensions.forEach((line, at) => {
    if (line === "") throw wrong(4 + at, "is empty");
    if (at >= MAX_EXTENSIONS || utf8(line).length > MAX_LINE) throw limit;
  });
  if (utf8(origin).length > MAX_LINE) throw limit;
  return { origin, size, root, extensions };
}

/** Writes the text of a checkpoint. */
export function formatCheckpoint(head: Checkpoint): string {
  return [head.origin, String(head.size), toBase64(head.root), ...head.extensions].map((line) => `${line}\n`).join("");
}

/** Reads a signed checkpoint. */
export function parseCheckpoint(input: Uint8Array | string): SignedCheckpoint {
  const note = parseNote(input);
  return { checkpoint: parseCheckpointText(note.text), note };
}

/** Whom to believe about one log: its key, and `quorum` of the named witnesses. */
export interface Trust {
  origin: string;
  log: VerifierKey;
  witnesses: VerifierKey[];
  quorum: number;
}

/** Puts a trust together. Throws {@link FormatError} for keys of the wrong kind, the same key twice, a quorum out of reach. */
export function newTrust(origin: string, log: VerifierKey, witnesses: VerifierKey[], quorum: number): Trust {
  if (log.kind !== "log") throw badKey("of the log must have type 1");
  if (witnesses.some((key) => key.kind !== "cosigner")) throw badKey("of a witness must have type 4");
  // A cosignature does not name its key, so one key under two names would count twice.
  const publics = new Set([log, ...witnesses].map((key) => toBase64(key.public)));
  if (publics.size !== witnesses.length + 1) throw badKey("stands twice: name each witness once");
  if (quorum > witnesses.length) throw badKey("quorum is larger than the number of witnesses");
  return { origin, log, witnesses, quorum };
}

/** A checkpoint that a {@link Trust} accepts. */
export interface Trusted extends SignedCheckpoint {
  /** Names of the witnesses that cosigned, and when. */
  cosigned: { name: string; at: Date }[];
}

/** Reads a signed checkpoint and checks origin, the log's signature and the quorum. */
export function checkCheckpoint(trust: Trust, input: Uint8Array | string): Trusted {
  const signed = parseCheckpoint(input);
  if (signed.checkpoint.origin !== trust.origin)
    throw new FormatError("origin", `checkpoint is of log ${signed.checkpoint.origin}, ${trust.origin} expected`);
  const verified = verifyNote(signed.note, [trust.log, ...trust.witnesses]);
  if (!verified.some((each) => each.key === trust.log))
    throw new FormatError("log-signature", "checkpoint is not signed by the log's key");
  const cosigned = verified.flatMap(({ key, at }) =>
    at === null ? [] : [{ name: key.name, at: new Date(Math.min(at * 1000, 8.64e15)) }],
  );
  if (cosigned.length < trust.quorum)
    throw new FormatError(
      "quorum",
      `checkpoint is cosigned by ${cosigned.length} known witnesses, ${trust.quorum} needed`,
    );
  return { ...signed, cosigned };
}

/** Whether two checkpoints say the same. */
export function sameHead(one: Checkpoint, other: Checkpoint): boolean {
  return one.origin === other.origin && one.size === other.size && same(one.root, other.root);
}
