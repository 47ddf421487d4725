import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { headline } from "$lib/format/counts";
import { World } from "$lib/format/world";

import { LedgerData } from "./data.svelte";

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

function served(entries: number): World {
  const world = new World();
  world.fill(entries);
  world.publish("oversight");
  world.publish("requests");
  vi.stubGlobal("fetch", world.fetch);
  return world;
}

it("counts a small ledger by itself, and agrees with a server that is right and behind", async () => {
  const world = served(900);
  const first = new LedgerData();
  await first.load();
  expect(first.complete).toBe(true);
  expect(first.summary && headline("openings", first.summary)).toBe(300);
  world.put("/ledger/summary.json", first.counted);
  world.fill(100);
  world.publish("oversight");
  const later = new LedgerData();
  await later.load();
  expect(later.total).toBe(1000);
  expect(later.wrong).toBeNull();
});

it("finds a server whose counts are wrong", async () => {
  const world = served(300);
  const data = new LedgerData();
  await data.load();
  const stated = data.counted;
  if (!stated?.oversight.counts[0]) throw new Error("no counts");
  stated.oversight.counts[0].n -= 1;
  world.put("/ledger/summary.json", stated);
  const again = new LedgerData();
  await again.load();
  expect(again.wrong).toMatchObject({ counted: stated.oversight.counts[0].n + 1 });
  expect(again.summary).toEqual(again.counted);
});

it("reads a large ledger from its newest entries, further when asked, and whole when told to", async () => {
  served(21_000);
  const data = new LedgerData();
  await data.load();
  expect(data.error).toBeNull();
  expect(data.complete).toBe(false);
  expect(data.summary).toBeNull();
  const begun = data.entries.length;
  expect(begun).toBeGreaterThanOrEqual(2560);
  await data.read();
  expect(data.entries.length).toBeGreaterThan(begun);
  const stopped = data.recount();
  data.cancel();
  await stopped;
  expect(data.complete).toBe(false);
  await data.recount();
  expect(data.complete).toBe(true);
  expect(new Set(data.entries.map(({ index }) => index)).size).toBe(21_000);
  expect(data.summary && headline("offers", data.summary)).toBe(14_000);
});
