/**
 * The member's keys, in the memory of this tab: the identity that opens what was sealed, and the agency's signing key. They
 * come from files or from a passkey of this device, never go to a server, and go with the session.
 */
import { whenSessionEnds } from "./session.svelte";

/** What a page needs, so that the dialog can say why. */
export type KeyKind = "identity" | "signing";

interface Asking {
  kind: KeyKind;
  resolve: (loaded: boolean) => void;
}

let identity = $state.raw<string | null>(null);
let recipient = $state.raw<string | null>(null);
let signing = $state.raw<Uint8Array | null>(null);
let signingId = $state.raw<string | null>(null);
let asking = $state.raw<Asking | null>(null);
let shown = $state(false);

export const keyring = {
  /** The member's age identities as text, `AGE-SECRET-KEY-1…`, one a line; null while none is loaded. */
  get identity() {
    return identity;
  },
  /** The public half of the first. */
  get recipient() {
    return recipient;
  },
  /** Seed of the agency's Ed25519 signing key; null while none is loaded. */
  get signing() {
    return signing;
  },
  /** Its short name: the first 16 hexadecimal digits of the public key's SHA-256. */
  get signingId() {
    return signingId;
  },
  /** What a page waits for. */
  get asking(): KeyKind | null {
    return asking?.kind ?? null;
  },
  /** Whether the dialog of keys is open. */
  get shown() {
    return shown;
  },
};

export function putIdentity(text: string, publicHalf: string): void {
  identity = text;
  recipient = publicHalf;
  answer("identity");
}

export function putSigning(seed: Uint8Array, id: string): void {
  signing = seed;
  signingId = id;
  answer("signing");
}

export function forgetIdentity(): void {
  identity = null;
  recipient = null;
}

export function forgetSigning(): void {
  signing?.fill(0);
  signing = null;
  signingId = null;
}

/** Opens the dialog of keys. */
export function showKeys(): void {
  shown = true;
}

/** Closes it; a page that waited for a key is told that there is none. */
export function hideKeys(): void {
  shown = false;
  asking?.resolve(false);
  asking = null;
}

/** The identity, or null when the member would rather not load one. Opens the dialog when none is loaded. */
export async function needIdentity(): Promise<string | null> {
  if (!identity) await ask("identity");
  return identity;
}

/** The signing key's seed and short name, or null when the member would rather not load one. */
export async function needSigning(): Promise<{ seed: Uint8Array; id: string } | null> {
  if (!signing) await ask("signing");
  return signing && signingId ? { seed: signing, id: signingId } : null;
}

function ask(kind: KeyKind): Promise<boolean> {
  asking?.resolve(false);
  return new Promise((resolve) => {
    asking = { kind, resolve };
    shown = true;
  });
}

function answer(kind: KeyKind): void {
  if (asking?.kind !== kind) return;
  asking.resolve(true);
  asking = null;
  shown = false;
}

whenSessionEnds(() => {
  forgetIdentity();
  forgetSigning();
  hideKeys();
});
