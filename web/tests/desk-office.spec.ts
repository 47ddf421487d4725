/** The desk's office: people, keys, portals, invitations, oversight. On the executable's own server and pages. */
import { join } from "node:path";

import { enter, identityFile, signingFile } from "./desk-steps";
import { expect, look, test } from "./fixtures";

test("retention says what is destroyed when, and by which rule", async ({ page, town }) => {
  await enter(page, town, "sam", "/desk/retention", "Retention");
  await expect(page.locator("main li").first()).toContainText(/\d+ days after/);
  await page
    .locator("main label", { hasText: /^\s*What/ })
    .locator("select")
    .selectOption({ label: "Envelope" });
  await expect(page).toHaveURL(/what=envelope/);
  await look(page, "desk-retention");
});

test("an administrator adds a member and issues a token that is shown once", async ({ page, town }) => {
  await enter(page, town, "ada", "/desk/people", "People");
  await look(page, "desk-people", ["desk"]);
  await page.getByRole("button", { name: "Add a member" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a member" });
  await dialog.getByRole("button", { name: "Add a member" }).click();
  await expect(dialog.getByText("Choose at least one role.").first()).toBeVisible();
  await dialog.getByLabel("Name", { exact: true }).fill("Cleo Custodian");
  await dialog.getByRole("checkbox", { name: /Custodian/ }).check();
  await dialog.getByRole("button", { name: "Add a member" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Cleo Custodian" })).toBeVisible();
  await page.getByLabel("What it is for").fill("evidence room");
  await page.getByRole("button", { name: "Issue a token" }).click();
  const secret = page.getByText(/^cvt_[0-9a-f]{64}$/);
  await expect(secret).toBeVisible();
  const token = (await secret.textContent())!.trim();
  await look(page, "desk-member-token");
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(secret).toBeHidden();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Your token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Cleo Custodian" })).toBeVisible();
});

test("the recovery in the safe is rehearsed with its file, and another file is told apart", async ({ page, town }) => {
  await enter(page, town, "sam", "/desk/keys", "Keys and recovery");
  await look(page, "desk-keys", ["desk"]);
  await page.getByRole("button", { name: "Rehearse the recovery" }).click();
  const dialog = page.getByRole("dialog", { name: "Rehearse the recovery" });
  await dialog.locator("#recovery-file").setInputFiles(identityFile(town.people.sam!));
  await expect(dialog.getByText("not the agency's recovery", { exact: false })).toBeVisible();
  await dialog.locator("#recovery-file").setInputFiles(join(town.people.ada!.home, "recovery-for-the-safe.txt"));
  await expect(dialog.getByText("The rehearsal is noted.", { exact: false })).toBeVisible({ timeout: 60_000 });
  await look(page, "desk-recovery-rehearsed", ["desk"]);
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(page.getByText("Never", { exact: true })).toBeHidden();
});

test("an identity is kept on this device under a passkey, and opens from it", async ({ page, town, guard }) => {
  // Passkeys belong to a domain; an address in figures has none.
  const home = town.desk.replace("127.0.0.1", "localhost");
  guard.allow(/another origin: http:\/\/localhost/);
  const devices = await page.context().newCDPSession(page);
  await devices.send("WebAuthn.enable");
  await devices.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const there = { ...town, desk: home };
  await enter(page, there, "ines", "/desk/keys", "Keys and recovery");
  await page.getByRole("button", { name: "Keys: none loaded" }).click();
  const dialog = page.getByRole("dialog", { name: "Your keys in this tab" });
  await dialog.locator("#identity-file").setInputFiles(identityFile(town.people.ines!));
  await dialog.getByRole("button", { name: "Protect with a passkey on this device" }).click();
  await expect(dialog.getByText("Kept on this device since", { exact: false })).toBeVisible();
  await look(page, "desk-keys-passkey", ["desk"]);
  await page.reload();
  await page.getByRole("button", { name: "Keys: none loaded" }).click();
  await dialog.getByRole("button", { name: "Open with the passkey" }).click();
  await expect(dialog.getByText("Loaded").first()).toBeVisible();
  await dialog.getByRole("button", { name: "Remove from this device" }).click();
  await expect(dialog.getByText("Kept on this device since", { exact: false })).toBeHidden();
});

test("a portal is opened and signed here; an invitation's link leads to giving", async ({ page, town, context }) => {
  await enter(page, town, "sol", "/desk/portals", "Portals and invitations");
  await look(page, "desk-portals-empty", ["desk"]);
  await page.getByRole("button", { name: "Open a portal" }).click();
  await page.getByRole("button", { name: "Sign and open" }).click();
  await expect(page.getByText("Write 40 to 2,000 characters.").first()).toBeVisible();
  await page
    .getByLabel("What it is for")
    .fill("Recordings of the river road that may help us find who dumps waste there.");
  await page.getByLabel("Name, with rank if you like").fill("Sgt. S. Supervisor");
  await page.getByLabel("E-mail").fill("river@merrimack.example");
  await page.getByRole("button", { name: "Sign and open" }).click();
  const dialog = page.getByRole("dialog", { name: "Your keys in this tab" });
  await dialog.locator("#signing-file").setInputFiles(signingFile(town.people.ivo!));
  await expect(page.getByRole("button", { name: "Close portal" })).toBeVisible();
  await look(page, "desk-portals", ["desk"]);

  await page.getByLabel("Gives to").selectOption({ label: "SO-26-118" });
  await page.getByRole("button", { name: "Make an invitation" }).click();
  await expect(page.getByText("This link is shown this once")).toBeVisible();
  const link = (await page.getByText(/\/give\/[a-z2-7]{32}$/).textContent())!.trim();
  await look(page, "desk-invitation", ["desk"]);
  const visitor = await context.newPage();
  await visitor.goto(link);
  await expect(visitor.getByRole("heading", { name: "Which clips?" })).toBeVisible();
  await expect(visitor.getByText("You were invited in private.", { exact: false })).toBeVisible();
  await visitor.close();
});

test("an overseer reads records and the state of the system; an operator makes a backup", async ({ page, town }) => {
  await enter(page, town, "oona", "/desk/oversight", "Records of actions");
  await page.getByRole("button", { name: "Read the records" }).click();
  await expect(page.getByText("The whole record").first()).toBeVisible();
  await page.getByText("The whole record").first().click();
  await look(page, "desk-records", ["desk"]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await enter(page, town, "operator", "/desk/system", "System");
  await expect(page.getByText("Jobs last went round")).toBeVisible();
  await page.getByLabel("Name of its folder").fill("before-the-test");
  await page.getByRole("button", { name: "Make a backup" }).click();
  await expect(page.getByText("Made: before-the-test", { exact: false })).toBeVisible();
  await look(page, "desk-system", ["desk"]);
});

test("a page that a role does not open says so, and so does an address that is none", async ({ page, town }) => {
  await enter(page, town, "ada", "/desk/inbox", "Your role does not open this page");
  await look(page, "desk-forbidden", ["desk"]);
  await page.goto(`${town.desk}/desk/plates`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await look(page, "desk-missing", ["desk"]);
});
