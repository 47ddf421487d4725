/** What everybody may know of the settings, and the alarm when a published text says something else. On the executable's own pages. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { enter } from "./desk-steps";
import { accessible, expect, look, type Page, test } from "./fixtures";
import { LOOKS, shoot, wordsOf } from "./gallery";
import { asks, BURGLARY, canvass, type Town, until } from "./town";

const TEXT =
  "# What we keep\n\nFootage that nobody has reviewed is deleted after 60 days.\n\n- We share with no federal agency.";

/** Publishes the operator's text with the command line. */
async function publish(town: Town, days: number, language: "en" | "es"): Promise<void> {
  const { operator } = town.people;
  const front = `+++\nlanguage = "${language}"\n[claims]\n"retention.untriaged_days" = ${String(days)}\n+++\n`;
  writeFileSync(join(operator!.home, "policy.md"), front + TEXT);
  await canvass(operator!, ["policy-text", "set", "policy.md", "--deployment"]);
}

interface Summary {
  deployment: { contradictions: unknown[] };
}

async function alarms(town: Town, count: number): Promise<void> {
  await until("comparing texts and settings", async () => {
    const summary = (await (await fetch(`${town.public}/transparency.json`)).json()) as Summary;
    return summary.deployment.contradictions.length === count;
  });
}

async function download(page: Page, name: string | RegExp): Promise<string[]> {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  const text = readFileSync((await (await coming).path())!, "utf8");
  expect(text.startsWith("\ufeff")).toBe(true);
  return text.slice(1).trimEnd().split("\r\n");
}

test("a text that contradicts a setting is an alarm for everybody, until the text is changed", async ({
  page,
  town,
}) => {
  await enter(page, town, "operator", "/desk/policy-text", "Published policy");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("Write at least 20 characters.")).toBeVisible();
  await page.getByLabel("Text (Markdown)").fill(TEXT);
  await page.getByLabel("Footage that nobody has reviewed is kept").fill("60");
  await page.getByLabel("Sharing with federal agencies").selectOption("none");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("Published. It is compared with the settings within moments.")).toBeVisible();
  await expect(page.getByText("“60 days” in this text stands beside words for")).toBeVisible();
  await alarms(town, 1);
  await page.reload();
  const alarm = page.getByRole("alert").filter({ hasText: "The published policy and the settings disagree" });
  await expect(alarm).toBeVisible();
  // The form begins with what is published.
  await expect(page.getByLabel("Text (Markdown)")).toHaveValue(TEXT);
  await expect(page.getByLabel("Footage that nobody has reviewed is kept")).toHaveValue("60");
  await look(page, "desk-policy-text");
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "oona", "/desk/oversight", "Records of actions");
  await expect(alarm).toBeVisible();
  await expect(alarm).toContainText("60 days");
  await expect(alarm).toContainText("90 days");
  await expect(alarm.getByRole("button")).toHaveCount(0);
  await look(page, "desk-oversight-alarm", ["desk"]);

  await page.goto(`${town.public}/ledger#view=access`);
  await expect(alarm).toContainText("Whole deployment: Footage that nobody has reviewed is kept");
  await page.getByText("Read the English text of Whole deployment").click();
  await expect(page.getByRole("heading", { name: "What we keep", exact: true })).toBeVisible();
  await expect(page.getByText("Numbers to look at")).toBeVisible();
  await look(page, "ledger-access-alarm");

  await publish(town, 90, "en");
  await alarms(town, 0);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Who has access, and what is set" })).toBeVisible();
  await expect(alarm).toHaveCount(0);
  await page.goto(`${town.public}/ledger#view=ledger`);
  await expect(page.getByText(/The published policy does not say what is set/).first()).toBeVisible();
  await expect(page.getByText(/The published policy says again what is set/).first()).toBeVisible();
});

test("tables of access and use are taken along as CSV, with no network", async ({ page, town, context }) => {
  const { ines } = town.people;
  await canvass(ines!, ["open", town.offer.id, "--for", "triage", "--purpose", BURGLARY, "--out", "transparency"]);
  await until("writing the ledger", async () => {
    const summary = await (await fetch(`${town.public}/ledger/summary.json`)).text();
    return summary.includes('"offer.open"');
  });
  await page.goto(`${town.public}/ledger#view=access`);
  const members = page.getByRole("region", { name: "Who has access" });
  // As many as the agency's own list has: other tests of this town add people.
  const list = await asks<{ active: boolean; roles: string[] }[]>(ines!, ["member", "list"]);
  const investigators = list.filter(({ active, roles }) => active && roles.includes("investigator")).length;
  expect(investigators).toBeGreaterThan(0);
  const row = new RegExp(`^Concord Police Department Investigator ${String(investigators)} `);
  await expect(members.getByRole("row", { name: row })).toBeVisible();
  await expect(page.getByText("Number plates are read; no hotlist is in force")).toBeVisible();
  await page.goto(`${town.public}/ledger#view=use`);
  await page.reload();
  const uses = page.getByRole("region", { name: "Openings, readings, searches and exports, by purpose" });
  await expect(uses.getByRole("row", { name: /Concord Police Department/ }).first()).toBeVisible();
  await expect(
    page.getByText(/Source: entries 0 to [\d,]+ of the oversight ledger, checked by this browser/).first(),
  ).toBeVisible();
  await accessible(page, "use and refusals");
  await context.setOffline(true);
  const one = await download(page, "Download as CSV: Openings, readings, searches and exports, by purpose");
  expect(one[0]).toBe(
    "month,action,purpose,agency,agency_name,outside,by,by_name,by_class,count,first_entry,last_entry,entries",
  );
  expect(one.some((line) => line.includes('"offer.open","triage"') && line.includes('"no"'))).toBe(true);
  const all = await download(page, "Download everything on this page as one CSV");
  expect(all[0]).toMatch(/^table,agency,.*\bfirst_entry\b/);
  for (const table of ["uses", "members", "kept", "agencies", "counts"])
    expect(
      all.some((line) => line.startsWith(`"${table}",`)),
      table,
    ).toBe(true);
  await context.setOffline(false);
});

test("settings are read without script", async ({ browser, town }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${town.public}/ledger`);
  await expect(page.getByRole("heading", { level: 1, name: /Transparency/ })).toBeVisible();
  await expect(page.getByText(/Footage that nobody has reviewed/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Concord Police Department" })).toBeVisible();
  await context.close();
});

for (const seen of LOOKS)
  test(`an alarm, access and use, ${seen.name}`, async ({ browser, town }) => {
    await publish(town, 30, seen.language);
    await alarms(town, 1);
    const context = await browser.newContext({ ...seen.context });
    const page = await context.newPage();
    for (const view of ["access", "use"]) {
      await page.goto(`${town.public}/ledger#view=${view}`);
      await page.reload();
      await expect(page.getByRole("alert")).toContainText(wordsOf(seen.language)("policy.alarm.title"));
      await expect(page.locator("table").first()).toBeVisible();
      await expect(page.locator(".loading, .ghost")).toHaveCount(0);
      await shoot(page, join("screenshots", `ledger-${view}-${seen.name}.png`), seen);
    }
    await context.close();
    await publish(town, 90, seen.language);
    await alarms(town, 0);
  });
