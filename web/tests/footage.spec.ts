/**
 * Search of footage at the desk: what cameras saw, what is refused, what takes a second person, and what was seen in evidence,
 * which is opened and searched in the page. And the public pages of rules and error rates. On a server of its own.
 */
import { Encrypter } from "age-encryption";
import type { ChildProcess } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CASE, cameraTown, drawnCar, minutesAgo, stopServer } from "./camera-town";
import { enter, giveIdentity, openWith } from "./desk-steps";
import { accessible, expect, look, type Page, test } from "./fixtures";
import { asks, canvass, film, type Person, type Town, until } from "./town";

test.describe.configure({ mode: "default" });
test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/127\.0\.0\.1:/));

const WHY = "Red car that left the pharmacy on Elm Street";
let town: Town;
let server: ChildProcess;
let item: string;

const ahead = (seconds: number) => new Date(Date.parse(minutesAgo(30)) + seconds * 1000).toISOString();
const seen = (id: number, kind: string, colours: object, more: object = {}) => ({
  id,
  start: ahead(id * 60),
  end: ahead(id * 60 + 4),
  best: ahead(id * 60 + 1),
  kind,
  score: 0.8,
  box: [40, 60, 120, 90],
  frames: 9,
  colours,
  model: "objects",
  version: "3.0.4",
  ...more,
});

async function call<T>(who: Person, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${town.desk}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${who.token ?? ""}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${method} ${path}: ${String(answer.status)}`).toBe(true);
  return (await answer.json()) as T;
}

/** A resident's clip in the case, with what was seen in it, sealed as the agency's program seals it. */
async function evidence(): Promise<string> {
  const { ada, ines, sam } = town.people as Record<string, Person>;
  for (const one of [ada!, sam!]) await canvass(one, ["keygen", "--out", "keyring/identity.txt"]);
  for (const one of [ada!, ines!, sam!]) await canvass(one, ["member", "recipient"]);
  const { recipient } = await asks<{ recipient: string }>(ada!, ["agency", "recovery", "new", "--out", "safe.txt"]);
  await canvass(ada!, ["agency", "recovery", "set", recipient]);
  cpSync(join(ines!.home, "keyring", "agency-signing.key"), join(sam!.home, "keyring", "agency-signing.key"));
  const details = "Send us recordings that we did not ask for. We look at each of them.";
  const contact = ["--contact-name", "Front desk", "--phone", "603 555 0100"];
  const portal = await asks<{ id: string }>(sam!, ["portal", "open", "--details", details, ...contact]);
  await until("the portal", async () => (await fetch(`${town.public}/portals/${portal.id}.json`)).ok);
  const rosa: Person = { name: "Rosa", home: sam!.home, server: town.public };
  const clip = await film(join(rosa.home, "porch.mp4"), { seconds: 3 });
  await canvass(rosa, ["seal", "--portal", portal.id, "--out", "porch", "--yes", clip]);
  await canvass(rosa, ["give", "porch"]);
  const { offer } = JSON.parse(readFileSync(join(rosa.home, "porch.receipt.json"), "utf8")) as { offer: string };
  const cases = await asks<{ id: string }>(ines!, [
    ...["case", "create", "--title", "26-78 Elm Street", "--destination", portal.id],
  ]);
  const why = ["--case", cases.id, "--purpose", "Look at the clip of the porch on Elm Street"];
  await canvass(ines!, ["open", offer, ...why, "--out", "opened"]);
  await canvass(ines!, ["triage", offer, "accept", "1", "--case", cases.id, "--dir", "opened"]);
  const shown = await asks<{ items: { id: string }[] }>(ines!, ["case", "show", cases.id]);
  const key = await call<{ recipient: string }>(ines!, "GET", `/keys/${portal.id}`);
  const seen = (kind: string, start: number, end: number, colours: object) => ({
    kind,
    score: 0.8,
    start,
    end,
    best: start,
    box: [9, 2, 80, 60],
    frames: 6,
    colours,
  });
  const sightings = [
    seen("Person", 0.4, 2, { Upper: { Red: 0.7 } }),
    seen("Car", 1, 2.6, { Body: { Red: 0.6 } }),
    seen("Car", 0, 0.3, { Body: { White: 0.6 } }),
  ];
  const encrypter = new Encrypter();
  encrypter.addRecipient(key.recipient);
  const sealed = await encrypter.encrypt(sightings.map((one) => `${JSON.stringify(one)}\n`).join(""));
  await call(ines!, "PUT", `/items/${shown.items[0]!.id}/sightings`, {
    model: "objects",
    version: "3.0.4",
    sealed: Buffer.from(sealed).toString("base64"),
  });
  return shown.items[0]!.id;
}

test.beforeAll(async ({ browser }) => {
  const made = await cameraTown();
  ({ town, server } = made);
  const { ada } = town.people as Record<string, Person>;
  const members = await asks<{ id: string; name: string }[]>(ada!, ["member", "list"]);
  const camera = await asks<{ id: string }>(ada!, [
    ...["camera", "add", "Market Square", "--use", "footage", "--at", "-71.54,43.20"],
  ]);
  const by = members.find((one) => one.name === "Ada")!.id;
  const { token } = await asks<{ token: string }>(ada!, ["camera", "token", camera.id, "--member", by]);
  const picture = await drawnCar(browser, "RED 001");
  const embedding = (values: number[]) => ({ model: "looks", version: "1", values });
  const rows = [
    seen(1, "Car", { Body: { Red: 0.7 } }, { picture, embedding: embedding([1, 0, 0]) }),
    seen(2, "Car", { Body: { White: 0.9 } }, { embedding: embedding([0, 1, 0]) }),
    seen(3, "Car", { Body: { Red: 0.5, Brown: 0.2 } }, { picture, embedding: embedding([0.98, 0.1, 0]) }),
    seen(4, "Person", { Upper: { Red: 0.6 }, Lower: { Blue: 0.7 } }, { with: { Backpack: 0.6 } }),
  ];
  const answer = await fetch(`${town.desk}/api/v1/sightings`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ sightings: rows.map((row) => ({ ...row, id: String(row.id) })) }),
  });
  expect(await answer.json()).toMatchObject({ stored: rows.length });
  item = await evidence();
});

test.afterAll(async () => {
  await stopServer(server);
  rmSync(town.folder, { recursive: true, force: true });
});

async function describe(page: Page, text: string, of = CASE): Promise<void> {
  await page.getByLabel("Describe a person or a vehicle").fill(text);
  await page.getByLabel("Class of the offence").selectOption("felony");
  await page.getByLabel("Case", { exact: true }).fill(of);
  await page.getByLabel("Why do you search?").fill(WHY);
  await page.getByRole("button", { name: "Search", exact: true }).click();
}

test("a vehicle is found by description, shown as a card, and leads to those that look alike", async ({ page }) => {
  await enter(page, town, "ines", "/desk/footage", "Footage");
  await expect(page.getByText("Describe what somebody saw")).toBeVisible();
  await look(page, "desk-footage-empty");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(page.getByLabel("Describe a person or a vehicle")).toBeFocused();
  await describe(page, "red car with a blorp");
  await expect(page.getByRole("heading", { name: "What was found" })).toBeFocused();
  await expect(page.getByText("Elm Police: 1 camera searched.")).toBeVisible();
  await expect(page.getByText("Passed over, not known here: blorp")).toBeVisible();
  const cards = page
    .getByRole("region", { name: "Cameras" })
    .getByRole("listitem")
    .filter({ hasText: "Market Square" });
  await expect(cards).toHaveCount(2);
  await expect(cards.first().getByRole("img")).toBeVisible();
  await expect(cards.first()).toContainText("fits 100 %");
  await page.keyboard.press("j");
  await expect(cards.first()).toBeFocused();
  await look(page, "desk-footage-found");
  await cards
    .first()
    .getByRole("button", { name: /Similar vehicles/ })
    .click();
  await expect(page.getByRole("heading", { name: "Vehicles that look alike" })).toBeFocused();
  await expect(page.getByRole("region", { name: "Cameras" })).toContainText("Market Square");
  await accessible(page, "similar vehicles");
});

test("what may not be searched for names its rule, which everybody can read", async ({ page, guard, context }) => {
  guard.allow(/422/);
  await enter(page, town, "ines", "/desk/footage", "Footage");
  await describe(page, "Maria Lopez");
  const refusal = page.getByRole("alert");
  await expect(refusal).toContainText("This may not be searched for");
  await expect(refusal).toContainText("Rule: Names");
  await look(page, "desk-footage-refused");
  const opening = context.waitForEvent("page");
  await refusal.getByRole("link", { name: "Read the rule in public" }).click();
  const rules = await opening;
  await expect(rules.getByRole("heading", { level: 1, name: "What footage is not searched for" })).toBeVisible();
  await expect(rules.locator("#names")).toBeVisible();
});

test("evidence of the case is opened with the member's key and searched in the page", async ({ page, guard }) => {
  const ines = town.people.ines!;
  await enter(page, town, "ines", "/desk/footage?case=26-78%20Elm%20Street", "Footage");
  await expect(page.getByLabel("Case", { exact: true })).toHaveValue("26-78 Elm Street");
  await page.getByLabel("Where to look").selectOption("none");
  await describe(page, "red car", "26-78 Elm Street");
  await expect(page.getByText("What was seen in 1 item is sealed.")).toBeVisible();
  await page.getByRole("button", { name: "Open and search here" }).click();
  await giveIdentity(page, ines);
  const moment = page.getByRole("listitem").filter({ hasText: "clip-01.mp4" });
  await expect(moment).toHaveCount(1);
  await expect(moment).toContainText("0:01.0 to 0:02.6 in the recording");
  await look(page, "desk-footage-evidence");
  // Nothing of what was seen went to the server: the key and the sightings stay in the page.
  const sent = guard.traffic.filter(({ method }) => method !== "GET").map(({ url }) => new URL(url).pathname);
  expect(sent.filter((path) => !/\/(plan|searches|signin|session)/.test(path))).toEqual([]);
  await moment.getByRole("link", { name: "Open clip-01.mp4" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "clip-01.mp4" })).toBeVisible();
});

test("people take a second person, who reads what is asked; who asked runs it", async ({ page }) => {
  await enter(page, town, "ines", "/desk/footage", "Footage");
  await describe(page, "person in red jacket with backpack");
  await expect(page.getByText("It needs a second person")).toBeVisible();
  await look(page, "desk-footage-second");
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Footage by description" })).toBeVisible();
  const here = new URL(page.url()).pathname;
  await page.getByRole("button", { name: "Sign out" }).click();
  await enter(page, town, "sam", here, "Footage by description");
  await expect(page.getByText("person in red jacket with backpack")).toBeVisible();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(page.getByText("Approved").first()).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await enter(page, town, "ines", here, "Footage by description");
  await page.getByRole("button", { name: "Run it" }).click();
  await expect(page.getByRole("region", { name: "Cameras" })).toContainText("Market Square");
  await look(page, "desk-footage-approved");
});

test("suggested boxes are loaded into a redaction, each with its reason, and can be changed", async ({ page }) => {
  const ines = town.people.ines!;
  const file = join(ines.home, "boxes.json");
  const key = (at: number, x: number) => ({ at, x, y: 0.2, width: 0.1, height: 0.2 });
  const box = (id: string, reason: string, x: number) => ({
    ...{ id, reason, style: "cover", from: 0, until: 2 },
    keys: [key(0, x), key(2, x + 0.2)],
  });
  const boxes = [box("head-1", "head", 0.1), box("face-1", "face", 0.4), box("plate-1", "plate", 0.7)];
  writeFileSync(file, JSON.stringify({ file: "porch.mp4", width: 640, height: 360, duration: 3, boxes }));
  await enter(page, town, "ines", `/desk/items/${item}`, "clip-01.mp4");
  await openWith(page, ines, "Cover faces before the clip is shown to the witness");
  await page.getByRole("button", { name: "Make a redacted copy" }).click();
  await page.getByText("How suggestions are made").click();
  await expect(page.getByText("canvass footage blur clip-01.mp4 --json > boxes.json")).toBeVisible();
  await page.locator('input[type="file"][accept*="json"]').setInputFiles(file);
  await expect(page.getByText("3 boxes were added: 1 face, 1 head, 1 plate.")).toBeVisible();
  await page.getByRole("button", { name: /Box 3 Plate/ }).click();
  await look(page, "desk-redact-suggested");
  await page.getByRole("button", { name: "Remove box 3" }).click();
  await expect(page.getByText("Box 3 was removed.")).toBeAttached();
  writeFileSync(file, "[]");
  await page.locator('input[type="file"][accept*="json"]').setInputFiles(file);
  await expect(page.getByRole("alert")).toContainText("This is no file of suggestions.");
  await page.getByRole("button", { name: "Remove the suggested boxes" }).click();
  await expect(page.getByText("Draw a box, or remove the sound.")).toBeVisible();
});

test("rules and error rates are public, in two languages, and read without script", async ({ page, browser }) => {
  await page.goto(`${town.public}/footage/rules`);
  await expect(page.getByRole("heading", { name: "Race, colour of skin, ethnicity" })).toBeVisible();
  await expect(page.getByText("canvass footage allowed 'man in blue shirt'")).toBeVisible();
  await look(page, "footage-rules");
  await page.getByRole("link", { name: "How often it is wrong" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "How often seeing is wrong" })).toBeVisible();
  const plates = page.getByRole("region", { name: "Number plates" }).last();
  await expect(plates.getByRole("columnheader", { name: "At most one character off" })).toBeVisible();
  await expect(plates.getByRole("cell", { name: /^\d+ % \(\d+ of \d+\)$/ }).first()).toBeVisible();
  await look(page, "footage-error-rates");
  await page.getByRole("link", { name: "What footage may not be searched for" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "What footage is not searched for" })).toBeVisible();

  const context = await browser.newContext({ javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto(`${town.public}/footage/rules`);
  await expect(plain.getByRole("heading", { level: 1, name: /Lo que no se busca/ })).toBeVisible();
  await expect(plain.getByText("Nobody is searched for by name.")).toBeVisible();
  await plain.getByRole("link", { name: /How often it is wrong/ }).click();
  await expect(plain.getByRole("table").first()).toContainText(/\d+ % \(\d+ \/ \d+\)/);
  await expect(plain.getByText("The sets are small")).toBeVisible();
  await context.close();
});
