/** Names for ids: members, requests and portals, cases. Loaded once for the tab, and again when asked. */
import { api, type Schemas } from "$lib/api/client";
import { word } from "$lib/i18n/format";
import { t } from "$lib/i18n/index.svelte";

import { everything, type Page } from "./pages.svelte";

export type Member = Schemas["MemberView"];
export type RequestView = Schemas["RequestView"];
export type PortalView = Schemas["PortalView"];
export type CaseView = Schemas["CaseView"];

interface Known {
  members: Map<string, Member>;
  requests: Map<string, RequestView>;
  portals: Map<string, PortalView>;
  cases: Map<string, CaseView>;
}

const none = (): Known => ({ members: new Map(), requests: new Map(), portals: new Map(), cases: new Map() });
let known = $state.raw<Known>(none());
let loading: Promise<void> | undefined;

const keyed = <T extends { id: string }>(all: T[]): Map<string, T> => new Map(all.map((one) => [one.id, one]));

async function load(): Promise<void> {
  const query = (after: number | undefined) => ({ params: { query: { after, limit: 200 } } });
  const [members, requests, portals, cases] = await Promise.all([
    api.GET("/api/v1/members").then((answer) => answer.data?.items ?? []),
    everything<RequestView>(async (after) => {
      const { data } = await api.GET("/api/v1/requests", query(after));
      return (data as Page<RequestView> | undefined) ?? { items: [] };
    }),
    api.GET("/api/v1/portals").then((answer) => answer.data?.items ?? []),
    everything<CaseView>(async (after) => (await api.GET("/api/v1/cases", query(after))).data ?? { items: [] }),
  ]);
  known = { members: keyed(members), requests: keyed(requests), portals: keyed(portals), cases: keyed(cases) };
}

/** Loads the names, once; `again` after something was made or changed. */
export function loadNames(again = false): Promise<void> {
  if (again || !loading) {
    loading = load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
  }
  return loading;
}

/** Forgets all names, for example when someone else signs in. */
export function forgetNames(): void {
  known = none();
  loading = undefined;
}

/** The members who still work here, by name. */
export function activeMembers(): Member[] {
  return [...known.members.values()]
    .filter((member) => member.active)
    .sort((one, two) => one.name.localeCompare(two.name));
}

/** A member's name; the id where it is not known, and "the resident or the server" for none. */
export function person(id: string | null | undefined): string {
  if (!id) return t("evidence.nobody");
  return known.members.get(id)?.name ?? id;
}

/** All cases, open ones first, newest first. */
export function allCases(): CaseView[] {
  return [...known.cases.values()].sort(
    (one, two) => Number(two.open) - Number(one.open) || two.opened.localeCompare(one.opened),
  );
}

export function caseOf(id: string | null | undefined): CaseView | undefined {
  return id ? known.cases.get(id) : undefined;
}

/** What a case is called. */
export function caseName(id: string): string {
  return known.cases.get(id)?.title ?? id;
}

/** The requests that can have offers, newest first. */
export function allRequests(): RequestView[] {
  return [...known.requests.values()]
    .filter((request) => !["draft", "in-moderation", "refused"].includes(request.state))
    .sort((one, two) => two.created.localeCompare(one.created));
}

export function allPortals(): PortalView[] {
  return [...known.portals.values()];
}

export function requestOf(id: string): RequestView | undefined {
  return known.requests.get(id);
}

export function portalOf(id: string): PortalView | undefined {
  return known.portals.get(id);
}

/** A request or portal in a few words: "26-004512 · Burglary". */
export function destinationName(id: string): string {
  const request = known.requests.get(id);
  if (request) {
    const draft = request.draft;
    return `${draft.code ?? ""} · ${draft.incident ? word("incident", draft.incident) : ""}`;
  }
  return known.portals.has(id) ? t("evidence.portal") : id;
}

/** The address of a request's or portal's own page. */
export function destinationHref(id: string): string {
  return id.startsWith("por_") ? "/desk/portals" : `/desk/requests/${id}`;
}

/** An id cut to what people can compare at a glance; the whole stands in a title. */
export function shortId(id: string): string {
  return id.length > 12 ? `${id.slice(0, 10)}…` : id;
}
