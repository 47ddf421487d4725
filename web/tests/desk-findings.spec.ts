/** What misuse detection found, from real acts to an answer. On the executable's own server and pages. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { enter } from "./desk-steps";
import { accessible, expect, look, test } from "./fixtures";
import { asks, canvass, type Town, until } from "./town";

test.describe.configure({ mode: "serial" });

/** The words that are copied for one matter after the other. */
const COPIED = "Looking for the grey pickup with the broken headlight";
/** So many matters as the rule of copied reasons takes (`policies/misuse.toml`). */
const MATTERS = 6;

/** Ivo opens six offers for six numbers of cases, with the same words each time; gives back the id of what is found. */
async function plant(town: Town): Promise<string> {
  const { rosa, ivo, sol } = town.people as Record<string, Town["people"][string]>;
  for (let at = 1; at <= MATTERS; at += 1) {
    const name = `copied-${at}`;
    const seal = ["seal", "--request", town.requests.collision, "--out", name, "--yes", "--include-outside"];
    await canvass(rosa!, [...seal, town.clips["porch.mp4"]!]);
    await canvass(rosa!, ["give", name]);
    const receipt = readFileSync(join(rosa!.home, `${name}.receipt.json`), "utf8");
    const { offer } = JSON.parse(receipt) as { offer: string };
    const why = ["--for", "triage", "--purpose", COPIED, "--case-number", `SO-26-30${at}`];
    await canvass(ivo!, ["open", offer, ...why, "--out", name]);
  }
  let found: { id: string; rule: string }[] = [];
  await until("finding the copies", async () => {
    found = await asks<typeof found>(sol!, ["finding", "list", "--state", "open"]);
    return found.length > 0;
  });
  expect(found.map(({ rule }) => rule)).toEqual(["reasons"]);
  return found[0]!.id;
}

test("copied reasons are found, a supervisor answers, an overseer anew, and the member sees nothing", async ({
  page,
  town,
}) => {
  const id = await plant(town);
  await enter(page, town, "sol", "/desk/findings", "Findings");
  await expect(page.getByRole("link", { name: /Findings\s+1 waits/ })).toBeVisible();
  await expect(page.getByText("6 acts with nearly the same words, for 6 matters")).toBeVisible();
  await look(page, "desk-findings");
  await page.getByRole("link", { name: /The same reason everywhere/ }).click();
  await expect(page).toHaveURL(new RegExp(id));
  await expect(page.getByRole("link", { name: "Ivo Investigator" })).toBeVisible();
  const rows = page.getByRole("table").getByRole("row").filter({ hasText: COPIED });
  await expect(rows).toHaveCount(MATTERS);
  await expect(rows.first().locator('a[href^="/desk/inbox/off_"]')).toBeVisible();
  await look(page, "desk-finding");
  await page.setViewportSize({ width: 320, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page, "desk-finding at 320, dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });

  // By keyboard alone.
  await page.getByRole("button", { name: "Answer" }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "What was it?" });
  const save = dialog.getByRole("button", { name: "Put on record" });
  await expect(save).toBeDisabled();
  await dialog.getByLabel("Why", { exact: true }).pressSequentially("No");
  await expect(dialog.getByText("Write a reason of 10 to 500 characters.")).toBeVisible();
  await expect(dialog.getByText("Choose one.")).toBeVisible();
  await look(page, "desk-finding-answer");
  await dialog.getByLabel("Explained", { exact: false }).press("Space");
  await dialog
    .getByLabel("Why", { exact: true })
    .fill("One pickup was seen by six neighbours; the form was agreed on.");
  await save.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.locator("main [role=status]").getByText("Explained")).toBeVisible();
  await expect(page.getByText("Only an overseer can answer anew.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Findings", exact: true }).first()).toBeVisible();
  await expect(page.getByRole("link", { name: /Findings\s+1 waits/ })).toHaveCount(0);
  await page.goto(`${town.desk}/desk/findings`);
  await expect(page.getByText("No finding waits")).toBeVisible();
  await page.getByRole("link", { name: "Answered" }).click();
  await expect(page.getByText(/Answered by Sol Supervisor/)).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "oona", `/desk/findings/${id}`, "The same reason everywhere");
  await expect(page.getByText("Merrimack County Sheriff")).toBeVisible();
  await page.getByRole("button", { name: "Answer anew" }).click();
  await dialog.getByLabel("Confirmed", { exact: false }).check();
  await dialog
    .getByLabel("Why", { exact: true })
    .fill("Nobody agreed on a form; the words were copied without a look.");
  await save.click();
  await expect(page.locator("main [role=status]").getByText("Confirmed")).toBeVisible();
  await expect(page.getByText(/Answered by Oona Overseer/)).toBeVisible();
  await page.getByRole("link", { name: "Its records" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Records of actions" })).toBeVisible();
  await page.getByRole("button", { name: "Read the records" }).click();
  await expect(page.locator("main .list").getByText(COPIED).first()).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "ivo", "/desk/requests", "Requests");
  await expect(page.getByRole("link", { name: /Findings/ })).toHaveCount(0);
});

test("the page is there in Spanish", async ({ browser, town }) => {
  const context = await browser.newContext({ locale: "es-US" });
  const page = await context.newPage();
  await page.goto(`${town.desk}/desk/`);
  await page.locator("#token").fill(town.people.sol!.token!);
  await page.locator("#token").press("Enter");
  await page.locator('.rail a[href="/desk/findings"]').click();
  await page.getByRole("link", { name: "Respondidos" }).click();
  await page.getByRole("link", { name: /La misma razón en todas partes/ }).click();
  await expect(page.getByText("6 acciones con casi las mismas palabras")).toBeVisible();
  await accessible(page, "desk-finding in Spanish");
  const words = await page.locator("main").innerText();
  expect(words).not.toMatch(/\b(desk|govern|common|ledger)\.[a-z]+(\.[a-z]+)*\b/);
  await context.close();
});
