/** The public files, as `docs/ref/formats.md` describes them. Times are RFC 3339 in UTC, digests SHA-256 in lower-case hexadecimal. */

/** Longitude, latitude in degrees (GeoJSON's order, RFC 7946 section 3.1.1). */
export type Position = [number, number];

/** One closed ring without holes (RFC 7946). */
export interface Polygon {
  type: "Polygon";
  coordinates: Position[][];
}

export type AgencyClass = "municipal" | "county" | "state" | "federal" | "campus" | "tribal" | "other";
export type AgencyState = "registered" | "verified" | "suspended";
export type RequestState = "draft" | "in-moderation" | "published" | "resolved" | "expired" | "withheld" | "refused";
export type IncidentType =
  | "homicide"
  | "assault"
  | "robbery"
  | "burglary"
  | "theft"
  | "vehicle-theft"
  | "collision"
  | "vandalism"
  | "arson"
  | "shooting"
  | "missing-person"
  | "abduction"
  | "other";

/** The agency as a request names it. */
export interface Asker {
  id: string;
  name: string;
  class: AgencyClass;
}

/** Whom to ask about a request. */
export interface Contact {
  name: string;
  phone?: string;
  email?: string;
}

/** When footage is asked for; `zone` is the IANA time zone of the place. */
export interface TimeFrame {
  start: string;
  end: string;
  zone: string;
}

/** What an agency signs: the whole request, unchangeable from then on. */
export interface RequestBody {
  v: 1;
  id: string;
  agency: Asker;
  code: string;
  incident: IncidentType;
  details: string;
  contact: Contact;
  area: Polygon;
  time_frame: TimeFrame;
  /** The age recipient (`age1…`) of this request alone. */
  recipient: string;
  /** BCP 47; the first one is that of the details. */
  languages: string[];
  active_days: number;
  created: string;
}

/** What an agency signs for its standing portal. */
export interface PortalBody {
  v: 1;
  id: string;
  agency: Asker;
  details: string;
  contact: Contact;
  recipient: string;
  created: string;
}

/** A body with the agency's signature (base64) over its context and its canonical JSON. */
export interface Signed<T> {
  body: T;
  digest: string;
  key: string;
  signature: string;
}

/** What a moderator decided, in public. */
export interface Decision {
  request: string;
  approved: boolean;
  rule?: string;
  reason: string;
  at: string;
}

/** One ledger entry with the proof (C2SP tlog-proof) that it stands there. */
export interface Proof {
  leaf: string;
  index: number;
  proof: string;
}

/** `/requests/<id>.json`. */
export interface PublicRequest {
  id: string;
  state: RequestState;
  /** Absent once withheld, and for a refused one. */
  request?: Signed<RequestBody>;
  decision: Decision;
  at: string;
  closes?: string;
  proofs: Proof[];
}

/** `/portals/<id>.json`. */
export interface PublicPortal {
  id: string;
  state: "open" | "closed";
  portal: Signed<PortalBody>;
  proofs: Proof[];
}

/** One Ed25519 key (base64) with which an agency signs. */
export interface AgencyKey {
  /** The first 16 hexadecimal digits of the key's SHA-256. */
  id: string;
  public: string;
  added: string;
  revoked: string | null;
  endorsed_by: string | null;
  endorsement: string | null;
}

/** What everyone may know of an agency. */
export interface PublicAgency {
  id: string;
  name: string;
  class: AgencyClass;
  /** ISO 3166-2, `US-NH`. */
  subdivision: string;
  jurisdiction: Polygon;
  state: AgencyState;
  keys: AgencyKey[];
}

/** `/agencies/<id>.json`. */
export interface AgencyFile {
  agency: PublicAgency;
  proofs: Proof[];
}

/** `/policy.json`: limits and retentions in force. Sizes in bytes, areas in square miles. */
export interface Policy {
  ask: {
    active_days: number;
    classes: AgencyClass[];
    look_back_days: number;
    max_area_sq_mi: number;
    min_area_sq_mi: number;
    max_details: number;
    min_details: number;
    max_minutes: number;
    min_minutes: number;
    requests_per_investigation: number;
  };
  give: { clip_bytes: number; clips: number; invitation_days: number; upload_hours: number };
  retention: {
    audit_days: number;
    closed_case_days: number;
    declined_days: number;
    draft_days: number;
    mailbox_days: number;
    record_days: number;
    token_days: number;
    untriaged_days: number;
  };
}

export type Log = "requests" | "oversight";

/** `/ledger/keys.json`. */
export interface Keys {
  v: 1;
  name: string;
  public_url: string;
  logs: Record<Log, { origin: string; vkey: string }>;
  receipts: { id: string; public: string; vkey: string };
  witnesses: string[];
  quorum: number;
}

/** `/site.json`: what an installation is called and offers. */
export interface Site {
  v: 1;
  name: string;
  public_url: string;
  base_map: { kind: "shipped" } | { kind: "pmtiles" | "raster"; url: string; attribution: string };
  /** VAPID key for web push; none where it is off. */
  push_key: string | null;
  /** Whether notices by e-mail are offered. */
  mail: boolean;
  /** Whither wishes for notices are sealed; none where notices are off. */
  notices: { recipient: string } | null;
}

/** An entry of the requests ledger. */
export type RequestsLeaf =
  | { type: "policy.set"; digest: string; at: string }
  | { type: "rules.set"; digest: string; at: string }
  | { type: "asked.key"; epoch: string; public: string; at: string }
  | { type: "agency.state"; agency: string; class: AgencyClass; state: AgencyState; digest: string; at: string }
  | {
      type: "agency.key.added";
      agency: string;
      key: string;
      public: string;
      endorsed_by: string | null;
      endorsement: string | null;
      at: string;
    }
  | { type: "agency.key.revoked"; agency: string; key: string; at: string }
  | { type: "request.decided"; request: string; agency: string; approved: boolean; digest: string; at: string }
  | {
      type: "request.published";
      request: string;
      agency: string;
      digest: string;
      key: string;
      at: string;
      closes: string;
    }
  | { type: "request.state"; request: string; agency: string; state: RequestState; basis?: string; at: string }
  | {
      type: "portal.state";
      portal: string;
      agency: string;
      state: "open" | "closed";
      digest: string;
      key: string;
      at: string;
    };

/** An entry of the oversight ledger: that something was done, and a salted commitment to the full record. */
export interface OversightLeaf {
  type: string;
  /** Whose evidence it was done to, or who did it. */
  agency?: string;
  /** A random id, or the pseudonym (`psn_…`) of what would tell who. */
  subject: string;
  /** Pseudonym of the member who did it: the same one for the same member, under a key of their agency. */
  actor?: string;
  /** The member's agency, where it is another one. */
  by?: string;
  /** Class of the purpose. */
  purpose?: string;
  /** For `access.refused`: the action that was refused. */
  refused?: string;
  /** `2026-11-24T06Z` */
  hour: string;
  commitment: string;
}

/** One region's requests with their common proof: `/feed/<region>.json`. */
export interface RegionBundle {
  v: 1;
  region: string;
  generated: string;
  checkpoint: string;
  hashes: string[];
  agencies: { agency: PublicAgency; entries: BundleLeaf[] }[];
  requests: BundleRequest[];
}

/** A ledger entry in a bundle; `leaf` is left out where it follows from the request shown. */
export interface BundleLeaf {
  index: number;
  leaf?: string;
}

/** A request in a bundle. */
export type BundleRequest = Omit<PublicRequest, "proofs"> & { entries: BundleLeaf[] };
