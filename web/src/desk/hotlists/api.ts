/** Calls about hotlists, what is on them, and the alerts that they raise. */
import { authorization, confirmed, problemOf, type Schemas } from "$lib/api/client";
import { Problem } from "$lib/problem";
import type { Purpose } from "$lib/purpose";

import { address, call } from "../evidence/call";
import type { Part } from "../shell/resource.svelte";

export type NewHotlist = Schemas["NewHotlist"];
export type HotlistView = Schemas["HotlistView"];
export type HotlistVersion = Schemas["HotlistVersionView"];
export type HotlistEntry = Schemas["HotlistEntry"];
export type ProposedHotlist = Schemas["ProposedHotlist"];
export type AlertView = Schemas["AlertView"];
export type AlertState = Schemas["AlertState"];
export type ConfirmAlert = Schemas["ConfirmAlert"];
export type LegalBasis = Schemas["LegalBasis"];
export type RowProblem = Schemas["RowProblem"];

/** One line of a comparison of two versions. */
export interface DiffLine {
  what: "added" | "removed" | "changed";
  before?: HotlistEntry | null;
  after?: HotlistEntry | null;
}
export type HotlistDiff = Omit<Schemas["HotlistDiff"], "lines"> & { lines: DiffLine[] };

export const BASES = ["judicial", "administrative", "agency"] as const satisfies readonly LegalBasis[];
export const STATES = ["unconfirmed", "confirmed", "misread", "stale"] as const satisfies readonly AlertState[];

/** The hotlists of the member's agency, oldest first. */
export const hotlists = async (): Promise<HotlistView[]> =>
  (await call<{ items: HotlistView[] }>("GET", "/hotlists")).items;

/** One hotlist. */
export const hotlist = (id: string): Promise<HotlistView> => call("GET", `/hotlists/${id}`);

/** Makes a hotlist; nothing is on it yet. */
export const addHotlist = (wish: NewHotlist, purpose: Purpose): Promise<HotlistView> =>
  call("POST", "/hotlists", { body: wish, purpose });

/** Retires a hotlist: it alerts no more. */
export const retireHotlist = (id: string): Promise<HotlistView> => call("POST", `/hotlists/${id}/retire`);

/** A part of what is on a hotlist now. */
export const entries = (id: string, after?: number): Promise<Part<HotlistEntry>> =>
  call("GET", `/hotlists/${id}/entries`, { query: { after } });

/** How a version differs from the one that was in force when it was proposed. */
export const hotlistDiff = (id: string, version: string): Promise<HotlistDiff> =>
  call("GET", `/hotlists/${id}/versions/${version}`);

/** How rows are taken, and why. */
export interface ImportWish {
  how: "whole" | "add";
  bad: "refuse" | "keep";
  reason: string;
}

/** Proposes what a file holds. Bad rows are in the problem's fields, or in what was proposed. */
export async function importRows(id: string, file: File, wish: ImportWish): Promise<ProposedHotlist> {
  const type = /\.json$/i.test(file.name) ? "application/json" : "text/csv";
  let response: Response;
  try {
    response = await confirmed(() =>
      fetch(address(`/hotlists/${id}/versions`, { ...wish }), {
        method: "POST",
        headers: { ...authorization(), "Content-Type": type },
        body: file,
      }),
    );
  } catch {
    throw new Problem("common.problem.offline");
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as ProposedHotlist;
}

/** Which alerts; empty where all are wanted. */
export interface AlertFilter {
  state: string;
  list: string;
}

/** Alerts of the agency's hotlists, newest first. */
export const alerts = (filter: AlertFilter, after?: number): Promise<Part<AlertView>> =>
  call("GET", "/alerts", { query: { ...filter, after } });

/** One alert. */
export const alert = (id: string): Promise<AlertView> => call("GET", `/alerts/${id}`);

/** Says what the member saw when they compared plate and picture. */
export const confirmAlert = (id: string, wish: ConfirmAlert): Promise<AlertView> =>
  call("POST", `/alerts/${id}/confirm`, { body: wish });
