/** Checks a region's bundle without trusting whoever sent it: the same checks as `canvass requests list`. */
import { FormatError, hashFromBase64, same, text, type DefectCode } from "./bytes";
import { FORMS, readJson, readRequestsLeaf } from "./form";
import { canonical, CONTEXTS, digestOf, verifies } from "./jcs";
import { leafHash, openCommonProof } from "./merkle";
import { checkCheckpoint, type Trust, type Trusted } from "./note";
import { checkAgency, keyAt, type LedgerAgency, Replay } from "./replay";
import type { BundleLeaf, BundleRequest, PublicAgency, RegionBundle, RequestsLeaf, RequestState } from "./types";

/** Largest bundle in bytes that is read. */
export const MAX_BUNDLE = 32 * 1024 * 1024;

/** What is wrong with one agency or request. */
export interface Fault {
  code: DefectCode;
  message: string;
}

/** A bundle with what was found wrong; nothing found means that everything it claims holds. */
export interface CheckedBundle {
  bundle: RegionBundle;
  trusted: Trusted;
  /** What is wrong with the bundle as a whole or with an agency in it. */
  faults: Fault[];
  /** What is wrong with single requests, by their place in the bundle. */
  requests: (Fault | null)[];
  /** Text of each request's entries. */
  leaves: { index: number; leaf: string }[][];
}

const wrong = (code: DefectCode, what: string) => new FormatError(code, what);
const fault = (error: unknown): Fault => {
  if (error instanceof FormatError) return { code: error.code, message: error.message };
  throw error;
};

/** The entries `request.decided` and `request.published` as a request tells them; none when the body is withheld. */
function told(shown: BundleRequest): [string, string] | null {
  if (!shown.request || !shown.closes) return null;
  const agency = shown.request.body.agency.id;
  const [request, digest] = [shown.id, digestOf(shown.decision)];
  const { approved, at } = shown.decision;
  const decided: RequestsLeaf = { type: "request.decided", request, agency, approved, digest, at };
  const published: RequestsLeaf = {
    type: "request.published",
    request,
    agency,
    digest: shown.request.digest,
    key: shown.request.key,
    at: shown.at,
    closes: shown.closes,
  };
  return [canonical(decided), canonical(published)];
}

function leavesOf(shown: BundleRequest): { index: number; leaf: string }[] {
  const known = told(shown);
  return shown.entries.map(({ index, leaf }, at) => {
    if (leaf !== undefined && leaf === known?.[at])
      throw wrong("canonical", "an entry stands there that follows from the request");
    const text = leaf ?? known?.[at];
    if (text === undefined) throw wrong("missing", `entry ${index} is left out`);
    return { index, leaf: text };
  });
}

function agencyLeaves(entries: BundleLeaf[]): { index: number; leaf: string }[] {
  return entries.map(({ index, leaf }) => {
    if (leaf === undefined) throw wrong("missing", `entry ${index} is left out`);
    return { index, leaf };
  });
}

const rising = <T>(list: T[], less: (one: T, other: T) => boolean) =>
  list.every((each, at) => at === 0 || less(list[at - 1] as T, each));

function ordered(bundle: RegionBundle): boolean {
  const first = (entries: BundleLeaf[]) => Math.min(...entries.map(({ index }) => index));
  const earlier = (one: BundleRequest, other: BundleRequest) => {
    const [a, b] = [first(one.entries), first(other.entries)];
    return a < b || (a === b && one.id < other.id);
  };
  return rising(bundle.agencies, (one, other) => one.agency.id < other.agency.id) && rising(bundle.requests, earlier);
}

/** Reads entries, which must be in the order of the ledger. */
function readLeaves(entries: { index: number; leaf: string }[]): RequestsLeaf[] {
  if (!rising(entries, (one, other) => one.index < other.index))
    throw wrong("leaf", "its entries are not in the order of the ledger");
  return entries.map(({ index, leaf }) => readRequestsLeaf(leaf, index));
}

/** Reads and checks a bundle. Throws {@link FormatError} where nothing of it can be believed. */
export async function checkBundle(bytes: Uint8Array, trust: Trust, region: string): Promise<CheckedBundle> {
  if (bytes.length > MAX_BUNDLE) throw wrong("form", `bundle has ${bytes.length} bytes, more than are read`);
  const source = text(bytes) ?? "";
  const bundle = readJson<RegionBundle>(source, FORMS.bundle);
  if (bundle.region !== region) throw wrong("region", "it is the bundle of another region");
  if (canonical(bundle) !== source || !ordered(bundle))
    throw wrong("canonical", "bundle is not in canonical form and order, so others may have got other bytes");
  const trusted = checkCheckpoint(trust, bundle.checkpoint);
  const agencies = bundle.agencies.map(({ entries }) => agencyLeaves(entries));
  const leaves = bundle.requests.map(leavesOf);
  checkCommonProof(bundle, trusted, [...agencies, ...leaves].flat());
  const checked: CheckedBundle = { bundle, trusted, faults: [], requests: [], leaves };
  const known = new Map<string, { shown: PublicAgency; ledger: LedgerAgency }>();
  let newest = -Infinity;
  const note = (read: RequestsLeaf[]) => {
    for (const { at } of read) newest = Math.max(newest, Date.parse(at));
    return read;
  };
  bundle.agencies.forEach(({ agency }, at) => {
    try {
      known.set(agency.id, { shown: agency, ledger: agencyFrom(agency, note(readLeaves(agencies[at] ?? []))) });
    } catch (error) {
      checked.faults.push(fault(error));
    }
  });
  for (const [at, shown] of bundle.requests.entries()) {
    // A large region must not hold the page still.
    if (at % 16 === 15) await new Promise((resolve) => setTimeout(resolve));
    try {
      checkRequest(shown, note(readLeaves(leaves[at] ?? [])), known);
      checked.requests.push(null);
    } catch (error) {
      checked.requests.push(fault(error));
    }
  }
  if (leaves.length + agencies.length > 0 && newest !== Date.parse(bundle.generated))
    checked.faults.push({ code: "canonical", message: "its time is not that of its newest entry" });
  return checked;
}

function checkCommonProof(bundle: RegionBundle, trusted: Trusted, all: { index: number; leaf: string }[]): void {
  if (all.length === 0) {
    if (bundle.hashes.length > 0) throw wrong("canonical", "an empty bundle with hashes");
    return;
  }
  const sorted = all.toSorted((one, other) => one.index - other.index);
  if (!rising(sorted, (one, other) => one.index < other.index)) throw wrong("proof", "an entry stands twice");
  const hashes = bundle.hashes.map((encoded) => {
    const hash = hashFromBase64(encoded);
    if (!hash) throw wrong("proof", "a hash is not 32 bytes in base64");
    return hash;
  });
  const encoder = new TextEncoder();
  const entries = sorted.map(({ index, leaf }) => ({ index, hash: leafHash(encoder.encode(leaf)) }));
  if (!same(openCommonProof(Number(trusted.checkpoint.size), entries, hashes), trusted.checkpoint.root))
    throw wrong("root", "the entries shown do not lead to the checkpoint's root, so one was altered");
}

function agencyFrom(shown: PublicAgency, leaves: RequestsLeaf[]): LedgerAgency {
  const replay = new Replay();
  for (const leaf of leaves) {
    if (!leaf.type.startsWith("agency.") || !("agency" in leaf) || leaf.agency !== shown.id)
      throw wrong("agency", "one of its entries speaks of something else");
    replay.apply(leaf);
  }
  const ledger = replay.agencies.get(shown.id);
  checkAgency(shown, ledger);
  return ledger as LedgerAgency;
}

interface Published {
  agency: string;
  digest: string;
  key: string;
  at: string;
}

/** What a request's entries say of it; the ledger may take a decision and a publication in one step, in either order. */
function toldBy(shown: BundleRequest, leaves: RequestsLeaf[]): { published: Published; state: RequestState } {
  let [decided, state]: [string | null, RequestState | null] = [null, null];
  let published: Published | null = null;
  for (const leaf of leaves) {
    if (!("request" in leaf) || leaf.request !== shown.id)
      throw wrong("leaf", "one of its entries speaks of something else");
    if (leaf.type === "request.decided") {
      if (decided !== null) throw wrong("decision", "it was decided twice");
      decided = leaf.agency;
      const approved = leaf.approved && shown.decision.approved && shown.decision.request === shown.id;
      if (!approved || leaf.digest !== digestOf(shown.decision))
        throw wrong("decision", "the decision shown is not the approval in the ledger");
    } else if (leaf.type === "request.published") {
      if (published || state !== null) throw wrong("state", "it was published twice");
      [published, state] = [leaf, "published"];
      if (shown.at !== leaf.at || shown.closes !== leaf.closes)
        throw wrong("state", "its times are not those of its entry");
    } else {
      if (published?.agency !== leaf.agency)
        throw wrong("state", "its state changed before it was published, or for another agency");
      state = leaf.state;
    }
  }
  if (!published || state === null) throw wrong("state", "no entry says that it was published");
  if (decided !== published.agency)
    throw wrong("decision", "no entry says that a moderator approved it for this agency");
  return { published, state };
}

function checkRequest(
  shown: BundleRequest,
  leaves: RequestsLeaf[],
  known: Map<string, { shown: PublicAgency; ledger: LedgerAgency }>,
): void {
  const { published, state } = toldBy(shown, leaves);
  if (shown.state !== state) throw wrong("state", "its state is not that of its newest entry");
  const agency = known.get(published.agency);
  if (!agency) throw wrong("agency", "its agency is not in the bundle");
  const signed = shown.request;
  if (state === "withheld") {
    if (signed) throw wrong("body", "its body is shown though it is withheld by law");
    return;
  }
  if (!signed) throw wrong("body", "its body is left out though it is not withheld");
  if (digestOf(signed.body) !== signed.digest || signed.digest !== published.digest)
    throw wrong("body", "its body is not the one in the ledger");
  if (signed.body.id !== shown.id || signed.body.agency.id !== published.agency || signed.key !== published.key)
    throw wrong("body", "its body names another request, agency or key than its entry");
  if (signed.body.agency.class !== agency.shown.class || agency.shown.state === "registered")
    throw wrong("agency-state", "its agency is of another class, or was never verified");
  const key = keyAt(agency.ledger, signed.key, published.at);
  if (!key || (key.revoked !== null && Date.parse(key.revoked) <= Date.parse(published.at)))
    throw wrong("signing-key", "the key that signed it was not in force when it was published");
  if (!verifies(key.public, CONTEXTS.request, signed.body, signed.signature))
    throw wrong("signature", "its signature is not by its agency's key");
}
