/**
 * The court bundle, made on this computer: every item is fetched, opened and hashed here and written straight into one ZIP file,
 * with the papers that the desk gives. What comes out is the bag that `canvass export` writes.
 */
import { makeZip } from "client-zip";

import { asProblem, Problem } from "$lib/problem";
import type { Purpose } from "$lib/purpose";
import { parseIdentityFile, unwrapKey } from "$lib/seal/keys";
import { closeOpened, fetchSealed, openEnvelope } from "$lib/seal/open";
import { api } from "$lib/api/client";

import { call } from "../evidence/call";
import { stayAwake } from "../session/session.svelte";
import { bagInfo, digestOfBytes, isBagPath, manifest, type Sum } from "./bag";

/** `GET /cases/{case}/bundle`. */
export interface BundlePlan {
  case: string;
  agency: string;
  exported: string;
  made_with: string;
  files: { path: string; text?: string; base64?: string }[];
  items: BundleItem[];
  consents: { offer: string; path: string; items: string[] }[];
  bag_info: [string, string][];
}

/** An item that goes into the bundle. */
export interface BundleItem {
  id: string;
  copy_of: string | null;
  offer: string;
  destination: string;
  name: string;
  path: string;
  bytes: number;
  sha256: string;
  sealed_bytes: number;
  sealed_sha256: string;
}

/** How far it is. */
export interface BundleProgress {
  /** Bytes of sealed items opened, and in all. */
  done: number;
  total: number;
  /** The item at work. */
  item: string | null;
}

/** What was made. */
export interface Bundle {
  files: number;
  bytes: number;
  /** SHA-256 of the tag manifest: it stands for the whole bundle. */
  digest: string;
}

interface Making {
  /** The member's identities, as text. */
  identity: string;
  purpose: Purpose;
  onProgress: (now: BundleProgress) => void;
  signal: AbortSignal;
}

interface Entry {
  name: string;
  input: string | Uint8Array<ArrayBuffer> | Blob;
  lastModified: Date;
}

/** Asks for the bundle's papers; the record of the export is stored before the answer comes. */
export function planBundle(id: string, purpose: Purpose, signal: AbortSignal): Promise<BundlePlan> {
  return call<BundlePlan>("GET", `/cases/${id}/bundle`, { purpose, signal });
}

/**
 * Writes the bundle into `sink` as a ZIP file with one folder. The sink is closed at the end, and aborted on a failure.
 * @param folder - name of the folder in the file
 * @throws Problem that says which item does not hold; nothing of the file is kept then.
 */
export async function writeBundle(
  plan: BundlePlan,
  folder: string,
  sink: WritableStream<Uint8Array>,
  making: Making,
): Promise<Bundle> {
  const done = stayAwake();
  const result: Bundle = { files: 0, bytes: 0, digest: "" };
  let failure: unknown = null;
  async function* entries(): AsyncGenerator<Entry> {
    try {
      yield* bag(plan, making, result, folder);
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  try {
    await makeZip(entries()).pipeTo(sink as WritableStream<Uint8Array<ArrayBufferLike>>, { signal: making.signal });
    return result;
  } catch (error) {
    throw making.signal.aborted ? error : asProblem(failure ?? error);
  } finally {
    done();
  }
}

async function* bag(plan: BundlePlan, making: Making, result: Bundle, folder: string): AsyncGenerator<Entry> {
  const lastModified = new Date(plan.exported);
  const sums: Sum[] = [];
  const seen = new Set<string>();
  const entry = (path: string, input: Entry["input"], sum: Omit<Sum, "path">): Entry => {
    if (!isBagPath(path) || seen.has(path)) throw new Problem("evidence.bundle.path");
    seen.add(path);
    sums.push({ path, ...sum });
    result.files += 1;
    result.bytes += sum.bytes;
    return { name: `${folder}/${path}`, input, lastModified };
  };
  const small = (path: string, bytes: Uint8Array<ArrayBuffer>): Entry =>
    entry(path, bytes, { bytes: bytes.length, sha256: digestOfBytes(bytes) });

  for (const file of plan.files) yield small(file.path, contentOf(file));
  yield* items(plan, making, entry, small);
  const isPayload = (sum: Sum) => sum.path.startsWith("data/");
  const payload = sums.filter(isPayload);
  yield small("bag-info.txt", utf8(bagInfo(plan.bag_info, payload)));
  yield small("manifest-sha256.txt", utf8(manifest(payload)));
  const tags = utf8(manifest(sums.filter((sum) => !isPayload(sum))));
  result.digest = digestOfBytes(tags);
  yield small("tagmanifest-sha256.txt", tags);
}

async function* items(
  plan: BundlePlan,
  making: Making,
  entry: (path: string, input: Entry["input"], sum: Omit<Sum, "path">) => Entry,
  small: (path: string, bytes: Uint8Array<ArrayBuffer>) => Entry,
): AsyncGenerator<Entry> {
  const total = plan.items.reduce((sum, item) => sum + item.sealed_bytes, 0);
  const keys = new Map<string, string>();
  const consents = new Map<string, Uint8Array<ArrayBuffer>>();
  let before = 0;
  for (const item of plan.items) {
    making.onProgress({ done: before, total, item: item.name });
    const secret = keys.get(item.destination) ?? (await keyOf(item.destination, making.identity));
    keys.set(item.destination, secret);
    const stream = await fetchSealed(
      `/api/v1/items/${item.id}/content`,
      making.purpose,
      item.sealed_bytes,
      making.signal,
    );
    const opened = await openEnvelope(
      stream,
      secret,
      {
        signal: making.signal,
        onProgress: (now) =>
          making.onProgress({ done: before + Math.min(now.done, item.sealed_bytes), total, item: item.name }),
      },
      { bytes: item.sealed_bytes, sha256: item.sealed_sha256 },
    );
    try {
      const [clip] = opened.clips;
      if (!clip || opened.clips.length !== 1 || clip.sha256 !== item.sha256 || clip.bytes !== item.bytes)
        throw new Problem("evidence.item.other", item.id);
      keepConsent(plan, item, opened.tags.consent, consents);
      // The generator goes on only when the file was read to its end, so it may be deleted after.
      yield entry(item.path, clip.file, { bytes: clip.bytes, sha256: clip.sha256 });
    } finally {
      await closeOpened(opened);
    }
    before += item.sealed_bytes;
  }
  making.onProgress({ done: total, total, item: null });
  for (const consent of plan.consents) {
    const bytes = consents.get(consent.path);
    if (bytes) yield small(consent.path, bytes);
  }
}

/** All items of an offer hold the same consent; what differs is not evidence of what was agreed. */
function keepConsent(
  plan: BundlePlan,
  item: BundleItem,
  bytes: Uint8Array,
  known: Map<string, Uint8Array<ArrayBuffer>>,
): void {
  const wanted = plan.consents.find((consent) => consent.items.includes(item.id));
  if (!wanted) return;
  const before = known.get(wanted.path);
  if (before && digestOfBytes(before) !== digestOfBytes(bytes))
    throw new Problem("evidence.bundle.consents", wanted.offer);
  known.set(wanted.path, Uint8Array.from(bytes));
}

async function keyOf(destination: string, identity: string): Promise<string> {
  const { data } = await api.GET("/api/v1/keys/{destination}", { params: { path: { destination } } });
  if (!data) throw new Problem("common.problem.unknown");
  return (await unwrapKey(data, parseIdentityFile(identity))).secret;
}

function contentOf(file: BundlePlan["files"][number]): Uint8Array<ArrayBuffer> {
  if (file.base64 === undefined) return utf8(file.text ?? "");
  return Uint8Array.from(atob(file.base64), (char) => char.charCodeAt(0));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(text));
}
