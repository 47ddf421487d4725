/**
 * A gigabyte from the camera roll to the agency's machine: sealed in the browser, cut off in the middle, gone on with, opened
 * with the executable and with Debian's age. Slow: `CANVASS_LONG=1`.
 */
import { type BrowserContext, chromium } from "@playwright/test";
import { type ChildProcess, execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

import { expect, type Page, test as base } from "./fixtures";
import { choose, longer, published, received, send, toShare } from "./giving";
import { asks, build, BURGLARY, canvass, serve, type Town, until } from "./town";

const run = promisify(execFile);
const BYTES = 1_000_000_000;

let folder: string;
let town: Town;
let server: ChildProcess;
let context: BrowserContext;
const test = base.extend<{ town: Town }>({ town: ({}, use) => use(town) });

test.describe.configure({ mode: "serial", timeout: 900_000 });

test.beforeAll(async ({}, { project }) => {
  // Only where asked for: the town is not built for nothing.
  folder = mkdtempSync(join(tmpdir(), "canvass-large-"));
  ({ town, server } = await build(folder));
  await published(town, town.requests.burglary);
  longer(town.clips["porch.mp4"]!, join(folder, "recordings", "night.mp4"), BYTES);
  context = await chromium.launchPersistentContext(join(folder, "profile"), {
    ...project.use.launchOptions,
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
  });
});

test.afterAll(async () => {
  await context?.close();
  await stop("SIGTERM");
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((done) => server.once("exit", done));
  server.kill(signal);
  await ended;
}

async function sha256(file: string): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(file), sum);
  return sum.digest("hex");
}

/** Offers to the burglary besides the one of the town. */
async function given(): Promise<string> {
  const offers = await asks<{ id: string }[]>(town.people.ines!, ["inbox", "--state", "received"]);
  return offers.find(({ id }) => id !== town.offer.id)?.id ?? "";
}

test("@long a gigabyte outlives a killed server and arrives bit for bit", async () => {
  const page: Page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  let parts = 0;
  page.on("requestfinished", (request) => (parts += request.method() === "PATCH" ? 1 : 0));
  const clip = join(folder, "recordings", "night.mp4");
  await choose(page, town, { request: town.requests.burglary, clips: [clip] });
  await toShare(page);
  await send(page);
  // 8 MiB each: killed somewhere about the middle, without a word to anybody.
  await expect.poll(() => parts, { timeout: 300_000, intervals: [200] }).toBeGreaterThan(50);
  await stop("SIGKILL");
  await expect(page.getByRole("heading", { name: "Waiting for the connection" })).toBeVisible({ timeout: 60_000 });
  const before = parts;
  expect(before, "it was cut off in the middle").toBeLessThan(118);
  server = await serve(town);
  await expect(page.getByText("The receipt holds")).toBeVisible({ timeout: 300_000 });
  expect(parts - before, "what had arrived is not sent again").toBeLessThanOrEqual(121 - before);
  expect(troubles).toEqual([]);
  await received(page);
  const offer = await given();
  await canvass(town.people.ines!, ["open", offer, "--for", "triage", "--purpose", BURGLARY, "--out", "large"]);
  const opened = join(town.people.ines!.home, "large");
  const name = readdirSync(opened, { recursive: true, encoding: "utf8" }).find((each) => each.endsWith("clip-01.mp4"));
  expect(await sha256(join(opened, name ?? ""))).toBe(await sha256(clip));
});

test("@long Debian's age and tar open what the browser sealed, without Canvass", async () => {
  const ines = town.people.ines!;
  const purpose = JSON.stringify({ class: "triage", offence: "none", reason: BURGLARY });
  const headers = { Authorization: `Bearer ${ines.token}`, "Canvass-Purpose": purpose };
  const clip = town.clips["porch.mp4"]!;
  const page = await context.newPage();
  await choose(page, town, { request: town.requests.burglary, clips: [clip] });
  await toShare(page);
  await send(page);
  await received(page);
  let offer = "";
  await until("the offer", async () => (offer = await given()) !== "");
  const answer = await fetch(`${town.desk}/api/v1/offers/${offer}/envelope`, { headers });
  expect(answer.status).toBe(200);
  const at = (file: string) => join(folder, file);
  await pipeline(answer.body!, createWriteStream(at("offer.age")));
  expect(await sha256(at("offer.age"))).toBe(answer.headers.get("canvass-sha256"));

  // The member's own identity opens the wrapped key; the key opens the envelope.
  const key = await fetch(`${town.desk}/api/v1/keys/${town.requests.burglary}`, { headers });
  writeFileSync(at("key.age"), ((await key.json()) as { wrapped: string }).wrapped);
  await run("age", ["-d", "-i", join(ines.home, "keyring", "identity.txt"), "-o", at("key.txt"), at("key.age")]);
  await run("age", ["-d", "-i", at("key.txt"), "-o", at("bag.tar"), at("offer.age")]);
  await run("tar", ["-xf", at("bag.tar"), "-C", folder]);
  expect(await sha256(at("envelope/data/clips/clip-01.mp4"))).toBe(await sha256(clip));
  execFileSync("sha256sum", ["--check", "--quiet", "manifest-sha256.txt"], { cwd: at("envelope") });
  execFileSync("sha256sum", ["--check", "--quiet", "tagmanifest-sha256.txt"], { cwd: at("envelope") });
  const consent = JSON.parse(readFileSync(at("envelope/consent.json"), "utf8")) as { destination: string };
  expect(consent.destination).toBe(town.requests.burglary);
});
