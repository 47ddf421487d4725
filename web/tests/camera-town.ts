/**
 * A town of its own for tests of plates: an agency that no state law binds, its people, two plate cameras and the tokens of
 * their machines.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "./fixtures";
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

/** Sends reads as a camera's machine does. */
export async function sendReads(town: Town, token: string, reads: object[]): Promise<void> {
  const answer = await fetch(`${town.desk}/api/v1/reads`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ reads }),
  });
  expect(await answer.json()).toMatchObject({ stored: reads.length });
}
