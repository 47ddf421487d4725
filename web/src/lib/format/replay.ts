/** What the requests ledger says of agencies, requests and portals, from some or all of its entries, in their order. */
import { FormatError, fromBase64, type DefectCode } from "./bytes";
import { CONTEXTS, digestOf, keyName, verifies } from "./jcs";
import type { AgencyClass, AgencyState, PublicAgency, RequestsLeaf, RequestState } from "./types";

/** A signing key in the ledger. */
export interface LedgerKey {
  public: string;
  added: string;
  revoked: string | null;
}

/** An agency in the ledger. */
export interface LedgerAgency {
  standing: { class: AgencyClass; state: AgencyState; digest: string } | null;
  keys: Map<string, LedgerKey>;
}

/** A request in the ledger. */
export interface LedgerRequest {
  agency: string;
  decision: { digest: string; approved: boolean };
  published: { digest: string; key: string; at: string; closes: string } | null;
  state: RequestState;
}

/** A portal in the ledger. */
export interface LedgerPortal {
  agency: string;
  open: boolean;
  digest: string;
  key: string;
  opened: string;
}

const before = (one: string, other: string) => Date.parse(one) < Date.parse(other);

/** The key of that name, if it counted at a time. */
export function keyAt(agency: LedgerAgency | undefined, name: string, at: string): LedgerKey | null {
  const key = agency?.keys.get(name);
  if (!key || before(at, key.added) || (key.revoked !== null && before(key.revoked, at))) return null;
  return key;
}

/** Takes entries in; {@link Replay.apply} throws {@link FormatError} for one that never could have been. */
export class Replay {
  agencies = new Map<string, LedgerAgency>();
  requests = new Map<string, LedgerRequest>();
  portals = new Map<string, LedgerPortal>();
  /** Digest of the policy in force. */
  policy: string | null = null;
  /** Digest of the rules of who may do what for which purpose. */
  rules: string | null = null;
  /** Public keys of the private check for plate owners, by quarter. */
  asked = new Map<string, string>();

  apply(leaf: RequestsLeaf): void {
    switch (leaf.type) {
      case "policy.set":
        this.policy = leaf.digest;
        return;
      case "rules.set":
        this.rules = leaf.digest;
        return;
      case "asked.key":
        if (this.asked.has(leaf.epoch)) throw wrong("key", "a second key for one quarter of the check of plates");
        this.asked.set(leaf.epoch, leaf.public);
        return;
      case "agency.state": {
        const known = this.agencies.get(leaf.agency) ?? { standing: null, keys: new Map<string, LedgerKey>() };
        known.standing = { class: leaf.class, state: leaf.state, digest: leaf.digest };
        this.agencies.set(leaf.agency, known);
        return;
      }
      case "agency.key.added":
        return this.addKey(leaf);
      case "agency.key.revoked": {
        const key = this.agencies.get(leaf.agency)?.keys.get(leaf.key);
        if (!key || key.revoked !== null) throw wrong("signing-key", "a key is revoked that did not count");
        key.revoked = leaf.at;
        return;
      }
      case "request.decided": {
        if (this.requests.has(leaf.request)) throw wrong("decision", "a request is decided on twice");
        const state: RequestState = leaf.approved ? "in-moderation" : "refused";
        const decision = { digest: leaf.digest, approved: leaf.approved };
        this.requests.set(leaf.request, { agency: leaf.agency, decision, published: null, state });
        return;
      }
      case "request.published":
        return this.publish(leaf);
      case "request.state":
        return this.end(leaf);
      case "portal.state":
        return this.portal(leaf);
    }
  }

  private addKey(leaf: Extract<RequestsLeaf, { type: "agency.key.added" }>): void {
    const agency = this.agencies.get(leaf.agency);
    if (!agency) throw wrong("agency", "a key of an agency that was never registered");
    const bytes = fromBase64(leaf.public);
    if (bytes?.length !== 32 || keyName(bytes) !== leaf.key || agency.keys.has(leaf.key))
      throw wrong("signing-key", "a key's short name is not the key's, or stands twice");
    if (leaf.endorsed_by === null || leaf.endorsement === null) {
      if (agency.keys.size > 0 || leaf.endorsed_by !== leaf.endorsement)
        throw wrong("signing-key", "a later key that no key of the agency vouched for");
    } else {
      const by = keyAt(agency, leaf.endorsed_by, leaf.at);
      const body = { agency: leaf.agency, public: leaf.public };
      if (!by || by.revoked !== null || !verifies(by.public, CONTEXTS.key, body, leaf.endorsement))
        throw wrong("signing-key", "a key whose endorsement does not hold");
    }
    agency.keys.set(leaf.key, { public: leaf.public, added: leaf.at, revoked: null });
  }

  private publish(leaf: Extract<RequestsLeaf, { type: "request.published" }>): void {
    const agency = this.agencies.get(leaf.agency);
    if (agency?.standing?.state !== "verified")
      throw wrong("agency-state", "a request of an agency that was not verified at that time");
    if (!keyAt(agency, leaf.key, leaf.at)) throw wrong("signing-key", "it is published under a key that did not count");
    if (!before(leaf.at, leaf.closes)) throw wrong("state", "it closes before it opens");
    const request = this.requests.get(leaf.request);
    if (!request || request.agency !== leaf.agency)
      throw wrong("decision", "a request is published that nobody decided on for this agency");
    if (request.state !== "in-moderation")
      throw wrong("state", "a request is published that was refused, or published before");
    request.state = "published";
    request.published = { digest: leaf.digest, key: leaf.key, at: leaf.at, closes: leaf.closes };
  }

  private end(leaf: Extract<RequestsLeaf, { type: "request.state" }>): void {
    const request = this.requests.get(leaf.request);
    if (!request || request.agency !== leaf.agency)
      throw wrong("state", "the state of a request that nobody decided on, or of another agency's");
    const after: RequestState[] =
      leaf.state === "withheld"
        ? ["published", "resolved", "expired"]
        : leaf.state === "resolved" || leaf.state === "expired"
          ? ["published"]
          : [];
    if (!after.includes(request.state)) throw wrong("state", `${leaf.state} can't follow ${request.state}`);
    if (leaf.state === "withheld" && !leaf.basis) throw wrong("state", "a request is withheld with no legal basis");
    request.state = leaf.state;
  }

  private portal(leaf: Extract<RequestsLeaf, { type: "portal.state" }>): void {
    const agency = this.agencies.get(leaf.agency);
    if (!agency) throw wrong("agency", "a portal of an agency that was never registered");
    const known = this.portals.get(leaf.portal);
    if (!known && leaf.state === "open") {
      if (!keyAt(agency, leaf.key, leaf.at))
        throw wrong("signing-key", "a portal is opened under a key that did not count");
      const { digest, key, at: opened } = leaf;
      this.portals.set(leaf.portal, { agency: leaf.agency, open: true, digest, key, opened });
    } else if (known?.open && leaf.state === "closed" && known.agency === leaf.agency && known.digest === leaf.digest)
      known.open = false;
    else throw wrong("state", `a portal can't become ${leaf.state} here`);
  }
}

function wrong(code: DefectCode, what: string): FormatError {
  return new FormatError(code, what);
}

/** Checks what is shown of an agency against the ledger; throws {@link FormatError}. */
export function checkAgency(shown: PublicAgency, known: LedgerAgency | undefined): void {
  if (!known?.standing) throw wrong("agency", "no entry tells the agency's standing");
  const { id, name, class: kind, subdivision, jurisdiction } = shown;
  if (known.standing.class !== kind || known.standing.state !== shown.state)
    throw wrong("agency", "its class or standing is not that of its newest entry");
  if (digestOf({ id, name, class: kind, subdivision, jurisdiction }) !== known.standing.digest)
    throw wrong("agency", "its name, class, subdivision or jurisdiction is not that of its newest entry");
  const agrees = shown.keys.every((key) => {
    const entry = known.keys.get(key.id);
    return entry?.public === key.public && entry.added === key.added && entry.revoked === key.revoked;
  });
  if (!agrees || shown.keys.length !== known.keys.size) throw wrong("agency", "its keys are not those of its entries");
}
