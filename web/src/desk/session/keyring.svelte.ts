/**
 * The member's keys, in the memory of this tab: the identity that opens what was sealed, and the agency's signing key. They
 * come from files or from a passkey of this device, never go to a server, and go with the session.
 */
import type { Identity, SigningKey } from "$lib/seal/keys";

import { whenSessionEnds } from "./session.svelte";

/** What a page needs, so that the dialog can say why. */
export type KeyKind = "identity" | "signing";

interface Asking {
  kind: KeyKind;
  resolve: (loaded: boolean) => void;
}

let identities = $state.raw<Identity[]>([]);
let signing = $state.raw<SigningKey | null>(null);
let asking = $state.raw<Asking | null>(null);
let shown = $state(false);

export const keyring = {
  /** The member's age identities; empty while none is loaded. */
  get identities(): readonly Identity[] {
    return identities;
  },
  /** The same as text, `AGE-SECRET-KEY-1…`, one a line; null while none is loaded. */
  get identity(): string | null {
    return identities.length > 0 ? identities.map((each) => each.secret).join("\n") : null;
  },
  /** The public half of the first. */
  get recipient(): string | null {
    return identities[0]?.recipient ?? null;
  },
  /** The agency's signing key; null while none is loaded. */
  get signing() {
    return signing;
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

/** Puts the member's identities in. */
export function putIdentities(found: Identity[]): void {
  identities = found;
  answer("identity");
}

/** Puts the agency's signing key in. */
export function putSigning(key: SigningKey): void {
  signing = key;
  answer("signing");
}

export function forgetIdentity(): void {
  identities = [];
}

export function forgetSigning(): void {
  signing = null;
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

/** The identity as text, or null when the member would rather not load one. Opens the dialog when none is loaded. */
export async function needIdentity(): Promise<string | null> {
  return (await needIdentities()).length > 0 ? keyring.identity : null;
}

/** The identities; empty when the member would rather not load one. */
export async function needIdentities(): Promise<Identity[]> {
  if (identities.length === 0) await ask("identity");
  return identities;
}

/** The signing key, or null when the member would rather not load it. */
export async function needSigning(): Promise<SigningKey | null> {
  if (!signing) await ask("signing");
  return signing;
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
