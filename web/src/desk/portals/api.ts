/** Calls about portals and invitations. */
import { base32nopad } from "@scure/base";

import { api, type Schemas } from "$lib/api/client";
import { CONTEXT, type Group, type SigningKey } from "$lib/seal/keys";

import { makeKey } from "../keys/api";
import { all, type Part } from "../shell/resource.svelte";

export type PortalView = Schemas["PortalView"];
export type InvitationView = Schemas["InvitationView"];

const query = (after?: number) => ({ params: { query: after === undefined ? {} : { after } } });

/** The agency's portals, newest first. */
export function listPortals(): Promise<PortalView[]> {
  return all(async (after) => {
    const { data } = await api.GET("/api/v1/portals", query(after) as never);
    return data as unknown as Part<PortalView>;
  });
}

/** A new id, as the server makes them: 128 random bits. */
export function newPortalId(): string {
  return `por_${base32nopad.encode(crypto.getRandomValues(new Uint8Array(16))).toLowerCase()}`;
}

/** What a portal is opened with. */
export interface Opening {
  id: string;
  agency: Schemas["AgencyView"];
  details: string;
  contact: { name: string; phone?: string; email?: string };
  group: Group;
  signing: SigningKey;
}

/** Makes the portal's key, signs its text on this computer, and opens it. May be done again with the same id after a failure. */
export async function openPortal({ id, agency, details, contact, group, signing }: Opening): Promise<PortalView> {
  const key = await makeKey(id, group);
  const created = new Date().toISOString().replace(/\.\d+/, "");
  const body = {
    v: 1,
    id,
    agency: { id: agency.id, name: agency.name, class: agency.class },
    details,
    contact,
    recipient: key.recipient,
    created,
  };
  const { data } = await api.POST("/api/v1/portals/{portal}", {
    params: { path: { portal: id } },
    body: { details, contact, created, key: signing.id, signature: signing.sign(CONTEXT.portal, body) },
  });
  return data as PortalView;
}

/** Closes a portal; what was given stays. */
export async function closePortal(portal: string): Promise<void> {
  await api.POST("/api/v1/portals/{portal}/close", { params: { path: { portal } } });
}

/** The agency's invitations, newest first. */
export function listInvitations(): Promise<InvitationView[]> {
  return all(async (after) => {
    const { data } = await api.GET("/api/v1/invitations", query(after) as never);
    return data as unknown as Part<InvitationView>;
  });
}

/** Invites one person; the secret comes this once. */
export async function invite(destination: string, kase: string | null): Promise<Schemas["IssuedInvitation"]> {
  const { data } = await api.POST("/api/v1/invitations", { body: { destination, case: kase } });
  return data as Schemas["IssuedInvitation"];
}

/** Takes an invitation back. */
export async function revokeInvitation(invitation: string): Promise<void> {
  await api.DELETE("/api/v1/invitations/{invitation}", { params: { path: { invitation } } });
}

/** The agency's open cases, for what comes by an invitation. */
export function openCases(): Promise<Schemas["CaseView"][]> {
  return all(async (after) => {
    const filters = { state: "open", limit: 200, ...(after === undefined ? {} : { after }) } as never;
    const { data } = await api.GET("/api/v1/cases", { params: { query: filters } });
    return data as unknown as Part<Schemas["CaseView"]>;
  });
}
