/**
 * What is open in this tab: envelopes and items, decrypted into this page's private file system. They go when the member closes
 * them, when the session ends and, should a tab end without a word, when the desk is next opened.
 */
import { api, type Schemas } from "$lib/api/client";
import { t } from "$lib/i18n/index.svelte";
import { asProblem, Problem } from "$lib/problem";
import type { Purpose } from "$lib/purpose";
import { parseIdentityFile, unwrapKey } from "$lib/seal/keys";
import { closeAllOpened, closeOpened, fetchSealed, openEnvelope, type OpenedEnvelope } from "$lib/seal/open";
import type { Progress } from "$lib/seal/types";

import { needIdentity } from "../session/keyring.svelte";
import { stayAwake, whenSessionEnds } from "../session/session.svelte";
import { call, type Item, type Offer } from "./call";
import { keepPurpose } from "./purposes";
import { checkSigned, type SignatureState } from "./signature";

/** An envelope or item that is open in this tab. */
export interface Opened {
  /** Id of the offer or item. */
  id: string;
  envelope: OpenedEnvelope;
  /** Remarks on what was found, in the reader's language. */
  remarks: string[];
  /** Of the request or portal that came with it. */
  signature: SignatureState;
  purpose: Purpose;
  at: Date;
}

/** What opening needs besides the id. */
export interface Opening {
  purpose: Purpose;
  /** Case or request under which the purpose is remembered. */
  scope: string;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

let all = $state.raw<ReadonlyMap<string, Opened>>(new Map());
const LOCK = "canvass-desk-opened";
let ready: Promise<void> | undefined;

/** What is open of this id. */
export function openedOf(id: string): Opened | undefined {
  return all.get(id);
}

/** Holds a lock while this tab may have something open; whoever finds no other tab clears what a dead one left. */
function prepare(): Promise<void> {
  ready ??= (async () => {
    await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      if (lock) await closeAllOpened();
    });
    await new Promise<void>((held) => {
      void navigator.locks.request(LOCK, { mode: "shared" }, () => {
        held();
        return new Promise(() => undefined);
      });
    });
  })();
  return ready;
}

/** Closes one, and deletes its files on this computer. */
export async function close(id: string): Promise<void> {
  const one = all.get(id);
  all = new Map([...all].filter(([key]) => key !== id));
  if (one) await closeOpened(one.envelope);
}

function put(one: Opened): Opened {
  all = new Map([...all, [one.id, one]]);
  return one;
}

whenSessionEnds(() => {
  for (const id of [...all.keys()]) void close(id);
});

/** The key of a request or portal, opened with the member's identity. Null when the member would rather load none. */
export async function destinationKey(destination: string): Promise<{ secret: string; recipient: string } | null> {
  const identity = await needIdentity();
  if (!identity) return null;
  const { data } = await api.GET("/api/v1/keys/{destination}", { params: { path: { destination } } });
  if (!data) return null;
  try {
    return await unwrapKey(data, parseIdentityFile(identity));
  } catch (error) {
    if (error instanceof Problem && error.text === "common.seal.nomatch")
      throw new Problem("evidence.key.nomatch", "evidence.key.nomatch.remedy");
    throw error;
  }
}

/** Downloads, checks and opens sealed bytes. */
async function unseal(path: string, sealed: { bytes: number; sha256: string }, secret: string, opening: Opening) {
  await prepare();
  const { purpose, onProgress, signal } = opening;
  const stream = await fetchSealed(path, purpose, sealed.bytes, signal);
  // Only what the server took is offered again.
  keepPurpose(opening.scope, purpose);
  return openEnvelope(stream, secret, { onProgress, signal }, sealed);
}

/** The digest that the agency has on record for what an envelope answers; null when there is none to compare with. */
async function recorded(destination: string): Promise<string | null> {
  if (destination.startsWith("por_")) {
    const { data } = await api.GET("/api/v1/portals");
    return data?.items.find((portal) => portal.id === destination)?.signed.digest ?? null;
  }
  const { data } = await api.GET("/api/v1/requests/{request}", { params: { path: { request: destination } } });
  return data?.signed?.digest ?? null;
}

async function judge(envelope: OpenedEnvelope, destination: string, agency: string): Promise<SignatureState> {
  const [keys, digest] = await Promise.all([
    api.GET("/api/v1/agencies/{agency}", { params: { path: { agency } } }).then((answer) => answer.data?.keys ?? []),
    recorded(destination),
  ]);
  return checkSigned(envelope.request, keys, digest);
}

/** Failures that a bad download gives too: they say nothing about what the resident sealed. */
const OF_TRANSPORT = ["range", "cut", "altered", "other", "header"].map((name) => `common.seal.open.${name}`);

/** Whether a failure is about what the envelope holds, so that it belongs on record. */
function isDefect(problem: Problem): boolean {
  return problem.text.startsWith("common.seal.open.") && !OF_TRANSPORT.includes(problem.text);
}

const clean = (text: string): string =>
  Array.from(text.replace(/\p{Cc}/gu, ""))
    .slice(0, 500)
    .join("");

/** What a report of an envelope says: `POST /offers/{offer}/report`. */
function report(offer: string, body: Schemas["OpenedReport"]): Promise<Offer> {
  return call("POST", `/offers/${offer}/report`, { body });
}

/**
 * Opens an offer: the record with name and purpose is stored before the first byte comes; then everything is checked here, and
 * what it held goes on record. Null when the member loads no key.
 * @throws Problem that says what does not hold; what is wrong with the envelope itself goes on record too.
 */
export async function openOffer(offer: Offer, opening: Opening): Promise<{ opened: Opened; view: Offer } | null> {
  const key = await destinationKey(offer.destination);
  if (!key) return null;
  const done = stayAwake();
  try {
    const sealed = { bytes: offer.envelope_bytes, sha256: offer.envelope_sha256 };
    const envelope = await unseal(`/api/v1/offers/${offer.id}/envelope`, sealed, key.secret, opening).catch(
      async (error: unknown) => {
        const problem = asProblem(error);
        if (isDefect(problem)) {
          const defects = [clean(t(problem.text as Parameters<typeof t>[0]))];
          await report(offer.id, { clips: [], mailbox: null, envelope_sha256: offer.envelope_sha256, defects });
        }
        throw error;
      },
    );
    try {
      const signature = await judge(envelope, offer.destination, offer.agency);
      const remarks = envelope.defects.slice(0, 49);
      if (signature !== "good") remarks.push(t(`evidence.signature.${signature}`));
      const clips = envelope.clips.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
      const { mailbox, envelope_sha256 } = envelope;
      const view = await report(offer.id, { clips, mailbox, envelope_sha256, defects: remarks.map(clean) });
      const opened = put({ id: offer.id, envelope, remarks, signature, purpose: opening.purpose, at: new Date() });
      return { opened, view };
    } catch (error) {
      await closeOpened(envelope);
      throw error;
    }
  } finally {
    done();
  }
}

/**
 * Opens an item, and makes sure that it holds the one clip on record. Null when the member loads no key.
 * @throws Problem that says what does not hold.
 */
export async function openItem(item: Item, opening: Opening): Promise<Opened | null> {
  const key = await destinationKey(item.destination);
  if (!key) return null;
  const done = stayAwake();
  try {
    const sealed = { bytes: item.sealed_bytes, sha256: item.sealed_sha256 };
    const envelope = await unseal(`/api/v1/items/${item.id}/content`, sealed, key.secret, opening);
    const [clip] = envelope.clips;
    const same = clip?.sha256 === item.sha256 && clip.bytes === item.bytes && clip.name === item.name;
    if (!same || envelope.clips.length !== 1) {
      await closeOpened(envelope);
      throw new Problem("evidence.item.other");
    }
    const signature = await judge(envelope, item.destination, item.agency);
    return put({
      id: item.id,
      envelope,
      remarks: envelope.defects,
      signature,
      purpose: opening.purpose,
      at: new Date(),
    });
  } finally {
    done();
  }
}
