/** Calls about keys of requests and portals, and what the command line does with them on the member's own machine. */
import { api, type Schemas } from "$lib/api/client";
import { Problem } from "$lib/problem";
import { CONTEXT, type Group, type Identity, newIdentity, type SigningKey, unwrapKey, wrapKey } from "$lib/seal/keys";

import { getAgency } from "../requests/api";
import { listMembers } from "../session/names.svelte";
import { all } from "../shell/resource.svelte";

/** A key's view; `mine` says whether it is wrapped to the reader. */
export type KeyView = Schemas["KeyView"] & { mine?: boolean };
export type MemberView = Schemas["MemberView"];

const path = (destination: string) => ({ params: { path: { destination } } });

/** The key of a request or portal with its wrapped form; null when there is none yet. */
export async function getKey(destination: string): Promise<KeyView | null> {
  try {
    const { data } = await api.GET("/api/v1/keys/{destination}", path(destination));
    return data as KeyView;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** All keys of the agency, without their wrapped forms. */
export function listKeys(): Promise<KeyView[]> {
  return all(async (after) => {
    const query = after === undefined ? {} : { after };
    const { data } = await api.GET("/api/v1/keys", { params: { query } } as never);
    return data as unknown as { items: KeyView[]; next?: number | null };
  });
}

/** To whom the agency's keys are wrapped by default: active members that have a recipient, and the recovery. */
export async function presentGroup(agency: string): Promise<{ candidates: MemberView[]; recovery: string | null }> {
  const [view, members] = await Promise.all([getAgency(agency), listMembers(agency)]);
  return { candidates: members.filter((member) => member.active), recovery: view.recovery ?? null };
}

/** The group of these members; throws when the agency has no recovery, since no lost key may lose evidence. */
export function groupOf(members: readonly MemberView[], recovery: string | null): Group {
  if (!recovery) throw new Problem("desk.group.norecovery", "desk.group.norecovery.remedy");
  const named = members.flatMap((member) => (member.recipient ? [{ id: member.id, recipient: member.recipient }] : []));
  if (named.length === 0) throw new Problem("desk.group.nobody", "desk.group.nobody.remedy");
  return { members: named, recovery };
}

/** Makes a key and hands it in, wrapped; the secret half stays in this call alone. */
export async function makeKey(destination: string, group: Group): Promise<KeyView> {
  const body = await wrapKey(newIdentity(), group);
  const { data } = await api.PUT("/api/v1/keys/{destination}", { ...path(destination), body });
  return data as KeyView;
}

/** Wraps a key anew to a group, opened by one of the identities. */
export async function rewrapKey(destination: string, identities: Identity[], group: Group): Promise<KeyView> {
  const key = await getKey(destination);
  if (!key) throw new Problem("common.problem.notfound");
  const body = await wrapKey(await unwrapKey(key, identities), group);
  const { data } = await api.POST("/api/v1/keys/{destination}/rewrap", { ...path(destination), body });
  return data as KeyView;
}

/** Destroys a key: what was sealed to it can never be opened again. */
export async function destroyKey(destination: string): Promise<KeyView> {
  const { data } = await api.DELETE("/api/v1/keys/{destination}", path(destination));
  return data as KeyView;
}

const agencyPath = (agency: string) => ({ params: { path: { agency } } });

/** Names the member's own recipient. */
export async function putRecipient(recipient: string): Promise<void> {
  await api.PUT("/api/v1/me/recipient", { body: { recipient } });
}

/** Brings in the agency's next signing key, for which a present one vouches. */
export async function addAgencyKey(agency: string, next: string, present: SigningKey): Promise<void> {
  const endorsement = present.sign(CONTEXT.agencyKey, { agency, public: next });
  const body = { public: next, endorsed_by: present.id, endorsement };
  await api.POST("/api/v1/agencies/{agency}/keys", { ...agencyPath(agency), body });
}

/** Revokes a signing key; what it signed before stays valid. */
export async function revokeAgencyKey(agency: string, key: string): Promise<void> {
  await api.DELETE("/api/v1/agencies/{agency}/keys/{key}", { params: { path: { agency, key } } });
}

/** Names the recovery, to which every key is wrapped besides the members. */
export async function putRecovery(agency: string, recipient: string): Promise<void> {
  await api.PUT("/api/v1/agencies/{agency}/recovery", { ...agencyPath(agency), body: { recipient } });
}

/** Notes that the recovery opened the agency's keys in a rehearsal. */
export async function noteRehearsal(agency: string): Promise<void> {
  await api.POST("/api/v1/agencies/{agency}/rehearsals", agencyPath(agency));
}
