/** What passes between the pages and sealing: plain data alone, so that it crosses to the workers. */
import type { PortalBody, RequestBody, Signed } from "../format/types";

/** The signed body that an offer answers: a request or a portal. */
export type Answered = Signed<RequestBody> | Signed<PortalBody>;

/** How far something long has come. */
export interface Progress {
  /** What is being done. */
  stage: "sealing" | "sending" | "fetching" | "opening";
  /** Bytes done. */
  done: number;
  /** Bytes in all. */
  total: number;
}

/** How a long job reports and is stopped. An abort rejects with the signal's reason and leaves nothing half-made. */
export interface Watch {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/** A clip to seal. */
export interface SealClip {
  /** The name that the agency sees; see `names.ts`. */
  name: string;
  /** Its bytes. */
  file: Blob;
  /** From when it shows something, RFC 3339. */
  from?: string;
  /** Until when. */
  until?: string;
  /** Where the times are known from: `told` is by the resident. */
  known?: "recording" | "file-time" | "told" | "unknown";
  /** Whether it shows nothing of the time that is asked for. */
  outside?: boolean;
  /** Set when the clip is not as the camera made it. */
  altered?: Alteration;
}

/** How a clip differs from what the camera made. */
export interface Alteration {
  how: ("trimmed" | "blurred" | "recoded" | "muted")[];
  /** Why, in the resident's words. */
  why?: string;
  /** SHA-256 of the clip before, in hexadecimal. */
  original_sha256?: string;
}

/** Who the resident is: only what they chose to say. */
export interface Contact {
  name?: string;
  phone?: string;
  email?: string;
}

/** A clip as `consent.json` names it. */
export interface ConsentClip {
  name: string;
  bytes: number;
  from: string | null;
  until: string | null;
  known: "recording" | "file-time" | "told" | "unknown";
  outside_time_frame: boolean;
  altered?: Alteration;
}

/** `consent.json`: what was agreed to, word for word. */
export interface Consent {
  v: 1;
  destination: string;
  destination_digest: string;
  agency: { id: string; name: string; class: string };
  /** When, RFC 3339. */
  agreed: string;
  asked: boolean;
  text: string[];
  clips: ConsentClip[];
}

/** What {@link SealPlan} adds to the clips. */
export interface SealPlan {
  /** Goes into the envelope as `request.json`. */
  request: Answered;
  /** The `age1…` recipient that the request or portal names. */
  recipient: string;
  /** What was agreed to: see `makeConsent`. */
  consent: Consent;
  contact?: Contact;
  clips: SealClip[];
  /** Whether the agency may ask questions without knowing who the resident is. */
  mailbox: boolean;
  /** The offer's secret, from which the mailbox comes. */
  secret: string;
}

/** A clip as it was sealed or opened. */
export interface ClipSum {
  name: string;
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** An envelope that lies sealed on this device. */
export interface SealedEnvelope {
  /** Name in this page's private file system; {@link import("./store").removeSealed} deletes it. */
  name: string;
  /** Its bytes; read from disk as they are needed. */
  file: File;
  /** Length. */
  bytes: number;
  /** SHA-256 in hexadecimal; none before it was read to be sent, as with the command line. */
  sha256?: string;
  /** What is in it. */
  clips: ClipSum[];
}

/** A clip that was opened into this page's private file system. */
export interface OpenedClip extends ClipSum {
  /** Its bytes; read from disk as they are needed. */
  file: File;
}

/** An envelope that was opened and verified. */
export interface OpenedEnvelope {
  /** Folder of the clips in this page's private file system. */
  folder: string;
  clips: OpenedClip[];
  /** `request.json` as it was sealed, parsed. Its signature is the caller's to check. */
  request: Answered;
  /** `consent.json`, parsed. */
  consent: Consent;
  contact: Contact | null;
  /** The `age1…` recipient of the resident's mailbox. */
  mailbox: string | null;
  /** `bag-info.txt`. */
  info: [label: string, value: string][];
  /** Remarks; none of them makes the envelope invalid. */
  defects: string[];
  envelope_sha256: string;
  envelope_bytes: number;
  /** The tag files byte for byte, which an item is sealed with again. */
  tags: { request: Uint8Array; consent: Uint8Array; contact: Uint8Array | null; mailbox: Uint8Array | null };
}

/** `/offers/<lookup>.json`. */
export interface OfferStatus {
  v: number;
  lookup: string;
  state: "received" | "opened" | "triaged" | "withdrawn" | "destroyed" | "refused";
  updated: string;
  reason?: string | null;
  can_withdraw: boolean;
  clips: { number: number; state: string }[];
  questions: { id: string; sealed: string; asked: string; answered: string | null }[];
  withdrawal: { at: string; granted: boolean | null; reason: string | null } | null;
  receipt: unknown;
}
