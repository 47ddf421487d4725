/**
 * Plates, from a camera's read to the owner who finds the search: sent over HTTP, searched at the desk, one search sealed by a
 * court's order, the others found weeks later without telling the server the plate. On a server of its own, which is started
 * again some weeks ahead: searches become public after 30 days.
 */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

import { CAMERAS, CASE, cameraTown, drawnCar, minutesAgo, sendReads, stopServer } from "./camera-town";
import { enter } from "./desk-steps";
import { expect, look, type Page, test } from "./fixtures";
import { serve, type Town, until } from "./town";

test.describe.configure({ mode: "serial" });
test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/127\.0\.0\.1:/));

const WHY = "Grey pickup that left the pharmacy on Elm Street";
let town: Town;
let server: ChildProcess;

/** The town, and what its cameras read. */
test.beforeAll(async ({ browser }) => {
  const made = await cameraTown();
  ({ town, server } = made);
  const [elm, depot] = made.tokens;
  const picture = await drawnCar(browser, "ABC 1234");
  await sendReads(town, elm, [
    { id: 1, time: minutesAgo(50), plate: "ABC 1234", confidence: 91, vehicle: "Truck", color: "Grey", picture },
    { id: 2, time: minutesAgo(40), plate: "A8C1234", confidence: 80 },
    { id: 3, time: minutesAgo(30), plate: "XYZ 789", confidence: 88 },
  ]);
  await sendReads(town, depot, [{ id: 1, time: minutesAgo(20), plate: "ABC1234", confidence: 97, vehicle: "Truck" }]);
});

test.afterAll(async () => {
  await stopServer(server);
  rmSync(town.folder, { recursive: true, force: true });
});

async function searches(page: Page, plate: string, reason = WHY): Promise<void> {
  await page.getByLabel("Plate", { exact: true }).fill(plate);
  await page.getByLabel("Class of the offence").selectOption("felony");
  await page.getByLabel("Case", { exact: true }).fill(CASE);
  await page.getByLabel("Why do you search?").fill(reason);
  await page.getByRole("button", { name: "Search", exact: true }).click();
}

test("an investigator searches with a purpose, sees what differs, and where the plate was seen", async ({
  page,
  guard,
}) => {
  await enter(page, town, "ines", "/desk/plates", "Plates");
  await look(page, "desk-plates-empty");
  guard.allow(/422/);
  await searches(page, "abc 1234", "investigation");
  await expect(page.getByRole("heading", { name: "What was found" })).toBeHidden();
  await expect(page.getByLabel("Why do you search?")).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel("Why do you search?").fill(WHY);
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByRole("heading", { name: "What was found" })).toBeFocused();
  await expect(page.getByText("Elm Police: 2 cameras searched.")).toBeVisible();
  const reads = page.locator("ol.list > li");
  await expect(reads).toHaveCount(3);
  await expect(reads.nth(0)).toContainText(CAMERAS[1]);
  await expect(reads.nth(0).getByText("Exact")).toBeVisible();
  await expect(reads.nth(1).getByText("Easily misread")).toBeVisible();
  await expect(reads.nth(1).locator("mark")).toHaveText("8");
  await expect(reads.nth(1)).toContainText("asked B, read 8.");
  await expect(reads.nth(2)).toContainText("Grey, Truck");
  await expect(reads.getByRole("img"), "of the read that came with one").toHaveCount(1);
  await expect(reads.nth(2).getByRole("img", { name: `Picture of the vehicle: ${CAMERAS[0]}` })).toBeVisible();
  await look(page, "desk-plates");
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "desk-plates-dark", ["desk"]);
  await page.emulateMedia({ colorScheme: "light" });

  await reads.nth(0).getByRole("button", { name: "Where was it seen?" }).click();
  await expect(page.getByRole("heading", { name: "Where ABC1234 was seen" })).toBeFocused();
  await expect(reads).toHaveCount(2);
  expect(page.url(), "no plate in the address").toBe(`${town.desk}/desk/plates`);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(kept, "nor in what the browser keeps").not.toMatch(/ABC.?1234/i);

  await page.getByLabel("Plate", { exact: true }).fill("QQQ000");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByText("Nothing was found")).toBeVisible();
});

test("one search is sealed by a court's order, by two people", async ({ page, browser }) => {
  await enter(page, town, "sam", "/desk/plates", "Plates");
  await searches(page, "XYZ 789");
  await page.getByRole("link", { name: "Seal by court order" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Court seals" })).toBeVisible();
  await expect(page.getByLabel("Record of the search")).toHaveValue(/^aud_/);
  await page.getByRole("button", { name: "Propose" }).click();
  await expect(page.getByText("Name the court, in 3 to 200 characters.")).toBeVisible();
  await page.getByLabel("Court", { exact: true }).fill("Superior Court");
  await page.getByLabel("Number of the order").fill("26-cr-77");
  await page.getByLabel("Last day").fill(new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10));
  await page.getByRole("button", { name: "Propose" }).click();
  await expect(page.getByText("Proposed. Another supervisor or custodian confirms it")).toBeVisible();
  const own = page.getByRole("listitem").filter({ hasText: "Superior Court, 26-cr-77" });
  await expect(own.getByRole("button", { name: "Confirm" })).toHaveCount(0);

  const context = await browser.newContext();
  const other = await context.newPage();
  await enter(other, town, "sid", "/desk/seals", "Court seals");
  const row = other.getByRole("listitem").filter({ hasText: "Superior Court, 26-cr-77" });
  await row.getByRole("button", { name: "Confirm" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Confirm" }).click();
  await expect(row.getByText("In force")).toBeVisible();
  await look(other, "desk-seals");
  await context.close();
  await until("the number of seals to be public", async () => {
    const index = (await (await fetch(`${town.public}/asked/index.json`)).json()) as { sealed: number };
    return index.sealed === 1;
  });
});

test("weeks later the owner finds the searches of their plate, and nobody the sealed one", async ({ page }) => {
  await stopServer(server);
  server = await serve(town, [], 40);
  await until("the days to be public", async () => {
    const index = (await (await fetch(`${town.public}/asked/index.json`)).json()) as { last: string | null };
    return index.last !== null && Date.parse(index.last) > Date.now() - 86_400_000;
  });
  await page.goto(`${town.public}/searched`);
  const check = async (plate: string) => {
    await page.getByLabel("License plate").fill(plate);
    await page.getByRole("button", { name: "Check" }).click();
    await expect(page.getByText("looked through", { exact: false })).toBeVisible({ timeout: 60_000 });
  };
  await check("abc-1234");
  await expect(page.getByRole("heading", { name: "2 searches named this plate" })).toBeVisible();
  const cards = page.locator("li.card");
  await expect(cards).toHaveCount(2);
  await expect(cards.first()).toContainText("Elm Police");
  await expect(cards.first()).toContainText("2-10");
  await look(page, "searched-found");
  await check("XYZ789");
  await expect(page.getByRole("heading", { name: "No search that named this plate is public yet" })).toBeVisible();
  await expect(page.getByText("One search is sealed by a court now.")).toBeVisible();
  await check("A8C1234");
  await expect(page.getByRole("heading", { name: "No search that named this plate is public yet" })).toBeVisible();
});
