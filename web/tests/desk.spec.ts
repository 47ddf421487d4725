/** The desk as its members use it: asking, deciding, receiving, keeping. On the executable's own server and pages. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { enter, giveIdentity, identityFile, local, openWith, signingFile } from "./desk-steps";
import { accessible, expect, look, type Page, test } from "./fixtures";
import { BURGLARY, canvass, type Town, until } from "./town";

test.describe.configure({ mode: "serial" });

const HOUR = 3_600_000;
/** What one test made and the next ones use. */
const made = { request: "", case: "", item: "" };

async function published(town: Town, request: string): Promise<boolean> {
  const answer = await fetch(`${town.public}/feed/${town.region}.json`);
  const bundle = (await answer.json()) as { requests: { id: string; state: string }[] };
  return bundle.requests.some(({ id, state }) => id === request && state === "published");
}

test("the desk lets in who has a token, and tells others what is wrong with theirs", async ({ page, town, guard }) => {
  await page.goto(`${town.desk}/desk/`);
  await look(page, "desk-signin");
  const token = page.getByLabel("Your token");
  const go = page.getByRole("button", { name: "Sign in" });
  await go.click();
  await expect(page.getByText("Enter your token.")).toBeVisible();
  await token.fill("cvt_short");
  await go.click();
  await expect(page.getByText("This is no token", { exact: false })).toBeVisible();
  guard.allow(/401/);
  await token.fill(`cvt_${"0".repeat(64)}`);
  await go.click();
  await expect(page.getByText("This token does not count", { exact: false })).toBeVisible();
  await look(page, "desk-signin-wrong", ["desk"]);
  await token.fill(town.people.ines!.token!);
  await go.click();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("This tab has forgotten your token")).toBeVisible();
  await page.goto(`${town.desk}/desk/cases`);
  await expect(page.getByRole("heading", { level: 1, name: "Sign in to the desk" })).toBeVisible();
});

async function typeArea(page: Page, width: string): Promise<void> {
  await page.getByLabel("Centre", { exact: true }).fill("43.2110, -71.5420");
  await page.getByLabel("Width (ft)").fill(width);
  await page.getByRole("button", { name: "Use this rectangle" }).click();
}

test("what was typed is gone after signing out, and stays through a reload before", async ({ page, town }) => {
  await enter(page, town, "ines", "/desk/requests/new", "New request");
  await page.getByLabel("Details", { exact: true }).fill("Words that nobody else at this machine should find.");
  await page.reload();
  await expect(page.getByLabel("Details", { exact: true })).toHaveValue(
    "Words that nobody else at this machine should find.",
  );
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in to the desk" })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("Words that nobody");
});

test("a request is drafted with the limits live, signed here and handed in", async ({ page, town }) => {
  const ines = town.people.ines!;
  await enter(page, town, "ines", "/desk/requests", "Requests");
  await page.getByRole("link", { name: "New request" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New request" })).toBeVisible();
  await page.getByRole("button", { name: "Sign and hand in…" }).click();
  const summary = page.getByRole("alert").filter({ hasText: "can't be saved without it" });
  await expect(summary.getByRole("link")).toHaveCount(2);

  // The form folds away once there is a map to draw on.
  await expect(page.getByRole("button", { name: /Add corners|Done adding/ })).toBeVisible();
  if (!(await page.getByLabel("Centre", { exact: true }).isVisible()))
    await page.getByText("Type the area instead").click();
  await typeArea(page, "20000");
  await expect(page.getByText("at most 0.5 are allowed", { exact: false }).first()).toBeVisible();
  await typeArea(page, "2000");
  await expect(page.getByText("0.14 of 0.5 sq mi")).toBeVisible();
  await expect(page.getByText("at most 0.5 are allowed", { exact: false })).toHaveCount(0);

  await page.getByLabel("Investigation code").fill("26-004801");
  await expect(page.getByText("This investigation may still make", { exact: false })).toBeVisible();
  await page.getByLabel("What happened").selectOption("vandalism");
  const details = page.getByLabel("Details", { exact: true });
  await details.fill("A window.");
  await details.blur();
  await expect(page.getByText("at least 40 are needed", { exact: false }).first()).toBeVisible();
  await details.fill("Windows of the library were broken during the protest march. We look for a man in a red coat.");
  await expect(page.getByText("A moderator will look at one point")).toBeVisible();
  await expect(page.locator("mark").first()).toContainText("protest");
  await look(page, "desk-draft-findings");
  await details.fill(
    "Two windows of the library on Green Street were broken. We look for a man in a red coat who left north.",
  );
  await expect(page.getByText("A moderator will look at one point")).toBeHidden();

  const now = Date.now();
  await page.getByLabel("From", { exact: true }).fill(local(now - 5 * HOUR));
  await page.getByLabel("Until", { exact: true }).fill(local(now - 6 * HOUR));
  await page.getByLabel("Until", { exact: true }).blur();
  await expect(page.getByText("ends before it begins", { exact: false }).first()).toBeVisible();
  await page.getByLabel("Until", { exact: true }).fill(local(now - 3 * HOUR));
  await expect(page.getByText(/2 h\w* of /)).toBeVisible();
  await page.getByLabel("Name, with rank if you like").fill("Det. I. Investigator");
  await page.getByLabel("E-mail").fill("library@concord.example");
  await page.getByLabel("This is our agency's own case").check();
  await expect(page.getByText("No problems. It can be signed and handed in.")).toBeVisible();

  await page.getByRole("button", { name: "Sign and hand in…" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign and hand in" })).toBeVisible();
  made.request = /req_[a-z2-7]{26}/.exec(page.url())![0];
  await look(page, "desk-submit-key", ["desk"]);
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.getByText("Compared with your draft: they are the same.", { exact: false })).toBeVisible();
  await look(page, "desk-submit-text", ["desk"]);
  await page.getByRole("button", { name: "Sign and hand in" }).click();
  const dialog = page.getByRole("dialog", { name: "Your keys in this tab" });
  await look(page, "desk-keys-dialog", ["desk"]);
  await dialog.locator("#signing-file").setInputFiles(signingFile(ines));
  await expect(page.getByText("Signed and handed in. A moderator decides next", { exact: false })).toBeVisible();
  await look(page, "desk-request-handed-in", ["desk"]);
});

test("a moderator refuses with a rule and approves with a reason; the approved request is public", async ({
  page,
  town,
}) => {
  await enter(page, town, "mo", "/desk/moderation", "Moderation");
  await expect(page.getByText("2 requests wait, oldest first")).toBeVisible();
  await look(page, "desk-moderation-queue", ["desk"]);
  await page.getByRole("link", { name: /26-004733/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: /26-004733/ })).toBeVisible();
  await expect(page.locator("mark").first()).toContainText("march");
  await look(page, "desk-moderation-decide", ["desk"]);
  await page.getByRole("button", { name: "Decide", exact: true }).click();
  await expect(page.getByText("Choose: approve or refuse.").first()).toBeVisible();
  await page.getByRole("radio", { name: /^Refuse/ }).check();
  await expect(page.getByLabel("The rule it breaks")).toHaveValue("assembly");
  await page.getByLabel("Reason, in public words").fill("It asks for someone by their part in a march.");
  await page.getByRole("button", { name: "Refuse", exact: true }).click();

  await expect(page.getByRole("heading", { level: 1, name: /26-004801/ })).toBeVisible();
  await page.getByRole("radio", { name: /^Approve/ }).check();
  await page.getByLabel("Reason, in public words").fill("One street, two hours, a clear matter.");
  await page.getByRole("button", { name: "Approve and publish" }).click();
  await expect(page.getByText("Nothing waits")).toBeVisible();
  await look(page, "desk-moderation-empty", ["desk"]);
  await page.getByRole("link", { name: "Past decisions" }).first().click();
  await page.getByLabel("Code or words").fill("26-004801");
  await expect(page.getByRole("link", { name: /26-004801/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /26-004733/ })).toBeHidden();
  await look(page, "desk-moderation-past", ["desk"]);

  await until("publishing", () => published(town, made.request));
  await page.goto(`${town.public}/r/${town.region}#${made.request}`);
  await expect(page.getByText("26-004801").first()).toBeVisible();
  await expect(page.getByText("Proof checked").first()).toBeVisible();
});

test("an offer is opened with a purpose and a key: player, hashes, signature", async ({ page, town }) => {
  const ines = town.people.ines!;
  await enter(page, town, "ines", "/desk/inbox", "Inbox");
  await look(page, "desk-inbox", ["desk"]);
  await page.getByRole("button", { name: "New", exact: true }).click();
  await expect(page).toHaveURL(/state=received/);
  await page.locator(`a[href="/desk/inbox/${town.offer.id}"]`).click();
  await expect(page.getByRole("heading", { level: 1, name: /26-004512/ })).toBeVisible();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("Write at least 20 characters", { exact: false })).toBeVisible();
  await expect(page.getByLabel("Why do you open this?")).toBeFocused();
  await expect(page.getByLabel("Purpose", { exact: true })).toHaveValue("triage");
  await expect(page.getByLabel("Case, if there is one")).toHaveValue("26-004512");
  await openWith(page, ines, BURGLARY);
  await expect(page.locator("video").first()).toBeVisible();
  await expect(page.getByText("It answers the request as your agency signed it", { exact: false })).toBeVisible();
  await expect(page.getByText("Whole and unaltered", { exact: false })).toBeVisible();
  await page.getByText("What the resident agreed to, word for word").click();
  await look(page, "desk-offer-open");
});

/** What Concord's own ledger entries of refusals say, to anyone. */
const REFUSED = "Refused to a member of Concord Police Department: Offer opened.";

test("a reason that says nothing is refused beside its field, in both languages; what the class needs is asked", async ({
  page,
  town,
  guard,
}) => {
  guard.allow(/422/);
  await enter(page, town, "ines", `/desk/inbox/${town.offer.id}`, /26-004512/);
  const reason = page.getByLabel("Why do you open this?");
  await page.getByLabel("Purpose", { exact: true }).selectOption("wanted");
  await reason.fill("ongoing investigation, see report");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("This purpose needs a warrant.", { exact: false })).toBeVisible();
  await expect(page.getByLabel("Number of the warrant", { exact: false })).toBeFocused();
  await page.getByLabel("Purpose", { exact: true }).selectOption("crime");
  await expect(page.getByLabel("Number of the warrant", { exact: false })).toBeHidden();
  await page.getByLabel("Class of the offence").selectOption("felony");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await giveIdentity(page, town.people.ines!);
  const summary = page.getByRole("alert").filter({ hasText: "Nothing was opened" });
  await expect(summary.getByRole("link", { name: /Stock phrases/ })).toBeVisible();
  await expect(reason).toHaveAttribute("aria-invalid", "true");
  await look(page, "desk-purpose-refused");
  await page.setViewportSize({ width: 320, height: 700 });
  await accessible(page, "desk-purpose-refused at 320 px");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.evaluate(() => localStorage.setItem("canvass.language", "es"));
  await page.reload();
  await page.getByLabel("¿Por qué lo abre?").fill("investigación criminal en curso, ver informe");
  await page.getByRole("button", { name: "Abrir", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("#identity-file").setInputFiles(identityFile(town.people.ines!));
  await expect(page.getByText("Las frases hechas", { exact: false }).first()).toBeVisible();
  await look(page, "desk-purpose-refused-es", ["phone"]);
  await page.evaluate(() => localStorage.setItem("canvass.language", "en"));
  await page.reload();
  await openWith(page, town.people.ines!, BURGLARY);
});

test("a refusal stands on record with its rule, and in the public ledger without a name", async ({ page, town }) => {
  await enter(page, town, "oona", "/desk/oversight?action=access.refused", "Records of actions");
  await page.getByRole("button", { name: "Read the records" }).click();
  const record = page.locator("main li").filter({ hasText: "reason.boilerplate" }).first();
  await expect(record).toContainText("Offer opened");
  await expect(record).toContainText("Ines Investigator");
  await expect(page.getByText("Offence: Other felony")).toBeVisible();
  await look(page, "desk-records-refused");
  await page.goto(`${town.public}/ledger#view=ledger&type=access.refused`);
  await expect(async () => {
    // Going again to an address with a fragment loads nothing anew.
    await page.reload();
    await expect(page.getByText(REFUSED).first()).toBeVisible({ timeout: 10_000 });
  }).toPass({ timeout: 120_000 });
  await page.getByText(REFUSED).first().click();
  await expect(page.locator("main")).toContainText(/psn_[a-z2-7]{26}/, { timeout: 60_000 });
  const told = await page.locator("main").innerText();
  expect(told).not.toMatch(/Ines|mbr_|ongoing investigation/);
  await look(page, "ledger-refused");
});

test("clips are triaged, declined with a way back; the resident is asked; work and holds stay with the offer", async ({
  page,
  town,
}) => {
  const ines = town.people.ines!;
  await enter(page, town, "ines", `/desk/inbox/${town.offer.id}`, /26-004512/);
  await openWith(page, ines, BURGLARY);

  await page.getByLabel("Accept into the case").selectOption("new");
  await page.getByLabel("Title", { exact: true }).first().fill("Elm Street garage");
  await page.getByRole("button", { name: "Create the case" }).click();
  await expect(page.getByLabel("Accept into the case")).toHaveValue(/^cas_/);
  await page.getByRole("button", { name: "Accept clip 1" }).click();
  const item = page.getByRole("link", { name: "Go to the item" });
  await expect(item).toBeVisible({ timeout: 60_000 });
  made.item = /itm_[a-z2-7]{26}/.exec((await item.getAttribute("href")) ?? "")![0];

  await page.getByRole("button", { name: "Decline clip 2" }).click();
  const declining = page.getByRole("dialog", { name: /Decline clip 2/ });
  await declining.getByLabel("Why?").fill("Shows another street.");
  await declining.getByRole("button", { name: "Decline the clip" }).click();
  await expect(page.getByText("1 clip declined.")).toBeVisible();
  await look(page, "desk-offer-declined", ["desk"]);
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone.", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Decline clip 2" })).toBeVisible();

  await page.getByLabel("New question").fill("Is the clock of your camera right?");
  await page.getByRole("button", { name: "Seal and ask" }).click();
  await expect(page.getByText("Is the clock of your camera right?")).toBeVisible();
  await expect(page.getByText("No answer yet.", { exact: false })).toBeVisible();

  const side = page.getByRole("complementary", { name: "About this offer" });
  await side.getByLabel("Assigned to").selectOption({ label: "Ines Investigator" });
  await side.getByRole("textbox", { name: "Add a tag" }).fill("white van");
  await side.getByRole("button", { name: "Add a tag" }).click();
  await expect(side.getByText("white van")).toBeVisible();
  await side.getByLabel("New note").fill("The van comes at second 3.");
  await side.getByRole("button", { name: "Add a note" }).click();
  await expect(side.getByText("The van comes at second 3.").first()).toBeVisible();
  await side.getByRole("button", { name: "Place a hold…" }).click();
  await side.getByLabel("Legal basis").fill("Order 26-cr-77 of the Superior Court");
  await side.getByRole("button", { name: "Place a hold", exact: true }).click();
  await expect(side.getByText("Order 26-cr-77 of the Superior Court")).toBeVisible();
  await look(page, "desk-offer-worked");
  await page.getByRole("button", { name: "Close and delete the opened copy" }).click();
  await expect(page.getByRole("heading", { name: "Open this offer again" })).toBeVisible();
});

test("a case tells its story in time and on a map", async ({ page, town }) => {
  await enter(page, town, "ines", "/desk/cases", "Cases");
  await page.getByRole("link", { name: /Elm Street garage/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Elm Street garage" })).toBeVisible();
  made.case = /cas_[a-z2-7]{26}/.exec(page.url())![0];
  await look(page, "desk-case", ["desk"]);
  await page.getByRole("link", { name: "Timeline", exact: true }).click();
  for (const event of ["Request published", "Offer received", "Offer opened", "Item began", "Question asked"])
    await expect(page.getByText(event, { exact: true }).first()).toBeVisible();
  await look(page, "desk-case-timeline", ["desk"]);
  await page.getByRole("link", { name: "Map and links" }).click();
  await expect(page.getByRole("heading", { name: "How it hangs together" })).toBeVisible();
  await look(page, "desk-case-links", ["desk"]);
});

test("a part of the picture is hidden in a copy, which is kept beside its original", async ({ page, town }) => {
  const ines = town.people.ines!;
  await enter(page, town, "ines", `/desk/items/${made.item}`, /clip-01/);
  await expect(page.getByLabel("Purpose", { exact: true })).toHaveValue("case-work");
  await openWith(page, ines, "Blur the passer-by at the Elm Street garage for the defence");
  await look(page, "desk-item", ["desk"]);
  await page.getByRole("button", { name: "Make a redacted copy" }).click();
  await drawBox(page);
  await expect(page.getByRole("button", { name: /^Box 1/ }).first()).toBeVisible();
  await look(page, "desk-redact-edit");
  await page.getByRole("button", { name: "Make the copy and compare" }).click();
  await expect(page.getByText("Watch the copy from beginning to end", { exact: false })).toBeVisible({
    timeout: 90_000,
  });
  await page.getByLabel("What was hidden, and why?").fill("The face of a passer-by.");
  await look(page, "desk-redact-compare", ["desk"]);
  await page.getByRole("button", { name: "Seal and keep this copy" }).click();
  await expect(page.getByText(/The copy .*redacted.* is in the case\./)).toBeVisible({ timeout: 60_000 });
  await page.getByRole("link", { name: /redacted/ }).click();
  await expect(page.getByText("This is a copy, not the recording as it was given.")).toBeVisible();
  await look(page, "desk-item-copy", ["desk"]);
});

/** Draws with the pointer over the middle of the picture. */
async function drawBox(page: Page): Promise<void> {
  const picture = page.locator("video").first();
  await expect(picture).toHaveJSProperty("readyState", 4);
  await picture.scrollIntoViewIfNeeded();
  const at = (await picture.boundingBox())!;
  const [x, y] = [at.x + at.width * 0.3, at.y + at.height * 0.3];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + at.width * 0.15, y + at.height * 0.1);
  await page.mouse.move(x + at.width * 0.3, y + at.height * 0.3);
  await page.mouse.up();
}

test("the bundle for court is made in the browser, and holds for anyone with the command line", async ({
  page,
  town,
}) => {
  const ines = town.people.ines!;
  // A browser that lets the page pick a place shows a window of the system, which no test can use.
  await page.addInitScript(() => Object.defineProperty(window, "showSaveFilePicker", { value: undefined }));
  await enter(page, town, "ines", `/desk/cases/${made.case}?view=bundle`, "Elm Street garage");
  await page
    .getByLabel("Why is it exported?")
    .fill("Defence counsel asked for the Elm Street clips before the hearing");
  const coming = page.waitForEvent("download", { timeout: 90_000 });
  await page.getByRole("button", { name: "Make the bundle" }).click();
  await giveIdentity(page, ines);
  const download = await coming;
  await expect(page.getByText(/bundle-.* is made:/)).toBeVisible();
  await look(page, "desk-bundle", ["desk"]);
  const zip = join(ines.home, "bundle.zip");
  await download.saveAs(zip);
  execFileSync("unzip", ["-q", zip, "-d", ines.home]);
  const folder = download.suggestedFilename().replace(/\.zip$/, "");
  const told = await canvass(ines, ["verify", "package", folder]);
  expect(told).toMatch(/holds/i);
  expect(told).not.toMatch(/does not hold|FAIL/i);
});
