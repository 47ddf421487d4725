/** What was done with protected things, by month, action, purpose and agency: counted from entries of the oversight ledger. */
import type { LedgerEntry } from "./ledger";
import type { AgencyClass, OversightLeaf, PublicAgency } from "./types";

/** Acts of one month that have all of this in common. */
export interface Use {
  month: string;
  action: string;
  /** Class of the purpose; empty where the entry names none. */
  purpose: string;
  /** Whose data; empty for the whole deployment's. */
  agency: string;
  /** Who did it: the agency itself, or another one. */
  outside: boolean;
  by: string;
  byClass: AgencyClass | "";
  n: number;
  /** Places of the first and last entry in the ledger. */
  first: number;
  last: number;
}

/** Which entries a table counts. */
export type Sort = "uses" | "refusals" | "deletions";

const DELETIONS = new Set(["erasure.ordered", "erasure.done", "record.forgotten"]);

/** The action that an entry counts as in a table; `null` when it is none of it. */
function actionIn(sort: Sort, leaf: OversightLeaf): string | null {
  if (sort === "deletions") return DELETIONS.has(leaf.type) ? leaf.type : null;
  if (sort === "refusals") return leaf.type === "access.refused" ? (leaf.refused ?? "") : null;
  // Whatever takes a purpose: opening, reading, exporting, and searching once there is something to search.
  return leaf.purpose && leaf.type !== "access.refused" ? leaf.type : null;
}

/** Counts entries of the oversight ledger for a table, newest month first. */
export function countUses(
  sort: Sort,
  entries: readonly LedgerEntry[],
  agencies: readonly PublicAgency[],
  keep: (leaf: OversightLeaf) => boolean = () => true,
): Use[] {
  const classes = new Map(agencies.map((each) => [each.id, each.class]));
  const uses = new Map<string, Use>();
  for (const { log, leaf, index } of entries) {
    if (log !== "oversight" || !leaf || !("commitment" in leaf) || !keep(leaf)) continue;
    const action = actionIn(sort, leaf);
    if (action === null) continue;
    const agency = leaf.agency ?? "";
    const by = leaf.by ?? agency;
    const use: Use = {
      month: leaf.hour.slice(0, 7),
      action,
      purpose: leaf.purpose ?? "",
      agency,
      outside: leaf.by !== undefined && leaf.by !== agency,
      by,
      byClass: classes.get(by) ?? "",
      n: 1,
      first: index,
      last: index,
    };
    const name = [use.month, action, use.purpose, agency, by].join(" ");
    const known = uses.get(name);
    if (!known) {
      uses.set(name, use);
      continue;
    }
    known.n += 1;
    known.first = Math.min(known.first, index);
    known.last = Math.max(known.last, index);
  }
  const order = ({ month, action, purpose, agency, by }: Use) => [action, purpose, agency, by, month].join(" ");
  return [...uses.values()].toSorted((one, other) => {
    if (one.month !== other.month) return one.month < other.month ? 1 : -1;
    return order(one) < order(other) ? -1 : 1;
  });
}
