/** Whether a request or portal is signed by the agency, checked on this computer. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { base64 } from "@scure/base";

import type { Schemas } from "$lib/api/client";
import { CONTEXT, digestOf, signedBytes } from "$lib/seal/keys";
import type { Answered } from "$lib/seal/types";

/**
 * `good`: signed by a key of the agency, and the text is the one on record. `other`: signed, but another text than the one on
 * record. `altered`: the signature or the digest is not of this text. `unknown`: no key of the agency has this name.
 */
export type SignatureState = "good" | "other" | "altered" | "unknown";

/** Checks a signed body against the agency's keys and against the digest that the agency has on record, if any. */
export function checkSigned(
  signed: Answered,
  keys: readonly Schemas["AgencyKey"][],
  onRecord: string | null,
): SignatureState {
  const key = keys.find((each) => each.id === signed.key);
  if (!key) return "unknown";
  const context = signed.body.id.startsWith("por_") ? CONTEXT.portal : CONTEXT.request;
  let holds = false;
  try {
    holds = ed25519.verify(
      base64.decode(signed.signature),
      signedBytes(context, signed.body),
      base64.decode(key.public),
    );
  } catch {
    // Not even of the form of a signature.
  }
  if (!holds || digestOf(signed.body) !== signed.digest) return "altered";
  return onRecord === null || onRecord === signed.digest ? "good" : "other";
}
