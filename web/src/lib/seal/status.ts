/** What became of an offer, what the agency asks, answering, taking it back (docs/ref/formats.md: Status, Message). */
import { problemOf } from "../api/client";
import { Problem } from "../problem";
import { openText, sealText } from "./age";
import type { OfferSecret, SignedMessage } from "./offer";
import type { OfferStatus } from "./types";

export type { OfferStatus };

/**
 * Reads what the server publishes about an offer; none while it is not taken in yet (or long after it is gone).
 * @throws {@link Problem} when the server can't be reached, or shows another offer.
 */
export async function loadStatus(secret: OfferSecret): Promise<OfferStatus | null> {
  const response = await reach(() =>
    fetch(`/offers/${secret.lookup}.json`, { cache: "no-store", credentials: "omit" }),
  );
  if (response.status === 404) return null;
  if (!response.ok) throw await problemOf(response);
  const status = (await response.json().catch(() => null)) as OfferStatus | null;
  if (!status || status.v !== 1 || !Array.isArray(status.clips)) throw new Problem("common.seal.status.strange");
  if (status.lookup !== secret.lookup) throw new Problem("common.seal.status.other");
  return status;
}

/**
 * Waits until the offer is taken in and its receipt is there, or it is refused.
 * @throws the signal's reason when aborted.
 */
export async function waitForReceipt(secret: OfferSecret, signal?: AbortSignal): Promise<OfferStatus> {
  for (let pause = 1; ; pause = Math.min(pause + 1, 15)) {
    signal?.throwIfAborted();
    // Offline is a reason to wait: the offer is with the server already.
    const status = await loadStatus(secret).catch((error: unknown) => {
      if (error instanceof Problem && error.text === "common.problem.offline") return null;
      throw error;
    });
    if (status && (status.receipt || status.state === "refused")) return status;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, pause * 1000);
      signal?.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
    });
  }
}

/** Takes the whole offer back. Unopened it is destroyed; opened, the agency has to answer. */
export async function withdraw(secret: OfferSecret): Promise<void> {
  await send(secret, "withdraw", "");
}

/**
 * Answers a question; only the agency can read it.
 * @param recipient - the `age1…` recipient of the request, from `offer.json`
 */
export async function answer(secret: OfferSecret, question: string, text: string, recipient: string): Promise<void> {
  const trimmed = text.trim();
  if (trimmed === "") throw new Problem("common.seal.text.empty");
  // The signature covers the body alone, so the question stands in it.
  await send(secret, "answer", `question: ${question}\n${await sealText(trimmed, recipient)}`);
}

/** The text of a question. Control characters are blanked. */
export async function openQuestion(secret: OfferSecret, armoured: string): Promise<string> {
  const text = await openText(armoured, secret.mailboxIdentity);
  return text.replaceAll(/[^\P{Cc}\n]/gu, " ");
}

async function send(secret: OfferSecret, kind: SignedMessage["kind"], body: string): Promise<void> {
  const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const { lookup, offer_key, signature } = secret.signMessage(kind, body, at);
  const response = await reach(() =>
    fetch("/messages", {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ lookup, offer_key, kind, at, body, signature }),
    }),
  );
  if (!response.ok) throw await problemOf(response);
}

async function reach(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch {
    throw new Problem("common.problem.offline");
  }
}
