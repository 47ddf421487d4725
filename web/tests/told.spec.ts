/**
 * Alerts told beyond the desk: an administrator sets a webhook up and tries it out; a member has their browser told, through a
 * push service that opens what it gets with stock libraries; the desk's service worker shows it. And the safelist.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { CAMERAS, CASE, cameraTown, minutesAgo, sendReads, stopServer } from "./camera-town";
import { enter } from "./desk-steps";
import { expect, look, type Page, test } from "./fixtures";
import { asks, canvass, type Town, until } from "./town";

test.describe.configure({ mode: "serial" });
test.beforeEach(({ guard }) => guard.allow(/another origin: http:\/\/127\.0\.0\.1:/));

const PYTHON = process.env.CANVASS_PYTHON ?? "python3";
const SCRIPT = resolve(import.meta.dirname, "../../crates/notices/tests/receivers.py");
const LIST = "Stolen vehicles";

interface Pushed {
  kind: string;
  path?: string;
  payload?: { kind: string; title: string; body: string };
}
interface Hooked {
  headers: IncomingHttpHeaders;
  body: { type: string; data: { alert?: string; state?: string; link?: string } };
}

let town: Town;
let server: ChildProcess;
let tokens: [string, string];
let service: ChildProcess;
let ports: { push: number; p256dh: string; auth: string };
let receiver: Server;
let address: string;
const pushed: Pushed[] = [];
const hooked: Hooked[] = [];
/** What the receiver answers. */
let status = 204;

async function pushService(): Promise<typeof ports> {
  service = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: service.stdout! });
  return new Promise((done, fail) => {
    service.once("error", fail);
    service.once("exit", (code) => fail(new Error(`the push service ended with ${code}; run \`cargo xtask setup\``)));
    lines.once("line", (line) => {
      done(JSON.parse(line) as typeof ports);
      lines.on("line", (next) => pushed.push(JSON.parse(next) as Pushed));
    });
  });
}

async function webhookReceiver(): Promise<string> {
  receiver = createServer((request, response) => {
    let text = "";
    request.on("data", (part: Buffer) => (text += part.toString()));
    request.on("end", () => {
      hooked.push({ headers: request.headers, body: JSON.parse(text) as Hooked["body"] });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done));
  const at = receiver.address();
  return `http://127.0.0.1:${typeof at === "object" && at ? at.port : 0}`;
}

test.beforeAll(async () => {
  [ports, address] = await Promise.all([pushService(), webhookReceiver()]);
  const push = ["--push-contact", "mailto:ops@canvass.example", "--push-service", `http://127.0.0.1:${ports.push}`];
  ({ town, server, tokens } = await cameraTown([...push, "--webhook-inside", address]));
  const { ines, sam } = town.people;
  writeFileSync(join(ines!.home, "stolen.csv"), "plate\nABC 1234\nXYZ 789\n");
  const add = ["hotlist", "add", LIST, "--source", "State police", "--basis", "agency", "--for", "stolen"];
  const why = ["--case-number", CASE, "--purpose", "Vehicles stolen in Elm County since October"];
  const list = await asks(ines!, [...add, ...why]);
  const reason = ["--reason", "The weekly file of the state police"];
  const proposed = await asks<{ version: { proposal: string } }>(ines!, [
    "hotlist",
    "import",
    list.id!,
    "stolen.csv",
    ...reason,
  ]);
  await canvass(sam!, ["hotlist", "approve", proposed.version.proposal]);
});

test.afterAll(async () => {
  service?.removeAllListeners("exit");
  service?.kill();
  receiver?.close();
  await stopServer(server);
  rmSync(town.folder, { recursive: true, force: true });
});

test("an administrator sets a webhook up, is shown the secret once, and tries it out", async ({ page, guard }) => {
  await enter(page, town, "ada", "/desk/webhooks", "Webhooks");
  await expect(page.getByText("No webhooks", { exact: true })).toBeVisible();
  await look(page, "desk-webhooks-empty");
  await page.getByRole("button", { name: "Set up a webhook" }).click();
  const dialog = page.getByRole("dialog", { name: "Set up a webhook" });
  await dialog.getByRole("button", { name: "Set it up" }).click();
  await expect(dialog.getByText("Write a name of 2 to 80 characters.")).toBeVisible();
  await dialog.getByLabel("Name").fill("Dispatch");
  await dialog.getByLabel("Address").fill("https://10.0.0.1/hook");
  guard.allow(/422/);
  await dialog.getByRole("button", { name: "Set it up" }).click();
  await expect(dialog.getByText("This address lies within a network of somebody’s own.")).toBeVisible();
  await look(page, "desk-webhook-new");
  await dialog.getByLabel("Address").fill(`${address}/secret-path`);
  await dialog.getByRole("button", { name: "Set it up" }).click();
  await expect(page.getByText(/^whsec_/)).toBeVisible();
  await look(page, "desk-webhook-secret");
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(page.getByText(/^whsec_/)).toHaveCount(0);
  const card = page.getByRole("article", { name: "Dispatch" });
  await card.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByText("A test is on its way to Dispatch.")).toBeVisible();
  await until("the test", () => Promise.resolve(hooked.some(({ body }) => body.type === "webhook.test")));
  await expect(async () => {
    await card.getByRole("button", { name: "Look again" }).click();
    await expect(card.getByRole("row").filter({ hasText: "Test" })).toContainText("Delivered", { timeout: 500 });
  }).toPass();
  await look(page, "desk-webhooks");
});

test("an alert is told by id and link; the link leads to it, and what fails is shown", async ({ page }) => {
  status = 500;
  await sendReads(town, tokens[0], [{ id: 1, time: minutesAgo(0), plate: "ABC1234", confidence: 91 }]);
  await until("the message", () => Promise.resolve(hooked.some(({ body }) => body.type === "alert.raised")));
  const { headers, body } = hooked.find((each) => each.body.type === "alert.raised")!;
  expect(headers["webhook-signature"]).toMatch(/^v1,/);
  expect(body.data.state).toBe("unconfirmed");
  expect(JSON.stringify(body)).not.toContain("ABC1234");
  await enter(page, town, "ada", "/desk/webhooks", "Webhooks");
  const card = page.getByRole("article", { name: "Dispatch" });
  await expect(card.getByText("Nothing came through since")).toBeVisible();
  await card.getByText("Messages of the last 30 days").click();
  await expect(card.getByRole("row").filter({ hasText: "Alert raised" })).toContainText("answered 500");
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "desk-webhooks-failing-dark");
  await page.emulateMedia({ colorScheme: "light" });
  status = 204;
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "ines", new URL(body.data.link!).pathname, "An alert");
  const article = page.getByRole("article", { name: `${LIST}: read at ${CAMERAS[0]}` });
  await expect(article.getByText("An alert alone is no cause for a stop")).toBeVisible();
  await look(page, "desk-alert");
  await article.getByRole("button", { name: "Compare plate and picture" }).click();
  await article.getByLabel("Plate as it stands in the picture").fill("ABC 1234");
  await article.getByRole("button", { name: "Record what I see" }).click();
  await expect(page.getByText("Confirmed: you saw the plate of the list.")).toBeVisible();
  await until("the comparison", () =>
    Promise.resolve(hooked.some((each) => each.body.type === "alert.compared" && each.body.data.state === "confirmed")),
  );
});

/** The browser's own push service needs its maker's network: its part is played by ours. */
async function ownPushService(page: Page): Promise<void> {
  await page.addInitScript(
    ([endpoint, p256dh, auth]) => {
      const key = "test.push";
      const subscription = {
        endpoint,
        toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
        unsubscribe: () => {
          localStorage.removeItem(key);
          return Promise.resolve(true);
        },
      };
      Object.assign(PushManager.prototype, {
        subscribe: () => {
          localStorage.setItem(key, "on");
          return Promise.resolve(subscription);
        },
        getSubscription: () => Promise.resolve(localStorage.getItem(key) ? subscription : null),
      });
    },
    [`http://127.0.0.1:${ports.push}/ines`, ports.p256dh, ports.auth] as const,
  );
}

test("a member’s browser is told that an alert waits, shows it, and is left alone after the end", async ({
  page,
  context,
  guard,
}) => {
  guard.allow(/./);
  await context.grantPermissions(["notifications"], { origin: town.desk });
  await ownPushService(page);
  await enter(page, town, "ines", "/desk/alerts", "Alerts");
  await page.getByText("Notices in this browser: off").click();
  await look(page, "desk-alerts-push");
  await page.getByRole("button", { name: "Show notices in this browser" }).click();
  await expect(page.getByText("This browser shows when an alert waits.")).toBeVisible();
  await look(page, "desk-alerts-push-on");
  await sendReads(town, tokens[1], [{ id: 1, time: minutesAgo(0), plate: "XYZ789", confidence: 97 }]);
  await until("the push", () => Promise.resolve(pushed.some(({ path }) => path === "/ines")));
  const { payload } = pushed.find(({ path }) => path === "/ines")!;
  expect(payload).toMatchObject({ kind: "alert", title: "An alert waits for comparison" });
  expect(JSON.stringify(payload)).not.toMatch(/XYZ789|alr_/);

  // The worker of this very browser, by the protocol of its tools: what it gets, it shows.
  const tools = await context.newCDPSession(page);
  const registration = new Promise<string>((done) => {
    tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL.endsWith("/desk"));
      if (found) done(found.registrationId);
    });
  });
  await tools.send("ServiceWorker.enable");
  const registrationId = await registration;
  const shown = () =>
    page.evaluate(async () => {
      const worker = await navigator.serviceWorker.getRegistration("/desk/");
      return (await worker?.getNotifications())?.map(({ title, body, tag }) => ({ title, body, tag })) ?? [];
    });
  for (const data of [JSON.stringify(payload), "no JSON"]) {
    await tools.send("ServiceWorker.deliverPushMessage", { origin: town.desk, registrationId, data });
    const title = data.startsWith("{") ? payload!.title : "Canvass";
    await until(`the notice ${title}`, async () => (await shown())[0]?.title === title);
  }
  expect(await shown()).toHaveLength(1);

  await page.getByRole("button", { name: "No more notices in this browser" }).click();
  await expect(page.getByText("There are no more notices there.")).toBeVisible();
  await expect(page.getByText("Notices in this browser: off")).toBeVisible();
});

test("a resident’s plate is put on the safelist, reads of it are dropped, and the public sees numbers", async ({
  page,
  guard,
}) => {
  await enter(page, town, "ada", "/desk/safelist", "Safelist");
  await expect(page.getByText("The list does nothing yet")).toBeVisible();
  await look(page, "desk-safelist-empty");
  await page.getByRole("button", { name: "Enter it" }).click();
  await expect(page.getByText("Type the plate.")).toBeVisible();
  await page.getByRole("textbox", { name: "Plate", exact: true }).fill("SAFE 11");
  await page.getByRole("button", { name: "Enter it" }).click();
  await expect(page.getByText("Look at the registration first, then say so.")).toBeVisible();
  await page.getByLabel("I saw the vehicle’s registration").check();
  await page.getByRole("button", { name: "Enter it" }).click();
  await expect(page.getByText("The plate is on the safelist until")).toBeVisible();
  await page.getByRole("button", { name: "What becomes of reads" }).click();
  const dialog = page.getByRole("dialog", { name: "What becomes of reads" });
  await dialog.getByLabel("Reads are dropped").check();
  await dialog.getByLabel("Reason").fill("The council asked for it in November");
  await look(page, "desk-safelist-choose");
  await dialog.getByRole("button", { name: "Choose this" }).click();
  await expect(page.getByText("It is chosen; it holds for reads from now on.")).toBeVisible();
  const answer = await fetch(`${town.desk}/api/v1/reads`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokens[1]}`, "content-type": "application/json" },
    body: JSON.stringify({ reads: [{ id: 9, time: minutesAgo(0), plate: "SAFE11" }] }),
  });
  expect(await answer.json()).toMatchObject({ stored: 0, dropped: 1 });
  await until("the count", async () => {
    await page.reload();
    return (await page.getByText("Reads dropped").locator("xpath=following-sibling::dd[1]").textContent()) === "1";
  });
  await look(page, "desk-safelist");
  await page.getByRole("textbox", { name: "Plate to take off" }).fill("SAFE 12");
  await page.getByRole("button", { name: "Take off", exact: true }).click();
  guard.allow(/404/);
  const remove = page.getByRole("dialog", { name: "Take it off the safelist?" });
  await remove.getByRole("button", { name: "Take off" }).click();
  await expect(remove.getByText("there is none under this id")).toBeVisible();
  await remove.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("textbox", { name: "Plate to take off" }).fill("safe-11");
  await page.getByRole("button", { name: "Take off", exact: true }).click();
  await remove.getByRole("button", { name: "Take off" }).click();
  await expect(page.getByText("It is off the safelist.")).toBeVisible();
  await expect(page.getByText("No plates yet.")).toBeVisible();

  await page.goto(`${town.public}/ledger#view=access`);
  const row = page.getByRole("region", { name: "Safelists: residents’ own plates" }).getByRole("row").nth(1);
  await expect(row).toContainText("Elm Police");
  await expect(row).toContainText("not stored");
});
