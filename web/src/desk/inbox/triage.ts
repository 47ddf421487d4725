/** Decisions on single clips of an offer. */
import { call, type Offer } from "../evidence/call";

/** Declines a clip; it goes with its envelope. */
export function decline(offer: string, number: number, reason: string): Promise<Offer> {
  return call("POST", `/offers/${offer}/clips/${number}/decline`, { body: { reason: reason.trim() } });
}

/** Takes back that a clip was declined. */
export function reconsider(offer: string, number: number): Promise<Offer> {
  return call("POST", `/offers/${offer}/clips/${number}/undo`);
}
