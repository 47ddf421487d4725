/**
 * Wishes for notices. Each is sealed to the private side and padded to one length, so that the public server learns neither
 * what is wished nor by whom (`crates/notices`).
 */
import { Problem } from "../problem";
import { sealText } from "../seal/age";

/** Bytes of a wish before it is sealed; all have this length. */
const LENGTH = 4096;

/** A push subscription as `PushSubscription.toJSON()` gives it. */
export interface PushTarget {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

export type Wish =
  | { act: "push"; regions: string[]; language: string; subscription: PushTarget }
  | { act: "mail"; regions: string[]; language: string; address: string }
  | { act: "confirm" | "stop"; token: string }
  | { act: "stop-push"; endpoint: string };

/** The text that is sealed: JSON of exactly {@link LENGTH} bytes. */
export function padded(wish: Wish): string {
  const bare = JSON.stringify({ v: 1, ...wish, pad: "" });
  const missing = LENGTH - new TextEncoder().encode(bare).length;
  if (missing < 0) throw new Problem("notify.problem.long");
  return JSON.stringify({ v: 1, ...wish, pad: " ".repeat(missing) });
}

/** Seals a wish to `recipient` and hands it in. The server answers the same whatever it was. */
export async function send(wish: Wish, recipient: string): Promise<void> {
  const body = await sealText(padded(wish), recipient);
  let response: Response;
  try {
    response = await fetch("/notices", { method: "POST", headers: { "Content-Type": "text/plain" }, body });
  } catch {
    throw new Problem("common.problem.offline");
  }
  if (response.status === 503) throw new Problem("notify.problem.busy");
  if (!response.ok) throw new Problem("notify.problem.refused");
}
