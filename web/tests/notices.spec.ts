/**
 * Notices by choice, through a real mail server and a push service that opens what it gets with stock libraries
 * (`crates/notices/tests/receivers.py`). The browser's own push service needs its maker's network: its part is played by ours.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { expect, look, type Page, test as base } from "./fixtures";
import { publish } from "./giving";
import { build, type Town, until } from "./town";

const run = promisify(execFile);
const PYTHON = process.env.CANVASS_PYTHON ?? "python3";
const SCRIPT = resolve(import.meta.dirname, "../../crates/notices/tests/receivers.py");

interface Ports {
  smtp: number;
  push: number;
  p256dh: string;
  auth: string;
}
interface Message {
  kind: "mail" | "push" | "refused";
  to?: string[];
  headers?: Record<string, string>;
  body?: string;
  path?: string;
  payload?: { v: number; region: string; title: string; body: string };
}

let folder: string;
let town: Town;
const test = base.extend<{ town: Town }>({ town: ({}, use) => use(town) });
let server: ChildProcess;
let receivers: ChildProcess;
let ports: Ports;
const got: Message[] = [];

/** Starts mail server and push service; their first line names the ports. */
async function receive(): Promise<Ports> {
  receivers = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: receivers.stdout! });
  return new Promise((done, fail) => {
    receivers.once("error", fail);
    receivers.once("exit", (code) => fail(new Error(`the receivers ended with ${code}; run \`cargo xtask setup\``)));
    lines.once("line", (line) => {
      done(JSON.parse(line) as Ports);
      lines.on("line", (next) => got.push(JSON.parse(next) as Message));
    });
  });
}

test.beforeAll(async () => {
  expect(existsSync(SCRIPT)).toBe(true);
  ports = await receive();
  folder = mkdtempSync(join(tmpdir(), "canvass-notices-"));
  const more = ["--mail-smtp", `smtp://127.0.0.1:${ports.smtp}`, "--mail-from", "Canvass <notices@canvass.example>"];
  const push = ["--push-contact", "mailto:ops@canvass.example", "--push-service", `http://127.0.0.1:${ports.push}`];
  ({ town, server } = await build(folder, [...more, ...push]));
});

test.afterAll(async () => {
  receivers?.removeAllListeners("exit");
  receivers?.kill();
  if (server) {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Chooses Concord on the page of notices. */
async function choosePlace(page: Page): Promise<void> {
  await page.goto(`${town.public}/notify`);
  await page.getByRole("combobox", { name: "Town, county or coordinates" }).fill("Concord, New Hampshire");
  await page.getByRole("listbox").getByRole("option").first().click();
  await expect(page.getByText(/around Concord/)).toBeVisible();
}

/** The first message that fits, once it is there. */
async function message(what: string, fits: (message: Message) => boolean): Promise<Message> {
  await until(what, () => Promise.resolve(got.some(fits)));
  return got.find(fits)!;
}

const link = (letter: Message, act: string) =>
  new RegExp(`${town.public}/notify#${act}/[A-Za-z0-9]+`).exec(letter.body ?? "")?.[0] ?? "";

const ADDRESS = "rosa@example.org";

test("letters: asked for, confirmed, sent, and ended in one step", async ({ page }) => {
  await choosePlace(page);
  await look(page, "notify-on");
  await page.getByLabel("E-mail address").fill("rosa at example");
  await page.getByRole("button", { name: "Send me the letter" }).click();
  await expect(page.getByText("Write an e-mail address with an @")).toBeVisible();
  await page.getByLabel("E-mail address").fill(ADDRESS);
  await page.getByRole("button", { name: "Send me the letter" }).click();
  await expect(page.getByText("If the address is right, a letter is on its way.")).toBeVisible();
  await look(page, "notify-asked");

  const first = await message(
    "the letter to confirm",
    ({ kind, body }) => kind === "mail" && body!.includes("#confirm/"),
  );
  expect(first.to).toEqual([ADDRESS]);
  await page.goto(link(first, "confirm"));
  await expect(page.getByText("One more step, so that nobody can sign up somebody else.")).toBeVisible();
  await look(page, "notify-confirm");
  await page.getByRole("button", { name: "Yes, begin the notices" }).click();
  await expect(page.getByText("Confirmed. You will be told of new requests.")).toBeVisible();
  await counted("mail", 1);

  const request = await publish(town, `26-NOTICE-${process.pid}`);
  const notice = await message(
    "the notice",
    ({ kind, body }) => kind === "mail" && body!.includes("#stop/") && body!.includes("/r/"),
  );
  expect(notice.body).not.toContain(request);
  expect(notice.headers?.["list-unsubscribe-post"]).toBe("List-Unsubscribe=One-Click");

  await page.goto(link(notice, "stop"));
  await expect(page.getByText("Stopped. Your address is being deleted.")).toBeVisible();
  await look(page, "notify-stopped");
  await counted("mail", 0);
});

/** Waits until the server keeps so many confirmed subscriptions, by its own file of them. */
async function counted(channel: "mail" | "push", wanted: number): Promise<void> {
  const file = join(town.people.operator!.home, "data", "notices.db");
  const read =
    "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2], sys.argv[3:]).fetchone()[0])";
  const count = "SELECT count(*) FROM subscriptions WHERE channel = ? AND active = 1";
  await until(`${wanted} by ${channel}`, async () => {
    const { stdout } = await run(PYTHON, ["-c", read, file, count, channel]);
    return Number(stdout) === wanted;
  });
}

test("push: turned on, a notice comes that names the region alone, and turned off", async ({ page, context }) => {
  await context.grantPermissions(["notifications"], { origin: town.public });
  const endpoint = `http://127.0.0.1:${ports.push}/browser`;
  await page.addInitScript(
    ([address, p256dh, auth]) => {
      let made: unknown = null;
      const subscription = {
        endpoint: address,
        toJSON: () => ({ endpoint: address, keys: { p256dh, auth } }),
        unsubscribe: () => {
          made = null;
          return Promise.resolve(true);
        },
      };
      Object.assign(PushManager.prototype, {
        subscribe: () => Promise.resolve((made = subscription)),
        getSubscription: () => Promise.resolve(made),
      });
    },
    [endpoint, ports.p256dh, ports.auth] as const,
  );
  await choosePlace(page);
  await page.getByRole("button", { name: "Turn on for this device" }).click();
  await expect(page.getByText("Notices are on for this device.").first()).toBeVisible();
  await look(page, "notify-push");
  await counted("push", 1);
  const request = await publish(town, `26-PUSH-${process.pid}`);
  const notice = await message("the push", ({ kind, path }) => kind === "push" && path === "/browser");
  expect(notice.payload?.region).toBe(town.region);
  expect(JSON.stringify(notice.payload)).not.toContain(request);
  await page.getByRole("button", { name: "Turn off for this device" }).click();
  await expect(page.getByText("Stopped. Your address is being deleted.")).toBeVisible();
  await counted("push", 0);
});
