/** How often what happened, by month, agency and type: from the entries themselves, or from `/ledger/summary.json`. */
import type { CsvTable } from "./csv";
import type { Log, OversightLeaf, RequestsLeaf } from "./types";

/** One count. */
export interface Count {
  /** `2026-11` in UTC. */
  month: string;
  /** Id of the agency; `null` where the entry names none. */
  agency: string | null;
  type: string;
  n: number;
}

/** Counts of one ledger, up to a size of it. */
export interface LogCounts {
  size: number;
  counts: Count[];
}

/** `/ledger/summary.json`. */
export interface Summary {
  v: 1;
  requests: LogCounts;
  oversight: LogCounts;
}

/** Counts entries. */
export class Counter {
  private counts = new Map<string, Count>();

  add(leaf: RequestsLeaf | OversightLeaf): void {
    const month = monthOf(leaf);
    const agency = ("agency" in leaf ? leaf.agency : null) ?? null;
    const name = `${month} ${agency} ${leaf.type}`;
    const known = this.counts.get(name);
    if (known) known.n += 1;
    else this.counts.set(name, { month, agency, type: leaf.type, n: 1 });
  }

  /** The counts in an order of their own: by month, agency and type. */
  list(): Count[] {
    return sorted([...this.counts.values()]);
  }
}

/** The month of an entry, in UTC. */
export function monthOf(leaf: RequestsLeaf | OversightLeaf): string {
  return ("at" in leaf ? leaf.at : leaf.hour).slice(0, 7);
}

function sorted(counts: Count[]): Count[] {
  const name = ({ month, agency, type }: Count) => `${month} ${agency ?? ""} ${type}`;
  return counts.toSorted((one, other) => (name(one) < name(other) ? -1 : name(one) > name(other) ? 1 : 0));
}

/** The first count in which two lists differ; `null` when they are the same. An absent count is 0. */
export function difference(one: Count[], other: Count[]): { stated: number; counted: number; of: Count } | null {
  const name = ({ month, agency, type }: Count) => `${month} ${agency ?? ""} ${type}`;
  const sum = (counts: Count[]) => {
    const sums = new Map<string, Count>();
    for (const each of counts) {
      const known = sums.get(name(each));
      sums.set(name(each), { ...each, n: each.n + (known?.n ?? 0) });
    }
    return sums;
  };
  const [stated, counted] = [sum(one), sum(other)];
  for (const of of sorted([...new Map([...stated, ...counted]).values()])) {
    const [a, b] = [stated.get(name(of))?.n ?? 0, counted.get(name(of))?.n ?? 0];
    if (a !== b) return { stated: a, counted: b, of };
  }
  return null;
}

/** Reads a summary; `null` when it is none. */
export function parseSummary(value: unknown): Summary | null {
  const summary = value as Summary | null;
  const sound = (log: LogCounts | undefined) =>
    !!log &&
    Number.isSafeInteger(log.size) &&
    Array.isArray(log.counts) &&
    log.counts.every(
      ({ month, type, n }) => /^\d{4}-\d\d$/.test(month) && typeof type === "string" && Number.isSafeInteger(n),
    );
  if (summary?.v !== 1 || !sound(summary.requests) || !sound(summary.oversight)) return null;
  const plain = ({ size, counts }: LogCounts): LogCounts => ({
    size,
    counts: sorted(counts.map((each) => ({ ...each, agency: each.agency || null }))),
  });
  return { v: 1, requests: plain(summary.requests), oversight: plain(summary.oversight) };
}

/** What people ask first, each the sum of some types. */
export const HEADLINES = {
  requests: [["requests", "request.published"]],
  offers: [["oversight", "offer.received"]],
  openings: [
    ["oversight", "offer.open"],
    ["oversight", "item.read"],
  ],
  withdrawals: [["oversight", "offer.withdrawn"]],
  deletions: [["oversight", "erasure.done"]],
  exports: [["oversight", "case.export"]],
} as const satisfies Record<string, readonly (readonly [Log, string])[]>;

/** A headline: those sums, and refusals, which are decisions after which nothing was published. */
export type Headline = keyof typeof HEADLINES | "refusals";
export const HEADLINE_NAMES: Headline[] = [
  "requests",
  "refusals",
  "offers",
  "openings",
  "withdrawals",
  "deletions",
  "exports",
];

/** The count of a headline among counts of both ledgers that pass a filter. */
export function headline(name: Headline, summary: Summary, keep: (count: Count) => boolean = () => true): number {
  const sum = (log: Log, type: string) =>
    summary[log].counts.reduce((sum, each) => sum + (each.type === type && keep(each) ? each.n : 0), 0);
  if (name === "refusals")
    return Math.max(0, sum("requests", "request.decided") - sum("requests", "request.published"));
  return HEADLINES[name].reduce((total, [log, type]) => total + sum(log, type), 0);
}

/** All counts as a table for a spreadsheet. */
export function countsTable(summary: Summary, agencyName: (id: string) => string): CsvTable {
  const rows = (["requests", "oversight"] as const).flatMap((log) =>
    summary[log].counts.map(({ month, agency, type, n }) => [
      month,
      log,
      agency ?? "",
      agency ? agencyName(agency) : "",
      type,
      n,
    ]),
  );
  return { name: "counts", columns: ["month", "ledger", "agency", "agency_name", "type", "count"], rows };
}
