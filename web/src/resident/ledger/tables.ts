/** Tables of the transparency page: what they show, and the same for a spreadsheet. */
import type { CsvTable } from "$lib/format/csv";
import type { AgencyTransparency, AlertCounts, RoleCount, Transparency } from "$lib/format/transparency";
import type { PublicAgency } from "$lib/format/types";
import type { Sort, Use } from "$lib/format/uses";
import { number, word } from "$lib/i18n/format";
import { type MessageKey, t } from "$lib/i18n/index.svelte";
import { named, settingName, settingValue, utcDay } from "$lib/policy/say";

import type { LedgerData } from "./data.svelte";
import { agencyName, list, monthName, purposeName, typeName } from "./say";

/** A column; one without words is only in the spreadsheet. */
export interface Column {
  name: string;
  text?: MessageKey;
  num?: boolean;
}

/** A cell: for the spreadsheet, and in the reader's words where that differs. */
export interface Cell {
  raw: string | number;
  shown?: string;
}

export interface Table {
  name: string;
  title: string;
  columns: Column[];
  rows: Cell[][];
  /** Where its figures come from. */
  source: string;
  /** What is said when it has no row. */
  empty: string;
}

/** The table as a spreadsheet takes it. */
export function csvOf({ name, columns, rows }: Table): CsvTable {
  return { name, columns: columns.map((column) => column.name), rows: rows.map((row) => row.map(({ raw }) => raw)) };
}

const text = (raw: string, shown?: string): Cell => ({ raw, shown });
const count = (raw: number): Cell => ({ raw, shown: number(raw) });
const day = (raw: string): Cell => ({ raw, shown: utcDay(raw) });
const yesNo = (raw: boolean): Cell => ({ raw: raw ? "yes" : "no" });

const SETTINGS = () => t("policy.source.settings", { file: "/transparency.json" });

function table(name: string, title: MessageKey, columns: Column[], rows: Cell[][], empty?: string): Table {
  return { name, title: t(title), columns, rows, source: SETTINGS(), empty: empty ?? t("policy.table.empty") };
}

const AGENCY: Column[] = [{ name: "agency" }, { name: "agency_name", text: "policy.col.agency" }];
const of = (agency: AgencyTransparency | null): Cell[] =>
  agency
    ? [text(agency.id), text(agency.name)]
    : [text("deployment"), text("deployment", t("policy.alarm.deployment"))];

function membersTable(summary: Transparency): Table {
  const rows = (agency: AgencyTransparency | null, members: RoleCount[]) =>
    members.map((one) => [...of(agency), text(one.role, word("role", one.role)), count(one.count), day(one.since)]);
  return table(
    "members",
    "policy.table.members",
    [
      ...AGENCY,
      { name: "role", text: "policy.col.role" },
      { name: "count", text: "policy.col.count", num: true },
      { name: "since", text: "policy.col.since" },
    ],
    [...rows(null, summary.deployment.members), ...summary.agencies.flatMap((agency) => rows(agency, agency.members))],
  );
}

function agenciesTable({ agencies }: Transparency): Table {
  const law = ({ law }: AgencyTransparency) => text(law.profile, law.title || t("policy.value.default"));
  return table(
    "agencies",
    "policy.table.agencies",
    [
      ...AGENCY,
      { name: "class", text: "policy.col.class" },
      { name: "state", text: "policy.col.state" },
      { name: "standing", text: "policy.col.standing" },
      { name: "law", text: "policy.col.law" },
      { name: "keys", text: "policy.col.keys", num: true },
      { name: "keys_since", text: "policy.col.keys_since" },
      { name: "open_portals", text: "policy.col.portals", num: true },
      { name: "open_requests", text: "policy.col.requests", num: true },
    ],
    agencies.map((agency) => [
      ...of(agency),
      text(agency.class, word("class", agency.class)),
      text(agency.subdivision),
      text(agency.state, word("state", agency.state)),
      law(agency),
      count(agency.keys.count),
      day(agency.keys.since),
      count(agency.portals),
      count(agency.requests),
    ]),
  );
}

function keptTable({ kept }: Transparency): Table {
  const time = (days: number | null): Cell =>
    days === null ? text("for ever", t("policy.forever")) : { raw: days, shown: t("policy.value.days", { n: days }) };
  return table(
    "kept",
    "policy.table.kept",
    [
      { name: "class_of_data", text: "policy.col.kept" },
      { name: "days", text: "policy.col.days" },
      { name: "setting", text: "policy.col.setting" },
    ],
    kept.map((one) => [text(one.class, named("kept", one.class)), time(one.days), text(one.setting ?? "")]),
  );
}

function readsTable({ agencies, plates }: Transparency): Table {
  const time = (seconds: number): Cell => ({
    raw: seconds,
    shown:
      seconds % 86_400 === 0
        ? t("policy.value.days", { n: seconds / 86_400 })
        : t("policy.value.minutes", { n: Math.ceil(seconds / 60) }),
  });
  return table(
    "reads",
    "policy.table.reads",
    [
      ...AGENCY,
      { name: "law", text: "policy.col.law" },
      { name: "seconds_without_hit", text: "policy.col.seen" },
      { name: "seconds_with_hit", text: "policy.col.hit" },
    ],
    plates
      ? agencies.map((agency) => [
          ...of(agency),
          text(agency.law.profile, agency.law.title || t("policy.value.default")),
          time(agency.law.reads.seen_seconds),
          time(agency.law.reads.hit_seconds),
        ])
      : [],
    t("policy.reads.none"),
  );
}

function sharingTable({ agencies }: Transparency): Table {
  const name = (id: string) => agencies.find((agency) => agency.id === id)?.name ?? id;
  const names = (ids: string[]) => text(ids.join(" "), ids.length > 0 ? list(ids.map(name)) : "–");
  return table(
    "sharing",
    "policy.table.sharing",
    [
      ...AGENCY,
      { name: "what", text: "policy.col.what" },
      { name: "cameras" },
      { name: "scope", text: "policy.col.scope" },
      { name: "within_km" },
      { name: "named", text: "policy.col.named" },
      { name: "accepted", text: "policy.col.accepted" },
      { name: "from", text: "policy.col.from" },
      { name: "until", text: "policy.col.until" },
    ],
    agencies.flatMap((agency) =>
      agency.sharing.map((rule) => [
        ...of(agency),
        text(
          rule.what,
          rule.what === "case" ? t("policy.share.case") : t("policy.share.cameras", { n: rule.cameras ?? -1 }),
        ),
        text(rule.cameras === null ? "" : String(rule.cameras)),
        text(
          rule.scope,
          named("value", rule.scope) + (rule.within_km === null ? "" : ` (${number(rule.within_km)} km)`),
        ),
        text(rule.within_km === null ? "" : String(rule.within_km)),
        names(rule.named),
        names(rule.accepted),
        day(rule.from),
        day(rule.until),
      ]),
    ),
  );
}

function contradictionsTable(summary: Transparency): Table {
  const rows = (agency: AgencyTransparency | null) =>
    (agency ?? summary.deployment).contradictions.map((one) => [
      ...of(agency),
      text(one.setting, settingName(one.setting)),
      text(one.language),
      text(String(one.claimed), settingValue(one.setting, one.claimed)),
      text(String(one.live), settingValue(one.setting, one.live)),
      day(one.since),
    ]);
  return table(
    "contradictions",
    "policy.table.contradictions",
    [
      ...AGENCY,
      { name: "setting", text: "policy.col.setting" },
      { name: "language", text: "policy.col.language" },
      { name: "claimed", text: "policy.col.claimed" },
      { name: "in_force", text: "policy.col.live" },
      { name: "since", text: "policy.col.known" },
    ],
    [...rows(null), ...summary.agencies.flatMap(rows)],
  );
}

function findingsTable({ findings }: Transparency): Table {
  const rows = Object.entries(findings).flatMap(([rule, states]) =>
    Object.entries(states).map(([state, n]) => [
      text(rule, named("rule", rule)),
      text(state, named("finding", state)),
      count(n),
    ]),
  );
  return table(
    "findings",
    "policy.table.findings",
    [
      { name: "pattern", text: "policy.col.rule" },
      { name: "answer", text: "policy.col.standing" },
      { name: "count", text: "policy.col.count", num: true },
    ],
    rows,
    t("policy.findings.none"),
  );
}

function hotlistsTable({ agencies, hotlists, plates }: Transparency): Table {
  const percent = (raw: number | null): Cell => (raw === null ? text("") : { raw, shown: `${number(raw)} %` });
  const all = ({ unconfirmed, confirmed, misread, stale }: AlertCounts) => unconfirmed + confirmed + misread + stale;
  return table(
    "hotlists",
    "policy.table.hotlists",
    [
      ...AGENCY,
      { name: "source", text: "policy.col.what" },
      { name: "basis", text: "policy.col.basis" },
      { name: "purpose", text: "policy.col.purpose" },
      { name: "entries", text: "policy.col.entries_of", num: true },
      { name: "since", text: "policy.col.from" },
      { name: "allowed", text: "policy.col.allowed" },
      { name: "alerts", text: "policy.col.alerts", num: true },
      { name: "misread_percent", text: "policy.col.misread", num: true },
    ],
    hotlists.map((one) => [
      text(one.agency),
      text(one.agency, agencies.find(({ id }) => id === one.agency)?.name),
      text(one.source),
      text(one.basis, t(`policy.basis.${one.basis}`)),
      text(one.purpose, purposeName(one.purpose)),
      count(one.entries),
      day(one.since),
      text(String(one.allowed), t(one.allowed ? "policy.hotlist.on" : "policy.hotlist.off")),
      count(all(one.alerts)),
      percent(one.alerts.misread_percent),
    ]),
    t(plates ? "policy.hotlists.none" : "policy.plates.none"),
  );
}

function safelistsTable({ agencies, safelists }: Transparency): Table {
  return table(
    "safelists",
    "policy.table.safelists",
    [
      ...AGENCY,
      { name: "reads", text: "policy.col.reads" },
      { name: "plates", text: "policy.col.plates", num: true },
      { name: "dropped", text: "policy.col.dropped", num: true },
    ],
    safelists.map((one) => [
      text(one.agency),
      text(one.agency, agencies.find(({ id }) => id === one.agency)?.name),
      text(one.mode, t(`policy.safelist.${one.mode}`)),
      count(one.plates),
      count(one.dropped),
    ]),
    t("policy.safelists.none"),
  );
}

/** Tables of what is set now. */
export function settingsTables(summary: Transparency): Table[] {
  return [
    membersTable(summary),
    keptTable(summary),
    readsTable(summary),
    agenciesTable(summary),
    sharingTable(summary),
    contradictionsTable(summary),
    findingsTable(summary),
    hotlistsTable(summary),
    safelistsTable(summary),
  ];
}

/** Which entries of the oversight ledger a figure comes from. */
export function ledgerRange({ entries, heads }: Pick<LedgerData, "entries" | "heads">): string {
  const read = entries.filter(({ log }) => log === "oversight").map(({ index }) => index);
  const first = read.reduce((a, b) => Math.min(a, b), Infinity);
  const last = read.reduce((a, b) => Math.max(a, b), -1);
  if (last < 0) return t("policy.source.none");
  const range = t("policy.source.ledger", { first: number(first), last: number(last) });
  const total = Number(heads?.oversight.checkpoint.size ?? 0);
  return read.length < total ? `${range} ${t("policy.source.partial", { total: number(total) })}` : range;
}

/** What the page counts. */
export const SORTS: readonly Sort[] = ["uses", "refusals", "deletions"];

const TITLES: Record<Sort, MessageKey> = {
  uses: "policy.table.uses",
  refusals: "policy.table.refusals",
  deletions: "policy.table.deletions",
};

/** A table of what was done, from entries of the oversight ledger. */
export function usesTable(sort: Sort, uses: Use[], agencies: PublicAgency[], source: string): Table {
  const by = ({ outside, by }: Use) =>
    outside ? t("policy.outside", { agency: agencyName(agencies, by) }) : by ? t("policy.own") : "–";
  const range = ({ first, last }: Use) => (first === last ? number(first) : `${number(first)}–${number(last)}`);
  // Deletions are the server's own, for no purpose and by nobody.
  const acts = sort !== "deletions";
  const columns: Column[] = [
    { name: "month", text: "policy.col.month" },
    { name: "action", text: sort === "refusals" ? "policy.col.refused" : "policy.col.action" },
    { name: "purpose", text: acts ? "policy.col.purpose" : undefined },
    { name: "agency" },
    { name: "agency_name", text: "policy.col.whose" },
    { name: "outside" },
    { name: "by" },
    { name: "by_name", text: acts ? "policy.col.by" : undefined },
    { name: "by_class", text: acts ? "policy.col.by_class" : undefined },
    { name: "count", text: "policy.col.count", num: true },
    { name: "first_entry" },
    { name: "last_entry" },
    { name: "entries", text: "policy.col.entries" },
  ];
  const rows = uses.map((use) => [
    text(use.month, monthName(use.month)),
    text(use.action, typeName(use.action)),
    text(use.purpose, use.purpose ? purposeName(use.purpose) : "–"),
    text(use.agency),
    text(agencyName(agencies, use.agency)),
    yesNo(use.outside),
    text(use.by),
    text(use.by ? agencyName(agencies, use.by) : "", by(use)),
    text(use.byClass, use.byClass ? word("class", use.byClass) : "–"),
    count(use.n),
    count(use.first),
    count(use.last),
    text(`${String(use.first)}-${String(use.last)}`, range(use)),
  ]);
  return { name: sort, title: t(TITLES[sort]), columns, rows, source, empty: t("policy.table.empty") };
}
