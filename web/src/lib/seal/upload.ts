/**
 * Sending a sealed envelope with tus 1.0: in parts with a checksum each, going on where it stood after a cut connection, a
 * closed tab or a restarted server. A lost upload begins anew by itself from the copy on this device.
 */
import { base64 } from "@scure/base";
import { DetailedError, Upload, type HttpRequest, type UploadOptions as TusOptions } from "tus-js-client";

import { authorization } from "../api/client";
import { Problem } from "../problem";
import { hashFile } from "./hasher";
import type { OfferSecret } from "./offer";
import { loadStatus } from "./status";
import { changeOffer, loadOffer } from "./store";
import type { SealedEnvelope, Watch } from "./types";

/** Bytes of one part: what is lost at most when a connection breaks. The server brings each to disk. */
const PART = 8 * 1024 * 1024;
/** How often an upload that the server no longer knows is begun anew. */
const MAX_STARTS = 3;
/** Refusals in a row that may be another moment's yes, before giving up for now. */
const MAX_STALLS = 12;
/** Longest pause between two tries, in milliseconds. */
const MAX_PAUSE = 30_000;
/** Busy, slow, at another offset, a broken part, locked: worth another try. */
const PASSING = new Set([400, 408, 409, 423, 429, 460, 500, 502, 503, 504]);

/** How an upload is watched. */
export interface UploadOptions extends Watch {
  /** The secret of a private invitation. */
  invitation?: string;
  /** Told when there is no connection or the server is busy, and when bytes flow again. */
  onWaiting?: (waiting: boolean) => void;
}

type Sealed = Pick<SealedEnvelope, "file" | "bytes">;

/**
 * Sends an envelope. An abort pauses it, and the same call goes on, also after a reload: keep the offer with `saveOffer`
 * first. Without a connection it waits and tries again without end.
 * @param destination - id of the request or portal
 * @returns the SHA-256 of what was sent, for `offer.json`
 * @throws {@link Problem} when the server refuses it (closed, too large, used invitation …); the envelope stays on the device.
 */
export async function upload(
  sealed: Sealed,
  secret: OfferSecret,
  destination: string,
  options: UploadOptions = {},
): Promise<{ sha256: string }> {
  const { invitation, signal } = options;
  if (sealed.file.size !== sealed.bytes) throw new Problem("common.seal.upload.gone");
  return alone(`canvass-upload-${secret.lookup}`, async () => {
    const stop = new AbortController();
    const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const digest = hashFile(sealed.file, both);
    digest.catch(() => undefined);
    try {
      const metadata: Record<string, string> = { destination, offer_key: secret.publicKey };
      if (invitation) metadata.invitation = invitation;
      const known = (await loadOffer(secret.lookup))?.upload;
      await send(sealed, {
        ...options,
        endpoint: "/uploads",
        metadata,
        known,
        keep: (url) => changeOffer(secret.lookup, { upload: url, ...(invitation ? { invitation } : {}) }),
        // Gone may mean arrived: then its status says so, and another upload would be wrong.
        arrived: () => arrived(secret),
      });
      const sha256 = await digest;
      const record = await loadOffer(secret.lookup);
      if (record) await changeOffer(secret.lookup, { phase: "sent", offer: { ...record.offer, sha256 } });
      return { sha256 };
    } finally {
      stop.abort();
    }
  });
}

/**
 * Sends a sealed item of the desk.
 * @returns the id of the upload, which `POST …/clips/{number}/accept` takes
 * @throws {@link Problem} when the server refuses it.
 */
export async function uploadItem(sealed: Sealed, options: Watch = {}): Promise<string> {
  let address = "";
  await send(sealed, {
    ...options,
    endpoint: "/api/v1/uploads",
    headers: authorization(),
    metadata: {},
    keep: (url) => void (address = url ?? ""),
    arrived: () => Promise.resolve(false),
  });
  return address.replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Tells the server to drop an upload that is not whole. What it has already taken in isn't touched: withdraw that. */
export async function abandon(secret: OfferSecret): Promise<void> {
  const known = (await loadOffer(secret.lookup))?.upload;
  if (!known) return;
  // An upload that the server no longer knows is what was wanted; unreachable, it expires there by itself.
  await Upload.terminate(known, { retryDelays: null as unknown as number[] }).catch(() => undefined);
  await changeOffer(secret.lookup, { upload: undefined });
}

interface Sending extends Watch {
  endpoint: string;
  metadata: Record<string, string>;
  headers?: Record<string, string>;
  /** Address of the upload, when it began before. */
  known?: string;
  keep: (url: string | undefined) => void | Promise<void>;
  arrived: () => Promise<boolean>;
  onWaiting?: (waiting: boolean) => void;
}

async function send(sealed: Sealed, sending: Sending): Promise<void> {
  const { signal, keep, onWaiting } = sending;
  let url = sending.known;
  let starts = 0;
  let stalls = 0;
  let best = 0;
  for (;;) {
    signal?.throwIfAborted();
    if (!url) starts += 1;
    if (starts > MAX_STARTS) throw new Problem("common.seal.upload.lost");
    const result = await attempt(sealed, { ...sending, known: url }, (now, sent) => {
      if (now !== url) void keep((url = now));
      if (sent > best) stalls = 0;
      best = Math.max(best, sent);
      onWaiting?.(false);
    });
    if (result === "done") return;
    if (result === "gone") {
      if (await sending.arrived()) return;
      await keep((url = undefined));
      best = 0;
      continue;
    }
    stalls += 1;
    onWaiting?.(true);
    if (result.status !== undefined && stalls > MAX_STALLS) throw result;
    await pause(Math.min(250 * 2 ** Math.min(stalls, 7), MAX_PAUSE), signal);
  }
}

/** One try: until it is sent, breaks, or is refused. A Problem that is given back is worth another try. */
function attempt(
  { file, bytes }: Sealed,
  { endpoint, metadata, headers, known, signal, onProgress }: Sending,
  onUrl: (url: string, sent: number) => void,
): Promise<"done" | "gone" | Problem> {
  return new Promise((resolve, reject) => {
    const sums = new Checksums(file);
    const options: TusOptions = {
      endpoint: known ? null : new URL(endpoint, location.href).href,
      uploadUrl: known ?? null,
      uploadSize: bytes,
      metadata,
      headers,
      chunkSize: PART,
      retryDelays: null,
      storeFingerprintForResuming: false,
      fileReader: sums,
      onBeforeRequest: (request) => sums.sign(request),
      onUploadUrlAvailable: () => check(() => onUrl(own(task.url), 0)),
      onProgress: (done) => onProgress?.({ stage: "sending", done, total: bytes }),
      onChunkComplete: (_, accepted) => task.url && onUrl(task.url, accepted),
      onSuccess: () => settle(() => resolve("done")),
      onError: (error) => settle(() => judge(error)),
    };
    const task = new Upload(file, options);
    const settle = (finish: () => void) => {
      signal?.removeEventListener("abort", stop);
      finish();
    };
    const stop = () => void task.abort().finally(() => settle(() => reject(signal?.reason as Error)));
    const check = (work: () => void) => {
      try {
        work();
      } catch (error) {
        void task.abort().finally(() => settle(() => reject(error as Error)));
      }
    };
    const judge = (error: Error | DetailedError) => {
      if (sums.failed) return reject(new Problem("common.seal.upload.gone"));
      // Whatever is not of a request (tus' own checks) is no matter of the connection: waiting would not mend it.
      if (!(error instanceof DetailedError)) return reject(new Problem("common.problem.unknown", error.message));
      const response = error.originalResponse;
      const status = response?.getStatus() ?? 0;
      const began = error.originalRequest.getMethod() !== "POST";
      if (status === 0) return resolve(new Problem("common.problem.offline"));
      if (began && (status === 404 || status === 410)) return resolve("gone");
      const problem = problemIn(response?.getBody() ?? "", status);
      if (PASSING.has(status) && (began || status !== 400)) return resolve(problem);
      reject(problem);
    };
    signal?.addEventListener("abort", stop, { once: true });
    task.start();
  });
}

/** Reads the file's parts, and gives each request the checksum of its part. */
class Checksums {
  failed = false;
  private sum: Promise<ArrayBuffer> | null = null;

  constructor(private readonly file: File) {}

  openFile() {
    return Promise.resolve({
      size: this.file.size,
      slice: async (start: number, end: number) => {
        try {
          const bytes = await this.file.slice(start, end).arrayBuffer();
          this.sum = crypto.subtle.digest("SHA-256", bytes);
          return { value: new Blob([bytes]), size: bytes.byteLength, done: end >= this.file.size };
        } catch (error) {
          this.failed = true;
          throw error;
        }
      },
      close: () => undefined,
    });
  }

  async sign(request: HttpRequest): Promise<void> {
    if (request.getMethod() !== "PATCH" || !this.sum) return;
    request.setHeader("Upload-Checksum", `sha256 ${base64.encode(new Uint8Array(await this.sum))}`);
  }
}

// A sealed envelope is sent to this server alone.
function own(url: string | null): string {
  const address = new URL(url ?? "", location.href);
  if (address.origin !== location.origin) throw new Problem("common.seal.upload.elsewhere");
  return address.pathname;
}

/** Refusals that have words of their own in each language, by the last part of the problem's type. */
const REFUSALS: Record<string, string> = {
  "destination-closed": "common.seal.upload.closed",
  "destination-unknown": "common.seal.upload.unknown",
  "offer-too-large": "common.seal.upload.large",
  "upload-too-large": "common.seal.upload.large",
  "spool-full": "common.seal.upload.full",
  "too-many-uploads": "common.seal.upload.full",
  "disk-full": "common.seal.upload.full",
};

interface Told {
  type?: string;
  detail?: string;
  title?: string;
  remedy?: string;
  problems?: Problem["fields"];
}

function problemIn(body: string, status: number): Problem {
  try {
    const told = JSON.parse(body) as Told;
    const ours = REFUSALS[told.type?.split(":").at(-1) ?? ""];
    if (ours) return new Problem(ours, undefined, [], status);
    return new Problem(told.detail ?? told.title ?? "common.problem.unknown", told.remedy, told.problems ?? [], status);
  } catch {
    return new Problem("common.seal.upload.refused", undefined, [], status);
  }
}

async function arrived(secret: OfferSecret): Promise<boolean> {
  for (let tries = 0; tries < 5; tries += 1) {
    const status = await loadStatus(secret).catch(() => null);
    if (status) return true;
    await pause(2000);
  }
  return false;
}

/** Waits; shorter when a connection comes back meanwhile. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal?.removeEventListener("abort", stop);
      finish();
    };
    const go = () => settle(resolve);
    const stop = () => settle(() => reject(signal?.reason as Error));
    const timer = setTimeout(go, milliseconds);
    addEventListener("online", go, { once: true });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** One tab at a time sends an offer. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => {
    if (!lock) throw new Problem("common.seal.upload.othertab");
    return work();
  }) as Promise<T>;
}
