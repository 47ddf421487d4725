/** Calls about members and their tokens. */
import { api, type Schemas } from "$lib/api/client";

import { all, type Part } from "../shell/resource.svelte";

export type MemberView = Schemas["MemberView"];
export type TokenView = Schemas["TokenView"];
export type Role = Schemas["Role"];

/** Roles within an agency, and those of Canvass as a whole. */
export const AGENCY_ROLES: readonly Role[] = ["investigator", "supervisor", "custodian", "administrator"];
export const OWN_ROLES: readonly Role[] = ["operator", "moderator", "overseer"];

/** Adds a member to an agency, or without one: an operator, moderator or overseer. */
export async function addMember(agency: string | null, name: string, roles: Role[]): Promise<MemberView> {
  const { data } = await api.POST("/api/v1/members", { body: { agency, name, roles } });
  return data as MemberView;
}

/** Changes roles, or stops or readmits a member. */
export async function changeMember(member: string, change: { roles?: Role[]; active?: boolean }): Promise<MemberView> {
  const { data } = await api.PATCH("/api/v1/members/{member}", { params: { path: { member } }, body: change });
  return data as MemberView;
}

/** A member's tokens, without their secrets. */
export function listTokens(member: string): Promise<TokenView[]> {
  return all(async (after) => {
    const query = after === undefined ? {} : { after };
    const { data } = await api.GET("/api/v1/members/{member}/tokens", {
      params: { path: { member }, query },
    } as never);
    return data as unknown as Part<TokenView>;
  });
}

/** Issues a token; its secret comes this once. */
export async function issueToken(
  member: string,
  token: { label: string; days: number; roles: Role[] },
): Promise<Schemas["IssuedToken"]> {
  const { data } = await api.POST("/api/v1/members/{member}/tokens", { params: { path: { member } }, body: token });
  return data as Schemas["IssuedToken"];
}

/** Revokes a token at once. */
export async function revokeToken(token: string): Promise<void> {
  await api.DELETE("/api/v1/tokens/{token}", { params: { path: { token } } });
}
