/**
 * A town of its own for tests of plates: an agency that no state law binds, its people, two plate cameras and the tokens of
 * their machines.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Browser, expect } from "./fixtures";
import { asks, canvass, freePort, type Person, serve, square, type Town } from "./town";

/** The case that the investigator works on. */
export const CASE = "26-77";
/** The cameras, in the order of their tokens. */
export const CAMERAS = ["Elm Street, eastbound", "Depot gate"] as const;

export interface CameraTown {
  town: Town;
  server: ChildProcess;
  /** What each camera's machine sends with. */
  tokens: [string, string];
}

export async function stopServer(server: ChildProcess): Promise<void> {
  const ended = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await ended;
}

function person(town: Town, name: string, token: string): Person {
  const home = join(town.folder, name.toLowerCase());
  mkdirSync(join(home, "keyring"), { recursive: true });
  writeFileSync(join(home, "token"), token);
  return (town.people[name.toLowerCase()] = { name, home, server: town.desk, token });
}

async function member(town: Town, by: Person, name: string, role: string, agency: string) {
  const add = ["member", "add", "--name", name, "--role", role, "--agency", agency];
  const { id } = await asks<{ id: string }>(by, add);
  const { token } = await asks<{ token: string }>(by, ["member", "token", id, "--label", "browser", "--days", "90"]);
  return { id, who: person(town, name, token) };
}

/**
 * Builds the town: Ada administers, Ines investigates, Sam and Sid supervise. The server runs when it returns; `more` are
 * further options of `canvass serve`.
 */
export async function cameraTown(more: string[] = []): Promise<CameraTown> {
  const folder = mkdtempSync(join(tmpdir(), "canvass-plates-"));
  const [inside, open] = [await freePort(), await freePort()];
  const town = { folder, desk: `http://127.0.0.1:${inside}`, public: `http://127.0.0.1:${open}`, people: {} } as Town;
  const before = person(town, "Operator", "none");
  const first = await asks<{ token: string }>(before, ["init", "--data", "data", "--operator", "Olive Operator"]);
  const operator = person(town, "Operator", first.token);
  const server = await serve(town, more);
  try {
    return { town, server, tokens: await settle(town, operator) };
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
}

async function settle(town: Town, operator: Person): Promise<[string, string]> {
  const area = join(town.folder, "area.geojson");
  writeFileSync(area, JSON.stringify(square(-71.7, 43.1, 0.3)));
  const where = ["--class", "municipal", "--subdivision", "US-TX", "--area", area];
  const { id } = await asks<{ id: string }>(operator, ["agency", "register", "--name", "Elm Police", ...where]);
  const ada = await member(town, operator, "Ada", "administrator", id);
  const ines = await member(town, ada.who, "Ines", "investigator", id);
  await member(town, ada.who, "Sam", "supervisor", id);
  await member(town, ada.who, "Sid", "supervisor", id);
  await canvass(ines.who, ["keygen", "--out", "keyring/identity.txt"]);
  const key = await asks<{ public: string }>(ines.who, ["agency", "key", "new"]);
  await canvass(operator, ["agency", "verify", id, "--public", key.public]);
  await canvass(ines.who, ["case", "create", "--title", CASE]);
  const token = async (name: string, at: string) => {
    const camera = await asks<{ id: string }>(ada.who, ["camera", "add", name, "--use", "plates", "--at", at]);
    return (await asks<{ token: string }>(ada.who, ["camera", "token", camera.id, "--member", ada.id])).token;
  };
  return [await token(CAMERAS[0], "-71.54,43.20"), await token(CAMERAS[1], "-71.53,43.21")];
}

/** A moment so many minutes ago, as cameras write it. */
export const minutesAgo = (minutes: number): string =>
  new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+Z$/, "Z");

/** A drawn car from behind, as a camera sends a picture of it: JPEG in Base64. */
export async function drawnCar(browser: Browser, plate: string): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 640, height: 400 } });
  await page.setContent(`<body style="margin:0;background:#6d747a"><svg viewBox="0 0 640 400" width="640" height="400">
    <rect y="300" width="640" height="100" fill="#50565b"/>
    <path d="M90 300v-110q0-20 20-24l60-90q8-12 24-12h252q16 0 24 12l60 90q20 4 20 24v110z" fill="#8fa3b8"/>
    <path d="M196 160l40-72h168l40 72z" fill="#24303a"/><rect x="110" y="190" width="70" height="34" rx="8" fill="#a33"/>
    <rect x="460" y="190" width="70" height="34" rx="8" fill="#a33"/><rect x="96" y="280" width="448" height="30" fill="#333b42"/>
    <rect x="225" y="205" width="190" height="66" rx="8" fill="#f7f7f2" stroke="#123" stroke-width="4"/>
    <text x="320" y="253" text-anchor="middle" font-family="monospace" font-weight="700" font-size="40" fill="#123">${plate}</text>
    </svg></body>`);
  const picture = await page.screenshot({ type: "jpeg", quality: 70 });
  await page.close();
  return picture.toString("base64");
}

/** Sends reads as a camera's machine does. */
export async function sendReads(town: Town, token: string, reads: object[]): Promise<void> {
  const answer = await fetch(`${town.desk}/api/v1/reads`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ reads }),
  });
  expect(await answer.json()).toMatchObject({ stored: reads.length });
}
