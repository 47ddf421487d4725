/** Why evidence is opened, and how it goes with a request. */

/** A purpose, as the header `Canvass-Purpose` carries it. */
export interface Purpose {
  /** A class of purposes, or `none` for a reason alone. */
  class: string;
  /** A class of offences, or `none`. */
  offence: string;
  /** The agency's own code of the case. */
  case?: string | null;
  /** In words. */
  reason: string;
  /** Number of a warrant or court order. */
  warrant?: string | null;
}

/** A reason alone, for acts that want one in words and no class. */
export function reasonAlone(reason: string): Purpose {
  return { class: "none", offence: "none", reason };
}

const line = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();

/** A purpose as a header carries it: JSON on one line, its UTF-8 bytes as the bytes of the header. Empty members are left out. */
export function purposeHeader(purpose: Purpose): string {
  const { case: code, warrant } = purpose;
  const json = JSON.stringify({
    class: purpose.class,
    offence: purpose.offence,
    ...(code && line(code) ? { case: line(code) } : {}),
    reason: line(purpose.reason),
    ...(warrant && line(warrant) ? { warrant: line(warrant) } : {}),
  });
  return Array.from(new TextEncoder().encode(json), (byte) => String.fromCharCode(byte)).join("");
}
