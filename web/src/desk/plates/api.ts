/** Calls about plate reads. Every one that shows a read goes with a purpose, and leaves an entry with each owner first. */
import { authorization, problemOf, type Schemas } from "$lib/api/client";
import type { Purpose } from "$lib/purpose";

import { address, call } from "../evidence/call";

export type SearchPlates = Schemas["SearchPlates"];
export type HistoryOfPlate = Schemas["HistoryOfPlate"];
export type PlatesFound = Schemas["PlatesFound"];
export type FoundRead = Schemas["FoundRead"];
export type Difference = Schemas["Difference"];

/** Searches the reads. */
export const searchPlates = (wish: SearchPlates, purpose: Purpose): Promise<PlatesFound> =>
  call("POST", "/plates/search", { body: wish, purpose });

/** Where one plate was seen. */
export const plateHistory = (wish: HistoryOfPlate, purpose: Purpose): Promise<PlatesFound> =>
  call("POST", "/plates/history", { body: wish, purpose });

/** A read of a page of results, with the entry under which its picture can be seen. */
export interface ShownRead extends FoundRead {
  entry: string;
}

/** The reads of a page. */
export const shownReads = (page: PlatesFound): ShownRead[] =>
  page.matches.map((found) => ({ ...found, entry: page.searched[0]?.entry ?? "" }));

/** A picture of a read. */
export async function picture(path: string, signal: AbortSignal): Promise<Blob> {
  const response = await fetch(address(path), { headers: authorization(), signal, cache: "no-store" });
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}

export const VEHICLES = ["Car", "Truck", "Bus", "Motorcycle", "Bicycle", "Van"] as const;
export const COLOURS = [
  "White",
  "Black",
  "Grey",
  "Silver",
  "Red",
  "Blue",
  "Green",
  "Yellow",
  "Orange",
  "Brown",
  "Beige",
  "Gold",
  "Purple",
  "Pink",
] as const;
