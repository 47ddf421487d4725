/** A plate beside what was asked: which characters differ, and in words. */
import type { Difference } from "./api";

/** A character of a read, and whether it is not what was asked. */
export interface Character {
  text: string;
  differs: boolean;
}

/**
 * The characters of a plate that was read. `differences` count places in what was asked, from 1: a character too many has
 * nothing asked and stands before its place; one that is missing has nothing read.
 */
export function characters(plate: string, differences: readonly Difference[]): Character[] {
  const differing = new Set<number>();
  let shift = 0;
  for (const { position, asked, read } of [...differences].sort((a, b) => a.position - b.position)) {
    const at = position - 1 + shift;
    if (asked === null || asked === undefined) {
      differing.add(at);
      shift += 1;
    } else if (read === null || read === undefined) shift -= 1;
    else differing.add(at);
  }
  return [...plate].map((text, at) => ({ text, differs: differing.has(at) }));
}
