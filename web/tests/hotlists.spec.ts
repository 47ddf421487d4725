/**
 * A hotlist, from a file with a bad row to what the public learns of it: made and filled by one person, approved by another who
 * saw the difference; its alerts come to the open page, and a person compares plate and picture. On a server of its own.
 */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

import { CAMERAS, CASE, cameraTown, drawnCar, minutesAgo, sendReads, stopServer } from "./camera-town";
import { enter } from "./desk-steps";
import { expect, look, type Page, test } from "./fixtures";
import { type Town, until } from "./town";

test.describe.configure({ mode: "serial" });
test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/127\.0\.0\.1:/));

const LIST = "Stolen vehicles";
const SOURCE = "State police, file of stolen vehicles";
let town: Town;
let server: ChildProcess;
let tokens: [string, string];

test.beforeAll(async () => {
  ({ town, server, tokens } = await cameraTown());
});

test.afterAll(async () => {
  await stopServer(server);
  rmSync(town.folder, { recursive: true, force: true });
});

async function chooses(page: Page, csv: string): Promise<void> {
  const file = { name: "stolen.csv", mimeType: "text/csv", buffer: Buffer.from(csv) };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
}

async function dark(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
}

test("an investigator makes a hotlist, is shown a bad row, and proposes what is on it", async ({ page, guard }) => {
  await enter(page, town, "ines", "/desk/hotlists", "Hotlists");
  await expect(page.getByText("No hotlists yet")).toBeVisible();
  await look(page, "desk-hotlists-empty");
  await page.getByRole("link", { name: "Make a hotlist" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Make a hotlist" })).toBeVisible();
  await page.getByRole("button", { name: "Make the list" }).click();
  await expect(page.getByText("Write a name of 2 to 80 characters.")).toBeVisible();
  await expect(page.getByLabel("Name")).toBeFocused();
  await page.getByLabel("Name").fill(LIST);
  await page.getByLabel("Source").fill(SOURCE);
  await page.getByLabel("Legal basis").selectOption("judicial");
  await expect(page.getByLabel("Number of the warrant or court order")).toBeVisible();
  await page.getByLabel("Legal basis").selectOption("agency");
  await page.getByLabel("Purpose", { exact: true }).selectOption("stolen");
  await page.getByLabel("Case", { exact: true }).fill(CASE);
  await page.getByLabel("Why is there this list?").fill("Vehicles stolen in Elm County since October");
  await look(page, "desk-hotlist-new");
  await page.getByRole("button", { name: "Make the list" }).click();
  await expect(page.getByRole("heading", { level: 1, name: LIST })).toBeVisible();
  await expect(page.getByText("Alerts nobody: nothing is on it yet")).toBeVisible();

  guard.allow(/422/);
  await page.getByRole("button", { name: "Propose" }).click();
  await expect(page.getByText("Choose a CSV or JSON file.")).toBeVisible();
  await chooses(page, "plate,region,reason\nABC 1234,US-TX,Taken from Oak Street\nXYZ 789,Atlantis,\n");
  await page.getByLabel("Reason", { exact: true }).fill("The weekly file of the state police");
  await page.getByRole("button", { name: "Propose" }).click();
  const bad = page.getByRole("group", { name: "Bad rows" }).getByRole("row").nth(1);
  await expect(bad).toContainText("region");
  await expect(bad).toContainText("This is no code of a region.");
  await expect(bad.getByRole("cell").first()).toHaveText("2");
  await look(page, "desk-hotlist-bad-row");
  await chooses(page, "plate,region,reason\nABC 1234,US-TX,Taken from Oak Street\nXYZ 789,,\n");
  await page.getByRole("button", { name: "Propose" }).click();
  const done = page.getByRole("status").filter({ hasText: "2 rows read, 0 left out." });
  await expect(done.getByRole("link", { name: "To the proposal" })).toBeVisible();
  await expect(page.getByText("Waits for a second person", { exact: true })).toBeVisible();
  const added = page.getByRole("row").filter({ hasText: "ABC1234" });
  await expect(added).toContainText("New");
  await look(page, "desk-hotlist-proposed");
});

test("another person sees the difference and approves it", async ({ page }) => {
  await enter(page, town, "sam", "/desk/approvals", "Approvals");
  await page.getByRole("link", { name: /What is on a hotlist/ }).click();
  await expect(page.getByRole("heading", { level: 2, name: "What changes on the list" })).toBeVisible();
  await expect(page.getByText("2 plates: 2 new, 0 gone, 0 changed").first()).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "ABC1234" })).toContainText("Taken from Oak Street");
  await look(page, "desk-hotlist-approve");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(page.getByRole("status").getByText("Approved")).toBeVisible();
  await page.getByRole("link", { name: LIST }).click();
  await expect(page.getByText("In force", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: "What is on it" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "XYZ789" })).toContainText("no end");
  await dark(page, "desk-hotlist");
});

test("an alert comes to the open page; plate and picture are compared by a person", async ({
  page,
  browser,
  guard,
}) => {
  await enter(page, town, "ines", "/desk/alerts", "Alerts");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByText("No alerts", { exact: true })).toBeVisible();
  const picture = await drawnCar(browser, "ABC 1234");
  await sendReads(town, tokens[0], [{ id: 1, time: minutesAgo(0), plate: "A8C1234", confidence: 88, picture }]);
  const first = page.getByRole("article", { name: `${LIST}: read at ${CAMERAS[0]}` });
  await expect(first).toBeVisible();
  await expect(page.locator("[aria-live=polite]").filter({ hasText: "New alert, number 1" })).toBeAttached();
  await expect(first.getByText("An alert alone is no cause for a stop")).toBeVisible();
  await expect(first.locator("mark")).toHaveText("8");
  await expect(first).toContainText("listed B, read 8.");
  await look(page, "desk-alerts");
  await dark(page, "desk-alerts");

  await first.getByRole("button", { name: "Compare plate and picture" }).click();
  const typed = first.getByLabel("Plate as it stands in the picture");
  await expect(typed).toBeFocused();
  await expect(typed).toHaveValue("");
  const shown = first.getByRole("img", { name: `Picture of the vehicle: ${CAMERAS[0]}` });
  await expect(shown).toBeVisible();
  expect(await shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(640);
  await expect(first, "the plate is covered").not.toContainText(/A[8B]C1234/);
  await first.getByRole("button", { name: "Record what I see" }).click();
  await expect(first.getByText("Type the plate that you see.")).toBeVisible();
  await look(page, "desk-alert-compare");
  await typed.fill("abc 1234");
  await typed.press("Enter");
  await expect(page.getByText("Confirmed: you saw the plate of the list.")).toBeVisible();
  await expect(first.getByText("Confirmed", { exact: true })).toBeVisible();
  await expect(first.getByText("An alert alone is no cause for a stop")).toBeHidden();
  await expect(first.getByRole("heading")).toBeFocused();

  await sendReads(town, tokens[1], [{ id: 1, time: minutesAgo(0), plate: "XYZ789", confidence: 97 }]);
  const second = page.getByRole("article", { name: `${LIST}: read at ${CAMERAS[1]}` });
  await second.getByRole("button", { name: "Compare plate and picture" }).click();
  await expect(second.getByText("The camera sent no picture along.")).toBeVisible();
  await second.getByLabel("Plate as it stands in the picture").fill("XYZ788");
  await second.getByLabel("The plate is right, but the list is out of date").check();
  guard.allow(/422/);
  await second.getByRole("button", { name: "Record what I see" }).click();
  await expect(second.getByText("You typed another plate than that of the list")).toBeVisible();
  await second.getByLabel("The plate is right, but the list is out of date").uncheck();
  await second.getByRole("button", { name: "Record what I see" }).click();
  await expect(page.getByText("Misread: you saw another plate.")).toBeVisible();
  await page.getByRole("combobox", { name: "State" }).selectOption("misread");
  await expect(page.getByRole("article")).toHaveCount(1);
  expect(page.url()).toContain("state=misread");
  await page.reload();
  await expect(second).toContainText("XYZ788");
  await expect(first).toHaveCount(0);

  await second.getByRole("link", { name: /\d:\d\d/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "An alert" })).toBeVisible();
  await expect(second).toContainText("XYZ788");
  await look(page, "desk-alert");
});

test("the public learns where the list's plates come from and how often it was wrong, and no plate", async ({
  page,
}) => {
  await until("the counts to be public", async () => {
    const text = await (await fetch(`${town.public}/transparency.json`)).text();
    const { hotlists } = JSON.parse(text) as { hotlists: { alerts: { confirmed: number; misread: number } }[] };
    expect(text).not.toMatch(/ABC1234|XYZ789|XYZ788/);
    return hotlists[0]?.alerts.confirmed === 1 && hotlists[0].alerts.misread === 1;
  });
  await page.goto(`${town.public}/ledger#view=access`);
  const row = page.getByRole("region", { name: "Hotlists in force" }).getByRole("row").nth(1);
  await expect(row).toContainText("Elm Police");
  await expect(row).toContainText(SOURCE);
  await expect(row.getByRole("cell").last()).toHaveText("50 %");
  await expect(row.getByRole("cell").nth(-2)).toHaveText("2");
  await expect(page.getByText(LIST, { exact: true })).toHaveCount(0);
});

test("a supervisor retires the list; it alerts no more", async ({ page }) => {
  await enter(page, town, "sam", "/desk/hotlists", "Hotlists");
  await look(page, "desk-hotlists");
  await page.getByRole("link", { name: new RegExp(LIST) }).click();
  await page.getByRole("button", { name: "Retire" }).click();
  const dialog = page.getByRole("dialog", { name: `Retire ${LIST}?` });
  await expect(dialog.getByText("It alerts no more, at once")).toBeVisible();
  await dialog.getByRole("button", { name: "Retire" }).click();
  await expect(page.getByText(`${LIST} is retired; it alerts no more.`)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Import" })).toHaveCount(0);
  await sendReads(town, tokens[1], [{ id: 2, time: minutesAgo(0), plate: "XYZ789", confidence: 97 }]);
  await page.getByRole("link", { name: "Show them" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Alerts" })).toBeVisible();
  await expect(page.getByRole("article").filter({ hasText: "Not compared yet" })).toHaveCount(0);
});
