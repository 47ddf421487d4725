/** A case with all that it joins, as its page shows it. */
import type { Schemas } from "$lib/api/client";

import type { Hold, Item, Offer } from "../evidence/call";
import type { TimelineEvent } from "./timeline";

/** `GET /cases/{case}`. */
export interface CaseDetail {
  case: Schemas["CaseView"];
  holds: Hold[];
  items: Item[];
  offers: Offer[];
  /** Plate reads that are kept in it. */
  reads?: Schemas["KeptReadsView"][];
}

/** An original with the copies that were made of it, and of them. */
export interface Family {
  original: Item;
  copies: Item[];
}

/** Groups items so that each copy stands under the original that it came from, however many copies lie between. */
export function families(items: readonly Item[]): Family[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const rootOf = (item: Item): Item => {
    let root = item;
    // A chain is never longer than the list; a ring can't come from the server, and does not hang the page either.
    for (let steps = 0; steps < items.length; steps += 1) {
      const parent = root.copy_of ? byId.get(root.copy_of) : undefined;
      if (!parent) break;
      root = parent;
    }
    return root;
  };
  const found = new Map<string, Family>();
  for (const item of items) if (rootOf(item) === item) found.set(item.id, { original: item, copies: [] });
  for (const item of items) {
    const root = rootOf(item);
    if (root !== item) found.get(root.id)?.copies.push(item);
  }
  return [...found.values()];
}

/** What members did in a case: how many events of each of them, most first. */
export function peopleOf(
  events: readonly TimelineEvent[],
): { id: string; name: string | null; kinds: string[]; last: string }[] {
  const found = new Map<string, { id: string; name: string | null; kinds: Set<string>; count: number; last: string }>();
  for (const event of events) {
    if (!event.by) continue;
    const one = found.get(event.by) ?? { id: event.by, name: null, kinds: new Set<string>(), count: 0, last: event.at };
    one.name ??= event.by_name ?? null;
    one.kinds.add(event.kind);
    one.count += 1;
    if (event.at > one.last) one.last = event.at;
    found.set(event.by, one);
  }
  return [...found.values()]
    .sort((one, two) => two.count - one.count)
    .map(({ id, name, kinds, last }) => ({ id, name, kinds: [...kinds], last }));
}
