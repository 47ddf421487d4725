/**
 * The member's keys, which never leave this device: the age identity that opens and the agency's signing key. And the
 * keys of requests, wrapped to a group of members and to the recovery identity.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { base64, bech32 } from "@scure/base";
import canonicalize from "canonicalize";
import { deleteDB, openDB, type DBSchema } from "idb";

import { Problem } from "../problem";
import { decryptText, encryptText, webauthn } from "./age";
import { identityBytes, isRecipient, recipientOf } from "./recipient";

export { isRecipient, recipientOf };

/** Most recipients that one key is wrapped to. */
const MAX_RECIPIENTS = 64;
const MAX_LINES = 1000;

/** What a signature covers besides the body (docs/ref/formats.md). */
export const CONTEXT = {
  request: "canvass/request/v1",
  portal: "canvass/portal/v1",
  agencyKey: "canvass/agency-key/v1",
} as const;

/** An age identity with its public half. */
export interface Identity {
  /** `AGE-SECRET-KEY-1…`. */
  secret: string;
  /** `age1…`. */
  recipient: string;
}

/** Makes an age identity: a member's, a recovery's, or the key of one request. */
export function newIdentity(): Identity {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const secret = bech32.encode("age-secret-key-", bech32.toWords(bytes), 1024).toUpperCase();
  return { secret, recipient: recipientOf(secret) };
}

/** An identity file as `age-keygen` writes it. */
export function identityFile(identity: Identity, created: string): string {
  return `# created: ${created}\n# public key: ${identity.recipient}\n${identity.secret}\n`;
}

/**
 * Reads an identity file as `age-keygen` writes it.
 * @throws {@link Problem} that says what the file is instead.
 */
export function parseIdentityFile(text: string): Identity[] {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) throw new Problem("common.seal.key.none");
  const found: Identity[] = [];
  for (const raw of lines) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    identityBytes(line);
    found.push({ secret: line, recipient: recipientOf(line) });
  }
  if (found.length === 0) throw new Problem("common.seal.key.none");
  return found;
}

// ---- the agency's signing key

/** An agency's Ed25519 signing key. */
export interface SigningKey {
  /** Public half, base64. */
  public: string;
  /** Its short name: the first 16 hexadecimal digits of its SHA-256. */
  id: string;
  /** Signs a body under one of {@link CONTEXT}; base64. */
  sign(context: string, body: unknown): string;
}

const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/** Makes a signing key; the text is `agency-signing.key`, to be kept by its owner. */
export function newSigningKey(): { key: SigningKey; file: string } {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = signingKeyOf(seed);
  const file = `# Signing key of an agency (Ed25519 seed). Keep it secret.\n# public key: ${key.public}\n${base64.encode(seed)}\n`;
  return { key, file };
}

/**
 * Reads a signing key: a seed in base64 under comments, or PKCS #8 in PEM (RFC 8410).
 * @throws {@link Problem} when the file is neither.
 */
export function parseSigningKey(text: string): SigningKey {
  const joined = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("#") && !line.startsWith("-----"))
    .join("");
  let bytes: Uint8Array;
  try {
    bytes = base64.decode(joined);
  } catch {
    throw new Problem("common.seal.key.signing");
  }
  const wrapped = bytes.length === PKCS8.length + 32 && PKCS8.every((byte, at) => bytes[at] === byte);
  const seed = wrapped ? bytes.subarray(PKCS8.length) : bytes;
  if (seed.length !== 32) throw new Problem("common.seal.key.signing");
  return signingKeyOf(seed.slice());
}

function signingKeyOf(seed: Uint8Array): SigningKey {
  const key = ed25519.getPublicKey(seed);
  return {
    public: base64.encode(key),
    id: bytesToHex(sha256(key)).slice(0, 16),
    sign: (context, body) => base64.encode(ed25519.sign(signedBytes(context, body), seed)),
  };
}

/** The bytes that a signature covers: the context, a line end, the canonical JSON (RFC 8785) of the body. */
export function signedBytes(context: string, body: unknown): Uint8Array {
  return utf8ToBytes(`${context}\n${canonicalize(body) ?? ""}`);
}

/** SHA-256 of a body's canonical JSON, in hexadecimal: the `digest` of formats.md. */
export function digestOf(body: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalize(body) ?? "")));
}

// ---- keys of requests, wrapped

/** To whom keys are wrapped at present. */
export interface Group {
  /** Active members with a recipient. */
  members: { id: string; recipient: string }[];
  /** The agency's recovery recipient. */
  recovery: string;
}

/** What `PUT /api/v1/keys/{destination}` and `POST …/rewrap` take. */
export interface WrappedKey {
  recipient: string;
  wrapped: string;
  group: string[];
  recovery: boolean;
}

/** What of a key's view is needed to open it. */
export interface KeyToOpen {
  destination: string;
  recipient: string;
  wrapped?: string | null;
}

/**
 * Wraps a request's key to the group and to recovery.
 * @throws {@link Problem} when nobody is named, too many are, or the recovery is a member's own.
 */
export async function wrapKey(identity: Identity, group: Group): Promise<WrappedKey> {
  // Two members may share one device; wrapping once is enough for both.
  const members = [...new Set(group.members.map((member) => member.recipient))];
  if (members.length === 0) throw new Problem("common.seal.group.none");
  if (members.length >= MAX_RECIPIENTS) throw new Problem("common.seal.group.many");
  if (members.includes(group.recovery)) throw new Problem("common.seal.group.recovery");
  return {
    recipient: identity.recipient,
    wrapped: await encryptText(`${identity.secret}\n`, [...members, group.recovery]),
    group: group.members.map((member) => member.id),
    recovery: true,
  };
}

/**
 * Opens a wrapped key with a member's identities, or with recovery's, and makes sure that it is the one published.
 * @throws {@link Problem} when it is destroyed, opens for none of them, or is another key.
 */
export async function unwrapKey(key: KeyToOpen, identities: Identity[]): Promise<Identity> {
  if (!key.wrapped) throw new Problem("common.seal.key.destroyed");
  const text = await decryptText(
    key.wrapped,
    identities.map((identity) => identity.secret),
  );
  let found: Identity[];
  try {
    found = parseIdentityFile(text);
  } catch {
    throw new Problem("common.seal.key.inside");
  }
  const [identity] = found;
  if (!identity || found.length !== 1) throw new Problem("common.seal.key.inside");
  if (identity.recipient !== key.recipient) throw new Problem("common.seal.key.other");
  return identity;
}

/** One key of a {@link rehearse | rehearsal}. */
export interface Rehearsed {
  destination: string;
  /** None when it opens and is the key that was published. */
  problem: Problem | null;
}

/** Whether the recovery identity opens each of the keys; those that are destroyed are left out. */
export async function rehearse(keys: KeyToOpen[], recovery: Identity): Promise<Rehearsed[]> {
  const done: Rehearsed[] = [];
  for (const key of keys.filter((one) => one.wrapped)) {
    try {
      await unwrapKey(key, [recovery]);
      done.push({ destination: key.destination, problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      done.push({ destination: key.destination, problem: error });
    }
  }
  return done;
}

// ---- the identity on this device, wrapped to a passkey

interface KeptIdentity {
  /** The member's id. */
  member: string;
  recipient: string;
  /** Armoured age file to the passkey. */
  wrapped: string;
  /** `AGE-PLUGIN-FIDO2PRF-1…`: which passkey. */
  credential: string;
  kept: string;
}

interface KeysDb extends DBSchema {
  identities: { key: string; value: KeptIdentity };
}

const keysDb = () =>
  openDB<KeysDb>("canvass-keys", 1, {
    upgrade: (db) => void db.createObjectStore("identities", { keyPath: "member" }),
  });

/** What is kept of a member's identity here; it opens with the passkey alone. */
export async function keptIdentity(member: string): Promise<{ recipient: string; kept: string } | null> {
  const found = await (await keysDb()).get("identities", member);
  return found ? { recipient: found.recipient, kept: found.kept } : null;
}

/**
 * Makes a passkey and keeps the identity on this device, wrapped to it.
 * @param name - what the passkey is called in the person's list of passkeys
 * @throws {@link Problem} when the device has no passkeys that can wrap (WebAuthn's PRF).
 */
export async function keepIdentity(member: string, identity: Identity, name: string): Promise<void> {
  const credential = await passkey(() => webauthn.createCredential({ keyName: name }));
  const recipient = new webauthn.WebAuthnRecipient({ identity: credential });
  const wrapped = await passkey(() => encryptText(`${identity.secret}\n`, [recipient]));
  const kept = new Date().toISOString();
  await (await keysDb()).put("identities", { member, recipient: identity.recipient, wrapped, credential, kept });
}

/**
 * Opens the kept identity with the passkey; the device asks the person.
 * @throws {@link Problem} when nothing is kept, or the person or the device refuses.
 */
export async function openIdentity(member: string): Promise<Identity> {
  const found = await (await keysDb()).get("identities", member);
  if (!found) throw new Problem("common.seal.key.none");
  const identity = new webauthn.WebAuthnIdentity({ identity: found.credential });
  const text = await passkey(() => decryptText(found.wrapped, [identity]));
  const [first] = parseIdentityFile(text);
  if (!first) throw new Problem("common.seal.key.none");
  return first;
}

/** Forgets the kept identity of a member on this device. The passkey itself stays in the person's list. */
export async function forgetIdentity(member: string): Promise<void> {
  await (await keysDb()).delete("identities", member);
}

/** Forgets all kept identities of this device. */
export async function forgetAllIdentities(): Promise<void> {
  await deleteDB("canvass-keys");
}

async function passkey<T>(work: () => Promise<T>): Promise<T> {
  if (typeof PublicKeyCredential === "undefined") throw new Problem("common.seal.passkey.none");
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof DOMException && error.name === "NotAllowedError")
      throw new Problem("common.seal.passkey.refused");
    if (error instanceof Error && /PRF extension/.test(error.message)) throw new Problem("common.seal.passkey.none");
    throw new Problem("common.seal.passkey.refused", error instanceof Error ? error.message : undefined);
  }
}
