/** Passkeys at the desk, with Chromium's virtual authenticator: enrolment, sign-in, a second key, lock, step-up, lock-out. */
import type { CDPSession } from "@playwright/test";

import { type BrowserContext, expect, look, type Page, signIn, test } from "./fixtures";
import { asks, canvass, type Town } from "./town";

test.describe.configure({ mode: "serial" });

/** Passkeys belong to a domain; an address in figures has none. */
const home = (town: Town) => town.desk.replace("127.0.0.1", "localhost");

/** What one test made and the next ones use: the member, and the passkeys on two devices. */
const made = { member: "", first: [] as unknown[], second: [] as unknown[] };

interface Devices {
  cdp: CDPSession;
  id: string;
}

/** A device with an authenticator of its own, which says yes to everything, and with these passkeys. */
async function device(page: Page, credentials: unknown[] = []): Promise<Devices> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId: id } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  for (const credential of credentials)
    await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential: credential as never });
  return { cdp, id };
}

async function kept({ cdp, id }: Devices): Promise<unknown[]> {
  return (await cdp.send("WebAuthn.getCredentials", { authenticatorId: id })).credentials;
}

async function byPasskey(page: Page, town: Town): Promise<void> {
  await page.goto(`${home(town)}/desk/`);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
}

/** Signs out; the cookie is gone when it returns. */
async function leave(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeVisible();
  const cookies = async () => (await page.context().cookies()).filter(({ value }) => value.startsWith("cvs_"));
  await expect.poll(cookies).toEqual([]);
}

/** The administrator's page of the member, in a window of its own. */
async function administration(context: BrowserContext, town: Town): Promise<Page> {
  const page = await context.newPage();
  await signIn(page, { ...town, desk: home(town) }, "ada");
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  await page.goto(`${home(town)}/desk/people/${made.member}`);
  await expect(page.getByRole("heading", { name: "Passkeys" })).toBeVisible();
  return page;
}

test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/localhost/));

test("a link from the administrator registers a passkey, which signs in without a name", async ({
  page,
  town,
  browser,
  guard,
}) => {
  const ada = town.people.ada!;
  const added = await asks<{ id: string }>(ada, ["member", "add", "--name", "Pat Passkey", "--role", "investigator"]);
  made.member = added.id;
  const office = await browser.newContext();
  const admin = await administration(office, town);
  await admin.getByRole("button", { name: "Make an enrolment link" }).click();
  const link = (await admin.locator(".secret").textContent())!.trim();
  expect(link).toMatch(/^http:\/\/localhost:\d+\/desk\/enrol#cve_[0-9a-f]{64}$/);
  await expect(admin.getByRole("img", { name: "The enrolment link for Pat Passkey as a QR code" })).toBeVisible();
  await look(admin, "desk-enrol-link");
  await office.close();

  const authenticator = await device(page);
  await page.goto(link);
  await expect(page.getByText("This link is for Pat Passkey.", { exact: false })).toBeVisible();
  await look(page, "desk-enrol");
  await page.getByLabel("Name of the passkey").fill("");
  await page.getByRole("button", { name: "Register a passkey" }).click();
  await expect(page.getByText("Give the passkey a name.")).toBeVisible();
  await page.getByLabel("Name of the passkey").fill("Office laptop");
  await page.getByRole("button", { name: "Register a passkey" }).press("Enter");
  await expect(page.getByRole("heading", { name: "Your passkey is registered" })).toBeVisible();
  expect(page.url()).not.toContain("cve_");
  await look(page, "desk-enrol-done");
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  made.first = await kept(authenticator);

  // The secret is in a cookie that no script reads, and in no storage of the page.
  expect(
    await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })),
  ).not.toContain("cvs_");
  const [cookie] = (await page.context().cookies()).filter(({ value }) => value.startsWith("cvs_"));
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();

  guard.allow(/422/);
  await page.goto(link);
  await expect(page.getByText("This link counts no more", { exact: false })).toBeVisible();
});

test("a member adds a passkey on a second device and signs in with it", async ({ page, town }) => {
  const first = await device(page, made.first);
  await page.goto(`${home(town)}/desk/`);
  await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeVisible();
  await look(page, "desk-signin-passkey");
  await byPasskey(page, town);
  await page.getByRole("link", { name: "Pat Passkey" }).click();
  await expect(page.getByRole("cell", { name: "Office laptop", exact: true })).toBeVisible();
  made.first = await kept(first);
  await first.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: first.id });
  const second = await device(page);
  await page.getByLabel("Name of the passkey").fill("Phone");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText("The passkey is added.", { exact: false })).toBeVisible();
  await expect(page.getByRole("cell", { name: "Phone", exact: true })).toBeVisible();
  await look(page, "desk-mine");
  await leave(page);
  await byPasskey(page, town);
  made.second = await kept(second);
});

test("a locked desk shows nothing, and passkey and browser unlock it where it was", async ({ page, town, guard }) => {
  const laptop = await device(page, made.first);
  await byPasskey(page, town);
  await page.goto(`${home(town)}/desk/cases`);
  await expect(page.getByRole("heading", { level: 1, name: "Cases" })).toBeVisible();
  guard.allow(/401/);
  await page.getByRole("button", { name: "Lock" }).click();
  await expect(page.getByRole("heading", { name: "The desk is locked" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Cases" })).toBeHidden();
  await look(page, "desk-locked");
  await page.reload();
  await expect(page.getByRole("heading", { name: "The desk is locked" })).toBeVisible();
  await page.getByRole("button", { name: "Unlock with your passkey" }).press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Cases" })).toBeVisible();

  // The cookie alone, in another browser with the same passkey, unlocks nothing.
  guard.allow(/422/);
  await page.getByRole("button", { name: "Lock" }).click();
  await page.evaluate(
    () =>
      new Promise((done) => {
        const asked = indexedDB.deleteDatabase("canvass-device");
        asked.onsuccess = () => done(null);
      }),
  );
  await page.getByRole("button", { name: "Unlock with your passkey" }).click();
  await expect(page.getByText("This session was opened in another browser", { exact: false })).toBeVisible();
  await leave(page);
  await byPasskey(page, town);
  // Its counter grew: a copy from before would be refused.
  made.first = await kept(laptop);
});

test("what is dangerous waits for the passkey and goes on by itself", async ({ page, town, guard }) => {
  const laptop = await device(page, made.first);
  await byPasskey(page, town);
  await page.goto(`${home(town)}/desk/me`);
  // Five minutes later: the server asks for the passkey; the ceremony that follows is the real one.
  guard.allow(/403/);
  let asked = 0;
  await page.route("**/api/v1/passkeys/*", (route) => {
    asked += 1;
    if (asked > 2) return route.continue();
    const body = { type: "urn:canvass:problem:step-up", title: "Confirm", status: 403, detail: "Confirm first" };
    return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(body) });
  });
  await page.getByRole("button", { name: "Remove Phone" }).click();
  const question = page.getByRole("dialog", { name: "Remove the passkey “Phone”?" });
  await question.getByRole("button", { name: "Remove" }).click();
  const confirm = page.getByRole("dialog", { name: "Confirm with your passkey" });
  await look(page, "desk-stepup");
  await confirm.getByRole("button", { name: "Cancel" }).click();
  await expect(question.getByText("Confirm first")).toBeVisible();
  await question.getByRole("button", { name: "Remove" }).click();
  await confirm.getByRole("button", { name: "Confirm" }).click();
  await expect(confirm).toBeHidden();
  await expect(page.getByRole("cell", { name: "Phone", exact: true })).toBeHidden();
  expect(asked).toBe(3);

  // The last one stays.
  guard.allow(/409/);
  await page.getByRole("button", { name: "Remove Office laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("it is your last way to sign in", { exact: false })).toBeVisible();
  made.first = await kept(laptop);
});

test("a removed passkey is refused, and says so", async ({ page, town, guard }) => {
  await device(page, made.second);
  guard.allow(/422/);
  await page.goto(`${home(town)}/desk/`);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByText("This passkey is not known here, or was removed", { exact: false })).toBeVisible();
  await look(page, "desk-signin-removed", ["phone"]);
});

test("five failures lock out for a while, and the administrator sees it", async ({ page, town, guard, browser }) => {
  await device(page, made.first);
  guard.allow(/422/, /429/);
  await page.route("**/api/v1/signin/finish", (route) => {
    const body = route.request().postDataJSON() as { device: { signature: string } };
    body.device.signature = "A".repeat(86);
    return route.continue({ postData: JSON.stringify(body) });
  });
  await page.goto(`${home(town)}/desk/`);
  const go = page.getByRole("button", { name: "Sign in with a passkey" });
  for (let n = 0; n < 5; n += 1) {
    const answer = page.waitForResponse("**/api/v1/signin/finish");
    await go.click();
    expect((await answer).status()).toBe(422);
  }
  await page.unroute("**/api/v1/signin/finish");
  await go.click();
  await expect(page.getByText("Too many failures to sign in", { exact: false })).toBeVisible();
  const office = await browser.newContext();
  const admin = await administration(office, town);
  await expect(admin.getByText("Five failures to sign in as Pat Passkey", { exact: false })).toBeVisible();
  await look(admin, "desk-member-lockedout");
  await admin.getByRole("button", { name: "Remove Office laptop" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(admin.getByText("No passkey yet.")).toBeVisible();
  await office.close();
  const audit = await canvass(town.people.ada!, ["--json", "audit", "--subject", made.member]);
  expect(audit).toContain("signin.locked");
});
