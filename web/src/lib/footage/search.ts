/**
 * Where sightings fit a description: `crates/footage` in TypeScript, for what only this device can open. Both are held to
 * `vectors/footage/searches.json`. What a text asks is understood by the server; here is only the matching.
 */
import { likeness, type Sighting } from "./sighting";

/** What was understood of a description. */
export interface Understood {
  clauses: Clause[];
}

/** One person or vehicle of a description. */
export interface Clause {
  /** What it may be; empty for anything. */
  kinds: string[];
  /** The words that say so. */
  words: string[];
  wants: Want[];
}

/** One thing that is asked: a colour of one of some parts, one of some things with a person, or what nobody can tell. */
export interface Want {
  words: string;
  colour?: string | null;
  parts?: string[];
  with?: string[];
  untold: boolean;
}

/** A stretch of one recording that fits. */
export interface Moment {
  start: number;
  end: number;
  best: number;
  box: [number, number, number, number];
  kind: string;
  /** How well it fits, 0 to 1. */
  score: number;
  matched: string[];
  missed: string[];
  untold: string[];
}

/** A share of a part from which on its colour is taken as certain; what is less counts by its square. */
const ENOUGH = 0.5;
/** How sure a detector must be to count as certain. */
const SURE = 0.55;
/** A thing that was seen in this share of the frames is certainly there; in fewer, it counts by its square. */
const OFTEN = 0.6;
/** From here on a word counts as matched. */
const MATCHED = 0.36;
/** Sightings this many seconds apart may be of one moment. */
const NEAR = 1;
/** The original reckons in 32 bits: what it takes as equal is equal here. */
const single = Math.fround;

/** How much of a part has a colour, or one that may be taken for it; `null` where the part was not seen. */
function colourOf(sighting: Sighting, part: string, colour: string): number | null {
  const shares = sighting.colours?.[part];
  if (!shares) return null;
  const sum = Object.entries(shares).reduce((all, [other, share]) => all + likeness(colour, other) * share, 0);
  return Math.min(1, Math.max(0, sum));
}

/** How far a sighting has what is asked, 0 to 1; `null` where that can't be told. */
function has(want: Want, sighting: Sighting): number | null {
  if (want.untold) return null;
  if (want.colour) {
    const { colour } = want;
    const shares = (want.parts ?? []).map((part) => colourOf(sighting, part, colour)).filter((one) => one !== null);
    return shares.length > 0 ? Math.min(1, Math.max(...shares) / ENOUGH) ** 2 : null;
  }
  const most = Math.max(0, ...(want.with ?? []).map((kind) => sighting.with?.[kind] ?? 0));
  return Math.min(1, most / OFTEN) ** 2;
}

type Fit = Pick<Moment, "score" | "matched" | "missed" | "untold">;

/** How well a sighting fits; `null` where it is something else. */
function fit(clause: Clause, sighting: Sighting): Fit | null {
  if (clause.kinds.length > 0 && !clause.kinds.includes(sighting.kind)) return null;
  const found: Fit = { score: 0, matched: [...clause.words], missed: [], untold: [] };
  let product = Math.min(1, sighting.score / SURE);
  let count = 1;
  let weakest = 1;
  for (const want of clause.wants) {
    const share = has(want, sighting);
    if (share === null) {
      found.untold.push(want.words);
      continue;
    }
    (single(share) >= MATCHED ? found.matched : found.missed).push(want.words);
    product *= Math.max(share, 0.01);
    weakest = Math.min(weakest, Math.max(share, 0.01));
    count += 1;
  }
  // The mean that one missing thing pulls down most; and no better than that one thing by itself would fit.
  found.score = Math.min(product ** (1 / count), Math.sqrt(weakest));
  return found;
}

/** How well a sighting fits the first clause, 0 to 1; 0 where it is something else. */
export function score(query: Understood, sighting: Sighting): number {
  const [main] = query.clauses;
  return (main && fit(main, sighting)?.score) || 0;
}

/** The moments of one recording that fit at least so well, best first. Moments that overlap are one. */
export function search(query: Understood, sightings: readonly Sighting[], least: number): Moment[] {
  const [main, ...others] = query.clauses;
  if (!main) return [];
  const found: Moment[] = [];
  for (const sighting of sightings) {
    const own = fit(main, sighting);
    if (!own) continue;
    const { start, end, best, box, kind } = sighting;
    const moment: Moment = { start, end, best, box, kind, ...own };
    let product = own.score;
    for (const clause of others) {
      const beside = bestBeside(clause, sighting, sightings);
      product *= beside?.score ?? 0.05;
      moment.matched.push(...(beside?.matched ?? []));
      moment.missed.push(...(beside?.missed ?? clause.words));
      moment.untold.push(...(beside?.untold ?? []));
    }
    moment.score = product ** (1 / query.clauses.length);
    if (single(moment.score) >= single(least)) found.push(moment);
  }
  return joined(found.sort((a, b) => single(b.score) - single(a.score)));
}

/** The best fit of another sighting at about the same time. */
function bestBeside(clause: Clause, sighting: Sighting, all: readonly Sighting[]): Fit | null {
  let best: Fit | null = null;
  for (const other of all) {
    const near = other.start <= sighting.end + NEAR && sighting.start <= other.end + NEAR;
    if (other === sighting || !near) continue;
    const found = fit(clause, other);
    if (found && (!best || single(found.score) >= single(best.score))) best = found;
  }
  return best;
}

function joined(found: Moment[]): Moment[] {
  const kept: Moment[] = [];
  for (const moment of found) {
    const same = kept.find((other) => other.start <= moment.end && moment.start <= other.end);
    if (!same) kept.push(moment);
    else if (single(moment.score) >= single(same.score * 0.9)) {
      same.start = Math.min(same.start, moment.start);
      same.end = Math.max(same.end, moment.end);
    }
  }
  return kept;
}
