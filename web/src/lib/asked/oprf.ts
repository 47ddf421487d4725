/** The verifiable oblivious function (RFC 9497, ristretto255-SHA512, VOPRF mode), as `@noble/curves` implements it. */
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { base64urlnopad } from "@scure/base";

import { FormatError } from "../format/bytes";
import { plateInput } from "./plate";

/** A plate that was blinded, while the answer is under way. */
export interface Blinded {
  /** What is sent: 32 bytes of base64url that tell nothing of the plate. */
  element: string;
  /** Checks the answer against the published key, and takes the blinding off. */
  finish: (answer: { elements: string[]; proof: string }, key: string) => Uint8Array;
}

/** Blinds a plate. */
export function blind(plate: string): Blinded {
  const input = plateInput(plate);
  const { blind: secret, blinded } = ristretto255_oprf.voprf.blind(input);
  return {
    element: base64urlnopad.encode(blinded),
    finish: ({ elements, proof }, key) => {
      try {
        const [element = "", ...more] = elements;
        if (more.length > 0) throw new Error("too many");
        const [evaluated, publicKey, proven] = [element, key, proof].map((text) => base64urlnopad.decode(text));
        if (!evaluated || !publicKey || !proven) throw new Error("missing");
        return ristretto255_oprf.voprf.finalize(input, secret, evaluated, blinded, publicKey, proven);
      } catch {
        throw new FormatError("proof", "the answer was not made with the published key");
      }
    },
  };
}
