/**
 * Sealing and opening in a real browser under the pages' content policy: what is sealed opens again, and a full disk, a chosen
 * file that vanished, and a person who stops leave nothing half-made. Needs no Canvass; `bench/browser-seal` serves the tools.
 */
import { type BrowserContext, chromium, expect, type Page, test } from "@playwright/test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import type * as keys from "../src/lib/seal/keys";
import type * as offers from "../src/lib/seal/offer";
import type * as opening from "../src/lib/seal/open";
import type * as sealing from "../src/lib/seal/seal";
import type { Answered } from "../src/lib/seal/types";

type Tools = typeof keys & typeof offers & typeof opening & typeof sealing;
interface Bench {
  build(folder: string): Promise<void>;
  serve(folder: string): Promise<Server>;
}
declare global {
  // What `bench/browser-seal/page.ts` sets.
  var seal: Tools;
}

let folder: string;
let server: Server;
let context: BrowserContext;
let page: Page;
const troubles: string[] = [];

test.beforeAll(async ({}, { project }) => {
  folder = mkdtempSync(join(tmpdir(), "canvass-seal-"));
  const bench = pathToFileURL(resolve(import.meta.dirname, "../../bench/browser-seal/serve.mjs")).href;
  const { build, serve } = (await import(bench)) as Bench;
  await build(join(folder, "page"));
  server = await serve(join(folder, "page"));
  // A profile on disk: the private file system of a window without one lies in memory.
  context = await chromium.launchPersistentContext(join(folder, "profile"), project.use.launchOptions);
  page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (said) => {
    if (/policy|trusted/i.test(said.text())) troubles.push(said.text());
  });
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
});

test.afterAll(async () => {
  await context.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

test.afterEach(() => expect(troubles).toEqual([]));

/** Chooses files of these sizes. */
async function choose(...sizes: number[]): Promise<string[]> {
  const paths = sizes.map((size, at) => join(folder, `chosen-${at}.mp4`));
  for (const [at, path] of paths.entries()) writeFileSync(path, randomBytes(sizes[at] ?? 0));
  await page.setInputFiles("#clips", paths);
  return paths;
}

/** Seals what is chosen, and opens it again unless told to stop; says what came of it and what is left on disk. */
function seal(stopAt = Infinity) {
  return page.evaluate(async (stop) => {
    const tools = globalThis.seal;
    const left = async () => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("canvass", { create: true });
      const names: string[] = [];
      for (const name of ["sealed", "opened"])
        for await (const one of (await root.getDirectoryHandle(name, { create: true })).keys()) names.push(one);
      return names.length;
    };
    const key = tools.newIdentity();
    const files = [...(document.querySelector<HTMLInputElement>("#clips")?.files ?? [])];
    const clips = files.map((file, at) => ({ name: `clip-0${at + 1}.mp4`, file }));
    const body = { id: "req_a", agency: { id: "agy_a", name: "A", class: "municipal" }, recipient: key.recipient };
    const request = { body, digest: "", key: "", signature: "" } as unknown as Answered;
    const consent = tools.makeConsent(request, clips, ["Agreed."]);
    const aborter = new AbortController();
    const told: number[] = [];
    const onProgress = ({ done }: { done: number }) => {
      told.push(done);
      if (done >= stop) aborter.abort();
    };
    const hex = async (file: Blob) => {
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
    };
    try {
      const plan = { request, recipient: key.recipient, consent, clips, mailbox: true, secret: tools.newOffer().text };
      const sealed = await tools.sealEnvelope(plan, { onProgress, signal: aborter.signal });
      const opened = await tools.openEnvelope(sealed.file.stream(), key.secret, {}, { bytes: sealed.bytes });
      const given = await Promise.all(files.map(hex));
      const got = await Promise.all(opened.clips.map((clip) => hex(clip.file)));
      const agreed = opened.consent.text;
      const wrong = await tools
        .openEnvelope(sealed.file.stream(), tools.newIdentity().secret)
        .catch((error: { text: string }) => error.text);
      await tools.closeOpened(opened);
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("canvass");
      await (await root.getDirectoryHandle("sealed")).removeEntry(sealed.name);
      return { given, got, sums: sealed.clips.map((clip) => clip.sha256), agreed, wrong, told, left: await left() };
    } catch (error) {
      return { failed: (error as { text?: string }).text ?? (error as Error).name, left: await left() };
    }
  }, stopAt);
}

test("what is sealed opens again, small and large clips together", async () => {
  await choose(10, 3_000_000, 70_000_000);
  const found = await seal();
  expect(found.failed).toBeUndefined();
  expect(found.got).toEqual(found.given);
  expect(found.sums).toEqual(found.given);
  expect(found.agreed).toEqual(["Agreed."]);
  expect(found.wrong).toBe("common.seal.open.key");
  expect(found.told?.at(-1)).toBe(73_000_010);
  expect(found.left).toBe(0);
});

test("a person who stops leaves nothing behind", async () => {
  await choose(70_000_000);
  expect(await seal(1)).toEqual({ failed: "AbortError", left: 0 });
});

test("a full disk is told, and nothing half-made stays", async () => {
  await choose(70_000_000);
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 30e6 });
  expect(await seal()).toEqual({ failed: "common.problem.full", left: 0 });
  await session.send("Storage.overrideQuotaForOrigin", { origin });
});

test("a chosen file that vanished is told", async () => {
  const [path] = await choose(5_000_000);
  unlinkSync(path ?? "");
  expect(await seal()).toEqual({ failed: "common.seal.clips.gone", left: 0 });
});

test("an identity is kept under a passkey, and opens with it alone", async () => {
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const found = await page.evaluate(async () => {
    const identity = globalThis.seal.newIdentity();
    await globalThis.seal.keepIdentity("mem_a", identity, "Canvass");
    const back = await globalThis.seal.openIdentity("mem_a");
    await globalThis.seal.forgetIdentity("mem_a");
    return { same: back.secret === identity.secret, kept: await globalThis.seal.keptIdentity("mem_a") };
  });
  expect(found).toEqual({ same: true, kept: null });
});
