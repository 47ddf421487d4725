/**
 * The whole check. Whatever plate is asked for, and whether or not it was searched, the same files are fetched in the same order
 * and the same number of bytes is sent: the server can't tell.
 */
import { FormatError, text } from "../format/bytes";
import { parseAgencies, readJsonFile, readPublic } from "../format/public";
import { checkEntries } from "../format/record";
import type { Proof } from "../format/types";
import { Problem } from "../problem";
import { type Detail, epochOf, Finder, readDay } from "./marks";

/** Largest file of one day, in bytes. */
const MAX_DAY = 64 * 1024 * 1024;
/** Files of days that are fetched at the same time. */
const LANES = 4;
const TRIES = 4;

/** Which days are public. */
export interface Days {
  v: 1;
  delay_days: number;
  keep_days: number;
  first: string | null;
  last: string | null;
  /** Searches that a court has sealed now. */
  sealed: number;
}

interface KeyFile {
  v: 1;
  suite: string;
  keys: { epoch: string; public: string; proof: Proof }[];
}

/** A search that named the plate. */
export interface Found extends Detail {
  day: string;
  /** The agency's name; its id where it is not listed. */
  name: string;
}

/** What the check found. */
export interface Checked {
  days: Days;
  /** How many days were looked through. */
  looked: number;
  /** Public days that nobody can look through, oldest first: the server gives no key of their quarter, or no file. */
  unread: string[];
  /** Newest first. */
  found: Found[];
}

const wrong = (what: string) => new FormatError("form", what);

/** All public days, oldest first; throws {@link FormatError}. */
export function daysOf({ first, last }: Pick<Days, "first" | "last">): string[] {
  if (first === null || last === null) return [];
  const day = /^\d{4}-\d\d-\d\d$/;
  if (!day.test(first) || !day.test(last)) throw wrong("the list of days is not of the expected form");
  const days: string[] = [];
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= Date.parse(`${last}T00:00:00Z`); at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
    if (days.length > 4_000) throw wrong("more days are public than can be");
  }
  return days;
}

/** Reads which days are public; throws {@link Problem} when the server can't be reached or does not offer the check. */
export async function loadDays(): Promise<Days> {
  const days = await readJsonFile<Days>("/asked/index.json");
  if (days?.v !== 1) throw new Problem("common.problem.notfound", undefined, [], 404);
  return days;
}

/** `null` when the server says that it has no key of the quarter. */
async function evaluate(epoch: string, element: string): Promise<{ elements: string[]; proof: string } | null> {
  const body = JSON.stringify({ epoch, elements: [element] });
  for (let tried = 1; ; tried += 1) {
    let response: Response;
    try {
      response = await fetch("/asked/evaluate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      if (response.ok) return (await response.json()) as { elements: string[]; proof: string };
    } catch {
      throw new Problem("common.problem.offline");
    }
    if (response.status === 404) return null;
    if (response.status !== 429 || tried === TRIES)
      throw new Problem("common.problem.unavailable", undefined, [], response.status);
    const wait = Math.min(Number(response.headers.get("retry-after")) || 1, 30);
    await new Promise((done) => setTimeout(done, wait * 1_000));
  }
}

/** The published keys by quarter, each in the requests ledger. */
async function publishedKeys(): Promise<Map<string, string>> {
  const file = await readJsonFile<KeyFile>("/asked/keys.json");
  if (file?.v !== 1 || file.suite !== "ristretto255-SHA512" || !Array.isArray(file.keys))
    throw wrong("the keys of the check are not of the expected form");
  await checkEntries(file.keys.map(({ proof }) => proof));
  const keys = new Map<string, string>();
  for (const { epoch, public: key, proof } of file.keys) {
    const leaf = JSON.parse(proof.leaf) as Record<string, unknown>;
    if (leaf.type !== "asked.key" || leaf.epoch !== epoch || leaf.public !== key)
      throw new FormatError("leaf", "a key of the check is not the one in the requests ledger");
    keys.set(epoch, key);
  }
  return keys;
}

/** Checks a plate; `onProgress` gets the share that is done. Throws {@link Problem} or {@link FormatError}. */
export async function check(plate: string, onProgress: (share: number) => void): Promise<Checked> {
  const { blind } = await import("./oprf");
  const days = await loadDays();
  const all = daysOf(days);
  const epochs = [...new Set(all.map(epochOf))];
  const keys = await publishedKeys();
  const agencies = parseAgencies(await readJsonFile("/agencies/index.json"));
  const finders = new Map<string, Finder>();
  for (const epoch of epochs) {
    const key = keys.get(epoch);
    if (key === undefined) continue;
    const blinded = blind(plate);
    const answer = await evaluate(epoch, blinded.element);
    if (answer) finders.set(epoch, new Finder(blinded.finish(answer, key)));
  }
  const found: Found[] = [];
  const unread: string[] = [];
  let next = 0;
  let done = 0;
  const lane = async () => {
    for (let day = all[next++]; day !== undefined; day = all[next++]) {
      const finder = finders.get(epochOf(day));
      const bytes = finder ? await readPublic(`/asked/${day}.json`, MAX_DAY) : null;
      if (!finder || !bytes) unread.push(day);
      else {
        const marks = readDay(JSON.parse(text(bytes) ?? "null"), day);
        for (const detail of finder.find(day, marks)) {
          const name = agencies.find(({ id }) => id === detail.agency)?.name ?? detail.agency;
          found.push({ ...detail, day, name });
        }
      }
      onProgress((done += 1) / all.length);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  found.sort((one, other) => (one.day < other.day ? 1 : one.day > other.day ? -1 : one.name.localeCompare(other.name)));
  return { days, looked: all.length - unread.length, unread: unread.sort(), found };
}
