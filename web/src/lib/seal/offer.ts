/**
 * The resident's secret for one offer: 32 bytes, from which the key that signs, the mailbox that opens answers, and the
 * public lookup id all follow (docs/ref/formats.md). Who holds the text holds the offer.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { base32, base64urlnopad, bech32 } from "@scure/base";
import canonicalize from "canonicalize";

import { Problem } from "../problem";
import { recipientOfBytes } from "./recipient";

const PREFIX = "canvass-offer-";
const SIGN = "canvass/offer/sign/v1";
const MAILBOX = "canvass/offer/mailbox/v1";
const LOOKUP = "canvass/offer/lookup/v1\n";
/** Largest body of a message, in bytes. */
const MAX_BODY = 48 * 1024;

/** A message of the resident as `POST /messages` takes it, without its body. */
export interface SignedMessage {
  lookup: string;
  offer_key: string;
  kind: "answer" | "withdraw";
  at: string;
  body_sha256: string;
  signature: string;
}

/** Why the text of a secret is not taken. */
export type SecretFault = "NotASecret" | "Characters" | "Checksum" | "Length";

/** One offer's secret and what follows from it. */
export interface OfferSecret {
  /** `canvass-offer-1…`. */
  text: string;
  /** Public half of the key that signs, base64url: `offer_key` of upload and messages. */
  publicKey: string;
  /** Name of the offer's public status file. */
  lookup: string;
  /** `AGE-SECRET-KEY-1…`, which opens questions. */
  mailboxIdentity: string;
  /** `age1…`, to which questions are sealed. */
  mailboxRecipient: string;
  /** Signs a message; `at` is RFC 3339. */
  signMessage(kind: SignedMessage["kind"], body: string, at: string): SignedMessage;
}

/** A new secret, from the device's randomness. */
export function newOffer(): OfferSecret {
  return secretOf(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Reads a secret's text; white space around it doesn't matter.
 * @throws {@link Problem} that tells a typing error from another text.
 */
export function parseOffer(text: string): OfferSecret {
  const read = readSecret(text);
  if (typeof read === "string") throw new Problem(`common.seal.secret.${read.toLowerCase()}`);
  return secretOf(read);
}

/** The 32 bytes, or what is wrong with the text. */
export function readSecret(text: string): Uint8Array | SecretFault {
  const trimmed = text.trim();
  if (trimmed.slice(0, PREFIX.length).toLowerCase() !== PREFIX) return "NotASecret";
  const lower = trimmed.toLowerCase();
  if (trimmed !== lower && trimmed !== trimmed.toUpperCase()) return "Characters";
  const split = lower.lastIndexOf("1");
  if (split < 0) return "Characters";
  if (!/^[qpzry9x8gf2tvdw0s3jn54khce6mua7l]*$/.test(lower.slice(split + 1))) return "Characters";
  let decoded: ReturnType<typeof bech32.decode>;
  try {
    decoded = bech32.decode(lower as `${string}1${string}`, 1024);
  } catch {
    return "Checksum";
  }
  if (decoded.prefix !== PREFIX) return "NotASecret";
  try {
    const bytes = bech32.fromWords(decoded.words);
    return bytes.length === 32 ? bytes : "Length";
  } catch {
    return "Length";
  }
}

function secretOf(bytes: Uint8Array): OfferSecret {
  const derive = (info: string) => hkdf(sha256, bytes, undefined, utf8ToBytes(info), 32);
  const seed = derive(SIGN);
  const mailbox = derive(MAILBOX);
  const key = ed25519.getPublicKey(seed);
  const publicKey = base64urlnopad.encode(key);
  const lookup = lookupOf(key);
  return {
    text: bech32.encode(PREFIX, bech32.toWords(bytes), 1024),
    publicKey,
    lookup,
    mailboxIdentity: bech32.encode("age-secret-key-", bech32.toWords(mailbox), 1024).toUpperCase(),
    mailboxRecipient: recipientOfBytes(mailbox),
    signMessage(kind, body, at) {
      const bodyBytes = utf8ToBytes(body);
      if (bodyBytes.length > MAX_BODY) throw new Problem("common.seal.text.long");
      const body_sha256 = bytesToHex(sha256(bodyBytes));
      const statement = canonicalize({ kind, lookup, at, body_sha256 }) ?? "";
      const signature = base64urlnopad.encode(ed25519.sign(utf8ToBytes(statement), seed));
      return { lookup, offer_key: publicKey, kind, at, body_sha256, signature };
    },
  };
}

/** The lookup id of an offer's public key. */
export function lookupOf(key: Uint8Array): string {
  const hash = sha256(new Uint8Array([...utf8ToBytes(LOOKUP), ...key]));
  return base32.encode(hash.subarray(0, 20)).toLowerCase();
}
