/** What goes wrong on a resident's side: each screen says what happened and what to do, and nothing given is lost. */
import { chromium } from "@playwright/test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, Guard, look, test } from "./fixtures";
import { BROKEN, choose, Connection, give, longer, publish, received, send, toShare } from "./giving";
import { asks, canvass, film, type Town, until } from "./town";

/** Sound, and of no offer that a server knows (`vectors/seal/offers.json`). */
const UNKNOWN = "canvass-offer-1qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qursj0alqa";

let request: string;
let long: string;

test.beforeAll(async () => {
  const town = townOf();
  request = await publish(town, code("TROUBLE"));
  // Four parts on the way.
  long = longer(town.clips["porch.mp4"]!, join(town.folder, "recordings", "long.mp4"), 25_000_000);
});

// An investigation asks twice at most, and a failed test begins anew in another process.
const code = (word: string) => `26-${word}-${process.pid}`;

function townOf(): Town {
  return JSON.parse(readFileSync(process.env.CANVASS_TOWN ?? "", "utf8")) as Town;
}

test("files that are no recordings of the asked time are told apart, and none is in the way of another", async ({
  page,
  town,
}) => {
  const folder = join(town.folder, "recordings");
  const picture = join(folder, "door.png");
  const strange = join(folder, "recorder.dav");
  await film(picture, { seconds: 1, args: ["-frames:v", "1"] });
  writeFileSync(strange, Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 7919) % 251)));
  const late = join(folder, "late.mp4");
  await film(late, { seconds: 3, created: new Date(Date.now() - 3600_000).toISOString() });
  await choose(page, town, {
    request,
    clips: [
      town.clips["empty.mp4"]!,
      town.clips["letter.mp4"]!,
      town.clips["shop.avi"]!,
      town.clips["porch.mp4"]!,
      picture,
      strange,
      late,
    ],
  });
  await expect(page.getByText("One file was not taken")).toBeVisible();
  await expect(page.getByText("The file is empty. The camera may not have finished it")).toBeVisible();
  const card = (name: string) => page.getByRole("article", { name });
  await expect(card("letter.mp4")).toContainText("This does not look like a recording.");
  await expect(card("door.png")).toContainText("This is a picture, not a recording.");
  await expect(card("recorder.dav")).toContainText("We don’t know this kind of file.");
  await expect(card("shop.avi")).toContainText("This browser cannot show it, so there is no preview.");
  await expect(card("late.mp4")).toContainText("after the asked time.");
  await expect(card("porch.mp4")).toContainText("of the asked time");
  await look(page, "trouble-files");
  for (const name of ["letter.mp4", "door.png", "recorder.dav"])
    await page.getByRole("button", { name: `Remove ${name}` }).click();
  await page.locator('input[type="file"]').first().setInputFiles([town.clips["porch.mp4"]!]);
  await expect(page.getByText("It was chosen already.")).toBeVisible();
  await toShare(page);
  await expect(page.getByText(/outside the asked time/).first()).toBeVisible();
  await look(page, "trouble-share-outside", ["phone"]);
  // Nothing is sent without a word of agreement.
  await page.getByRole("button", { name: "Seal and send" }).click();
  await expect(page.getByText("Read what will be shared, then tick that you have.").first()).toBeVisible();
});

test("nothing chosen is told beside the choice", async ({ page, town }) => {
  await page.goto(`${town.public}/r/${town.region}#${request}/give`);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText("Choose at least one clip.").first()).toBeVisible();
  await look(page, "trouble-none", ["phone"]);
});

test("a region in which one byte is changed is shown as such, and nothing can be given", async ({
  page,
  town,
  guard,
}) => {
  await page.route(/\/feed\/[0-9a-f]{15}\.json/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace("Maple Street", "Maple Stroet") });
  });
  await page.goto(`${town.public}/r/${town.region}#${request}`);
  await expect(page.getByText("Do not give footage.").first()).toBeVisible();
  await expect(page.getByRole("alert").getByText("Try again later. If it stays, tell someone you trust")).toBeVisible();
  await expect(page.getByRole("link", { name: /I have footage/ })).toHaveCount(0);
  await look(page, "trouble-tampered-request", ["phone"]);
  await page.goto(`${town.public}/r/${town.region}`);
  await expect(page.getByText("Do not give footage.").first()).toBeVisible();
  await look(page, "trouble-tampered-region");
  await page.goto(`${town.public}/r/${town.region}#${request}/give`);
  await expect(page.getByRole("alert").first()).toBeVisible();
  await expect(page.locator('input[type="file"]')).toHaveCount(0);
  await look(page, "trouble-tampered-give", ["phone"]);
  expect(guard.traffic.some(({ method }) => method !== "GET")).toBe(false);
});

test("a lost connection is told, and the sending goes on by itself where it stood", async ({ page, town, guard }) => {
  guard.allow(...BROKEN);
  const connection = new Connection();
  connection.parts = 2;
  await connection.on(page);
  await choose(page, town, { request, clips: [long] });
  await toShare(page);
  await send(page);
  await expect(page.getByRole("heading", { name: "Waiting for the connection" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("It goes on by itself as soon as there is one. Nothing is lost.")).toBeVisible();
  await look(page, "trouble-offline", ["phone"]);
  const before = parts(guard);
  connection.mend();
  await received(page);
  // Two of four parts were there already: at most two and what was cut had to be sent.
  expect(parts(guard) - before).toBeLessThanOrEqual(4);
});

const parts = (guard: Guard) => guard.traffic.filter(({ method }) => method === "PATCH").length;

test("a request that is resolved while it is sent still takes what began before", async ({ page, town, guard }) => {
  guard.allow(...BROKEN);
  const mine = await publish(town, code("RESOLVED"));
  const connection = new Connection();
  connection.parts = 1;
  await connection.on(page);
  await choose(page, town, { request: mine, clips: [long] });
  await toShare(page);
  await send(page);
  await expect(page.getByRole("heading", { name: "Waiting for the connection" })).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("heading", { name: "Paused" })).toBeVisible();
  await look(page, "trouble-paused", ["phone"]);
  await canvass(town.people.ines!, ["request", "resolve", mine]);
  connection.mend();
  await page.getByRole("button", { name: "Go on" }).click();
  await received(page);
});

test("a request that is resolved before the sending begins takes nothing; the sealed copy stays", async ({
  page,
  town,
  guard,
}) => {
  guard.allow(...BROKEN, /40[0-9]|410/);
  const mine = await publish(town, code("OVER"));
  const connection = new Connection();
  connection.begins = false;
  await connection.on(page);
  await choose(page, town, { request: mine, clips: [town.clips["porch.mp4"]!] });
  await toShare(page);
  await send(page);
  await expect(page.getByRole("heading", { name: "Waiting for the connection" })).toBeVisible({ timeout: 60_000 });
  await canvass(town.people.ines!, ["request", "resolve", mine]);
  await until("the public file to say so", async () =>
    (await (await fetch(`${town.public}/requests/${mine}.json`)).text()).includes('"state":"resolved"'),
  );
  connection.mend();
  await expect(page.getByRole("heading", { name: "It was not sent whole" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("This request or portal was closed meanwhile")).toBeVisible();
  await expect(page.getByText("Your sealed copy stays on this device until you delete it.")).toBeVisible();
  await look(page, "trouble-closed-meanwhile", ["phone"]);
  // Who comes later learns it before choosing anything.
  await page.evaluate(() => (globalThis.onbeforeunload = null));
  page.on("dialog", (dialog) => void dialog.accept());
  await page.goto(`${town.public}/r/${town.region}#${mine}/give`);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Nothing can be given here now" })).toBeVisible();
  await look(page, "trouble-shut", ["phone"]);
});

test("a tab that is closed in the middle goes on at the next visit", async ({ town }, { project }) => {
  const profile = join(town.folder, "profile-resumes");
  const open = () =>
    chromium.launchPersistentContext(profile, {
      ...project.use.launchOptions,
      viewport: { width: 1280, height: 800 },
      locale: "en-US",
    });
  const guard = new Guard([town.public]);
  guard.allow(...BROKEN);
  let context = await open();
  try {
    let page = await context.newPage();
    guard.watch(page);
    const connection = new Connection();
    connection.parts = 2;
    await connection.on(page);
    await choose(page, town, { request, clips: [long] });
    await toShare(page);
    await send(page);
    await expect(page.getByRole("heading", { name: "Waiting for the connection" })).toBeVisible({ timeout: 60_000 });
    await context.close();
    context = await open();
    page = await context.newPage();
    guard.watch(page);
    await page.goto(town.public);
    await expect(page.getByText("An offer is not sent yet.")).toBeVisible();
    await look(page, "trouble-unfinished", ["phone"]);
    const before = parts(guard);
    await page.getByRole("link", { name: "Continue sending" }).click();
    await expect(page.getByRole("heading", { name: "What became of it" })).toBeVisible({ timeout: 90_000 });
    expect(parts(guard) - before).toBeLessThanOrEqual(2);
    await page.goto(town.public);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText("An offer is not sent yet.")).toHaveCount(0);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
  guard.check();
});

test("a draft outlives a reload", async ({ page, town }) => {
  await choose(page, town, { request, clips: [town.clips["porch.mp4"]!] });
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: /Continue/ }).click();
  await page.getByText("Yes, I say who I am").click();
  await page.getByLabel("Name", { exact: true }).fill("Rosa Marsh");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "What will be shared" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "What will be shared" })).toBeVisible();
  await expect(page.getByText("Rosa Marsh").first()).toBeVisible();
});

test("a full disk is told, and the clips and answers stay", async ({ page, town, context }) => {
  await choose(page, town, { request, clips: [long] });
  await toShare(page);
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 28e6 });
  await send(page);
  await expect(page.getByText("This device has no room left for the page.")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("Nothing was sent. Your clips and what you entered are as they were.")).toBeVisible();
  await look(page, "trouble-full", ["phone"]);
  await page.getByRole("button", { name: "Back to what will be shared" }).click();
  await expect(page.getByText("clip-01.mp4").first()).toBeVisible();
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await send(page);
  await received(page);
});

test("a wrong secret is told by what is wrong with it", async ({ page, town }) => {
  const open = async (text: string) => {
    await page.getByLabel("The secret").fill(text);
    await page.getByRole("button", { name: "Open", exact: true }).click();
  };
  const secret = (JSON.parse(readFileSync(town.offer.secretFile, "utf8")) as { secret: string }).secret;
  await page.goto(`${town.public}/offer`);
  await open("AGE-SECRET-KEY-1QQQQQQ");
  await expect(page.locator(".error")).toBeVisible();
  const last = secret.endsWith("q") ? "p" : "q";
  await open(secret.slice(0, -1) + last);
  await expect(page.getByText("A character of the secret is wrong.")).toBeVisible();
  await look(page, "trouble-secret", ["phone"]);
  await open(secret.slice(0, 40));
  await expect(page.locator(".error")).toBeVisible();
  await page.locator('input[type="file"]').first().setInputFiles(town.offer.receiptFile);
  await expect(page.getByText("This is the receipt, not the offer.")).toBeVisible();
  await open(UNKNOWN);
  await expect(page.getByText("The server knows nothing of this offer yet.")).toBeVisible();
  await look(page, "trouble-unknown", ["phone"]);
});

test("an invitation goes with the offer, once", async ({ page, town, guard }) => {
  const ines = town.people.ines!;
  const made = await asks<{ secret: string }>(ines, ["invite", "create", request]);
  const giving = { request, clips: [town.clips["garage.mkv"]!], invitation: made.secret };
  await choose(page, town, giving);
  await expect(page.getByText("You were invited in private.")).toBeVisible();
  await look(page, "give-invited", ["phone"]);
  await toShare(page);
  await send(page);
  await received(page);
  expect(await canvass(ines, ["invite", "list"])).toMatch(/used by off_/);
  await page.getByLabel("I have saved it").check();
  await page.goto(town.public);
  await choose(page, town, giving);
  await toShare(page);
  await send(page);
  await expect(page.getByText("The server took it in and refused it")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("The invitation was used already: it works once.")).toBeVisible();
  await look(page, "trouble-invitation-used", ["phone"]);
  for (const { url } of guard.traffic) expect(url, "the invitation is in no address").not.toContain(made.secret);
});

test("an offer is withdrawn, and the ledger proves that it is gone", async ({ page, town }) => {
  await give(page, town, { request, clips: [town.clips["yard.webm"]!] });
  await page.getByLabel("I have saved it").check();
  await page.getByRole("button", { name: "Go to my offer" }).click();
  await expect(page.getByRole("heading", { name: "What became of it" })).toBeVisible();
  await look(page, "offer-received", ["phone"]);
  await page.getByRole("button", { name: "Withdraw the offer" }).click();
  const sure = page.getByRole("dialog");
  await expect(sure).toContainText("All its clips are destroyed at the server");
  await sure.getByRole("button", { name: "Withdraw the offer" }).click();
  const again = page.getByRole("button", { name: "Look again" });
  await expect(async () => {
    await again.click();
    await expect(page.getByRole("heading", { name: "Proof that it is gone" })).toBeVisible({ timeout: 2_000 });
    await expect(page.getByText("Destroyed", { exact: true })).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 120_000 });
  await page.getByRole("button", { name: "Read the ledger" }).click();
  await expect(async () => {
    const more = page.getByRole("button", { name: "Read it again" });
    if (await more.isVisible()) await more.click();
    await expect(page.getByText("The ledger says that the bytes are destroyed")).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 90_000 });
  await look(page, "offer-destroyed", ["phone"]);
});
