/** The offer's secret for paper: in groups of four characters, and as a QR code. */
import { encode } from "uqr";

import { parseOffer, type OfferSecret } from "./offer";

const PREFIX = "canvass-offer-1";

/** The secret in groups of four characters, without its beginning, which is the same for every offer. */
export function secretGroups(secret: OfferSecret): string[] {
  return secret.text.slice(PREFIX.length).match(/.{1,4}/g) ?? [];
}

/**
 * Reads what a person typed from paper: groups with any white space or hyphens, with or without the beginning, in either
 * case.
 * @throws {@link Problem} that tells a typing error from another text.
 */
export function parseGroups(text: string): OfferSecret {
  const plain = text.toLowerCase().replaceAll(/[\s-]+/g, "");
  const start = PREFIX.replaceAll("-", "");
  return parseOffer(PREFIX + (plain.startsWith(start) ? plain.slice(start.length) : plain));
}

/** A QR code as rows of modules; `true` is dark. No border is included: leave four modules of space around it. */
export function qrModules(text: string): boolean[][] {
  return encode(text, { border: 0, ecc: "M" }).data;
}

/** The path of an SVG with one unit a module, for `<path d=…>` in a viewBox of `size` plus the border on each side. */
export function qrPath(text: string, border = 4): { d: string; size: number } {
  const rows = qrModules(text);
  const d = rows
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + border} ${y + border}h1v1h-1z` : "")))
    .join("");
  return { d, size: rows.length + 2 * border };
}
