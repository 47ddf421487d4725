/**
 * A small town on one machine for the browser tests: a real server with embedded pages, two agencies, a moderator, an overseer,
 * published and refused requests, and one offer that was sent with the command line. Everything is made by the shipped executable.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const BIN = resolve(process.env.CANVASS_BIN ?? join(import.meta.dirname, "../../target/debug/canvass"));

/** Why the investigators of the city open what residents gave. */
export const BURGLARY = "White van at the garage burglary on Elm Street";

/** Someone with a folder of their own. */
export interface Person {
  name: string;
  home: string;
  server: string;
  token?: string;
}

/** What the tests know of the town; kept as JSON between Playwright's processes. */
export interface Town {
  folder: string;
  desk: string;
  public: string;
  region: string;
  people: Record<string, Person>;
  agencies: { city: string; county: string };
  requests: { burglary: string; collision: string; refused: string; waiting: string };
  /** Files of Rosa's offer, which was sent with the command line. */
  offer: { id: string; secretFile: string; receiptFile: string };
  clips: Record<string, string>;
}

/** Runs the executable as a person, and gives back what it printed. */
export async function canvass(person: Person, args: string[]): Promise<string> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CANVASS_SERVER: person.server,
    CANVASS_KEYRING: join(person.home, "keyring"),
    CANVASS_STATE: join(person.home, "state"),
  };
  if (person.token) env.CANVASS_TOKEN_FILE = join(person.home, "token");
  const { stdout } = await run(BIN, args, { cwd: person.home, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** The same, reading JSON. */
export async function asks<T = Record<string, string>>(person: Person, args: string[]): Promise<T> {
  return JSON.parse(await canvass(person, ["--json", ...args])) as T;
}

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? done(address.port) : fail(new Error("no port"))));
    });
  });
}

/** Waits until `ready` holds, for at most two minutes. */
export async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (await ready().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${what} took longer than two minutes`);
}

export function square(longitude: number, latitude: number, side: number) {
  const [w, e, s, n] = [longitude, longitude + side, latitude, latitude + side];
  return {
    type: "Polygon",
    coordinates: [
      [
        [w, s],
        [e, s],
        [e, n],
        [w, n],
        [w, s],
      ],
    ],
  };
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");

export function draft(code: string, incident: string, details: string, area: unknown, frame: [number, number]) {
  return {
    code,
    incident,
    details,
    area,
    contact: { name: "Det. R. Alvarez", phone: "+1 603 555 0142", email: "tips@concord.example" },
    start: iso(frame[0]),
    end: iso(frame[1]),
    zone: "America/New_York",
    languages: ["en", "es"],
    own_case: true,
  };
}

/** Makes a short clip; its picture shows the running time. */
export async function film(
  file: string,
  options: { seconds?: number; size?: string; created?: string; args?: string[]; input?: string },
): Promise<string> {
  const {
    seconds = 6,
    size = "640x360",
    created,
    args = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "15"],
  } = options;
  const input = options.input ?? `testsrc2=size=${size}:rate=15:duration=${seconds}`;
  const meta = created ? ["-metadata", `creation_time=${created}`] : [];
  await run("ffmpeg", ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", input, ...args, ...meta, file]);
  return file;
}

/** Starts `canvass serve` and waits until it answers; its clock is `daysAhead` days ahead. */
export async function serve(town: Town, more: string[] = [], daysAhead = 0): Promise<ChildProcess> {
  const operator = town.people.operator;
  if (!operator) throw new Error("the town has no operator yet");
  const host = (url: string) => url.replace("http://", "");
  const env: NodeJS.ProcessEnv = { ...process.env, CANVASS_LOG: "warn" };
  if (daysAhead) {
    // Not through the program `faketime`, which passes no signal on.
    const { stdout } = await run("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"]);
    Object.assign(env, { LD_PRELOAD: stdout.trim(), FAKETIME: `+${daysAhead}d`, FAKETIME_DONT_FAKE_MONOTONIC: "1" });
  }
  const child = spawn(
    BIN,
    ["serve", "--data", "data", "--listen", host(town.desk), "--public-listen", host(town.public)].concat(
      ["--public-url", town.public, "--name", "Town of Concord"],
      more,
    ),
    { cwd: operator.home, env, stdio: ["ignore", "ignore", "inherit"] },
  );
  await until("starting the server", async () => (await fetch(`${town.desk}/readyz`)).ok);
  return child;
}

function person(town: Town, name: string, server: string): Person {
  const home = join(town.folder, name.toLowerCase().replaceAll(" ", "-"));
  mkdirSync(join(home, "keyring"), { recursive: true });
  const made = { name, home, server };
  town.people[name.split(" ")[0]!.toLowerCase()] = made;
  return made;
}

function signIn(who: Person, token: string): void {
  who.token = token;
  writeFileSync(join(who.home, "token"), token);
}

async function member(town: Town, by: Person, name: string, role: string, agency?: string): Promise<Person> {
  const place = agency ? ["--agency", agency] : ["--no-agency"];
  const { id } = await asks<{ id: string }>(by, ["member", "add", "--name", name, "--role", role, ...place]);
  const { token } = await asks<{ token: string }>(by, ["member", "token", id, "--label", "browser", "--days", "30"]);
  const made = person(town, name, town.desk);
  signIn(made, token);
  if (agency) {
    await canvass(made, ["keygen", "--out", "keyring/identity.txt"]);
    await canvass(made, ["member", "recipient"]);
  }
  return made;
}

async function agency(
  town: Town,
  operator: Person,
  name: string,
  kind: string,
  area: unknown,
  people: [string, string, string],
) {
  const file = join(town.folder, `${kind}.geojson`);
  writeFileSync(file, JSON.stringify(area));
  const where = ["--class", kind, "--subdivision", "US-NH", "--area", file];
  const { id } = await asks<{ id: string }>(operator, ["agency", "register", "--name", name, ...where]);
  const administrator = await member(town, operator, people[0], "administrator", id);
  const investigator = await member(town, administrator, people[1], "investigator", id);
  await member(town, administrator, people[2], "supervisor", id);
  const key = await asks<{ public: string }>(investigator, ["agency", "key", "new"]);
  await canvass(operator, ["agency", "verify", id, "--public", key.public]);
  const recovery = await asks<{ recipient: string }>(administrator, [
    "agency",
    "recovery",
    "new",
    "--out",
    join(administrator.home, "recovery-for-the-safe.txt"),
  ]);
  await canvass(administrator, ["agency", "recovery", "set", recovery.recipient]);
  return id;
}

/** Drafts, keys, signs and submits a request with the command line. */
export async function ask(by: Person, body: unknown): Promise<string> {
  writeFileSync(join(by.home, "draft.json"), JSON.stringify(body));
  const { id } = await asks<{ id: string }>(by, ["request", "draft", "--file", "draft.json"]);
  await canvass(by, ["agency", "request-key", id]);
  await canvass(by, ["request", "submit", id, "--yes"]);
  return id;
}

/** Builds the town; the server runs when it returns. `more` are further options of `canvass serve`. */
export async function build(folder: string, more: string[] = []): Promise<{ town: Town; server: ChildProcess }> {
  const [desk, open] = [await freePort(), await freePort()];
  const town = {
    folder,
    desk: `http://127.0.0.1:${desk}`,
    public: `http://127.0.0.1:${open}`,
    people: {},
    clips: {},
  } as unknown as Town;
  const operator = person(town, "Operator", town.desk);
  const first = await asks<{ token: string }>(operator, ["init", "--data", "data", "--operator", "Olive Operator"]);
  signIn(operator, first.token);
  const server = await serve(town, more);
  try {
    await settle(town, operator);
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return { town, server };
}

async function settle(town: Town, operator: Person): Promise<void> {
  town.agencies = {
    city: await agency(town, operator, "Concord Police Department", "municipal", square(-71.7, 43.1, 0.3), [
      "Ada Admin",
      "Ines Investigator",
      "Sam Supervisor",
    ]),
    county: await agency(town, operator, "Merrimack County Sheriff", "county", square(-72.0, 42.9, 0.8), [
      "Bea Admin",
      "Ivo Investigator",
      "Sol Supervisor",
    ]),
  };
  const moderator = await member(town, operator, "Mo Moderator", "moderator");
  await member(town, operator, "Oona Overseer", "overseer");
  // What changes the policy takes a second operator.
  await member(town, operator, "Otto Operator", "operator");
  const start = Math.floor(Date.now() / 1000) - 20 * 3600;
  await askAll(town, moderator, [start, start + 7200]);
  await film(await clipsOf(town, start), { seconds: 6, created: iso(start + 1200) });
  await giveWithCommandLine(town);
}

async function askAll(town: Town, moderator: Person, frame: [number, number]): Promise<void> {
  const { ines, ivo } = town.people;
  if (!ines || !ivo) throw new Error("the investigators are missing");
  const burglary = await ask(
    ines,
    draft(
      "26-004512",
      "burglary",
      "A garage on Elm Street was broken into and two bicycles were taken. We look for a white van that stopped there and left eastwards.",
      square(-71.545, 43.205, 0.008),
      frame,
    ),
  );
  const collision = await ask(
    ivo,
    draft(
      "SO-26-118",
      "collision",
      "A grey pickup truck hit a parked car on Route 3 and left. We look for footage of a truck with a broken right headlight.",
      square(-71.6, 43.15, 0.009),
      frame,
    ),
  );
  const refused = await ask(
    ines,
    draft(
      "26-004600",
      "other",
      "We look for footage of everyone who took part in the protest march and rally at the State House on Saturday.",
      square(-71.54, 43.206, 0.006),
      frame,
    ),
  );
  await canvass(moderator, ["moderate", "approve", burglary, "--reason", "One street, two hours, a clear matter."]);
  await canvass(moderator, ["moderate", "approve", collision, "--reason", "One crossing, two hours, a clear matter."]);
  const why = ["--rule", "assembly", "--reason", "It asks for people at a lawful assembly."];
  await canvass(moderator, ["moderate", "refuse", refused, ...why]);
  const waiting = await ask(
    ines,
    draft(
      "26-004733",
      "theft",
      "A delivery was taken from a porch on Pine Street. We look for a man who joined the march and carried a large box.",
      square(-71.548, 43.209, 0.007),
      frame,
    ),
  );
  town.requests = { burglary, collision, refused, waiting };
  await until("publishing", async () => {
    const index = (await (await fetch(`${town.public}/feed/index.json`)).json()) as {
      regions: { region: string; requests: number }[];
    };
    town.region = index.regions[0]?.region ?? "";
    return index.regions.some((each) => each.requests >= 2);
  });
}

async function clipsOf(town: Town, start: number): Promise<string> {
  const folder = join(town.folder, "recordings");
  mkdirSync(folder, { recursive: true });
  const clip = (name: string) => (town.clips[name] = join(folder, name));
  await film(clip("garage.mkv"), { seconds: 5, created: iso(start + 1500) });
  await film(clip("shop.avi"), { seconds: 4, args: ["-c:v", "mjpeg"], created: iso(start - 30_000) });
  await film(clip("yard.webm"), { seconds: 4, args: ["-c:v", "libvpx", "-b:v", "500k"], created: iso(start + 600) });
  writeFileSync(clip("empty.mp4"), "");
  writeFileSync(clip("letter.mp4"), "This is a letter that somebody renamed.\n".repeat(50));
  return clip("porch.mp4");
}

async function giveWithCommandLine(town: Town): Promise<void> {
  const rosa = person(town, "Rosa", town.public);
  const clips = [town.clips["porch.mp4"]!, town.clips["garage.mkv"]!];
  await canvass(rosa, [
    "seal",
    "--request",
    town.requests.burglary,
    "--out",
    "offer",
    "--yes",
    "--include-outside",
    ...clips,
  ]);
  await canvass(rosa, ["give", "offer"]);
  const receiptFile = join(rosa.home, "offer.receipt.json");
  const receipt = JSON.parse(readFileSync(receiptFile, "utf8")) as { offer: string };
  town.offer = { id: receipt.offer, secretFile: join(rosa.home, "offer.offer.json"), receiptFile };
}
