/** Calls of changes that take two people, of sharing between agencies, and of notices to overseers. */
import { api, type Schemas } from "$lib/api/client";

import type { Part } from "../shell/resource.svelte";

export type ProposalView = Schemas["ProposalView"];
export type ProposalDetail = Schemas["ProposalDetail"];
export type SharingView = Schemas["SharingView"];
export type SharingRule = Schemas["SharingRule"];
export type NewSharing = Schemas["NewSharing"];
export type Notice = Schemas["OversightNotice"];
export type Policy = Schemas["Policy"];
export type BreakGlass = Schemas["BreakGlass"];
export type NewDisclosure = Schemas["NewDisclosure"];
export type CourtSeal = Schemas["CourtSeal"];
export type NewSeal = Schemas["NewSeal"];
export type DisclosureFile = Schemas["DisclosureFile"];

/** Reasons that the server takes. */
export const goodReason = (reason: string): boolean => reason.trim().length >= 10 && reason.trim().length <= 500;

/** Proposals in a state, or all, newest first. */
export async function proposals(state?: "open", after?: number): Promise<Part<ProposalView>> {
  const query = { ...(state ? { state } : {}), ...(after === undefined ? {} : { after }) };
  const { data } = await api.GET("/api/v1/proposals", { params: { query } });
  return (data ?? { items: [] }) as Part<ProposalView>;
}

const at = (proposal: string) => ({ params: { path: { proposal } } });

/** A proposal with what it would change. */
export async function proposal(id: string): Promise<ProposalDetail> {
  const { data } = await api.GET("/api/v1/proposals/{proposal}", at(id));
  return data as ProposalDetail;
}

/** Proposes other limits and retentions. */
export async function proposeLimits(policy: Policy, reason: string): Promise<ProposalView> {
  const { data } = await api.POST("/api/v1/proposals", { body: { kind: "limits", policy, reason } });
  return data as ProposalView;
}

/** Approves what somebody else proposed. */
export async function approve(id: string): Promise<void> {
  await api.POST("/api/v1/proposals/{proposal}/approve", at(id));
}

/** Refuses what somebody else proposed. */
export async function refuse(id: string, reason: string): Promise<void> {
  await api.POST("/api/v1/proposals/{proposal}/refuse", { ...at(id), body: { reason } });
}

/** Takes back what one proposed oneself. */
export async function withdraw(id: string): Promise<void> {
  await api.POST("/api/v1/proposals/{proposal}/withdraw", at(id));
}

/** What is shared. */
export async function sharing(): Promise<SharingView[]> {
  const { data } = await api.GET("/api/v1/sharing");
  return (data?.items ?? []) as SharingView[];
}

/** Proposes to share. */
export async function offerSharing(wish: NewSharing): Promise<ProposalView> {
  const { data } = await api.POST("/api/v1/sharing", { body: wish });
  return data as ProposalView;
}

/** Proposes to accept what another agency shares. */
export async function acceptSharing(rule: string, reason: string): Promise<void> {
  await api.POST("/api/v1/sharing/{rule}/accept", { params: { path: { rule } }, body: { reason } });
}

/** Ends sharing at once. */
export async function endSharing(rule: string, reason: string): Promise<void> {
  await api.POST("/api/v1/sharing/{rule}/end", { params: { path: { rule } }, body: { reason } });
}

/** Notices that no overseer marked as seen. */
export async function unseenNotices(): Promise<Notice[]> {
  const { data } = await api.GET("/api/v1/oversight/notices", { params: { query: { unseen: true, limit: 200 } } });
  return (data?.items ?? []) as Notice[];
}

/** Marks a notice as seen. */
export async function noticeSeen(notice: string): Promise<void> {
  await api.POST("/api/v1/oversight/notices/{notice}/seen", { params: { path: { notice } } });
}

/** When break-glass was open for the member's agency, newest first. */
export async function breakGlass(): Promise<BreakGlass[]> {
  const { data } = await api.GET("/api/v1/break-glass");
  return (data ?? []) as BreakGlass[];
}

/** Ends break-glass at once. */
export async function endBreakGlass(glass: string): Promise<void> {
  await api.POST("/api/v1/break-glass/{glass}/end", { params: { path: { glass } } });
}

/** Opens fields of records to somebody. */
export async function disclose(wish: NewDisclosure): Promise<DisclosureFile> {
  const { data } = await api.POST("/api/v1/disclosures", { body: wish });
  return data as DisclosureFile;
}

/** Courts' orders over searches, newest first. */
export async function seals(after?: number): Promise<Part<CourtSeal>> {
  const query = after === undefined ? {} : { after };
  const { data } = await api.GET("/api/v1/asked/seals", { params: { query } });
  return (data ?? { items: [] }) as Part<CourtSeal>;
}

/** Proposes that a court's order holds a search back. */
export async function proposeSeal(wish: NewSeal): Promise<void> {
  await api.POST("/api/v1/asked/seals", { body: wish });
}

/** Confirms, as the second person, what somebody else proposed. */
export async function confirmSeal(seal: string): Promise<void> {
  await api.POST("/api/v1/asked/seals/{seal}/confirm", { params: { path: { seal } } });
}
