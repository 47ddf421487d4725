/** Calls of the API that the typed client can't make as they are: with a purpose in a header, or an answer that streams. */
import { authorization, confirmed, problemOf, type Schemas } from "$lib/api/client";
import { Problem } from "$lib/problem";
import { type Purpose, purposeHeader } from "$lib/purpose";

/** How an item differs from the one that it was made of. */
export interface ItemAlteration {
  kind: "redaction" | "transcode";
  /** What was altered and why. */
  note: string;
  by: string;
  at: string;
  tool: string;
}

export type Item = Schemas["ItemView"] & { copy_of?: string | null; alteration?: ItemAlteration | null };
export type Hold = Schemas["Hold"];

/** `GET /items/{item}`: the item with all that it belongs to. */
export type ItemDetail = Item & { holds?: Hold[]; copies?: Item[]; original?: Item | null };

/** What an offer answers, as the agency signed it. */
export interface Asked {
  id: string;
  kind: "request" | "portal";
  state: string;
  code: string | null;
  incident: string | null;
  details: string;
  digest: string;
  key: string;
}

export type Offer = Schemas["OfferView"];
/** `GET /offers/{offer}`: the offer with what it answers, its place in the ledger, holds and items. */
export type OfferDetail = Offer & {
  asked?: Asked | null;
  receipt?: { leaf: string; index: number | null; signed: boolean } | null;
  holds?: Hold[];
  items?: Item[];
};

/** Parameters of a query; what is null, undefined or empty is left out. */
export type Query = Record<string, string | number | boolean | null | undefined>;

/** The address of a call. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

interface Options {
  query?: Query;
  body?: unknown;
  purpose?: Purpose;
  signal?: AbortSignal;
}
type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Calls the API and reads the JSON answer. Throws a {@link Problem} with the server's remedy. */
export async function call<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const response = await answered(method, path, options);
  // Nothing is said of what is gone.
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The same for a text that is wanted byte for byte. */
export async function callText(method: Method, path: string, options: Options = {}): Promise<string> {
  return (await answered(method, path, options)).text();
}

async function answered(method: Method, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { ...authorization() };
  if (options.purpose !== undefined) headers["Canvass-Purpose"] = purposeHeader(options.purpose);
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await confirmed(() =>
      fetch(address(path, options.query), {
        method,
        headers,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        signal: options.signal,
      }),
    );
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem("common.problem.offline");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}
