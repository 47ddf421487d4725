/** Names of members, for pages that know only their ids. */
import { api, type Schemas } from "$lib/api/client";

import { all, type Part } from "../shell/resource.svelte";
import { session, whenSessionEnds } from "./session.svelte";

type MemberView = Schemas["MemberView"];

let members = $state.raw<readonly MemberView[]>([]);
let organisations = $state.raw<readonly Schemas["AgencyView"][]>([]);
let loading: Promise<void> | null = null;

/** Loads the members that one may see, once in a session; `again` after a change. */
export function loadNames(again = false): Promise<void> {
  if (again) loading = null;
  loading ??= (async () => {
    if (!session.may("member.list")) return;
    try {
      members = session.agency ? await listMembers(session.agency) : await everybody();
    } catch {
      // Ids are shown then.
      loading = null;
    }
  })();
  return loading;
}

/** All members of an agency, or of none: the operator's people. */
export function listMembers(agency: string | null): Promise<MemberView[]> {
  return all(async (after) => {
    const query = { ...(agency ? { agency } : {}), ...(after === undefined ? {} : { after }) };
    const { data } = await api.GET("/api/v1/members", { params: { query } });
    return data ?? { items: [] };
  });
}

/** Members of all agencies and of none, for those who run or watch Canvass. */
export async function everybody(): Promise<MemberView[]> {
  const agencies = await all(async (after) => {
    const query = after === undefined ? {} : { after };
    const { data } = await api.GET("/api/v1/agencies", { params: { query } } as never);
    return data as unknown as Part<Schemas["AgencyView"]>;
  });
  organisations = agencies;
  const lists = await Promise.all([listMembers(null), ...agencies.map((agency) => listMembers(agency.id))]);
  return lists.flat();
}

/** The name of a member, or the id while the name is not known. */
export function nameOf(id: string | null | undefined): string {
  if (!id) return "";
  if (id === session.member?.id) return session.member.name;
  return members.find((member) => member.id === id)?.name ?? id;
}

/** The name of an agency, or the id while the name is not known. */
export function agencyNameOf(id: string): string {
  if (id === session.agency && session.agencyName) return session.agencyName;
  return organisations.find((agency) => agency.id === id)?.name ?? id;
}

whenSessionEnds(() => {
  members = [];
  organisations = [];
  loading = null;
});
