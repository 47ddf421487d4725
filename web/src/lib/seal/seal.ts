/**
 * Sealing in the browser: a BagIt bag in tar, encrypted with age to the one agency that asked, written straight into this
 * page's private file system. The work is done by workers; memory stays flat whatever the clips' size.
 */
import canonicalize from "canonicalize";

import { Problem } from "../problem";
import type { Job, Outcome } from "./job";
import { checkNames } from "./names";
import { folder, freshName, remove } from "./opfs";
import { parseOffer } from "./offer";
import { isRecipient } from "./recipient";
import type { Answered, Consent, OpenedClip, OpenedEnvelope, SealClip, SealPlan, SealedEnvelope, Watch } from "./types";
import { answerOf } from "./work";

export type { Consent, SealClip, SealPlan, SealedEnvelope };

/** `Bag-Software-Agent`. */
const AGENT = "canvass web";
/** Most clips in one envelope. */
const MAX_CLIPS = 1000;

/** `consent.json`, as the command line writes it: `text` is word for word what was shown. */
export function makeConsent(
  request: Answered,
  clips: SealClip[],
  text: string[],
  agreed = new Date().toISOString().replace(/\.\d+Z$/, "Z"),
): Consent {
  const { id, agency } = request.body;
  return {
    v: 1,
    destination: id,
    destination_digest: request.digest,
    agency: { id: agency.id, name: agency.name, class: agency.class },
    agreed,
    asked: true,
    text,
    clips: clips.map((clip) => ({
      name: clip.name,
      bytes: clip.file.size,
      from: clip.from ?? null,
      until: clip.until ?? null,
      known: clip.known ?? (clip.from ? "recording" : "unknown"),
      outside_time_frame: clip.outside ?? false,
      ...(clip.altered ? { altered: clip.altered } : {}),
    })),
  };
}

/**
 * Seals clips. The envelope lies in the private file system until {@link import("./store").removeSealed}.
 * @throws {@link Problem} when a name can't stand, the device is full or a chosen file vanished; no partial file is left.
 */
export async function sealEnvelope(plan: SealPlan, watch: Watch = {}): Promise<SealedEnvelope> {
  const secret = parseOffer(plan.secret);
  const json = (value: unknown) => utf8(JSON.stringify(value, null, 2));
  const contact = plan.contact && Object.values(plan.contact).some((text) => text?.trim()) ? plan.contact : null;
  return run(
    {
      recipient: plan.recipient,
      tags: [
        ["request.json", utf8(canonicalize(plan.request) ?? "")],
        ["consent.json", json(plan.consent)],
        ...(contact ? [["contact.json", json(contact)] satisfies [string, Uint8Array]] : []),
        ...(plan.mailbox ? [["mailbox.txt", utf8(`${secret.mailboxRecipient}\n`)] satisfies [string, Uint8Array]] : []),
      ],
      clips: plan.clips.map(({ name, file }) => ({ name, file })),
      identifier: plan.request.body.id,
    },
    watch,
  );
}

/** Which clip becomes an item. */
export interface ItemPlan {
  opened: OpenedEnvelope;
  clip: OpenedClip;
  /** The clip's number in the offer, from 1. */
  number: number;
  /** Id of the offer. */
  offer: string;
  /** The `age1…` recipient of the request's key. */
  recipient: string;
}

/**
 * Seals one opened clip by itself, with the envelope's tag files byte for byte (ADR 2), as `canvass triage accept` does.
 * @throws as {@link sealEnvelope}.
 */
export async function sealItem(plan: ItemPlan, watch: Watch = {}): Promise<SealedEnvelope> {
  const { request, consent, contact, mailbox } = plan.opened.tags;
  return run(
    {
      recipient: plan.recipient,
      tags: [
        ["request.json", request],
        ["consent.json", consent],
        ...(contact ? [["contact.json", contact] satisfies [string, Uint8Array]] : []),
        ...(mailbox ? [["mailbox.txt", mailbox] satisfies [string, Uint8Array]] : []),
      ],
      clips: [{ name: plan.clip.name, file: plan.clip.file }],
      identifier: `${plan.offer} clip ${plan.number} of envelope ${plan.opened.envelope_sha256}`,
    },
    watch,
  );
}

interface Contents {
  recipient: string;
  tags: [name: string, bytes: Uint8Array][];
  clips: { name: string; file: Blob }[];
  identifier: string;
}

async function run(contents: Contents, { onProgress, signal }: Watch): Promise<SealedEnvelope> {
  signal?.throwIfAborted();
  if (!isRecipient(contents.recipient)) throw new Problem("common.seal.recipient");
  if (contents.clips.length === 0) throw new Problem("common.seal.clips.none");
  if (contents.clips.length > MAX_CLIPS) throw new Problem("common.seal.clips.many");
  checkNames(contents.clips.map((clip) => clip.name));
  const name = freshName(".age");
  const today = new Date().toISOString().slice(0, 10);
  const job: Job = { kind: "seal", ...contents, out: name, date: today, agent: AGENT };
  // The lock keeps another tab's sweep from taking the file for one that was left behind.
  return navigator.locks.request("canvass-sealing", { mode: "shared" }, async () => {
    const worker = new Worker(new URL("./seal.worker.ts", import.meta.url), { type: "module" });
    try {
      const sealed = await answerOf<Outcome & { kind: "sealed" }>(worker, job, onProgress, signal);
      const handle = await (await folder("sealed")).getFileHandle(name);
      return { name, file: await handle.getFile(), bytes: sealed.bytes, clips: sealed.clips };
    } catch (error) {
      await remove(await folder("sealed"), name);
      throw error;
    }
  });
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
