/** The agency desk's API, typed by its OpenAPI description. Every failure becomes a {@link Problem}. */
import createClient, { type Middleware } from "openapi-fetch";

import { Problem } from "../problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let token: string | null = null;
let onRefused: (() => void) | undefined;

/** The secret that signs this tab in; none signs it out. `refused` is called when the server no longer takes it. */
export function useToken(secret: string | null, refused?: () => void): void {
  token = secret;
  onRefused = refused;
}

/** Headers of a request that is made without {@link api}, such as an upload or a download in streaming. */
export function authorization(): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** What a failed answer says: the server's problem+json (RFC 9457) with its remedy, or its status. */
export async function problemOf(response: Response): Promise<Problem> {
  if (response.status === 401) onRefused?.();
  try {
    const body = (await response.clone().json()) as Schemas["ProblemDocument"] & {
      detail?: string;
      title?: string;
      remedy?: string;
      problems?: { field: string; message: string; remedy: string }[];
    };
    return new Problem(
      body.detail ?? body.title ?? "common.problem.unknown",
      body.remedy,
      body.problems ?? [],
      response.status,
    );
  } catch {
    return new Problem(
      response.status === 404 ? "common.problem.notfound" : "common.problem.unknown",
      undefined,
      [],
      response.status,
    );
  }
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
export const api = createClient<paths>({ baseUrl: "/" });
api.use(fails);
