import { readFileSync } from "node:fs";

import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkBundle } from "./bundle";
import { concat, FormatError, fromBase64, sha256, toHex, utf8 } from "./bytes";
import { readOversightLeaf } from "./form";
import { canonical, commitment, fieldDigest, fieldsOf } from "./jcs";
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
import { verifySigned } from "./receipt";
import { decodeBundle, formatPath, parsePath } from "./tiles";
import type { RegionBundle } from "./types";

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

  it.each(vectors("ledger/paths.json") as Case[])("path: $name", (each) =>
    holds(each, (input) => formatPath(parsePath(String(input)))),
  );

  it.each(vectors("ledger/bundles.json") as Case[])("entry bundle: $name", (each) => {
    const read = () => decodeBundle(bytes(each) as Uint8Array, each.width ?? 0);
    if (each.verdict === "refuse") expect(read).toThrow(each.reason);
    else expect(read()).toHaveLength(each.width ?? 0);
  });
});

describe("vectors of receipts", () => {
  const file = vectors("seal/receipts.json") as {
    vkey: string;
    vectors: { name: string; text: string; verdict: string }[];
  };
  it.each(file.vectors)("receipt: $name", ({ text, verdict }) => {
    const prove = (proof: string) => {
      if (!proof.startsWith("c2sp.org/tlog-proof@v1")) throw new Error("not a proof");
    };
    const verify = () => verifySigned(text, parseVkey(file.vkey), prove);
    if (verdict === "valid") expect(verify().version).toBe(1);
    else expect(verify).toThrow(new RegExp(`^${verdict}`));
  });

  it.each(vectors("seal/vkeys.json") as { text: string; verdict: string }[])("vkey: $text", ({ text, verdict }) => {
    const parse = () => parseVkey(text.trim());
    if (verdict === "valid") expect(parse().kind).toBe("log");
    else expect(parse).toThrow(FormatError);
  });
});

describe("vectors of the feed", () => {
  const source = readFileSync(new URL("../../../../vectors/requests/feed-bundle.json", import.meta.url));
  const origin = "example.org/requests";
  const key = ed25519.getPublicKey(new Uint8Array(32).fill(7));
  const id = toHex(sha256(concat(utf8(`${origin}\n`), new Uint8Array([1]), key)).subarray(0, 4));
  const trust = newTrust(origin, { name: origin, id, kind: "log", public: key }, [], 0);
  const region = "832a36fffffffff";
  const check = async (bytes: Uint8Array) => {
    const { faults, requests } = await checkBundle(bytes, trust, region);
    return [...faults, ...requests].flatMap((fault) => (fault ? [fault.code] : []));
  };

  it("holds as it is", async () => {
    expect(await check(source)).toEqual([]);
    await expect(checkBundle(source, trust, "832830fffffffff")).rejects.toThrow("another region");
  });

  it("does not hold with any byte changed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(source.length - 1), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const changed = Uint8Array.from(source);
        if (changed[at] === byte) return;
        changed[at] = byte;
        const found = await check(changed).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FormatError);
          return ["refused"];
        });
        expect(found).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["a text", (bundle: RegionBundle) => void (bundle.requests[1]!.request!.body.details += "!"), "body"],
    ["a recipient", (bundle: RegionBundle) => void (bundle.requests[1]!.request!.body.recipient = "age1other"), "body"],
    ["a left-out request", (bundle: RegionBundle) => void bundle.requests.pop(), "proof"],
    ["a mark", (bundle: RegionBundle) => void Object.assign(bundle, { mark: 1 }), "form"],
    [
      "another name of the agency",
      (bundle: RegionBundle) => void (bundle.agencies[0]!.agency.name = "Another"),
      "agency",
    ],
    ["a state", (bundle: RegionBundle) => void (bundle.requests[0]!.state = "resolved"), "state"],
    [
      "a signature",
      (bundle: RegionBundle) => void (bundle.requests[0]!.request!.signature = bundle.requests[1]!.request!.signature),
      "signature",
    ],
  ])("names %s that was altered", async (_, alter, code) => {
    const bundle = JSON.parse(source.toString()) as RegionBundle;
    alter(bundle);
    const found = await check(utf8(canonical(bundle))).catch((error: FormatError) => [error.code]);
    expect(found).toContain(code);
  });
});

describe("an entry of the oversight ledger", () => {
  const leaf = {
    type: "access.refused",
    agency: `agy_${"a".repeat(26)}`,
    subject: `itm_${"a".repeat(26)}`,
    actor: `psn_${"b".repeat(26)}`,
    by: `agy_${"c".repeat(26)}`,
    purpose: "case-work",
    refused: "item.read",
    hour: "2026-11-24T06Z",
    commitment: "0".repeat(64),
  };

  it("may say who, for what and what was refused, and nothing besides", () => {
    expect(readOversightLeaf(canonical(leaf), 0)).toEqual(leaf);
    const { type, subject, hour, commitment } = leaf;
    const least = { type, subject, hour, commitment };
    expect(readOversightLeaf(canonical(least), 0)).toEqual(least);
    const wrong = [
      { reason: "in words" },
      { actor: `mbr_${"b".repeat(26)}` },
      { by: "Concord" },
      { purpose: "Find a person" },
      { refused: null },
    ];
    for (const more of wrong) expect(() => readOversightLeaf(canonical({ ...leaf, ...more }), 0)).toThrow(FormatError);
  });
});

describe("a commitment", () => {
  const record = { v: 2, actor: "mbr_x", purpose: { class: "crime", reason: "stolen bicycles" }, detail: {} };
  const salt = new Uint8Array(32).fill(7);

  it("is made of fields, one level deep", () => {
    expect([...fieldsOf(record).keys()].sort()).toEqual(["actor", "detail", "purpose.class", "purpose.reason", "v"]);
    expect([...fieldsOf([1, 2])]).toEqual([["", [1, 2]]]);
  });

  it("changes with each field, and equal values look different", () => {
    const whole = commitment(salt, record);
    expect(commitment(salt, { ...record, v: 3 })).not.toBe(whole);
    expect(commitment(new Uint8Array(32), record)).not.toBe(whole);
    expect(fieldDigest(salt, "a", "yes")).not.toBe(fieldDigest(salt, "b", "yes"));
  });
});
