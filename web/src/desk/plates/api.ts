/** Calls about plate reads. Every one that shows a read goes with a purpose, and leaves an entry with each owner first. */
import { authorization, problemOf, type Schemas } from "$lib/api/client";
import type { Purpose } from "$lib/purpose";

import { address, call, callText } from "../evidence/call";

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

/** A read as it is shown: with the entry under which its picture can be seen, or with the picture itself, where it is kept. */
export interface ShownRead extends FoundRead {
  entry?: string;
  image?: string | null;
}

/** Reads of an answer, whose pictures can be seen by the entry that it left with the first owner. */
export const shownOf = (
  reads: readonly FoundRead[],
  { searched }: { searched: readonly { entry: string }[] },
): ShownRead[] => reads.map((found) => ({ ...found, ...(searched[0] ? { entry: searched[0].entry } : {}) }));

/** The reads of a page. */
export const shownReads = (page: PlatesFound): ShownRead[] => shownOf(page.matches, page);

/** The address of a picture that came as Base64; none when it is no JPEG, PNG or WebP. */
export function pictureAddress(base64: string): string | null {
  const kinds = { "/9j/": "jpeg", iVBORw0KGgo: "png", UklGR: "webp" };
  const kind = Object.entries(kinds).find(([start]) => base64.startsWith(start))?.[1];
  return kind && /^[A-Za-z0-9+/]+=*$/.test(base64) ? `data:image/${kind};base64,${base64}` : null;
}

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

type Form<K extends Question["kind"]> = Omit<Extract<Question, { kind: K }>, "kind">;
export type SearchConvoy = Form<"convoy">;
export type SearchPlaces = Form<"places">;
export type PlaceAsked = Schemas["PlaceAsked"];
export type Question = Schemas["PlateQuestion"];
export type SearchPlan = Schemas["SearchPlan"];
export type ApprovalView = Schemas["ApprovalView"];
export type ApprovalDetail = Schemas["ApprovalDetail"];
export type Answered = Schemas["Answered"];
export type ConvoyFound = Schemas["ConvoyFound"];
export type CompanionFound = Schemas["CompanionFound"];
export type PlacesFound = Schemas["PlacesFound"];
export type KeptReads = Schemas["KeptReadsView"];
export type KeptReadsDetail = Schemas["KeptReadsDetail"];
export type KeptFile = Schemas["KeptFile"];

/** What a search would touch and what it takes; it looks at no read. */
export const planSearch = (question: Question, purpose: Purpose): Promise<SearchPlan> =>
  call("POST", "/plates/plan", { body: { question }, purpose });

/** Asks for a second person's approval. */
export const askApproval = (question: Question, purpose: Purpose): Promise<ApprovalDetail> =>
  call("POST", "/plates/approvals", { body: { question }, purpose });

/** A part of the searches that take a second person, newest first. */
export const approvals = (
  state?: ApprovalView["state"],
  after?: number,
): Promise<{ items: ApprovalView[]; next?: number | null }> =>
  call("GET", "/plates/approvals", { query: { state, after } });

/** One of them, with what it asks and would touch. */
export const approval = (id: string): Promise<ApprovalDetail> => call("GET", `/plates/approvals/${id}`);

export const approveSearch = (id: string): Promise<ApprovalDetail> => call("POST", `/plates/approvals/${id}/approve`);
export const withdrawSearch = (id: string): Promise<ApprovalDetail> => call("POST", `/plates/approvals/${id}/withdraw`);
export const refuseSearch = (id: string, reason: string): Promise<ApprovalDetail> =>
  call("POST", `/plates/approvals/${id}/refuse`, { body: { reason } });

/** Runs exactly what was asked. */
export const runApproved = (id: string, after: string | null = null): Promise<Answered> =>
  call("POST", `/plates/approvals/${id}/run`, { body: { after } });

/** Keeps reads of a search in its case. */
export const keepReads = (body: Schemas["KeepReads"], purpose: Purpose): Promise<KeptReads> =>
  call("POST", "/plates/keep", { body, purpose });

/** The same for a search that was approved. */
export const keepApproved = (id: string, body: Schemas["KeepApproved"]): Promise<KeptReads> =>
  call("POST", `/plates/approvals/${id}/keep`, { body });

/** Kept reads with their chain of custody. */
export const keptReads = (id: string): Promise<KeptReadsDetail> => call("GET", `/kept-reads/${id}`);

/** The reads themselves, for a purpose: the file byte for byte, so that its digest holds. */
export const keptContent = (id: string, purpose: Purpose): Promise<string> =>
  callText("GET", `/kept-reads/${id}/content`, { purpose });
