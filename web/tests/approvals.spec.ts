/**
 * Searches that take a second person: the page says so before anything is searched, a supervisor reads what is asked and touched
 * and approves it, who asked runs it, and what it showed is kept in the case with its custody.
 */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

import { CAMERAS, CASE, cameraTown, minutesAgo, sendReads, stopServer } from "./camera-town";
import { enter } from "./desk-steps";
import { expect, look, type Page, test } from "./fixtures";
import type { Town } from "./town";

test.describe.configure({ mode: "serial" });
test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/127\.0\.0\.1:/));

const WHY = "Two cars that left the pharmacy on Elm Street together";
let town: Town;
let server: ChildProcess;
/** Where the search for company waits. */
let waits = "";

test.beforeAll(async () => {
  const made = await cameraTown();
  ({ town, server } = made);
  for (const [at, token] of made.tokens.entries())
    await sendReads(town, token, [
      { id: 1, time: minutesAgo(60 - 20 * at), plate: "ABC 1234", vehicle: "Truck", color: "Grey" },
      { id: 2, time: minutesAgo(59 - 20 * at), plate: "BBB 222", vehicle: "Car" },
      { id: 3, time: minutesAgo(60 - 20 * at), plate: "A8C 1234" },
    ]);
});

test.afterAll(async () => {
  await stopServer(server);
  rmSync(town.folder, { recursive: true, force: true });
});

async function purpose(page: Page): Promise<void> {
  await page.getByLabel("Class of the offence").selectOption("felony");
  await page.getByLabel("Case", { exact: true }).fill(CASE);
  await page.getByLabel("Why do you search?").fill(WHY);
}

const monthsAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 16);

test("a search that reaches far back is not run, but asked for", async ({ page }) => {
  await enter(page, town, "ines", "/desk/plates", "Plates");
  await page.getByLabel("Plate", { exact: true }).fill("ABC1234");
  await page.getByLabel("From", { exact: true }).fill(monthsAgo(45));
  await purpose(page);
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByText("It needs a second person", { exact: false })).toBeVisible();
  await expect(page.getByText("More than 30 days of anyone's movements", { exact: false })).toBeVisible();
  await expect(page.getByRole("heading", { name: "What was found" })).toBeHidden();
  await look(page, "desk-plates-second");
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await expect(page.getByText("Another member, a supervisor, has to decide.", { exact: false })).toBeVisible();
  expect(page.url(), "no plate in the address").not.toMatch(/ABC/i);
  await page.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.getByRole("status").getByText("Taken back")).toBeVisible();
});

test("an investigator asks for the company of a plate", async ({ page, guard }) => {
  await enter(page, town, "ines", "/desk/plates/company", "Company of a plate");
  guard.allow(/422/);
  await page.getByLabel("Plate", { exact: true }).fill("ABC 1234");
  await page.getByLabel("Seconds before or after").fill("5");
  await purpose(page);
  await page.getByRole("button", { name: "See what it touches" }).click();
  await expect(page.getByLabel("Seconds before or after")).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel("Seconds before or after").fill("120");
  await page.getByRole("button", { name: "See what it touches" }).click();
  await expect(page.getByText("This touches 2 cameras of 1 owner", { exact: false })).toBeVisible();
  await look(page, "desk-company");
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await expect(page.getByText("You asked for this.", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);
  waits = new URL(page.url()).pathname;
  expect(waits).toMatch(/\/desk\/plates\/approvals\/apv_/);
});

test("a supervisor reads what is asked and touched, and approves it", async ({ page }) => {
  await enter(page, town, "sam", "/desk/plates/approvals", "Second person");
  await expect(page.getByRole("link", { name: /Company of a plate/ })).toHaveCount(1);
  await look(page, "desk-plate-approvals");
  await page.getByRole("link", { name: /Company of a plate/ }).click();
  await expect(page.getByText(WHY)).toBeVisible();
  await expect(page.getByText("This touches 2 cameras of 1 owner", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Run it now" })).toHaveCount(0);
  await look(page, "desk-plate-approval");
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(page.getByRole("status").getByText("Approved")).toBeVisible();
});

test("who asked runs it, and keeps what it shows in the case", async ({ page }) => {
  await enter(page, town, "ines", waits, "Company of a plate");
  await page.getByRole("button", { name: "Run it now" }).click();
  await expect(page.getByRole("heading", { name: "What was found" })).toBeFocused();
  const cards = page.locator("ol.cards > li");
  await expect(cards).toHaveCount(2);
  await expect(cards.filter({ hasText: "BBB222" })).toContainText("2 cameras");
  await expect(cards.filter({ hasText: "BBB222" })).toContainText("60 seconds apart");
  const misread = cards.filter({ hasText: "A8C1234" });
  await expect(misread).toContainText("may be a misread of the plate itself");
  const card = cards.filter({ hasText: "BBB222" });
  await card.getByText("Reads that show it", { exact: false }).click();
  await expect(card).toContainText(CAMERAS[0]);
  for (const box of await card.getByRole("checkbox").all()) await box.check();
  await look(page, "desk-company-found");
  await page.getByLabel("Note (may stay empty)").fill("Behind the pickup at both cameras");
  await page.getByRole("button", { name: "Keep 2 reads in the case" }).click();
  await expect(page.getByText("2 reads are kept in the case.")).toBeVisible();
  await page.getByRole("link", { name: "To the case" }).click();
  await expect(page.getByRole("heading", { level: 1, name: CASE })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Plate reads kept (1)" })).toBeVisible();
  await look(page, "desk-case-reads", ["desk"]);
  await page.getByRole("link", { name: /2 reads/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Plate reads of the case" })).toBeVisible();
  await expect(page.locator("ol.list > li")).toHaveCount(0);
  await page.getByLabel("Why do you read this?").fill("Comparing the reads of both cars with the clips");
  await page.getByRole("button", { name: "Read", exact: true }).click();
  await expect(page.locator("ol.list > li")).toHaveCount(2);
  await expect(page.getByText("Plate reads kept", { exact: true }).first()).toBeVisible();
  await look(page, "desk-kept");
});

test("several places are asked for with their cameras and times", async ({ page }) => {
  await enter(page, town, "ines", "/desk/plates/places", "Several places");
  await page.getByRole("button", { name: "See what it touches" }).click();
  await expect(page.getByText("Choose a camera.")).toHaveCount(2);
  const place = (n: number) => page.getByRole("group", { name: `Place ${n}` });
  for (const [n, camera] of CAMERAS.entries()) {
    await place(n + 1)
      .getByLabel("Name of the place")
      .fill(n === 0 ? "Pharmacy" : "Depot");
    await place(n + 1)
      .getByLabel("From", { exact: true })
      .fill(localAgo(180));
    await place(n + 1)
      .getByLabel("Until", { exact: true })
      .fill(localAgo(-2));
    await place(n + 1)
      .getByLabel(camera)
      .check();
  }
  await purpose(page);
  await page.getByRole("button", { name: "See what it touches" }).click();
  await expect(page.getByText("This touches 2 cameras of 1 owner", { exact: false })).toBeVisible();
  await look(page, "desk-places");
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await expect(page.getByText("You asked for this.", { exact: false })).toBeVisible();
  waits = new URL(page.url()).pathname;
});

test("the places are approved and run", async ({ page, browser }) => {
  const context = await browser.newContext();
  const other = await context.newPage();
  await enter(other, town, "sid", waits, "Several places");
  await expect(other.getByText("Pharmacy", { exact: true })).toBeVisible();
  await other.getByRole("button", { name: "Approve", exact: true }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(other.getByRole("status").getByText("Approved")).toBeVisible();
  await context.close();
  await enter(page, town, "ines", waits, "Several places");
  await page.getByRole("button", { name: "Run it now" }).click();
  const cards = page.locator("ol.cards > li");
  await expect(cards).toHaveCount(3);
  await expect(cards.first()).toContainText("2 places");
  await cards.first().getByText("Reads that show it").click();
  await expect(cards.first()).toContainText("Pharmacy: 1 read");
  await look(page, "desk-places-found");
});

/** A moment so many minutes ago, as a field of the browser's local time has it. */
function localAgo(minutes: number): string {
  const text = new Date(Date.now() - minutes * 60_000).toLocaleString("sv-SE", { timeZone: "America/New_York" });
  return text.slice(0, 16).replace(" ", "T");
}
