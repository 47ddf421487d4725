/** QR codes as paths: no markup made of text, and sharp at any size. */
import { encode } from "uqr";

/** A QR code: its side in modules, quiet zone included, and its dark modules as an SVG path. */
export interface QrPath {
  size: number;
  path: string;
  /** Dark modules, for other ways of drawing. */
  rows: boolean[][];
}

/** Encodes a text with error correction level M (15 %), and four modules of quiet zone as ISO/IEC 18004 asks. */
export function qr(text: string): QrPath {
  const { size, data } = encode(text, { ecc: "M", border: 4 });
  let path = "";
  data.forEach((row, y) => {
    let from = -1;
    for (let x = 0; x <= size; x += 1) {
      const dark = row[x] === true;
      if (dark && from < 0) from = x;
      if (!dark && from >= 0) {
        path += `M${from} ${y}h${x - from}v1h${from - x}z`;
        from = -1;
      }
    }
  });
  return { size, path, rows: data };
}
