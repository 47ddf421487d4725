import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { utf8 } from "./bytes";
import { difference, headline, parseSummary } from "./counts";
import { digestOf } from "./jcs";
import { auditLedger, ledgerHead, readLedger, readNewest } from "./ledger";
import { Frontier, leafHash, verifyConsistency, verifyInclusion } from "./merkle";
import { proveConsistency, proveInclusion, proveSpan, rootOfSpan } from "./tiles";
import { World } from "./world";

const kept = new Map<string, string>();
beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

function served(count: number, quorum = 0): World {
  const world = new World(quorum);
  world.fill(count);
  world.publish("oversight");
  vi.stubGlobal("fetch", world.fetch);
  return world;
}
const codes = async () => (await auditLedger("oversight")).findings.map(({ code }) => code);

describe("an audit", () => {
  it.each([0, 1, 2, 255, 256, 257, 1000, 5000])("finds nothing in a sound ledger of %i entries", async (count) => {
    served(count, 1);
    const steps: number[] = [];
    const audit = await auditLedger("oversight", { onProgress: ({ done }) => steps.push(done) });
    expect(audit.findings).toEqual([]);
    expect(audit.entries).toBe(count);
    expect(audit.head?.cosigned).toHaveLength(1);
    expect(audit.counts.reduce((sum, { n }) => sum + n, 0)).toBe(count);
    expect(steps.at(-1) ?? 0).toBe(count);
  });

  it("checks the second level of tiles of a large ledger", async () => {
    const world = served(65_600);
    expect(await codes()).toEqual([]);
    const path = world.path("oversight", 1, 0, 256);
    const tile = Uint8Array.from(world.files.get(path) ?? []);
    tile[32] = (tile[32] ?? 0) ^ 1;
    world.files.set(path, tile);
    kept.clear();
    expect(await codes()).toEqual(["tile"]);
  });

  it("finds an altered entry, a missing file, a wrong signature, too few witnesses", async () => {
    const world = served(600);
    const path = world.path("oversight", "entries", 1, 256);
    const sound = world.files.get(path) as Uint8Array;
    const altered = Uint8Array.from(sound);
    altered[40] = (altered[40] ?? 0) ^ 1;
    world.files.set(path, altered);
    expect(await codes()).toContain("entry");
    world.files.delete(path);
    expect(await codes()).toContain("missing");
    world.files.set(path, sound);
    const checkpoint = new TextDecoder().decode(world.files.get("/ledger/oversight/checkpoint"));
    world.files.set("/ledger/oversight/checkpoint", utf8(checkpoint.replace("\n600\n", "\n599\n")));
    expect(await codes()).toEqual(["log-signature"]);
    kept.clear();
    served(3, 1).sign("oversight", 3, new Uint8Array(32));
    expect(await codes()).toContain("root");
    const lonely = new World(0);
    lonely.publish("oversight");
    const signed = lonely.files.get("/ledger/oversight/checkpoint") as Uint8Array;
    const strict = new World(1);
    strict.files.set("/ledger/oversight/checkpoint", signed);
    vi.stubGlobal("fetch", strict.fetch);
    kept.clear();
    expect(await codes()).toEqual(["quorum"]);
  });

  it("finds a ledger that went back, and one that rewrote its past", async () => {
    served(700);
    expect(await codes()).toEqual([]);
    served(300);
    expect(await codes()).toEqual(["rollback"]);
    const other = new World();
    other.add("oversight", { type: "audit.read", subject: "audit", hour: "2026-01-01T00Z", commitment: digestOf(1) });
    other.fill(799);
    other.publish("oversight");
    vi.stubGlobal("fetch", other.fetch);
    expect(await codes()).toEqual(["split"]);
    served(900);
    expect(await codes()).toEqual([]);
  });

  it("finds entries that could not have been written", async () => {
    const world = new World();
    world.add("oversight", { type: "offer.open", subject: "off_x", hour: "noon", commitment: digestOf(1) });
    world.publish("oversight");
    const [request, agency] = [`req_${"a".repeat(26)}`, `agy_${"a".repeat(26)}`];
    const at = "2026-11-24T06:00:00Z";
    world.add("requests", {
      type: "request.published",
      request,
      agency,
      digest: digestOf(1),
      key: "0".repeat(16),
      at,
      closes: at,
    });
    world.publish("requests");
    vi.stubGlobal("fetch", world.fetch);
    expect(await codes()).toEqual(["leaf"]);
    const audit = await auditLedger("requests");
    expect(audit.findings).toMatchObject([{ code: "agency-state", index: 0 }]);
  });

  it("refuses other keys than those seen first, and stops when it is told to", async () => {
    const world = served(10);
    expect(await codes()).toEqual([]);
    const keys = new TextDecoder().decode(world.files.get("/ledger/keys.json"));
    const parsed = JSON.parse(keys) as { receipts: { vkey: string }; logs: { requests: { vkey: string } } };
    parsed.receipts.vkey = parsed.logs.requests.vkey;
    world.put("/ledger/keys.json", parsed);
    expect(await codes()).toEqual(["keys-changed"]);
    served(1000);
    await expect(auditLedger("oversight", { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });
});

describe("reading", () => {
  it("gives the newest entries first, each proven", async () => {
    served(1000);
    const head = await ledgerHead("oversight");
    const page = await readNewest(head, { limit: 300 });
    expect(page.map(({ index }) => index).slice(0, 3)).toEqual([999, 998, 997]);
    expect(page.length).toBe(488);
    const next = await readNewest(head, { before: 512, limit: 1 });
    expect([next[0]?.index, next.at(-1)?.index]).toEqual([511, 256]);
    const all = await readLedger("oversight");
    expect(all.complete).toBe(true);
    expect(all.entries.map(({ index }) => index)).toEqual(Array.from({ length: 1000 }, (_, at) => 999 - at));
  });

  it("refuses entries that are not those in the tree", async () => {
    const world = served(1000);
    const path = world.path("oversight", "entries", 3, 232);
    const altered = Uint8Array.from(world.files.get(path) ?? []);
    altered[50] = (altered[50] ?? 0) ^ 1;
    world.files.set(path, altered);
    await expect(readLedger("oversight", { limit: 10 })).rejects.toThrow("not those in the tree");
  });

  it("takes the full file where the partial one is gone", async () => {
    const world = served(300);
    const head = await ledgerHead("oversight");
    world.fill(300);
    world.files.delete(world.path("oversight", "entries", 1, 44));
    world.files.delete(world.path("oversight", 0, 1, 44));
    world.entries.oversight = [];
    world.fill(600);
    world.publish("oversight");
    expect((await readNewest(head, { limit: 10 })).map(({ index }) => index)[0]).toBe(299);
  });
});

describe("proofs from tiles", () => {
  it("hold for every size", async () => {
    const size = 1500;
    const world = new World();
    world.fill(size);
    world.publish("oversight");
    const read = async (path: string) => world.files.get(`/ledger/oversight/${path}`) ?? null;
    const hashes = world.entries.oversight.map((entry) => leafHash(utf8(entry)));
    const rootAt = (count: number) => {
      const tree = new Frontier();
      hashes.slice(0, count).forEach((hash) => tree.push(hash));
      return tree.root();
    };
    const root = rootAt(size);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: size - 1 }), async (at) => {
        const leaf = hashes[at] as Uint8Array;
        const proof = await proveInclusion(read, at, size);
        verifyInclusion(leaf, BigInt(at), BigInt(size), proof, root);
        expect(rootOfSpan(leaf, at, at + 1, size, await proveSpan(read, at, at + 1, size))).toEqual(root);
        if (at > 0)
          verifyConsistency(BigInt(at), rootAt(at), BigInt(size), root, await proveConsistency(read, at, size));
      }),
      { numRuns: 60 },
    );
  });
});

describe("counts", () => {
  it("are those of the entries, and a difference is named", async () => {
    served(100);
    const audit = await auditLedger("oversight");
    const summary = parseSummary({
      v: 1,
      requests: { size: 0, counts: [] },
      oversight: { size: 100, counts: audit.counts },
    });
    if (!summary) throw new Error("no summary");
    expect(headline("openings", summary)).toBe(34);
    expect(headline("offers", summary)).toBe(66);
    expect(difference(summary.oversight.counts, audit.counts)).toBeNull();
    const [first, ...rest] = audit.counts;
    if (!first) throw new Error("no counts");
    expect(difference([{ ...first, n: first.n + 1 }, ...rest], audit.counts)).toMatchObject({
      stated: first.n + 1,
      counted: first.n,
    });
    expect(difference(rest, audit.counts)).toMatchObject({ stated: 0, counted: first.n });
  });
});
