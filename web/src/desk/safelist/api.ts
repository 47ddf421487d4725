/** Calls about the safelist: residents' own plates. */
import type { Schemas } from "$lib/api/client";

import { call } from "../evidence/call";
import type { Part } from "../shell/resource.svelte";

export type SafelistView = Schemas["SafelistView"];
export type SafelistEntry = Schemas["SafelistEntryView"];
export type SafelistMode = Schemas["SafelistMode"];
export type SafePlatesAdded = Schemas["SafePlatesAdded"];

export const MODES = ["off", "tag", "drop"] as const satisfies readonly SafelistMode[];

/** The agency's safelist in numbers. */
export const safelist = (): Promise<SafelistView> => call("GET", "/safelist");

/** Chooses what becomes of reads. */
export const setSafelist = (mode: SafelistMode, reason: string): Promise<SafelistView> =>
  call("PUT", "/safelist", { body: { mode, reason } });

/** A part of the entries, newest first. */
export const safelistEntries = (after?: number): Promise<Part<SafelistEntry>> =>
  call("GET", "/safelist/plates", { query: { after } });

/** Enters a plate or renews it, after its registration was seen. */
export const addSafePlate = (plate: string, days: number): Promise<SafePlatesAdded> =>
  call("POST", "/safelist/plates", { body: { plates: [plate], days, registration_seen: true } });

/** Takes a plate off, by itself or by its entry. */
export const removeSafePlate = (which: { plate: string } | { id: string }): Promise<void> =>
  call("POST", "/safelist/plates/remove", { body: which });
