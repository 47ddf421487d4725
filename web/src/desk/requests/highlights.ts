/** Where content rules met a text, for showing the words marked. */
import type { FieldProblem } from "./api";

/** A piece of a text; `rules` are those that met it. */
export interface Piece {
  text: string;
  rules: string[];
}

/** Positions of what a finding met: as the server tells, or wherever the quoted words stand. */
function rangesOf(text: string, finding: FieldProblem): [number, number][] {
  if (finding.ranges && finding.ranges.length > 0) return finding.ranges.map(([start = 0, end = 0]) => [start, end]);
  const words = finding.matched?.toLowerCase();
  if (!words) return [];
  const low = text.toLowerCase();
  // Lower case may change the length of a few letters; positions would then be wrong, so nothing is marked.
  if (low.length !== text.length) return [];
  const found: [number, number][] = [];
  for (let at = low.indexOf(words); at >= 0; at = low.indexOf(words, at + words.length))
    found.push([at, at + words.length]);
  return found;
}

/** Cuts a text into pieces at each beginning and end of a find. The pieces joined are the text. */
export function highlights(text: string, findings: readonly FieldProblem[]): Piece[] {
  const finds = findings.flatMap((finding) =>
    rangesOf(text, finding).map(([start, end]) => ({
      start: Math.max(0, Math.min(start, text.length)),
      end: Math.max(0, Math.min(end, text.length)),
      rule: finding.rule,
    })),
  );
  const cuts = [...new Set([0, text.length, ...finds.flatMap((find) => [find.start, find.end])])].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const [from, to] = [cuts[at] as number, cuts[at + 1] as number];
    const rules = [...new Set(finds.filter((find) => find.start <= from && find.end >= to).map((find) => find.rule))];
    pieces.push({ text: text.slice(from, to), rules });
  }
  return pieces;
}
