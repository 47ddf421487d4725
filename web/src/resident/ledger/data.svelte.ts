/** What the transparency page shows, loaded once and shared by its parts. */
import { Counter, difference, type Summary } from "$lib/format/counts";
import { digestOf } from "$lib/format/jcs";
import {
  asDefect,
  type LedgerEntry,
  type LedgerHead,
  ledgerHead,
  loadAgencies,
  loadSummary,
  type Progress,
  readNewest,
} from "$lib/format/ledger";
import { readJsonFile } from "$lib/format/public";
import { loadTransparency, type Transparency } from "$lib/format/transparency";
import type { Log, Policy, PublicAgency } from "$lib/format/types";

/** Up to this many entries are read and counted without being asked. */
const AT_ONCE = 20_000;
/** How many are read at a time otherwise. */
const STEP = 2_560;

const LOGS: Log[] = ["requests", "oversight"];
const newer = (one: LedgerEntry, other: LedgerEntry) => {
  const hour = ({ leaf }: LedgerEntry) => (leaf ? ("at" in leaf ? leaf.at.slice(0, 13) : leaf.hour.slice(0, 13)) : "");
  const [a, b] = [hour(one), hour(other)];
  if (a !== b) return a < b ? 1 : -1;
  if (one.log !== other.log) return one.log < other.log ? -1 : 1;
  return other.index - one.index;
};

export class LedgerData {
  heads = $state.raw<Record<Log, LedgerHead> | null>(null);
  agencies = $state.raw<PublicAgency[]>([]);
  policy = $state.raw<Policy | null>(null);
  policyDigest = $state<string | null>(null);
  /** What is set up here, as the server computed it. */
  transparency = $state.raw<Transparency | null>(null);
  /** Counts that the server states. */
  stated = $state.raw<Summary | null>(null);
  /** Both ledgers together, newest first. */
  entries = $state.raw<LedgerEntry[]>([]);
  progress = $state.raw<Progress | null>(null);
  error = $state.raw<unknown>(null);
  ready = $state(false);

  private stop: AbortController | null = null;
  private readonly files: Record<Log, LedgerEntry[]> = { requests: [], oversight: [] };

  /** Entries of both ledgers. */
  total = $derived(this.heads ? LOGS.reduce((sum, log) => sum + this.size(log), 0) : 0);
  complete = $derived(this.heads !== null && this.entries.length === this.total);

  /** Counts taken here, once everything is read. */
  counted = $derived.by((): Summary | null => (this.complete && this.ready ? this.count(() => Infinity) : null));

  /** The counts to show: those of the entries, where they are all read. */
  summary = $derived(this.counted ?? this.stated);

  /** The first count in which the server is wrong. */
  wrong = $derived.by(() => {
    const { stated } = this;
    if (!stated || !this.counted) return null;
    // The server may state the counts of a smaller ledger than it is by now.
    const same = this.count((log) => stated[log].size);
    return LOGS.map((log) => difference(stated[log].counts, same[log].counts)).find((found) => found !== null) ?? null;
  });

  private size(log: Log): number {
    return Number(this.heads?.[log].checkpoint.size ?? 0);
  }

  private count(upTo: (log: Log) => number): Summary {
    const of = (log: Log) => {
      const counter = new Counter();
      let size = 0;
      for (const { log: each, index, leaf } of this.entries) {
        if (each !== log || index >= upTo(log)) continue;
        size += 1;
        if (leaf) counter.add(leaf);
      }
      return { size, counts: counter.list() };
    };
    return { v: 1, requests: of("requests"), oversight: of("oversight") };
  }

  /** Loads everything; what is large is read only as far as needed. */
  async load(): Promise<void> {
    this.error = null;
    this.ready = false;
    try {
      // Before the heads, so that nothing listed is newer than they are.
      const [agencies, policy, stated, transparency] = await Promise.all([
        loadAgencies(),
        readJsonFile<Policy>("/policy.json"),
        loadSummary(),
        loadTransparency(),
      ]);
      const policyDigest = policy ? digestOf(policy) : null;
      Object.assign(this, { agencies, policy, stated, transparency, policyDigest });
      const [requests, oversight] = [await ledgerHead("requests"), await ledgerHead("oversight")];
      this.heads = { requests, oversight };
      await this.read(this.total <= AT_ONCE ? Infinity : STEP);
    } catch (error) {
      this.error = asDefect(error);
    }
    this.ready = true;
  }

  /** Reads on, towards the first entry. */
  async read(limit = STEP): Promise<void> {
    const { heads } = this;
    if (!heads) return;
    this.stop?.abort();
    const stop = (this.stop = new AbortController());
    try {
      let before = this.entries.length;
      for (const log of LOGS) {
        const known = this.files[log];
        const options = {
          before: known.at(-1)?.index ?? Infinity,
          limit,
          signal: stop.signal,
          onProgress: ({ done }: Progress) => (this.progress = { done: before + done, total: this.total }),
        };
        if (known.length < this.size(log)) this.files[log] = [...known, ...(await readNewest(heads[log], options))];
        before += this.files[log].length - known.length;
      }
      this.entries = [...this.files.requests, ...this.files.oversight].toSorted(newer);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      this.progress = null;
    }
  }

  /** Reads everything, however long it takes, and counts it. */
  async recount(): Promise<void> {
    try {
      await this.read(Infinity);
    } catch (error) {
      this.error = asDefect(error);
    }
  }

  cancel(): void {
    this.stop?.abort();
  }

  /** The entry that set the policy in force; `undefined` where it is not read yet. */
  policyEntry = $derived(this.entries.find(({ log, leaf }) => log === "requests" && leaf?.type === "policy.set"));
}
