import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { fromBase64 } from "./bytes";
import { formatProof, leafHash, parseProof, verifyProof } from "./merkle";
import {
  formatCheckpoint,
  formatNote,
  formatVkey,
  newTrust,
  parseCheckpointText,
  parseNote,
  parseVkey,
  verifyNote,
} from "./note";

interface Case {
  name: string;
  input?: string;
  base64?: string;
  verdict: "accept" | "refuse";
  reason: string;
  leaf?: string;
  width?: number;
}
const vectors = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../../../vectors/${path}`, import.meta.url), "utf8")) as unknown;
const bytes = (each: Case) =>
  each.base64 === undefined ? (each.input ?? "") : (fromBase64(each.base64) as Uint8Array);

/** Runs a case; `read` writes again what it read. */
function holds(each: Case, read: (input: Uint8Array | string) => string): void {
  const input = bytes(each);
  if (each.verdict === "refuse") expect(() => read(input)).toThrow(each.reason);
  else expect(read(input)).toBe(typeof input === "string" ? input : new TextDecoder().decode(input));
}

describe("vectors of the ledger", () => {
  it.each(vectors("ledger/vkeys.json") as Case[])("vkey: $name", (each) =>
    holds(each, (input) => formatVkey(parseVkey(String(input)))),
  );

  const notes = vectors("ledger/notes.json") as { keys: string[]; cases: Case[] };
  it.each(notes.cases)("note: $name", (each) =>
    holds(each, (input) => {
      const note = parseNote(input);
      verifyNote(note, notes.keys.map(parseVkey));
      return formatNote(note);
    }),
  );

  it.each(vectors("ledger/checkpoints.json") as Case[])("checkpoint: $name", (each) =>
    holds(each, (input) => formatCheckpoint(parseCheckpointText(String(input)))),
  );

  const proofs = vectors("ledger/proofs.json") as {
    origin: string;
    log: string;
    witnesses: string[];
    quorum: number;
    cases: Case[];
  };
  it.each(proofs.cases)("proof: $name", (each) =>
    holds(each, (input) => {
      const proof = parseProof(input);
      const trust = newTrust(proofs.origin, parseVkey(proofs.log), proofs.witnesses.map(parseVkey), proofs.quorum);
      verifyProof(proof, leafHash(fromBase64(each.leaf ?? "") as Uint8Array), trust);
      return formatProof(proof);
    }),
  );
});
