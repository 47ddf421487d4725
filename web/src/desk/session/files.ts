/** Key files as the command line writes them: read here, on this computer, and never sent. */
import { base64 } from "@scure/base";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** DER before the seed in a PKCS #8 file of Ed25519 (RFC 8410 section 7). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

/** The age identities of an `age-keygen` file, one a line; null when it holds none. */
export function identitiesOf(text: string): string | null {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(line));
  return lines.length > 0 ? lines.join("\n") : null;
}

/** Seed of an agency's signing key: base64 with comments, or PKCS #8 in PEM; null when it is neither. */
export function signingSeedOf(text: string): Uint8Array | null {
  const joined = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("#") && !line.startsWith("-----"))
    .join("");
  try {
    const bytes = base64.decode(joined);
    const der = bytes.length === PKCS8.length + 32 && PKCS8.every((byte, at) => bytes[at] === byte);
    const seed = der ? bytes.slice(PKCS8.length) : bytes;
    return seed.length === 32 ? seed : null;
  } catch {
    return null;
  }
}

/** Public half of a signing key, and its short name. */
export function publicOf(seed: Uint8Array): { public: string; id: string } {
  const key = ed25519.getPublicKey(seed);
  return { public: base64.encode(key), id: bytesToHex(sha256(key)).slice(0, 16) };
}

/** Offers a text as a file to keep. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then in every browser.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
