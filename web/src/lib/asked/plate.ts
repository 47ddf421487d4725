/** A plate's text, in the one form that searches and checks share; `crates/blind/src/plate.rs` is the other half. */
const MOST = 12;
const MOST_GIVEN = 64;

/** Why a text is no plate: `lookalike` for letters outside A-Z. */
export type PlateFault = "shape" | "lookalike";

/** The plate in capitals without spaces, hyphens and dots, or what is wrong with it. */
export function readPlate(typed: string): { plate: string } | { fault: PlateFault } {
  if (new TextEncoder().encode(typed).length > MOST_GIVEN) return { fault: "shape" };
  let plate = "";
  for (const each of typed) {
    if (/^[a-z0-9]$/i.test(each) && each < "\u0080") plate += each.toUpperCase();
    else if (/^[ \t\r\n.-]$/.test(each)) continue;
    else return { fault: each < "\u0080" ? "shape" : "lookalike" };
  }
  return plate.length > 0 && plate.length <= MOST ? { plate } : { fault: "shape" };
}

/** What the function is applied to. */
export function plateInput(plate: string): Uint8Array {
  return new TextEncoder().encode(`canvass/plate/v1/${plate}`);
}
