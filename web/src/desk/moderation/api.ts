/** Calls about moderation. */
import { api, type Schemas } from "$lib/api/client";

import type { RequestView } from "../requests/api";
import { all, type Part } from "../shell/resource.svelte";

/** A rule that a refusal may name. */
export type Rule = Schemas["RefusalRule"];

/** What waits for a moderator, oldest first. */
export function queue(): Promise<RequestView[]> {
  return all(async (after) => {
    const query = after === undefined ? {} : { after };
    const { data } = await api.GET("/api/v1/moderation", { params: { query } } as never);
    return data as unknown as Part<RequestView>;
  });
}

/** The rules that a refusal may name. */
export async function rules(): Promise<Rule[]> {
  const { data } = await api.GET("/api/v1/rules");
  return data?.items ?? [];
}

/** Names of the agencies that the reader may see, by id. */
export async function agencyNames(): Promise<Map<string, Schemas["AgencyView"]>> {
  const found = await all(async (after) => {
    const query = after === undefined ? {} : { after };
    const { data } = await api.GET("/api/v1/agencies", { params: { query } } as never);
    return data as unknown as Part<Schemas["AgencyView"]>;
  });
  return new Map(found.map((agency) => [agency.id, agency]));
}

/** Publishes or refuses a request. */
export async function decide(request: string, verdict: Schemas["Verdict"]): Promise<RequestView> {
  const { data } = await api.POST("/api/v1/requests/{request}/decision", {
    params: { path: { request } },
    body: verdict,
  });
  return data as unknown as RequestView;
}
