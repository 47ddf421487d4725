/** Single records, for links that carry only an id: a request or portal with the proofs of its own entries. */
import { Problem } from "../problem";
import { FormatError, text, utf8 } from "./bytes";
import { type CheckedPortal, type CheckedRequest, defectText } from "./checked";
import { FORMS, readJson, readRequestsLeaf } from "./form";
import { CONTEXTS, digestOf, verifies } from "./jcs";
import { leafHash, parseProof, verifyProof } from "./merkle";
import type { Checkpoint } from "./note";
import { type KnownKeys, keysOf, logFiles, readHead, readPublic } from "./public";
import { checkAgency, keyAt, type LedgerAgency, type LedgerKey, type LedgerRequest, Replay } from "./replay";
import { checkGrowth } from "./tiles";
import type { AgencyFile, Proof, PublicPortal, PublicRequest } from "./types";

const wrong = (code: ConstructorParameters<typeof FormatError>[0], what: string) => new FormatError(code, what);

/** Checks that entries stand in the requests ledger, as its head is now; throws {@link FormatError}. */
export async function checkEntries(proofs: Proof[]): Promise<void> {
  await checkProofs(await ground(), proofs);
}

/** What a record is checked against. */
interface Ground {
  keys: KnownKeys;
  head: Checkpoint;
  witnesses: { have: number; need: number };
}

async function ground(): Promise<Ground> {
  const [keys, bytes] = await Promise.all([keysOf(new Date()), readPublic("/ledger/requests/checkpoint")]);
  if (keys.changed) throw wrong("keys-changed", "its keys are others than those seen before");
  const { head, witnesses } = await readHead("requests", keys, bytes);
  return { keys, head, witnesses };
}

/** Checks that entries stand where their proofs say, in a tree that the ledger's head continues. */
async function checkProofs({ keys, head }: Ground, proofs: Proof[]): Promise<void> {
  const seen = new Map<string, Checkpoint>();
  for (const { leaf, index, proof } of proofs) {
    const read = parseProof(proof);
    if (read.index !== BigInt(index)) throw wrong("proof", `the proof of entry ${index} is of entry ${read.index}`);
    const trusted = verifyProof(read, leafHash(utf8(leaf)), { ...keys.trust.requests, quorum: 0 });
    seen.set(`${trusted.checkpoint.size}`, trusted.checkpoint);
  }
  for (const checkpoint of seen.values()) {
    if (checkpoint.size > head.size) throw wrong("newer", "a proof is newer than the ledger's checkpoint");
    await checkGrowth(logFiles("requests"), checkpoint, head);
  }
}

/** The ledger's entries about one agency and one record, each proven. */
async function replayOf(
  on: Ground,
  agencyId: string,
  proofs: Proof[],
): Promise<{ replay: Replay; agency: AgencyFile["agency"] }> {
  const bytes = await readPublic(`/agencies/${agencyId}.json`);
  if (!bytes) throw wrong("agency", "there is no file of its agency");
  const file = readJson<AgencyFile>(text(bytes) ?? "", FORMS.agency);
  if (file.agency.id !== agencyId) throw wrong("agency", "it is the file of another agency");
  const all = [...file.proofs, ...proofs].toSorted((one, other) => one.index - other.index);
  await checkProofs(on, all);
  const replay = new Replay();
  for (const { index, leaf } of all.filter((each, at) => all[at - 1]?.index !== each.index))
    replay.apply(readRequestsLeaf(leaf, index));
  checkAgency(file.agency, replay.agencies.get(agencyId));
  return { replay, agency: file.agency };
}

const entriesOf = (proofs: Proof[]) => proofs.map(({ index, leaf }) => ({ index, leaf }));

/**
 * One request by its id, with its proofs and its agency's. The server learns which one was read: use the region's bundle where the
 * region is known. Throws `Problem` when there is none or the server can't be reached.
 */
export async function loadRequest(id: string): Promise<CheckedRequest> {
  const bytes = await readPublic(`/requests/${id}.json`);
  if (!bytes) throw new Problem("common.problem.notfound", undefined, [], 404);
  let shown: PublicRequest | null = null;
  try {
    shown = readJson<PublicRequest>(text(bytes) ?? "", FORMS.request);
    if (shown.id !== id) throw wrong("body", "it is the file of another request");
    const decided = shown.proofs.map(({ leaf, index }) => readRequestsLeaf(leaf, index));
    const agencyId = decided.find((leaf) => leaf.type === "request.decided")?.agency;
    if (!agencyId) throw wrong("missing", "no entry tells who asked");
    const { replay, agency } = await replayOf(await ground(), agencyId, shown.proofs);
    const known = replay.agencies.get(agencyId);
    const key = checkShown(shown, replay.requests.get(id), known);
    if (shown.request && shown.request.body.agency.name !== agency.name)
      throw wrong("agency", "its agency is named otherwise than in the ledger");
    return requestOf(shown, agencyId, key?.added, null);
  } catch (error) {
    if (!(error instanceof FormatError) || !shown) throw asUnreadable(error);
    return requestOf(shown, shown.request?.body.agency.id ?? "", undefined, defectText(error.code));
  }
}

type Shown = Omit<PublicRequest, "proofs">;

/** Compares what is shown of a request with what the ledger says; throws {@link FormatError}. */
function checkShown(
  shown: Shown,
  ledger: LedgerRequest | undefined,
  agency: LedgerAgency | undefined,
): LedgerKey | null {
  if (!ledger) throw wrong("missing", "the ledger has no entry of this request");
  if (
    shown.decision.request !== shown.id ||
    digestOf(shown.decision) !== ledger.decision.digest ||
    shown.decision.approved !== ledger.decision.approved
  )
    throw wrong("decision", "the decision shown is not the one in the ledger");
  if (shown.state !== ledger.state) throw wrong("state", "its state is not that of its newest entry");
  if (!ledger.published) {
    if (shown.request) throw wrong("body", "its body is shown though it was refused");
    return null;
  }
  const { published } = ledger;
  if (shown.at !== published.at || shown.closes !== published.closes)
    throw wrong("state", "its times are not those of its entry");
  if (shown.state === "withheld") {
    if (shown.request) throw wrong("body", "its body is shown though it is withheld by law");
    return null;
  }
  const signed = shown.request;
  if (!signed) throw wrong("body", "its body is left out though it is not withheld");
  const { body } = signed;
  if (digestOf(body) !== signed.digest || signed.digest !== published.digest)
    throw wrong("body", "its body is not the one in the ledger");
  if (body.id !== shown.id || body.agency.id !== ledger.agency || signed.key !== published.key)
    throw wrong("body", "its body names another request, agency or key than its entry");
  if (!agency || body.agency.class !== agency.standing?.class)
    throw wrong("agency", "its body names another class of agency than the ledger");
  const key = keyAt(agency, signed.key, published.at);
  if (!key) throw wrong("signing-key", "the key that signed it was not in force when it was published");
  if (!verifies(key.public, CONTEXTS.request, body, signed.signature))
    throw wrong("signature", "its signature is not by its agency's key");
  return key;
}

function requestOf(
  shown: PublicRequest,
  agency: string,
  since: string | undefined,
  defect: string | null,
): CheckedRequest {
  const signed = shown.request ?? null;
  return {
    id: shown.id,
    state: shown.state,
    body: signed?.body ?? null,
    signed,
    decision: shown.decision,
    at: shown.at,
    closes: shown.closes ?? null,
    checked: defect === null,
    defect,
    key: { id: signed?.key ?? "", agency, firstSeen: since },
    entries: entriesOf(shown.proofs),
  };
}

/** One portal by its id, with its proofs and its agency's. Throws `Problem` as {@link loadRequest} does. */
export async function loadPortal(id: string): Promise<CheckedPortal> {
  const bytes = await readPublic(`/portals/${id}.json`);
  if (!bytes) throw new Problem("common.problem.notfound", undefined, [], 404);
  let shown: PublicPortal | null = null;
  let witnesses = { have: 0, need: 0 };
  try {
    shown = readJson<PublicPortal>(text(bytes) ?? "", FORMS.portal);
    const signed = shown.portal;
    if (shown.id !== id || signed.body.id !== id) throw wrong("body", "it is the file of another portal");
    const on = await ground();
    witnesses = on.witnesses;
    const { replay, agency } = await replayOf(on, signed.body.agency.id, shown.proofs);
    if (agency.state !== "verified") throw wrong("agency-state", "the agency is not verified, or was suspended");
    if (agency.name !== signed.body.agency.name || agency.class !== signed.body.agency.class)
      throw wrong("agency", "its agency is named otherwise than in the ledger");
    const since = checkPortal(shown, replay);
    return { ...portalOf(shown, since, null), witnesses };
  } catch (error) {
    if (!(error instanceof FormatError) || !shown) throw asUnreadable(error);
    return { ...portalOf(shown, undefined, defectText(error.code)), witnesses };
  }
}

function checkPortal(shown: PublicPortal, replay: Replay): string {
  const known = replay.portals.get(shown.id);
  if (!known) throw wrong("missing", "the ledger has no entry of this portal");
  const signed = shown.portal;
  if (shown.state !== (known.open ? "open" : "closed")) throw wrong("state", "its state is not that of the ledger");
  if (signed.digest !== known.digest || digestOf(signed.body) !== known.digest)
    throw wrong("body", "its body is not the one whose digest is in the ledger");
  if (signed.body.agency.id !== known.agency || signed.key !== known.key)
    throw wrong("body", "its body names another agency or key than its entry");
  const key = keyAt(replay.agencies.get(known.agency), known.key, known.opened);
  if (!key) throw wrong("signing-key", "the key that signed it was not in force when it was opened");
  if (!verifies(key.public, CONTEXTS.portal, signed.body, signed.signature))
    throw wrong("signature", "its signature is not by its agency's key");
  return key.added;
}

function portalOf(
  shown: PublicPortal,
  since: string | undefined,
  defect: string | null,
): Omit<CheckedPortal, "witnesses"> {
  const signed = shown.portal;
  return {
    id: shown.id,
    state: shown.state,
    body: signed.body,
    signed,
    checked: defect === null,
    defect,
    key: { id: signed.key, agency: signed.body.agency.id, firstSeen: since },
    entries: entriesOf(shown.proofs),
  };
}

/** A file that has not even the form of a record is shown as a problem with its text. */
function asUnreadable(error: unknown): unknown {
  return error instanceof FormatError ? new Problem(defectText(error.code), "ledger.defect.report") : error;
}
