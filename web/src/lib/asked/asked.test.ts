import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { hexToBytes } from "@noble/curves/utils.js";
import { base64, base64urlnopad } from "@scure/base";
import { afterEach, describe, expect, test, vi } from "vitest";

import { check, daysOf } from "./check";
import { epochOf, Finder, readDay } from "./marks";
import { blind } from "./oprf";
import { plateInput, readPlate } from "./plate";

const vectors = <T>(name: string) =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, `../../../../vectors/asked/${name}`), "utf8")) as T;

interface Rfc {
  seed: string;
  info: string;
  secret: string;
  public: string;
  vectors: (Record<"inputs" | "blinds" | "blinded" | "evaluated" | "outputs", string[]> & { proof: string })[];
}
interface Shared {
  key: string;
  public: string;
  plates: [string, string][];
  refused: string[];
  day: string;
  detail: unknown;
  plate: string;
  tags: [number, string][];
  mark: string;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The server's half: the key of a file's text. */
function serverKey(text: string) {
  const [, epoch = "", seed = ""] = text.split(" ");
  return ristretto255_oprf.voprf.deriveKeyPair(base64.decode(seed), new TextEncoder().encode(epoch));
}

describe("RFC 9497", () => {
  const rfc = vectors<Rfc>("rfc9497.json");
  const { voprf } = ristretto255_oprf;
  const keys = voprf.deriveKeyPair(hexToBytes(rfc.seed), hexToBytes(rfc.info));

  test("the key of the vectors is derived", () => {
    expect(hex(keys.secretKey)).toBe(rfc.secret);
    expect(hex(keys.publicKey)).toBe(rfc.public);
  });

  test.each(rfc.vectors.map((each, at) => [at, each] as const))("vector %i", (_, each) => {
    const items = each.inputs.map((input, at) => ({
      input: hexToBytes(input),
      blind: hexToBytes(each.blinds[at] ?? ""),
      evaluated: hexToBytes(each.evaluated[at] ?? ""),
      blinded: hexToBytes(each.blinded[at] ?? ""),
    }));
    const outputs = voprf.finalizeBatch(items, keys.publicKey, hexToBytes(each.proof));
    expect(outputs.map(hex)).toEqual(each.outputs);
    const answer = voprf.blindEvaluateBatch(
      keys.secretKey,
      keys.publicKey,
      items.map(({ blinded }) => blinded),
    );
    expect(answer.evaluated.map(hex)).toEqual(each.evaluated);
  });
});

describe("the vectors that the server shares", () => {
  const shared = vectors<Shared>("marks.json");
  const keys = serverKey(shared.key);

  test("plates have one form", () => {
    for (const [typed, plate] of shared.plates) expect(readPlate(typed)).toEqual({ plate });
    for (const typed of shared.refused) expect(readPlate(typed)).toHaveProperty("fault");
    expect(readPlate("\u0410BC")).toEqual({ fault: "lookalike" });
    expect(readPlate("AB?")).toEqual({ fault: "shape" });
    expect(readPlate("\u212a1")).toEqual({ fault: "lookalike" });
  });

  test("a mark is found by its plate on its day, and no other", () => {
    expect(base64urlnopad.encode(keys.publicKey)).toBe(shared.public);
    const read = readPlate(shared.plate);
    const blinded = blind("plate" in read ? read.plate : "");
    const { evaluated, proof } = ristretto255_oprf.voprf.blindEvaluate(
      keys.secretKey,
      keys.publicKey,
      base64urlnopad.decode(blinded.element),
    );
    const answer = { elements: [base64urlnopad.encode(evaluated)], proof: base64urlnopad.encode(proof) };
    const finder = new Finder(blinded.finish(answer, shared.public));
    for (const [counter, tag] of shared.tags) expect(finder.tag(shared.day, counter)).toBe(tag);
    const file = { v: 1, day: shared.day, epoch: epochOf(shared.day), marks: [shared.mark] };
    const marks = readDay(file, shared.day);
    expect(finder.find(shared.day, marks)).toEqual([shared.detail]);
    expect(finder.find("2026-10-28", marks)).toEqual([]);
    expect(() => readDay({ ...file, marks: ["AAAA"] }, shared.day)).toThrow();
    expect(() => readDay(file, "2026-10-28")).toThrow();
    const other = ristretto255_oprf.voprf.generateKeyPair();
    expect(() => blinded.finish(answer, base64urlnopad.encode(other.publicKey))).toThrow(/published key/);
    expect(() => blinded.finish({ ...answer, elements: ["AAAA"] }, shared.public)).toThrow();
  });

  test("days follow each other", () => {
    expect(daysOf({ first: "2028-02-28", last: "2028-03-01" })).toEqual(["2028-02-28", "2028-02-29", "2028-03-01"]);
    expect(daysOf({ first: null, last: null })).toEqual([]);
    expect(() => daysOf({ first: "2026-1-1", last: "2026-01-02" })).toThrow();
    expect(["2026-01-01", "2026-03-31", "2026-12-31"].map(epochOf)).toEqual(["2026-Q1", "2026-Q1", "2026-Q4"]);
  });
});

vi.mock("../format/record", () => ({ checkEntries: () => Promise.resolve() }));
afterEach(() => vi.unstubAllGlobals());

test("what is fetched and sent is the same for a plate that was searched and one that was not", async () => {
  const shared = vectors<Shared>("marks.json");
  const keys = serverKey(shared.key);
  const leaf = JSON.stringify({ epoch: "2026-Q4", public: shared.public, type: "asked.key" });
  const empty = base64urlnopad.encode(new Uint8Array(160));
  const files: Record<string, unknown> = {
    "/asked/index.json": { v: 1, delay_days: 30, keep_days: 365, first: "2026-10-26", last: shared.day, sealed: 2 },
    "/asked/keys.json": {
      v: 1,
      suite: "ristretto255-SHA512",
      keys: [{ epoch: "2026-Q4", public: shared.public, proof: { leaf, index: 0, proof: "" } }],
    },
    "/agencies/index.json": { v: 1, agencies: [] },
    "/asked/2026-10-26.json": { v: 1, day: "2026-10-26", epoch: "2026-Q4", marks: [empty] },
    [`/asked/${shared.day}.json`]: { v: 1, day: shared.day, epoch: "2026-Q4", marks: [shared.mark] },
  };
  const traffic: string[][] = [];
  let lost = false;
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    const sent = typeof init?.body === "string" ? init.body : "";
    traffic.at(-1)?.push(`${init?.method ?? "GET"} ${path} ${sent.length}`);
    if (path !== "/asked/evaluate")
      return Promise.resolve(files[path] ? Response.json(files[path]) : new Response(null, { status: 404 }));
    if (lost) return Promise.resolve(new Response(null, { status: 404 }));
    const { elements } = JSON.parse(sent) as { elements: string[] };
    const blinded = base64urlnopad.decode(elements[0] ?? "");
    const { evaluated, proof } = ristretto255_oprf.voprf.blindEvaluate(keys.secretKey, keys.publicKey, blinded);
    const answer = { elements: [base64urlnopad.encode(evaluated)], proof: base64urlnopad.encode(proof) };
    return Promise.resolve(Response.json({ epoch: "2026-Q4", ...answer }));
  });
  const results = [];
  for (const plate of ["ABC1234", "ZZ9", plateInput("x").length.toString()]) {
    traffic.push([]);
    results.push(await check(plate, () => undefined));
  }
  expect(results[0]?.found.map(({ day }) => day)).toEqual([shared.day]);
  expect(results[1]?.found).toEqual([]);
  expect(results[1]?.looked).toBe(2);
  expect(traffic[1]).toEqual(traffic[0]);
  expect(traffic[2]).toEqual(traffic[0]);

  // Days that nobody can look through are said, and hold up no others: a quarter that never had a key, a file that is gone, ...
  files["/asked/index.json"] = {
    v: 1,
    delay_days: 30,
    keep_days: 365,
    first: "2026-09-30",
    last: shared.day,
    sealed: 2,
  };
  const before = daysOf({ first: "2026-09-30", last: "2026-10-25" });
  let checked = await check("ABC1234", () => undefined);
  expect(checked.found.map(({ day }) => day)).toEqual([shared.day]);
  expect([checked.looked, checked.unread]).toEqual([2, before]);
  // ... and a key that the server has lost.
  lost = true;
  checked = await check("ABC1234", () => undefined);
  expect(checked.found).toEqual([]);
  expect([checked.looked, checked.unread]).toEqual([0, [...before, "2026-10-26", shared.day]]);
});
