/**
 * Reads the public files and checks all that they claim. Everyone who looks fetches the whole region; which request is then
 * read stays on the device.
 */
import { checkBundle, MAX_BUNDLE, type CheckedBundle } from "./bundle";
import { type DefectCode, FormatError } from "./bytes";
import { keysOf, type KnownKeys, readHead, readJsonFile, readPublic, logFiles } from "./public";
import { checkGrowth } from "./tiles";
import type { Checkpoint } from "./note";
import { type CheckedRegion, type CheckedRequest, defectText, type FeedIndex } from "./checked";
import type { Site } from "./types";

export type { Site };
export * from "./checked";

/** What this installation is called and offers; plain defaults where it does not say. Throws {@link Problem} when unreachable. */
export async function loadSite(): Promise<Site> {
  const plain: Site = {
    v: 1,
    name: "Canvass",
    public_url: location.origin,
    base_map: { kind: "shipped" },
    push_key: null,
    mail: false,
    notices: null,
  };
  const site = await readJsonFile<Partial<Site>>("/site.json");
  return site?.v === 1 ? { ...plain, ...site } : plain;
}

/** Which regions have requests. Throws {@link Problem} when unreachable. */
export async function loadIndex(): Promise<FeedIndex> {
  const index = await readJsonFile<FeedIndex>("/feed/index.json");
  return { regions: Array.isArray(index?.regions) ? index.regions : [] };
}

const empty = (region: string): CheckedRegion => ({
  region,
  generated: "",
  sound: true,
  defects: [],
  witnesses: { have: 0, need: 0 },
  size: 0,
  requests: [],
});

/**
 * Everything that is asked in a region, with all of it checked: the checkpoint is signed by the ledger's key, which is the one that
 * this device saw before; every entry stands in the ledger; each request was approved, and is signed by a key of its agency.
 * A region of which the server has no bundle is empty. Throws {@link Problem} when the server can't be reached.
 */
export async function loadRegion(region: string): Promise<CheckedRegion> {
  // Whatever is looked at, the same three files are fetched.
  const files = Promise.all([
    keysOf(new Date()),
    readPublic(`/feed/${region}.json`, MAX_BUNDLE),
    readPublic("/ledger/requests/checkpoint"),
  ]);
  const unsound = (code: DefectCode): CheckedRegion => ({
    ...empty(region),
    sound: false,
    defects: [defectText(code)],
  });
  try {
    const [keys, bytes, headBytes] = await files;
    const { head, witnesses } = await readHead("requests", keys, headBytes);
    const defects = keys.changed ? [defectText("keys-changed")] : [];
    const size = Number(head.size);
    if (!bytes) return { ...empty(region), sound: defects.length === 0, defects, witnesses, size };
    const checked = await checkBundle(bytes, { ...keys.trust.requests, quorum: 0 }, region);
    await onTheLine(keys, head, checked.trusted.checkpoint);
    return { ...shape(region, checked), witnesses, size, ...soundness(defects, checked) };
  } catch (error) {
    if (error instanceof FormatError) return unsound(error.code);
    throw error;
  }
}

/** Checks that a checkpoint of a file lies on the way to the ledger's head. */
async function onTheLine(keys: KnownKeys, head: Checkpoint, other: Checkpoint): Promise<void> {
  const files = logFiles("requests");
  if (other.size <= head.size) return checkGrowth(files, other, head);
  // Files and checkpoint are kept for different times on the way here: the checkpoint is read again, past them.
  const fresh = await readPublic("/ledger/requests/checkpoint", undefined, "reload");
  const { head: now } = await readHead("requests", keys, fresh);
  if (other.size > now.size) throw new FormatError("newer", "it is newer than the ledger's checkpoint");
  await checkGrowth(files, other, now);
}

function soundness(defects: string[], checked: CheckedBundle): Pick<CheckedRegion, "sound" | "defects"> {
  const found = [...checked.faults, ...checked.requests].flatMap((fault) => (fault ? [defectText(fault.code)] : []));
  const all = [...new Set([...defects, ...found])];
  return { sound: all.length === 0, defects: all };
}

function shape(
  region: string,
  checked: CheckedBundle,
): Omit<CheckedRegion, "sound" | "defects" | "witnesses" | "size"> {
  const { bundle } = checked;
  const agencies = new Map(bundle.agencies.map(({ agency }) => [agency.id, agency]));
  const requests = bundle.requests.map((shown, at): CheckedRequest => {
    const fault = checked.requests[at];
    const signed = shown.request ?? null;
    const agency = signed?.body.agency.id ?? "";
    const key = signed?.key ?? "";
    return {
      id: shown.id,
      state: shown.state,
      body: signed?.body ?? null,
      signed,
      decision: shown.decision,
      at: shown.at,
      closes: shown.closes ?? null,
      checked: !fault,
      defect: fault ? defectText(fault.code) : null,
      key: { id: key, agency, firstSeen: agencies.get(agency)?.keys.find((each) => each.id === key)?.added },
      entries: checked.leaves[at] ?? [],
    };
  });
  return { region, generated: bundle.generated, requests };
}

/** Whether offers to it are taken now. */
export function isOpen(request: Pick<CheckedRequest, "state" | "closes">, now: Date = new Date()): boolean {
  return request.state === "published" && request.closes !== null && new Date(request.closes) > now;
}

export { loadPortal, loadRequest } from "./record";
