/** Calls about requests. */
import { api, type Schemas } from "$lib/api/client";
import type { Polygon } from "$lib/format/types";
import { Problem } from "$lib/problem";

import type { Part } from "../shell/resource.svelte";

/** A finding or problem; `ranges` are UTF-16 positions in the field as drafted. */
export type FieldProblem = Schemas["FieldProblem"];

/** What the server says about a draft. */
export interface Check {
  area_sq_mi?: number | null;
  minutes?: number | null;
  time_frame?: { start: string; end: string; zone: string } | null;
  /** Fields that are still empty. */
  missing?: string[];
  problems: FieldProblem[];
  findings: FieldProblem[];
  remaining: number;
}

/** A draft as it is sent; a complete one has all of them. */
export interface DraftBody {
  code: string;
  incident: Schemas["IncidentType"];
  details: string;
  contact: { name: string; phone?: string | null; email?: string | null };
  area: Polygon;
  start: string;
  end: string;
  zone: string;
  languages: string[];
  active_days: number;
  own_case: boolean;
}

/** A request as members see it. */
export type RequestView = Omit<Schemas["RequestView"], "draft" | "check"> & {
  draft: DraftBody;
  check?: Check | null;
  /** Public words of withholding. */
  end_note?: string | null;
};

export type RequestState = Schemas["RequestState"];
export type AskLimits = Required<Schemas["AskLimits"]>;

/** Filters of the list. */
export interface RequestFilters {
  state?: RequestState;
  agency?: string;
  decided?: boolean;
  q?: string;
}

/** A part of the list, newest first. */
export async function listRequests(filters: RequestFilters, after?: number, limit = 50): Promise<Part<RequestView>> {
  const query = { ...filters, limit, ...(after === undefined ? {} : { after }) };
  const { data } = await api.GET("/api/v1/requests", { params: { query } });
  return (data ?? { items: [] }) as unknown as Part<RequestView>;
}

const path = (request: string) => ({ params: { path: { request } } });

export async function getRequest(id: string): Promise<RequestView> {
  const { data } = await api.GET("/api/v1/requests/{request}", path(id));
  return data as unknown as RequestView;
}

/** Judges a draft that may be incomplete, without storing it. */
export async function checkDraft(draft: { [Field in keyof DraftBody]?: unknown }): Promise<Check> {
  const { data } = await api.POST("/api/v1/requests/check", { body: draft as never });
  return data as unknown as Check;
}

/** Stores a new draft, or changes one. */
export async function saveDraft(id: string | undefined, draft: DraftBody): Promise<RequestView> {
  const body = draft as never;
  const { data } = id
    ? await api.PUT("/api/v1/requests/{request}", { ...path(id), body })
    : await api.POST("/api/v1/requests", { body });
  return data as unknown as RequestView;
}

/** Drops a draft. */
export async function dropDraft(id: string): Promise<void> {
  await api.DELETE("/api/v1/requests/{request}", path(id));
}

export async function resolveRequest(id: string): Promise<RequestView> {
  const { data } = await api.POST("/api/v1/requests/{request}/resolve", path(id));
  return data as unknown as RequestView;
}

export async function withholdRequest(id: string, basis: string): Promise<RequestView> {
  const { data } = await api.POST("/api/v1/requests/{request}/withhold", { ...path(id), body: { basis } });
  return data as unknown as RequestView;
}

/** The body that is to be signed. */
export async function bodyToSign(id: string): Promise<Schemas["RequestBody"]> {
  const { data } = await api.GET("/api/v1/requests/{request}/body", path(id));
  return data as Schemas["RequestBody"];
}

/** Hands the signature in. */
export async function submitRequest(id: string, submission: Schemas["Submission"]): Promise<RequestView> {
  const { data } = await api.POST("/api/v1/requests/{request}/submit", { ...path(id), body: submission });
  return data as unknown as RequestView;
}

/** The limits in force for asking. */
export async function askLimits(): Promise<AskLimits> {
  const { data } = await api.GET("/api/v1/policy");
  if (!data?.ask) throw new Problem("common.problem.unknown");
  return data.ask as AskLimits;
}

/** An agency, as members see it. */
export async function getAgency(agency: string): Promise<Schemas["AgencyView"]> {
  const { data } = await api.GET("/api/v1/agencies/{agency}", { params: { path: { agency } } });
  return data as Schemas["AgencyView"];
}
