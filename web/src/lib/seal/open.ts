/** Opening at the desk: age, tar and every BagIt digest in one pass, into this page's private file system. */
import { authorization, problemOf } from "../api/client";
import { Problem } from "../problem";
import { type Purpose, purposeHeader } from "../purpose";
import type { Job, Outcome } from "./job";
import { folder, freshName, names, remove } from "./opfs";
import { pumpTo } from "./pump";
import type { Answered, Consent, Contact, OpenedClip, OpenedEnvelope, Watch } from "./types";
import { answerOf } from "./work";

export { sealItem, type ItemPlan } from "./seal";
export type { OpenedClip, OpenedEnvelope };

/** What is known of an envelope beforehand, from the offer's view. */
export interface Expected {
  /** Length. */
  bytes?: number;
  /** SHA-256 in hexadecimal. */
  sha256?: string;
  /** Most bytes of clips that are written; 1.5 TB when not given. */
  limit?: number;
}

/**
 * Opens and verifies an envelope or item. Nothing of it is kept unless all of it held.
 * @param identity - the request's key, `AGE-SECRET-KEY-1…`
 * @throws {@link Problem} that says what doesn't hold: wrong key, cut short, altered, a bag that isn't sound.
 */
export async function openEnvelope(
  stream: ReadableStream<Uint8Array>,
  identity: string,
  { onProgress, signal }: Watch = {},
  expected: Expected = {},
): Promise<OpenedEnvelope> {
  signal?.throwIfAborted();
  const out = freshName();
  const { bytes, sha256, limit = 1_500_000_000_000 } = expected;
  const { port, stop } = pumpTo(stream);
  const job: Job = { kind: "open", source: port, identity, out, bytes, sha256, limit };
  const worker = new Worker(new URL("./open.worker.ts", import.meta.url), { type: "module" });
  try {
    const opened = await answerOf<Outcome & { kind: "opened" }>(worker, job, onProgress, signal);
    return await gather(out, opened);
  } catch (error) {
    await remove(await folder("opened"), out);
    throw error;
  } finally {
    stop();
  }
}

async function gather(out: string, opened: Outcome & { kind: "opened" }): Promise<OpenedEnvelope> {
  const place = await (await folder("opened")).getDirectoryHandle(out);
  const clips: OpenedClip[] = [];
  for (const [at, sum] of opened.clips.entries()) {
    const file = await (await place.getFileHandle(opened.files[at] ?? "")).getFile();
    clips.push({ ...sum, file });
  }
  const tags = new Map(opened.tags);
  const [request, consent] = [tags.get("request.json"), tags.get("consent.json")];
  if (!request || !consent) throw new Problem("common.seal.open.missing");
  const [contact, mailbox] = [tags.get("contact.json") ?? null, tags.get("mailbox.txt") ?? null];
  return {
    folder: out,
    clips,
    request: readRequest(request),
    consent: json<Consent>(consent),
    contact: contact && json<Contact>(contact),
    mailbox: mailbox && new TextDecoder().decode(mailbox).trim(),
    info: opened.info,
    defects: opened.defects,
    envelope_sha256: opened.sha256,
    envelope_bytes: opened.bytes,
    tags: { request, consent, contact, mailbox },
  };
}

function json<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch {
    throw new Problem("common.seal.open.json");
  }
}

/** Either the signed request itself, or the public file around it. */
function readRequest(bytes: Uint8Array): Answered {
  const value = json<Answered & { request?: Answered; portal?: Answered }>(bytes);
  return value.request ?? value.portal ?? value;
}

/** Deletes the opened clips. Call it when the page that shows them goes. */
export async function closeOpened(opened: Pick<OpenedEnvelope, "folder">): Promise<void> {
  await remove(await folder("opened"), opened.folder);
}

/** Deletes all opened clips of this device: at sign-in and sign-out, in case a tab was closed without a word. */
export async function closeAllOpened(): Promise<void> {
  const place = await folder("opened");
  for (const name of await names(place)) await remove(place, name);
}

/**
 * Fetches sealed bytes from the desk as one stream that goes on where a connection broke off.
 * @param path - such as `/api/v1/offers/{id}/envelope`
 * @param purpose - why; it is kept with the record
 */
export async function fetchSealed(
  path: string,
  purpose: Purpose,
  bytes: number,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const ask = async (from: number): Promise<ReadableStream<Uint8Array>> => {
    const headers: Record<string, string> = { ...authorization(), "Canvass-Purpose": purposeHeader(purpose) };
    if (from > 0) headers.Range = `bytes=${from}-`;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) throw await problemOf(response);
    if (from > 0 && response.status !== 206) throw new Problem("common.seal.open.range");
    return response.body;
  };
  let reader = (await ask(0)).getReader();
  let done = 0;
  let stalls = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        try {
          const part = await reader.read();
          if (part.value) {
            done += part.value.length;
            stalls = 0;
            controller.enqueue(part.value);
            return;
          }
          if (done >= bytes) return controller.close();
        } catch (error) {
          if (signal?.aborted || done >= bytes) throw error;
        }
        reader = await again();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });

  async function again(): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    for (;;) {
      stalls += 1;
      if (stalls > 8) throw new Problem("common.problem.offline");
      await new Promise((go) => setTimeout(go, Math.min(250 * 2 ** stalls, 15_000)));
      signal?.throwIfAborted();
      try {
        return (await ask(done)).getReader();
      } catch (error) {
        if (error instanceof Problem) throw error;
      }
    }
  }
}
