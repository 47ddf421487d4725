/** The agency desk's API, typed by its OpenAPI description. Every failure becomes a {@link Problem}. */
import createClient, { type Middleware } from "openapi-fetch";

import { Problem } from "../problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let token: string | null = null;
let onRefused: ((kind: string | undefined) => void) | undefined;
let onStepUp: (() => Promise<boolean>) | undefined;

/**
 * The secret that signs this tab in; none leaves it to the session's cookie. `refused` is called when the server no longer
 * takes either, with the kind of its refusal: `locked` for a session that a passkey unlocks.
 */
export function useToken(secret: string | null, refused?: (kind: string | undefined) => void): void {
  token = secret;
  onRefused = refused;
}

/** Called when an action asks for a fresh passkey; it resolves to whether one was given. */
export function useStepUp(confirm: () => Promise<boolean>): void {
  onStepUp = confirm;
}

/**
 * Headers of a request that is made without {@link api}, such as an upload or a download in streaming. A session's cookie goes
 * along by itself; the header says that the desk's own page sends it.
 */
export function authorization(): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : { "Canvass-Desk": "1" };
}

/** Sends; when the server asks for a fresh passkey first and one is given, sends once more. */
export async function confirmed(send: () => Promise<Response>): Promise<Response> {
  const response = await send();
  if (response.status !== 403 || !onStepUp) return response;
  const kind = (await problemBody(response))?.type;
  if (kind !== `${PROBLEM}step-up` || !(await onStepUp())) return response;
  return send();
}

const PROBLEM = "urn:canvass:problem:";

type Body = Partial<Schemas["ProblemDocument"]> & {
  problems?: { field: string; message: string; remedy: string; rule?: string }[];
};

async function problemBody(response: Response): Promise<Body | null> {
  try {
    return (await response.clone().json()) as Body;
  } catch {
    return null;
  }
}

/** What a failed answer says: the server's problem+json (RFC 9457) with its remedy, or its status. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = await problemBody(response);
  const kind = body?.type?.replace(PROBLEM, "");
  if (response.status === 401) onRefused?.(kind);
  if (!body) {
    const text = response.status === 404 ? "common.problem.notfound" : "common.problem.unknown";
    return new Problem(text, undefined, [], response.status);
  }
  const text = body.detail ?? body.title ?? "common.problem.unknown";
  return new Problem(text, body.remedy ?? undefined, body.problems ?? [], response.status, kind);
}

const fails: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(authorization())) request.headers.set(name, value);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
    return response;
  },
  onError() {
    return new Problem("common.problem.offline");
  },
};

/** `await api.GET("/api/v1/offers", { params: { query: { state: "received" } } })`; `data` is there when it returns. */
export const api = createClient<paths>({
  baseUrl: "/",
  fetch: (request) => confirmed(() => fetch(request.clone())),
});
api.use(fails);
