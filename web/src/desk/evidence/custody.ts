/** The chain of custody of an offer or item, checked here: nobody has to believe the server that nothing was altered. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import canonicalize from "canonicalize";

import type { Schemas } from "$lib/api/client";

export type CustodyEvent = Schemas["CustodyEvent"];
export type CustodyView = Schemas["CustodyView"];

const CONTEXT = "canvass/custody/v1\n";
const NOTHING = "0".repeat(64);

/** The hash that an event must have: SHA-256 of the context and the canonical JSON of all its other fields. */
export function hashOf(event: CustodyEvent): string {
  const { subject, number, previous, event: kind, by, at, detail } = event;
  const text = canonicalize({ subject, number, previous, event: kind, by: by ?? null, at, detail: detail ?? null });
  return bytesToHex(sha256(utf8ToBytes(CONTEXT + text)));
}

/** Where a chain does not hold: the number of the event (from 0) and why; null when all of it holds up to its head. */
export function defectOf(
  chain: CustodyView,
): { number: number; why: "subject" | "order" | "link" | "hash" | "end" } | null {
  let previous = NOTHING;
  for (const [index, event] of chain.events.entries()) {
    if (event.subject !== chain.subject) return { number: index, why: "subject" };
    if (event.number !== index) return { number: index, why: "order" };
    if (event.previous !== previous) return { number: index, why: "link" };
    if (event.hash !== hashOf(event)) return { number: index, why: "hash" };
    previous = event.hash;
  }
  const whole = chain.events.length > 0 && chain.head.length === chain.events.length && chain.head.hash === previous;
  return whole ? null : { number: chain.events.length, why: "end" };
}
