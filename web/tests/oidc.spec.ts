/** An agency's own sign-in at the desk, with a real provider: binding, signing in, refusals, lock and step-up. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Browser, expect, look, type Page, test } from "./fixtures";
import { type Running, startProvider } from "./provider";
import { asks, canvass, freePort, type Person, serve, square, type Town } from "./town";

test.describe.configure({ mode: "serial" });

const made = { agency: "", member: "", code: "" };
let town: Town;
let desk: string;
let server: ChildProcess;
let there: Running;
let operator: Person;

async function stopServer(): Promise<void> {
  const ended = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await ended;
}

async function agency(name: string, kind: string): Promise<string> {
  const file = join(town.folder, `${kind}.geojson`);
  writeFileSync(file, JSON.stringify(square(-71.7, 43.1, 0.3)));
  const where = ["--class", kind, "--subdivision", "US-NH", "--area", file];
  return (await asks<{ id: string }>(operator, ["agency", "register", "--name", name, ...where])).id;
}

/** A Canvass of its own: its server is told of the providers once the agencies have their ids. */
test.beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "canvass-oidc-"));
  const [inside, open, port, nobody] = [await freePort(), await freePort(), await freePort(), await freePort()];
  town = { folder, desk: `http://127.0.0.1:${inside}`, public: `http://127.0.0.1:${open}`, people: {} } as Town;
  desk = `http://localhost:${inside}`;
  operator = { name: "Operator", home: join(folder, "operator"), server: town.desk };
  mkdirSync(join(operator.home, "keyring"), { recursive: true });
  town.people.operator = operator;
  const first = await asks<{ token: string }>(operator, ["init", "--data", "data", "--operator", "Olive Operator"]);
  operator.token = first.token;
  writeFileSync(join(operator.home, "token"), first.token);
  server = await serve(town);
  const [city, county] = [await agency("Concord Police", "municipal"), await agency("Merrimack Sheriff", "county")];
  const pat = ["member", "add", "--name", "Pat Provided", "--role", "administrator", "--agency", city];
  made.agency = city;
  made.member = (await asks<{ id: string }>(operator, pat)).id;
  await stopServer();
  there = await startProvider(port, desk, ["city", "county"]);
  const table = (id: string, of: string, name: string, issuer: string, more = "") => {
    writeFileSync(join(operator.home, `${id}.secret`), `${id}-secret\n`);
    return `[[oidc]]\nid = "${id}"\nagency = "${of}"\nname = "${name}"\nissuer = "${issuer}"\nclient_id = "${id}"
client_secret_file = "${id}.secret"\n${more}\n`;
  };
  const tables =
    table("city", city, "City of Concord", there.issuer, "passkey_for_step_up = false") +
    table("county", county, "Merrimack County", there.issuer) +
    table("down", city, "The old sign-in", `http://127.0.0.1:${nobody}`);
  writeFileSync(join(operator.home, "oidc.toml"), tables);
  server = await serve(town, ["--oidc", "oidc.toml"]);
});

test.afterAll(async () => {
  await there?.stop();
  await stopServer();
  rmSync(town.folder, { recursive: true, force: true });
});

test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/(localhost|127\.0\.0\.1):/));

async function link(): Promise<string> {
  return (await asks<{ link: string }>(operator, ["member", "enrol", made.member])).link;
}

async function goOnAs(page: Page, who: string): Promise<void> {
  await page.getByRole("button", { name: `Go on as ${who}` }).click();
}

async function signIn(page: Page, name = "City of Concord"): Promise<void> {
  await page.goto(`${desk}/desk/`);
  await page.getByRole("button", { name: `Sign in with ${name}` }).click();
}

/** A browser that is signed in; `ago` seconds have passed since the provider asked. */
async function enter(page: Page, ago = 0): Promise<void> {
  there.mood.ago = ago;
  await signIn(page);
  await goOnAs(page, "pat");
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  there.mood.ago = 0;
}

/** Catches what the page hands the server, changes it, and gives what it was. */
async function change(page: Page, path: string, by: (body: Record<string, string>) => void): Promise<void> {
  await page.route(`**/api/v1/${path}/provider/finish`, (route) => {
    const body = route.request().postDataJSON() as Record<string, string>;
    by(body);
    return route.continue({ postData: JSON.stringify(body) });
  });
}

test("an enrolment link binds the account, which signs in from then on", async ({ page, guard }) => {
  const address = await link();
  await page.goto(address);
  await expect(page.getByRole("button", { name: "Use Merrimack County" })).toBeHidden();
  await look(page, "desk-enrol-provider");
  // What the provider says counts for the browser that asked, and once.
  await page.getByRole("button", { name: "Use City of Concord" }).press("Enter");
  await change(page, "enrolment", (body) => (made.code = body.code!));
  await goOnAs(page, "pat");
  await expect(page.getByRole("heading", { name: "Your agency's sign-in is bound" })).toBeVisible();
  expect(page.url()).toBe(`${desk}/desk/signed-in`);
  await look(page, "desk-provider-bound");
  await page.getByRole("button", { name: "Sign in with City of Concord" }).click();
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain("code");
  await page.goto(`${desk}/desk/me`);
  await expect(page.getByRole("cell", { name: "City of Concord", exact: true })).toBeVisible();
  await look(page, "desk-mine-provider");
  guard.allow(/422/);
  await page.goto(address);
  await expect(page.getByText("This link counts no more", { exact: false })).toBeVisible();
});

test("the sign-in page offers it beside passkeys, and says when a provider is down", async ({ page, guard }) => {
  await page.goto(`${desk}/desk/`);
  await expect(page.getByRole("button", { name: "Sign in with City of Concord" })).toBeVisible();
  await look(page, "desk-signin-provider");
  guard.allow(/503/);
  await page.getByRole("button", { name: "Sign in with The old sign-in" }).click();
  await expect(page.getByText("Your agency's sign-in does not work at the moment", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeVisible();
});

test("an answer that was not asked for, another nonce, and used codes and ceremonies sign nobody in", async ({
  page,
  guard,
}) => {
  guard.allow(/422/);
  await page.goto(`${desk}/desk/signed-in?code=x&state=y`);
  await expect(page.getByText("This answer is not to anything that this tab asked", { exact: false })).toBeVisible();
  expect(page.url()).toBe(`${desk}/desk/signed-in`);

  // The desk's answer is changed, not the navigation: what a browser makes of a redirect that a test answers with is not sure.
  await page.route(
    "**/api/v1/signin/provider/begin",
    async (route) => {
      const response = await route.fetch();
      const begun = (await response.json()) as { ceremony: string; address: string };
      const address = new URL(begun.address);
      address.searchParams.set("nonce", "another");
      await route.fulfill({ response, json: { ...begun, address: address.href } });
    },
    { times: 1 },
  );
  await signIn(page);
  await goOnAs(page, "pat");
  const refused = page.getByText("What your agency's sign-in gave does not count", { exact: false });
  await expect(refused).toBeVisible();
  await look(page, "desk-provider-refused", ["phone"]);

  await change(page, "signin", (body) => (body.code = made.code));
  await signIn(page);
  await expect(refused).toBeVisible();
  await page.unroute("**/api/v1/signin/provider/finish");
  await change(page, "signin", (body) => (body.ceremony = "x".repeat(43)));
  await signIn(page);
  await expect(page.getByText("longer than five minutes, or was answered already", { exact: false })).toBeVisible();
  expect((await page.context().cookies()).filter(({ value }) => value.startsWith("cvs_"))).toEqual([]);
});

test("another agency's provider, and an account that nobody bound, sign nobody in", async ({ page, guard }) => {
  guard.allow(/422/);
  const unknown = page.getByText("This account is bound to nobody here", { exact: false });
  await signIn(page, "Merrimack County");
  await goOnAs(page, "pat");
  await expect(unknown).toBeVisible();
  await page.context().clearCookies();
  await signIn(page);
  await goOnAs(page, "eve");
  await expect(unknown).toBeVisible();
});

test("the provider unlocks a locked desk, when it asks anew", async ({ page, guard }) => {
  guard.allow(/401/, /422/);
  await enter(page);
  await page.goto(`${desk}/desk/me`);
  await page.getByRole("button", { name: "Lock" }).click();
  const unlock = page.getByRole("button", { name: "Unlock with City of Concord" });
  await expect(unlock).toBeVisible();
  await look(page, "desk-locked-provider");
  there.mood.ago = 400;
  await unlock.click();
  await goOnAs(page, "pat");
  await expect(page.getByText("did not ask for you anew", { exact: false })).toBeVisible();
  there.mood.ago = 0;
  await page.goto(`${desk}/desk/me`);
  await unlock.click();
  await goOnAs(page, "pat");
  await expect(page.getByRole("heading", { level: 1, name: "Your sign-in" })).toBeVisible();
});

test("what is dangerous waits for a fresh sign-in there, in a window of its own", async ({ page, guard }) => {
  guard.allow(/403/, /422/);
  await enter(page, 400);
  await page.goto(`${desk}/desk/people/${made.member}`);
  await page.getByRole("button", { name: "Make an enrolment link" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm with your passkey" });
  await look(page, "desk-stepup-provider");
  const ask = async (): Promise<Page> => {
    const opened = page.waitForEvent("popup");
    await dialog.getByRole("button", { name: "Confirm with City of Concord" }).click();
    return opened;
  };
  there.mood.ago = 400;
  const stale = await ask();
  await goOnAs(stale, "pat");
  await expect(stale.getByText("did not ask for you anew", { exact: false })).toBeVisible();
  await stale.close();
  await expect(dialog).toBeVisible();
  there.mood.ago = 0;
  const fresh = await ask();
  const closed = fresh.waitForEvent("close");
  await goOnAs(fresh, "pat");
  await closed;
  await expect(dialog).toBeHidden();
  await expect(page.locator(".secret")).toContainText("/desk/enrol#cve_");
});

async function window(browser: Browser): Promise<Page> {
  return (await browser.newContext()).newPage();
}

test("a stopped member is out, and a removed account ends its sessions", async ({ page, guard, browser }) => {
  guard.allow(/401/, /422/);
  await enter(page);
  // The agency has somebody of its own who can sign in: the operator changes its people for all to see.
  const reason = "Pat is its only administrator, and is to be stopped for this test";
  await canvass(operator, ["break-glass", "begin", made.agency, "--reason", reason]);
  await canvass(operator, ["member", "change", made.member, "--active", "false"]);
  const other = await window(browser);
  await signIn(other);
  await goOnAs(other, "pat");
  await expect(other.getByRole("heading", { name: "Sign in to the desk" })).toBeVisible();
  await expect(other.getByRole("button", { name: "Sign out" })).toBeHidden();
  await canvass(operator, ["member", "change", made.member, "--active", "true"]);
  await enter(await window(browser));
  const { accounts } = await asks<{ accounts: { id: string }[] }>(operator, ["member", "passkeys", made.member]);
  await canvass(operator, ["member", "passkeys", made.member, "--unbind", accounts[0]!.id]);
  await page.goto(`${desk}/desk/me`);
  await expect(page.getByText("Sign in to the desk")).toBeVisible();
  const audit = await canvass(operator, ["--json", "member", "passkeys", made.member]);
  expect(audit).toContain(`"stopped": "`);
});
