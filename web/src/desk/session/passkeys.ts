/** Ceremonies of passkeys: what the server asks for, what the authenticator answers, and what the server says to it. */
import { api, type Schemas } from "$lib/api/client";
import type { MessageKey } from "$lib/i18n/index.svelte";
import { Problem } from "$lib/problem";

import { signCeremony } from "./device";

type Ceremony = Schemas["Ceremony"];
export type SignInWays = Schemas["SignInWays"];
export type SignInOf = Schemas["SignInOf"];
export type AccountView = Schemas["AccountView"];
export type ProviderView = Schemas["ProviderView"];
export type PasskeyView = Schemas["PasskeyView"];
export type SessionView = Schemas["SessionView"];

/** What browsers have since 2024 (WebAuthn level 3, section 5.1), and TypeScript's own types not in full. */
interface Parsing {
  parseCreationOptionsFromJSON?: (json: unknown) => PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON?: (json: unknown) => PublicKeyCredentialRequestOptions;
}

const parsing = (): Parsing | undefined =>
  typeof PublicKeyCredential === "undefined" ? undefined : (PublicKeyCredential as unknown as Parsing);

/** Whether this browser can use passkeys at all. */
export function knowsPasskeys(): boolean {
  const found = parsing();
  return Boolean(found?.parseCreationOptionsFromJSON && found.parseRequestOptionsFromJSON && crypto.subtle);
}

/** Which ways there are to sign in, and where this browser's session stands. */
export async function signInWays(): Promise<SignInWays> {
  const { data } = await api.GET("/api/v1/signin");
  return data as SignInWays;
}

/** Why an authenticator gave nothing: the person thought better of it, has the key already, or something else. */
function unanswered(error: unknown): Problem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError") return new Problem("desk.passkey.cancelled");
  if (name === "InvalidStateError") return new Problem("desk.passkey.have");
  if (name === "SecurityError") return new Problem("desk.passkey.address");
  return new Problem("desk.passkey.failed");
}

/** What the server says to an answer, in the reader's language: by the field and the rule, for there is one of each. */
const SAID: Record<string, MessageKey> = {
  "secret/unknown": "desk.passkey.said.link",
  "ceremony/over": "desk.passkey.said.over",
  "credential/other": "desk.passkey.said.unknown",
  "credential/refused": "desk.passkey.said.refused",
  "device/other": "desk.passkey.said.device",
  "device/signature": "desk.passkey.said.device",
  "provider/unknown": "desk.provider.said.gone",
  "provider/agency": "desk.provider.said.gone",
  "account/unknown": "desk.provider.said.unknown",
  "account/strength": "desk.provider.said.strength",
  "account/stale": "desk.provider.said.stale",
  "code/refused": "desk.provider.said.refused",
};

const KINDS: Record<string, MessageKey> = {
  "locked-out": "desk.passkey.said.lockedout",
  "provider-down": "desk.provider.said.down",
};

/** Waits for what was asked, and turns a refusal into the reader's language. */
export async function said<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const [field] = error.fields as { field: string; rule?: string; message: string; remedy: string }[];
    const text = KINDS[error.kind ?? ""] ?? SAID[`${field?.field}/${field?.rule}`];
    if (text) throw new Problem(text, undefined, [], error.status, error.kind);
    throw error;
  }
}

type Answer = Record<string, never>;

async function create(options: unknown): Promise<Answer> {
  try {
    const publicKey = parsing()?.parseCreationOptionsFromJSON?.(options);
    if (!publicKey) throw new Problem("desk.passkey.old");
    const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
    return made.toJSON() as unknown as Answer;
  } catch (error) {
    throw error instanceof Problem ? error : unanswered(error);
  }
}

async function assert(options: unknown): Promise<Answer> {
  try {
    const publicKey = parsing()?.parseRequestOptionsFromJSON?.(options);
    if (!publicKey) throw new Problem("desk.passkey.old");
    const found = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
    return found.toJSON() as unknown as Answer;
  } catch (error) {
    throw error instanceof Problem ? error : unanswered(error);
  }
}

async function answered(begun: Ceremony): Promise<Schemas["FinishSession"]> {
  const credential = await assert(begun.options);
  return { ceremony: begun.ceremony, credential, device: await signCeremony(begun.ceremony) };
}

/** Signs in by any passkey of this address; the cookie is set when it returns. */
export async function openSession(): Promise<void> {
  const { data } = await said(api.POST("/api/v1/signin/begin"));
  await said(api.POST("/api/v1/signin/finish", { body: await answered(data as Ceremony) }));
}

/** Unlocks the session, and confirms dangerous actions for five minutes. */
export async function confirmSession(): Promise<void> {
  const { data } = await said(api.POST("/api/v1/session/begin"));
  await said(api.POST("/api/v1/session/finish", { body: await answered(data as Ceremony) }));
}

/** For whom an enrolment is. */
export async function readEnrolment(secret: string): Promise<Schemas["EnrolmentOffer"]> {
  const { data } = await said(api.POST("/api/v1/enrolment/begin", { body: { secret } }));
  return data as Schemas["EnrolmentOffer"];
}

/** Registers the passkey that an enrolment invites to. */
export async function useEnrolment(secret: string, label: string): Promise<void> {
  const { ceremony, options } = await readEnrolment(secret);
  const credential = await create(options);
  await said(api.POST("/api/v1/enrolment/finish", { body: { secret, ceremony, label, credential } }));
}

/** Adds a passkey of one's own. */
export async function addPasskey(label: string): Promise<void> {
  const { data } = await said(api.POST("/api/v1/me/passkeys/begin"));
  const { ceremony, options } = data as Ceremony;
  const credential = await create(options);
  await said(api.POST("/api/v1/me/passkeys", { body: { ceremony, label, credential } }));
}

/** One's own passkeys and sessions. */
export async function mySignIn(): Promise<SignInOf> {
  const { data } = await api.GET("/api/v1/me/sign-in");
  return data as SignInOf;
}

/** How a member signs in by passkey. */
export async function signInOf(member: string): Promise<SignInOf> {
  const { data } = await api.GET("/api/v1/members/{member}/sign-in", { params: { path: { member } } });
  return data as SignInOf;
}

/** Removes a federated account; sessions that it opened end at once. */
export async function removeAccount(account: string): Promise<void> {
  await api.DELETE("/api/v1/accounts/{account}", { params: { path: { account } } });
}

/** Removes a passkey; sessions that it opened end at once. */
export async function removePasskey(passkey: string): Promise<void> {
  await api.DELETE("/api/v1/passkeys/{passkey}", { params: { path: { passkey } } });
}

/** Ends a session. */
export async function endSession(session: string): Promise<void> {
  await api.DELETE("/api/v1/sessions/{session}", { params: { path: { session } } });
}

/** Invites a member to register a passkey; the link comes this once. */
export async function enrolMember(member: string): Promise<Schemas["IssuedEnrolment"]> {
  const { data } = await api.POST("/api/v1/members/{member}/enrolments", { params: { path: { member } } });
  return data as Schemas["IssuedEnrolment"];
}

/** Takes an enrolment back. */
export async function revokeEnrolment(enrolment: string): Promise<void> {
  await api.DELETE("/api/v1/enrolments/{enrolment}", { params: { path: { enrolment } } });
}
