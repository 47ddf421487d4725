/** Calls of overseers and operators. */
import { api, type Schemas } from "$lib/api/client";

import type { Part } from "../shell/resource.svelte";

export type AuditRecord = Schemas["AuditRecord"];

/** Filters of the records. */
export interface RecordFilters {
  action?: string;
  subject?: string;
  case?: string;
}

/** A part of the records of actions, newest first. Each reading leaves a record, too. */
export async function listRecords(filters: RecordFilters, after?: number, limit = 50): Promise<Part<AuditRecord>> {
  const query = { ...filters, limit, ...(after === undefined ? {} : { after }) };
  const { data } = await api.GET("/api/v1/audit", { params: { query } });
  return (data ?? { items: [] }) as unknown as Part<AuditRecord>;
}

/** The state of the server. */
export async function systemState(): Promise<Schemas["SystemState"]> {
  const { data } = await api.GET("/api/v1/system");
  return data as Schemas["SystemState"];
}

/** The policy in force. */
export async function policy(): Promise<Schemas["Policy"]> {
  const { data } = await api.GET("/api/v1/policy");
  return data as Schemas["Policy"];
}

/** Makes a backup in the data folder. */
export async function backup(name: string): Promise<Schemas["BackupView"]> {
  const { data } = await api.POST("/api/v1/backups", { body: { name } });
  return data as Schemas["BackupView"];
}

const path = (agency: string) => ({ params: { path: { agency } } });

/** Registers an agency; it can ask for nothing until it is verified. */
export async function register(agency: Schemas["NewAgency"]): Promise<Schemas["AgencyView"]> {
  const { data } = await api.POST("/api/v1/agencies", { body: agency });
  return data as Schemas["AgencyView"];
}

/** Says that an agency is who it says, with its first signing key; or lets a suspended one ask again. */
export async function verify(agency: string, key: string): Promise<Schemas["AgencyView"]> {
  const { data } = await api.POST("/api/v1/agencies/{agency}/verify", { ...path(agency), body: { public: key } });
  return data as Schemas["AgencyView"];
}

/** Stops an agency from asking. */
export async function suspend(agency: string): Promise<Schemas["AgencyView"]> {
  const { data } = await api.POST("/api/v1/agencies/{agency}/suspend", path(agency));
  return data as Schemas["AgencyView"];
}
