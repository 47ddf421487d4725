/** Decisions on single clips of an offer. */
import { api } from "$lib/api/client";
import { Problem } from "$lib/problem";
import { sealItem } from "$lib/seal/seal";
import { removeSealed } from "$lib/seal/store";
import type { Progress } from "$lib/seal/types";
import { uploadItem } from "$lib/seal/upload";

import { call, type Item, type Offer, type OfferDetail } from "../evidence/call";
import type { Opened } from "../evidence/opened.svelte";
import { keepPurpose } from "../evidence/purposes";
import { stayAwake } from "../session/session.svelte";

/** Declines a clip; it goes with its envelope. */
export function decline(offer: string, number: number, reason: string): Promise<Offer> {
  return call("POST", `/offers/${offer}/clips/${number}/decline`, { body: { reason: reason.trim() } });
}

/** Takes back that a clip was declined. */
export function reconsider(offer: string, number: number): Promise<Offer> {
  return call("POST", `/offers/${offer}/clips/${number}/undo`);
}

/** The offer as it stands now. */
export function reload(offer: string): Promise<OfferDetail> {
  return call("GET", `/offers/${offer}`);
}

/**
 * Takes a clip into a case: seals it by itself on this computer, sends it, and says so. Nothing is left here after.
 * @throws Problem when the opened clip is not the one on record, or the server refuses it.
 */
export async function acceptClip(
  opened: Opened,
  offer: Offer,
  clip: Offer["clips"][number],
  into: string,
  onProgress: (now: Progress) => void,
): Promise<Item> {
  const found = opened.envelope.clips[clip.number - 1];
  if (!found || found.sha256 !== clip.sha256) throw new Problem("evidence.accept.other");
  const done = stayAwake();
  let name: string | undefined;
  try {
    const path = { destination: offer.destination };
    const { data: key } = await api.GET("/api/v1/keys/{destination}", { params: { path } });
    const recipient = key?.recipient ?? "";
    const plan = { opened: opened.envelope, clip: found, number: clip.number, offer: offer.id, recipient };
    const sealed = await sealItem(plan, { onProgress });
    name = sealed.name;
    const upload = await uploadItem(sealed, { onProgress });
    const body = { case: into, upload, sha256: found.sha256, bytes: found.bytes };
    const item = await call<Item>("POST", `/offers/${offer.id}/clips/${clip.number}/accept`, { body });
    // Whoever opens the item next works on the same matter: the words are offered again there.
    keepPurpose(into, { ...opened.purpose, class: "case-work" });
    return item;
  } finally {
    done();
    if (name) await removeSealed(name);
  }
}
