/**
 * What this device remembers of an offer under way, so that a reload or a closed tab loses nothing: the draft's answers,
 * clips that were trimmed or blurred here, sealed envelopes until they are sent, and offers. Nothing of it leaves the device.
 */
import { openDB, type DBSchema } from "idb";

import { Problem } from "../problem";
import type { OfferFile, ReceiptFile } from "./files";
import { folder, freshName, names, remove, room } from "./opfs";
import type { Alteration, ConsentClip } from "./types";

/** A clip of a draft. The chosen file itself is not copied: after a reload the person chooses it again. */
export interface DraftClip {
  /** Stable within the draft. */
  id: string;
  /** The chosen file, to recognise it by. */
  source: { name: string; size: number; modified: number };
  /** The copy that was trimmed or blurred here, if there is one: a name for {@link openClip}. */
  copy?: string;
  altered?: Alteration;
  /** The name that the agency will see. */
  name: string;
  from?: string;
  until?: string;
  known?: ConsentClip["known"];
  /** What the page itself notes: trim points, boxes. */
  notes?: unknown;
}

/** What was entered so far for one request or portal. */
export interface Draft {
  destination: string;
  updated: string;
  clips: DraftClip[];
  /** Everything else that the page keeps: step, contact, mailbox. */
  page: Record<string, unknown>;
}

/** An offer of this device. */
export interface OfferRecord {
  lookup: string;
  offer: OfferFile;
  /** How far it is: sealed here, the server has it whole, its receipt is here. */
  phase: "sealed" | "sent" | "received";
  /** Name of the sealed envelope, while it lies here. */
  sealed?: string;
  /** Address of the upload that began. */
  upload?: string;
  /** The invitation that it goes by. */
  invitation?: string;
  receipt?: ReceiptFile;
  /** The server's keys when the receipt was checked (`/ledger/keys.json`). */
  keys?: unknown;
  /** Which questions were answered from here, and when. */
  answers: Record<string, string>;
  updated: string;
}

interface OffersDb extends DBSchema {
  drafts: { key: string; value: Draft };
  offers: { key: string; value: OfferRecord };
}

const db = () =>
  openDB<OffersDb>("canvass-offers", 1, {
    upgrade(made) {
      made.createObjectStore("drafts", { keyPath: "destination" });
      made.createObjectStore("offers", { keyPath: "lookup" });
    },
  });

const now = () => new Date().toISOString();

/** Keeps a draft; `updated` is set here. The value must be plain data (no proxies: give `$state.snapshot`). */
export async function saveDraft(draft: Omit<Draft, "updated">): Promise<void> {
  await (await db()).put("drafts", { ...draft, updated: now() });
}

/** The draft for a request or portal. */
export async function loadDraft(destination: string): Promise<Draft | null> {
  return (await (await db()).get("drafts", destination)) ?? null;
}

/** Deletes a draft with the clips that were made for it. The files that the person chose stay where they are. */
export async function deleteDraft(destination: string): Promise<void> {
  const draft = await loadDraft(destination);
  for (const clip of draft?.clips ?? []) if (clip.copy) await deleteClip(clip.copy);
  await (await db()).delete("drafts", destination);
}

/** Whether a file chosen again is the one of the draft: same name, length and time. */
export function isSource(clip: DraftClip, file: File): boolean {
  const { name, size, modified } = clip.source;
  return file.name === name && file.size === size && file.lastModified === modified;
}

/**
 * Opens a new place for a clip that is made here (trimmed, blurred): write to `writable`, close it, keep `name`.
 * @throws {@link Problem} when the device has no room for `bytes`.
 */
export async function newClip(bytes = 0): Promise<{ name: string; writable: FileSystemWritableFileStream }> {
  const left = await room();
  if (left !== null && left < bytes) throw new Problem("common.problem.full");
  const name = freshName();
  const handle = await (await folder("clips")).getFileHandle(name, { create: true });
  return { name, writable: await handle.createWritable() };
}

/** A clip that was made here; none when the browser cleared it. */
export async function openClip(name: string): Promise<File | null> {
  return readFile("clips", name);
}

/** Deletes a clip that was made here. */
export async function deleteClip(name: string): Promise<void> {
  await remove(await folder("clips"), name);
}

/** The sealed envelope of an offer; none when it was sent, deleted, or the browser cleared it. */
export async function openSealed(name: string): Promise<File | null> {
  return readFile("sealed", name);
}

/** Deletes a sealed envelope. */
export async function removeSealed(name: string): Promise<void> {
  await remove(await folder("sealed"), name);
}

async function readFile(where: "clips" | "sealed", name: string): Promise<File | null> {
  try {
    return await (await (await folder(where)).getFileHandle(name)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

/** Keeps an offer, or its new state. */
export async function saveOffer(record: Omit<OfferRecord, "updated">): Promise<void> {
  await (await db()).put("offers", { ...record, updated: now() });
}

/** Changes some fields of an offer that is kept; nothing happens when it isn't. */
export async function changeOffer(lookup: string, change: Partial<OfferRecord>): Promise<void> {
  const made = await db();
  const work = made.transaction("offers", "readwrite");
  const found = await work.store.get(lookup);
  if (found) await work.store.put({ ...found, ...change, lookup, updated: now() });
  await work.done;
}

/** One offer of this device. */
export async function loadOffer(lookup: string): Promise<OfferRecord | null> {
  return (await (await db()).get("offers", lookup)) ?? null;
}

/** All offers of this device, the latest first. */
export async function listOffers(): Promise<OfferRecord[]> {
  const all = await (await db()).getAll("offers");
  return all.sort((one, other) => other.updated.localeCompare(one.updated));
}

/** Forgets an offer here: record and sealed envelope. What the server has stays: withdraw it first if that is meant. */
export async function forgetOffer(lookup: string): Promise<void> {
  const record = await loadOffer(lookup);
  if (record?.sealed) await removeSealed(record.sealed);
  await (await db()).delete("offers", lookup);
}

/** Asks the browser not to clear what lies here when the device runs low on room; it may refuse. */
export async function askToKeep(): Promise<boolean> {
  return (await navigator.storage.persist?.().catch(() => false)) ?? false;
}

/** Deletes what nothing refers to any more: envelopes half-made when a tab was closed, clips of drafts that are gone. */
export async function sweep(): Promise<void> {
  await navigator.locks.request("canvass-sealing", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    const made = await db();
    const offers = await made.getAll("offers");
    const drafts = await made.getAll("drafts");
    const sealed = new Set(offers.map((offer) => offer.sealed));
    const clips = new Set(drafts.flatMap((draft) => draft.clips.map((clip) => clip.copy)));
    const sealedFolder = await folder("sealed");
    for (const name of await names(sealedFolder)) if (!sealed.has(name)) await remove(sealedFolder, name);
    const clipFolder = await folder("clips");
    const day = Date.now() - 24 * 3600 * 1000;
    for (const name of await names(clipFolder)) {
      // A clip may be made at this moment in another tab, before its draft is saved.
      const file = clips.has(name) ? null : await readFile("clips", name);
      if (file && file.lastModified < day) await remove(clipFolder, name);
    }
  });
}
