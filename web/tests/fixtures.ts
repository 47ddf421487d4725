/** What every browser test has: the town, a page whose console and network must stay clean, and a look at each screen. */
import AxeBuilder from "@axe-core/playwright";
import { type Browser, test as base, type BrowserContext, expect, type Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Town } from "./town";

export { expect } from "@playwright/test";

/** Everything that a page asked of the network. */
export interface Traffic {
  method: string;
  url: string;
  bytes: number;
}

/** Watches a page: errors of the console, failed requests, answers of 400 and up, and requests to other origins. */
export class Guard {
  readonly troubles: string[] = [];
  readonly traffic: Traffic[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(private readonly origins: string[]) {}

  /** What a test provokes on purpose. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  watch(page: Page): void {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.trouble(`console ${message.type()}: ${message.text()} ${message.location().url}`);
      }
    });
    page.on("pageerror", (error) => this.trouble(`uncaught: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      this.traffic.push({ method: request.method(), url, bytes: request.postDataBuffer()?.length ?? 0 });
      if (/^(data|blob):/.test(url)) return;
      if (!this.origins.some((origin) => url.startsWith(origin))) this.trouble(`another origin: ${url}`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      if (!why.includes("ERR_ABORTED")) this.trouble(`failed: ${request.method()} ${request.url()} ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400)
        this.trouble(`${response.status()}: ${response.request().method()} ${response.url()}`);
    });
  }

  private trouble(text: string): void {
    // Chromium's swift shader tells about its speed; that is this machine's, not the page's.
    if (/GPU stall|WebGL|GL Driver Message/i.test(text)) return;
    // An offer's status is a file that is not there before the offer is taken in; a page that waits for it asks again.
    if (/404/.test(text) && /\/offers\/[a-z2-7]{32}\.json/.test(text)) return;
    this.troubles.push(text);
  }

  check(): void {
    const unexpected = this.troubles.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    expect(unexpected, "console and network stay clean").toEqual([]);
  }
}

interface Fixtures {
  town: Town;
  guard: Guard;
}

export const test = base.extend<Fixtures>({
  town: async ({}, use) => {
    const file = process.env.CANVASS_TOWN;
    if (!file) throw new Error("run through playwright.config.ts, which builds the town");
    await use(JSON.parse(readFileSync(file, "utf8")) as Town);
  },
  guard: async ({ town, context }, use) => {
    const guard = new Guard([town.public, town.desk]);
    context.on("page", (page) => guard.watch(page));
    await use(guard);
    guard.check();
  },
  page: async ({ guard: _, page }, use) => {
    await use(page);
  },
});

/** Axe finds nothing; the page is no wider than the window. */
export async function accessible(page: Page, name: string): Promise<void> {
  const result = await new AxeBuilder({ page }).analyze();
  const found = result.violations.map(
    (each) => `${each.id}: ${each.help}\n  ${each.nodes.map((node) => node.target.join(" ")).join("\n  ")}`,
  );
  expect(found, `axe on ${name}`).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, `${name} is no wider than the window`).toBeLessThanOrEqual(0);
}

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } } as const;

/** Checks a screen and keeps pictures of it at phone and desk size, for people to look at (`screenshots/`). */
export async function look(
  page: Page,
  name: string,
  sizes: readonly (keyof typeof SIZES)[] = ["phone", "desk"],
): Promise<void> {
  const before = page.viewportSize();
  for (const size of sizes) {
    await page.setViewportSize(SIZES[size]);
    await page.waitForTimeout(250);
    await page.screenshot({ path: join("screenshots", `${name}-${size}.png`), fullPage: true });
    await accessible(page, `${name} at ${size} size`);
  }
  if (before) await page.setViewportSize(before);
}

/** Signs a member in at the desk, with the token that the town gave them. */
export async function signIn(page: Page, town: Town, who: string): Promise<void> {
  const token = town.people[who]?.token;
  if (!token) throw new Error(`${who} has no token`);
  await page.goto(`${town.desk}/desk/`);
  // Where passkeys can be used, the token stands folded below them.
  const folded = page.getByText("Sign in with a token", { exact: false });
  await folded.or(page.locator("#token")).first().waitFor();
  if (!(await page.locator("#token").isVisible())) await folded.click();
  await page.locator("#token").fill(token);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

export type { Browser, BrowserContext, Page };
