/** The files that a resident keeps, in the same form as the command line's: each works in the other. */
import { Problem } from "../problem";
import { parseOffer, type OfferSecret } from "./offer";

/** `NAME.offer.json`: who has it holds the offer. */
export interface OfferFile {
  v: 1;
  /** `canvass-offer-1…`. */
  secret: string;
  /** The request or portal. */
  destination: string;
  /** Digest of its signed body. */
  destination_digest: string;
  /** Its `age1…` recipient; answers are sealed to it. */
  recipient: string;
  /** Name of the agency. */
  agency: string;
  /** Address of the Canvass. */
  server: string;
  /** SHA-256 of the envelope; known once it was given. */
  sha256?: string;
  /** Length of the envelope. */
  bytes: number;
  /** When it was sealed, RFC 3339. */
  sealed: string;
}

/** `NAME.receipt.json`. */
export interface ReceiptFile {
  version: 1;
  offer: string;
  lookup: string;
  destination_id: string;
  destination_digest: string;
  ciphertext_sha256: string;
  ciphertext_len: number;
  received_at: string;
  salt: string;
  record: unknown;
  leaf: string;
  proof: string;
  key: string;
  signature: string;
}

const MAX_FILE = 256 * 1024;
const DIGEST = /^[0-9a-f]{64}$/;

/** What a file that a resident brings turned out to be. */
export type ResidentFile =
  { kind: "offer"; offer: OfferFile; secret: OfferSecret } | { kind: "receipt"; receipt: ReceiptFile };

/** Writes one of the files as the command line does. */
export function writeJson(value: OfferFile | ReceiptFile): Blob {
  return new Blob([JSON.stringify(value, null, 2)], { type: "application/json" });
}

/** A file's name: `canvass-2026-11-24-req_abcd.offer.json`, telling offers apart without naming the agency. */
export function fileName(offer: Pick<OfferFile, "sealed" | "destination">, kind: "offer" | "receipt" | "keys"): string {
  return `canvass-${offer.sealed.slice(0, 10)}-${offer.destination.slice(0, 8)}.${kind}.json`;
}

/**
 * Reads a file that a resident kept.
 * @throws {@link Problem} when it is neither an offer nor a receipt, or damaged. Its text is never repeated: it may hold a secret.
 */
export async function readResidentFile(file: Blob): Promise<ResidentFile> {
  if (file.size > MAX_FILE) throw new Problem("common.seal.file.other");
  return parseResidentFile(await file.text());
}

/** As {@link readResidentFile}, from text. */
export function parseResidentFile(text: string): ResidentFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("common.seal.file.damaged");
  }
  if (typeof value !== "object" || value === null) throw new Problem("common.seal.file.other");
  if ("secret" in value) {
    const offer = value as OfferFile;
    return { kind: "offer", offer: checkOffer(offer), secret: parseOffer(offer.secret) };
  }
  if ("ciphertext_sha256" in value && "signature" in value) return { kind: "receipt", receipt: value as ReceiptFile };
  throw new Problem("common.seal.file.other");
}

function checkOffer(offer: OfferFile): OfferFile {
  if (offer.v !== 1) throw new Problem("common.seal.file.version");
  const texts = [offer.secret, offer.destination, offer.recipient, offer.agency, offer.server, offer.sealed];
  const whole =
    texts.every((text) => typeof text === "string") &&
    DIGEST.test(offer.destination_digest) &&
    (offer.sha256 === undefined || DIGEST.test(offer.sha256)) &&
    Number.isSafeInteger(offer.bytes);
  if (!whole) throw new Problem("common.seal.file.damaged");
  return offer;
}
