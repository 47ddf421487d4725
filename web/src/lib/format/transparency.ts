/** `/transparency.json`: what is set up here, as the server computed it; and the texts of policy under `/texts/`. */
import { readJsonFile } from "./public";
import type { AgencyClass, AgencyState } from "./types";

export type SettingValue = string | number | boolean;

/** How many people have a role, and since which day as many. */
export interface RoleCount {
  role: string;
  count: number;
  /** `2026-11-24` in UTC. */
  since: string;
}

export interface Claim {
  setting: string;
  value: SettingValue;
}

/** A published text, without its words. */
export interface TextShown {
  language: "en" | "es";
  since: string;
  digest: string;
  claims: Claim[];
}

/** A claim of a text that is not so. */
export interface Contradiction {
  language: "en" | "es";
  setting: string;
  claimed: SettingValue;
  live: SettingValue;
  since: string;
}

/** A rule of sharing in force. */
export interface SharingShown {
  what: string;
  cameras: number | null;
  scope: string;
  within_km: number | null;
  named: string[];
  accepted: string[];
  from: string;
  until: string;
}

export interface AgencyTransparency {
  id: string;
  name: string;
  class: AgencyClass;
  subdivision: string;
  state: AgencyState;
  law: { profile: string; title: string; reads: { seen_seconds: number; hit_seconds: number } };
  members: RoleCount[];
  keys: { count: number; since: string };
  portals: number;
  requests: number;
  sharing: SharingShown[];
  texts: TextShown[];
  contradictions: Contradiction[];
}

/** How many alerts of a hotlist stand where. */
export interface AlertCounts {
  unconfirmed: number;
  confirmed: number;
  misread: number;
  stale: number;
  misread_percent: number | null;
}

/** A hotlist that alerts. */
export interface HotlistShown {
  id: string;
  agency: string;
  source: string;
  basis: "judicial" | "administrative" | "agency";
  purpose: string;
  entries: number;
  since: string;
  allowed: boolean;
  alerts: AlertCounts;
  cameras: { camera: string; compared: number; misread_percent: number | null }[];
}

/** A safelist in use. */
export interface SafelistShown {
  agency: string;
  mode: "off" | "tag" | "drop";
  plates: number;
  dropped: number;
}

export interface Transparency {
  v: 1;
  policy: string;
  rules: string;
  kept: { class: string; setting: string | null; days: number | null }[];
  plates: boolean;
  hotlists: HotlistShown[];
  safelists: SafelistShown[];
  deployment: { members: RoleCount[]; texts: TextShown[]; contradictions: Contradiction[] };
  agencies: AgencyTransparency[];
  findings: Record<string, Record<string, number>>;
}

/** A text with its words, and numbers in it that seem to say something else than what is in force. */
export interface PublicText extends TextShown {
  markdown: string;
  hints: { setting: string; quote: string; said: string; live: SettingValue }[];
}

const isText = (value: unknown): value is string => typeof value === "string";
const isValue = (value: unknown) => isText(value) || typeof value === "boolean" || Number.isFinite(value);
const isDay = (value: unknown) => isText(value) && /^\d{4}-\d\d-\d\d$/.test(value);

function all<T>(value: unknown, sound: (each: T) => boolean): boolean {
  return Array.isArray(value) && value.every((each) => !!each && typeof each === "object" && sound(each as T));
}

const members = (value: unknown) =>
  all<RoleCount>(value, (one) => isText(one.role) && Number.isSafeInteger(one.count) && isDay(one.since));
const contradictions = (value: unknown) =>
  all<Contradiction>(
    value,
    (one) =>
      isText(one.setting) && isValue(one.claimed) && isValue(one.live) && isDay(one.since) && isText(one.language),
  );
const claims = (value: unknown) => all<Claim>(value, (one) => isText(one.setting) && isValue(one.value));
const texts = (value: unknown) =>
  all<TextShown>(value, (one) => isText(one.language) && isDay(one.since) && isText(one.digest) && claims(one.claims));
const words = (value: unknown) => Array.isArray(value) && value.every(isText);
const sharing = (value: unknown) =>
  all<SharingShown>(
    value,
    (one) => isText(one.what) && isText(one.scope) && words(one.named) && words(one.accepted) && isDay(one.until),
  );

const hotlists = (value: unknown) =>
  all<HotlistShown>(
    value,
    (one) =>
      isText(one.agency) &&
      isText(one.source) &&
      isText(one.basis) &&
      isText(one.purpose) &&
      Number.isSafeInteger(one.entries) &&
      isDay(one.since) &&
      typeof one.allowed === "boolean" &&
      Number.isSafeInteger(one.alerts?.confirmed) &&
      Number.isSafeInteger(one.alerts.unconfirmed) &&
      Number.isSafeInteger(one.alerts.misread) &&
      Number.isSafeInteger(one.alerts.stale) &&
      Array.isArray(one.cameras),
  );

const safelists = (value: unknown) =>
  all<SafelistShown>(
    value,
    (one) =>
      isText(one.agency) &&
      ["off", "tag", "drop"].includes(one.mode) &&
      Number.isSafeInteger(one.plates) &&
      Number.isSafeInteger(one.dropped),
  );

/** Reads the summary; `null` when it is none. */
export function parseTransparency(value: unknown): Transparency | null {
  const read = value as Transparency | null;
  const agency = (one: AgencyTransparency) =>
    isText(one.id) &&
    isText(one.name) &&
    isText(one.class) &&
    isText(one.state) &&
    isText(one.law?.profile) &&
    Number.isSafeInteger(one.law.reads?.seen_seconds) &&
    Number.isSafeInteger(one.law.reads.hit_seconds) &&
    Number.isSafeInteger(one.keys?.count) &&
    Number.isSafeInteger(one.portals) &&
    Number.isSafeInteger(one.requests) &&
    members(one.members) &&
    sharing(one.sharing) &&
    texts(one.texts) &&
    contradictions(one.contradictions);
  const sound =
    read?.v === 1 &&
    all<Transparency["kept"][number]>(read.kept, (one) => isText(one.class)) &&
    hotlists(read.hotlists) &&
    safelists(read.safelists) &&
    !!read.deployment &&
    members(read.deployment.members) &&
    texts(read.deployment.texts) &&
    contradictions(read.deployment.contradictions) &&
    all<AgencyTransparency>(read.agencies, agency) &&
    !!read.findings &&
    typeof read.findings === "object";
  return sound ? read : null;
}

/** The summary, asked for each time so that an alarm never waits; `null` where the server has none. */
export async function loadTransparency(): Promise<Transparency | null> {
  return parseTransparency(await readJsonFile("/transparency.json", "no-cache"));
}

/** The texts of an agency, or of the whole `deployment`, with their words; `null` when they can't be read. */
export async function loadTexts(owner: string): Promise<PublicText[] | null> {
  const file = await readJsonFile<{ v: number; texts: PublicText[] }>(`/texts/${owner}.json`);
  const sound =
    file?.v === 1 &&
    texts(file.texts) &&
    file.texts.every(
      ({ markdown, hints }) =>
        isText(markdown) &&
        all<PublicText["hints"][number]>(hints, (one) => isText(one.setting) && isText(one.quote) && isValue(one.live)),
    );
  return sound ? file.texts : null;
}

/** All contradictions with whose they are: `null` for the whole deployment's, which come first. */
export function openContradictions(
  summary: Transparency,
): { agency: string | null; name: string; one: Contradiction }[] {
  const of = (agency: string | null, name: string, all: Contradiction[]) => all.map((one) => ({ agency, name, one }));
  return [
    ...of(null, "", summary.deployment.contradictions),
    ...summary.agencies.flatMap(({ id, name, contradictions }) => of(id, name, contradictions)),
  ];
}
