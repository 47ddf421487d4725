/** A resident from the first look to a withdrawal, in a real browser on the executable's own server. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { expect, look, type Page, test } from "./fixtures";
import { asks, BURGLARY, canvass, type Town, until } from "./town";

test.describe.configure({ mode: "serial" });

/** Opens the burglary by its link, as from a poster. */
async function openRequest(page: Page, town: Town): Promise<void> {
  await page.goto(`${town.public}/r/${town.region}#${town.requests.burglary}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("Proof checked").first()).toBeVisible();
}

test("near you: a place is chosen and the region's requests stand there, checked", async ({ page, town }) => {
  await page.goto(town.public);
  await expect(page.getByRole("heading", { level: 1, name: "Requests near you" })).toBeVisible();
  await look(page, "resident-home");
  const place = page.getByRole("combobox", { name: "Town, county or coordinates" });
  await place.fill("Concord, New Hampshire");
  await page.getByRole("listbox").getByRole("option").first().click();
  await expect(page).toHaveURL(`${town.public}/r/${town.region}`);
  await expect(page.getByText("Concord Police Department").first()).toBeVisible();
  await expect(page.getByText("Proof checked").first()).toBeVisible();
  await look(page, "resident-region");
});

test("what a reader asks of the server is the same whatever they read", async ({ page, town, guard }) => {
  await openRequest(page, town);
  await page.goto(`${town.public}/r/${town.region}#${town.requests.collision}`);
  await expect(page.getByText("SO-26-118").first()).toBeVisible();
  const asked = guard.traffic.map(({ url }) => url);
  for (const url of asked) {
    expect(url, "no request names what is read").not.toMatch(/req_|26-0045|burglar/i);
    expect(url).not.toMatch(/43\.2|71\.5/);
  }
  expect(await page.context().cookies()).toEqual([]);
});

test("a request is a public notice", async ({ page, town }) => {
  await openRequest(page, town);
  await expect(page.getByText("26-004512").first()).toBeVisible();
  await expect(page.getByText("Det. R. Alvarez").first()).toBeVisible();
  await look(page, "resident-request");
});

test("the poster is a PDF with the request's words", async ({ page, town }) => {
  await openRequest(page, town);
  const poster = page.getByRole("button", { name: /poster/i });
  const [file] = await Promise.all([page.waitForEvent("download"), poster.click()]);
  const bytes = readFileSync(await file.path());
  expect(bytes.subarray(0, 5).toString()).toBe("%PDF-");
  expect(bytes.length).toBeGreaterThan(5_000);
});

test("a clip is given, followed, asked about, answered and withdrawn", async ({ page, town }) => {
  await openRequest(page, town);
  await page
    .getByRole("link", { name: /I have footage/i })
    .first()
    .click();
  await expect(page.getByRole("heading", { name: "Which clips?" })).toBeVisible();
  await look(page, "give-1-empty");
  await page.locator('input[type="file"]').first().setInputFiles([town.clips["porch.mp4"]!, town.clips["empty.mp4"]!]);
  await expect(page.getByText("The file is empty.")).toBeVisible();
  await expect(page.getByText("porch.mp4").first()).toBeVisible();
  await look(page, "give-1-clips");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "Trim and blur, if you like" })).toBeVisible();
  await look(page, "give-2-edit");
  await page.getByRole("button", { name: /Continue/ }).click();
  await expect(page.getByRole("heading", { name: "May the agency reach you?" })).toBeVisible();
  await page.getByText("By sealed questions, without my name").click();
  await look(page, "give-3-reach");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "What will be shared" })).toBeVisible();
  await look(page, "give-4-share");
  await page.getByLabel("I have read this, and agree").check();
  await page.getByRole("button", { name: "Seal and send" }).click();
  await expect(page.getByText("The receipt holds")).toBeVisible({ timeout: 60_000 });
  await look(page, "give-5-receipt");
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as a file" }).click(),
  ]);
  const file = join(town.folder, "browser.offer.json");
  await saved.saveAs(file);
  expect(statSync(file).size).toBeGreaterThan(200);
  await page.getByLabel("I have saved it").check();

  // The command line follows the same offer with the file that the browser wrote.
  const rosa = town.people.rosa!;
  expect(await canvass(rosa, ["offer", "status", "--offer", file])).toContain("received");

  const ines = town.people.ines!;
  const secret = JSON.parse(readFileSync(file, "utf8")) as { destination: string };
  expect(secret.destination).toBe(town.requests.burglary);
  const inbox = await asks<{ id: string; received: string }[] | { offers: { id: string; received: string }[] }>(ines, [
    "inbox",
  ]);
  const offers = Array.isArray(inbox) ? inbox : inbox.offers;
  const mine = offers.find(({ id }) => id !== town.offer.id)?.id ?? "";
  expect(mine).toMatch(/^off_/);
  await canvass(ines, ["open", mine, "--for", "triage", "--purpose", BURGLARY, "--out", "from-browser"]);
  await canvass(ines, ["ask", mine, "Is the clock of your camera right?"]);

  await page.goto(`${town.public}/offer`);
  await page
    .getByRole("link", { name: /sealed/i })
    .or(page.getByRole("button", { name: /sealed/i }))
    .first()
    .click();
  await expect(page.getByText("Is the clock of your camera right?")).toBeVisible({ timeout: 30_000 });
  await look(page, "offer-question");
  await page.getByLabel("Your answer").fill("It runs two minutes fast.");
  await page.getByRole("button", { name: "Seal and send the answer" }).click();
  await until("the answer", async () => (await canvass(ines, ["answers", mine])).includes("two minutes fast"));
});
