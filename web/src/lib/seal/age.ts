/** Small age files: the one place where pages use age. Envelopes go through the workers beside. */
import { armor, Decrypter, Encrypter, webauthn, type Recipient } from "age-encryption";

import { Problem } from "../problem";
import { isRecipient } from "./recipient";

/** Largest text in a mailbox, in bytes. */
export const MAX_TEXT = 32 * 1024;
/** Longest armoured text that is opened, in characters. */
const MAX_ARMOUR = 256 * 1024;

/**
 * Encrypts a small text into armoured age.
 * @throws {@link Problem} for a recipient that is none.
 */
export async function encryptText(text: string, recipients: (string | Recipient)[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    if (typeof recipient === "string" && !isRecipient(recipient)) throw new Problem("common.seal.recipient");
    encrypter.addRecipient(recipient);
  }
  return armor.encode(await encrypter.encrypt(text));
}

/**
 * Opens a small armoured text with any of the identities.
 * @throws {@link Problem} when none opens it, or it is damaged.
 */
export async function decryptText(
  armoured: string,
  identities: (string | webauthn.WebAuthnIdentity)[],
): Promise<string> {
  if (armoured.length > MAX_ARMOUR) throw new Problem("common.seal.text.long");
  let file: Uint8Array;
  try {
    file = armor.decode(armoured);
  } catch {
    throw new Problem("common.seal.armour");
  }
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await decrypter.decrypt(file));
  } catch (error) {
    if (error instanceof Error && /no identity matched/.test(error.message)) throw new Problem("common.seal.nomatch");
    if (error instanceof DOMException) throw error;
    throw new Problem("common.seal.altered");
  }
}

/**
 * Opens a small age file that holds text.
 * @throws {@link Problem} when the identity does not open it, or it is damaged.
 */
export async function openBytes(file: Uint8Array, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await decrypter.decrypt(file));
  } catch (error) {
    if (error instanceof Error && /no identity matched/.test(error.message)) throw new Problem("common.seal.nomatch");
    throw new Problem("common.seal.altered");
  }
}

/**
 * Seals a text to a mailbox (the desk's question) or to a request's recipient (the resident's answer).
 * @throws {@link Problem} when it is too long.
 */
export async function sealText(text: string, recipient: string): Promise<string> {
  if (new TextEncoder().encode(text).length > MAX_TEXT) throw new Problem("common.seal.text.long");
  return encryptText(text, [recipient]);
}

/** Opens what {@link sealText} sealed. */
export async function openText(armoured: string, identity: string): Promise<string> {
  return decryptText(armoured, [identity]);
}

export { webauthn };
