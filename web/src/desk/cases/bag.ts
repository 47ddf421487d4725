/** The BagIt files (RFC 8493) of a court bundle, byte for byte as the command line writes them. Pure. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** One file of the bag with its length and SHA-256 in hexadecimal. */
export interface Sum {
  path: string;
  bytes: number;
  sha256: string;
}

/** SHA-256 of bytes that are in memory, in hexadecimal. */
export function digestOfBytes(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** A manifest: one line a file, in the order of the paths' bytes; RFC 8493 section 2.1.3 asks for these three escapes. */
export function manifest(files: readonly Sum[]): string {
  const escaped = (path: string) => path.replaceAll("%", "%25").replaceAll("\n", "%0A").replaceAll("\r", "%0D");
  return [...files]
    .sort((one, two) => compareBytes(one.path, two.path))
    .map((file) => `${file.sha256}  ${escaped(file.path)}\n`)
    .join("");
}

function compareBytes(one: string, two: string): number {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(one), encoder.encode(two)];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `bag-info.txt`: the lines as given; the empty one gets the length and number of the payload's files. */
export function bagInfo(lines: readonly (readonly [string, string])[], payload: readonly Sum[]): string {
  const octets = payload.reduce((sum, file) => sum + file.bytes, 0);
  return lines.map(([name, value]) => `${name}: ${value === "" ? `${octets}.${payload.length}` : value}\n`).join("");
}

/** Whether a path from the server may stand in a bundle: relative, no way up, nothing that a file system takes amiss. */
export function isBagPath(path: string): boolean {
  const parts = path.split("/");
  return (
    path.length > 0 &&
    path.length < 1024 &&
    !/[\\\p{Cc}]/u.test(path) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}
