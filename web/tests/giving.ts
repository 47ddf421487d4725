/** A resident's steps of giving, for the tests that begin or end elsewhere; and requests, clips and connections as they need them. */
import { closeSync, copyFileSync, openSync, writeSync } from "node:fs";

import { expect, type Page } from "./fixtures";
import { ask, canvass, draft, type Person, square, type Town, until } from "./town";

/** Has an investigator ask, a moderator approve, and waits until it is published. */
export async function publish(town: Town, code: string, by: Person = town.people.ines!): Promise<string> {
  const start = Math.floor(Date.now() / 1000) - 20 * 3600;
  const details = `Somebody broke a window on Maple Street and left on a bicycle. We look for the way they took (${code}).`;
  const id = await ask(by, draft(code, "vandalism", details, square(-71.543, 43.207, 0.006), [start, start + 7200]));
  await canvass(town.people.mo!, ["moderate", "approve", id, "--reason", "One street, two hours, a clear matter."]);
  await published(town, id);
  return id;
}

/** Waits until the feed has the request. */
export async function published(town: Town, id: string): Promise<void> {
  await until(`publishing ${id}`, async () =>
    (await (await fetch(`${town.public}/feed/${town.region}.json`)).text()).includes(id),
  );
}

export interface Giving {
  request: string;
  clips: string[];
  invitation?: string;
}

/** Opens the page on which clips are chosen, and chooses. */
export async function choose(page: Page, town: Town, { request, clips, invitation }: Giving): Promise<void> {
  await page.goto(`${town.public}/r/${town.region}#${request}/give${invitation ? `/${invitation}` : ""}`);
  await expect(page.getByRole("heading", { name: "Which clips?" })).toBeVisible();
  await page.locator('input[type="file"]').first().setInputFiles(clips);
  await expect(page.getByRole("heading", { name: clips.length === 1 ? "One clip" : /clips$/ })).toBeVisible({
    timeout: 60_000,
  });
}

/** From the chosen clips to the page that says what will be shared, without changes and without a name. */
export async function toShare(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "Trim and blur, if you like" })).toBeVisible();
  await page.getByRole("button", { name: /Continue/ }).click();
  await expect(page.getByRole("heading", { name: "May the agency reach you?" })).toBeVisible();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "What will be shared" })).toBeVisible();
}

/** Agrees, and begins sealing and sending. */
export async function send(page: Page): Promise<void> {
  await page.getByLabel("I have read this, and agree").check();
  await page.getByRole("button", { name: "Seal and send" }).click();
}

/** All of it, up to the receipt. */
export async function give(page: Page, town: Town, giving: Giving): Promise<void> {
  await choose(page, town, giving);
  await toShare(page);
  await send(page);
  await received(page);
}

export async function received(page: Page): Promise<void> {
  await expect(page.getByText("The receipt holds")).toBeVisible({ timeout: 90_000 });
}

/** A copy of an MP4 that is `bytes` longer: a `free` box (ISO/IEC 14496-12) follows, which players leap over. */
export function longer(source: string, target: string, bytes: number): string {
  copyFileSync(source, target);
  const file = openSync(target, "a");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(bytes, 0);
  head.write("free", 4, "latin1");
  writeSync(file, head);
  // Different in every block, so that nothing on the way can take one for another.
  const block = Buffer.alloc(1024 * 1024, 0x5a);
  for (let left = bytes - 8, number = 0; left > 0; number += 1) {
    block.writeUInt32BE(number, 0);
    left -= writeSync(file, block, 0, Math.min(left, block.length));
  }
  closeSync(file);
  return target;
}

/** A connection that breaks after some parts of an upload, until it is mended. */
export class Connection {
  /** How many parts still get through; then none does. */
  parts = Infinity;
  /** Whether an upload can be begun at all. */
  begins = true;

  async on(page: Page): Promise<void> {
    await page.route(/\/uploads/, (route) => {
      const method = route.request().method();
      if (method === "PATCH") {
        if (this.parts <= 0) return route.abort("connectionreset");
        this.parts -= 1;
      } else if (!this.begins && method === "POST") return route.abort("connectionreset");
      return route.continue();
    });
  }

  mend(): void {
    this.parts = Infinity;
    this.begins = true;
  }
}

/** What a broken connection writes to the console. */
export const BROKEN = [/ERR_CONNECTION_RESET/, /ERR_INTERNET_DISCONNECTED/, /ERR_CONNECTION_REFUSED/, /ERR_FAILED/];
