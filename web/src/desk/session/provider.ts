/**
 * Signing in at the agency's own provider: this tab goes there and comes back to `/desk/signed-in`. What it went for waits in the
 * tab's storage, so that an answer that this tab did not ask for is not even sent on.
 */
import { api, type Schemas } from "$lib/api/client";
import { Problem } from "$lib/problem";

import { deviceKey, signCeremony } from "./device";
import { said } from "./passkeys";

/** What somebody goes to the provider for. */
export type Errand = "sign-in" | "unlock" | "confirm" | "bind";

/** An errand under way. */
export interface Going {
  errand: Errand;
  provider: string;
  /** The ceremony, which comes back as `state`. */
  ceremony: string;
  /** Where to go on afterwards. */
  back: string;
}

/** Where the browser comes back to. */
export const RETURN = "/desk/signed-in";

const GOING = "canvass.desk.going";
const CHANNEL = "canvass-desk-confirmed";

/** Begins an errand, and leaves for the provider. `secret` is that of an enrolment. */
export async function leaveFor(errand: Errand, provider: string, back: string, secret = ""): Promise<void> {
  const device = await deviceKey();
  const body = { provider, device };
  const begun =
    errand === "sign-in"
      ? api.POST("/api/v1/signin/provider/begin", { body })
      : errand === "bind"
        ? api.POST("/api/v1/enrolment/provider/begin", { body: { ...body, secret } })
        : api.POST("/api/v1/session/provider/begin", { body });
  const { ceremony, address } = (await said(begun)).data as Schemas["FederatedCeremony"];
  const going: Going = { errand, provider, ceremony, back };
  sessionStorage.setItem(GOING, JSON.stringify(going));
  location.assign(address);
}

/** What came back in the address; it is taken out of the address and the history at once. */
export interface Back {
  going: Going | null;
  code: string | null;
  issuer: string | null;
  /** What the provider says instead of a code, such as `access_denied`. */
  error: string | null;
}

export function comeBack(query: URLSearchParams): Back {
  const kept = sessionStorage.getItem(GOING);
  sessionStorage.removeItem(GOING);
  history.replaceState(null, "", RETURN);
  const going = kept ? (JSON.parse(kept) as Going) : null;
  const asked = going && going.ceremony === query.get("state") ? going : null;
  return { going: asked, code: query.get("code"), issuer: query.get("iss"), error: query.get("error") };
}

/** Hands the server what came back; it counts once. */
export async function finish({ going, code, issuer, error }: Back): Promise<void> {
  if (!going) throw new Problem("desk.provider.said.notasked");
  if (!code) throw new Problem(error === "access_denied" ? "desk.provider.said.denied" : "desk.provider.said.refused");
  const body = { ceremony: going.ceremony, code, issuer, device: await signCeremony(going.ceremony) };
  if (going.errand === "sign-in") await said(api.POST("/api/v1/signin/provider/finish", { body }));
  else if (going.errand === "bind") await said(api.POST("/api/v1/enrolment/provider/finish", { body }));
  else await said(api.POST("/api/v1/session/provider/finish", { body }));
}

/**
 * Confirms in a window of its own, for the page behind must keep its keys and what it was about to do. Gives back when that
 * window says that it is done, or `false` when it was given up. It must be called straight from a click.
 */
export function confirmInWindow(provider: string, given: AbortSignal): Promise<boolean> {
  const opened = window.open(`${RETURN}#${provider}`, "_blank", "popup,width=520,height=700");
  if (!opened) return Promise.reject(new Problem("desk.provider.said.window"));
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve) => {
    const done = (value: boolean) => {
      channel.close();
      resolve(value);
    };
    channel.onmessage = () => done(true);
    given.addEventListener("abort", () => done(false));
  });
}

/** Tells the page behind that the session is confirmed, and closes the window. */
export function tellConfirmed(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("confirmed");
  channel.close();
  window.close();
}
