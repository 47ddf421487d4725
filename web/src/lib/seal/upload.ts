/**
 * Sending a sealed envelope with tus 1.0: in parts, going on where it stood after a cut connection, a closed tab or a
 * restarted server. A lost upload begins anew by itself from the copy on this device.
 */
import { sha256 as hashWasm } from "hash-wasm";
import { DetailedError, Upload, type PreviousUpload, type UrlStorage } from "tus-js-client";

import { authorization, problemOf } from "../api/client";
import { Problem } from "../problem";
import type { OfferSecret } from "./offer";
import { changeOffer, loadOffer } from "./store";
import type { SealedEnvelope, Watch } from "./types";

/** Bytes of one part: what is lost at most when a connection breaks. The server flushes to disk after each. */
const PART = 8 * 1024 * 1024;
/** How often an upload that the server no longer knows is begun anew. */
const MAX_STARTS = 3;
const SERVER_BUSY = new Set([408, 409, 423, 429, 460, 500, 502, 503, 504]);

export {
  hashWasm,
  DetailedError,
  Upload,
  problemOf,
  authorization,
  changeOffer,
  loadOffer,
  PART,
  MAX_STARTS,
  SERVER_BUSY,
};
export type { PreviousUpload, UrlStorage };

/** What an upload needs to know. */
export interface UploadOptions extends Watch {
  /** The secret of a private invitation. */
  invitation?: string;
  /** Called when the connection breaks or the server is busy, and when bytes flow again. */
  onWaiting?: (waiting: boolean) => void;
}

/**
 * Sends an envelope; an abort pauses it, and the same call goes on. Offline it waits and tries again without end.
 * @param destination - id of the request or portal
 * @returns the SHA-256 of what was sent, for `offer.json`
 * @throws {@link Problem} when the server refuses it (closed, too large, used invitation …); the envelope stays on the device.
 */
export declare function upload(
  sealed: Pick<SealedEnvelope, "file" | "bytes">,
  secret: OfferSecret,
  destination: string,
  options?: UploadOptions,
): Promise<{ sha256: string }>;

/**
 * Sends a sealed item of the desk to `/api/v1/uploads`.
 * @returns the id of the upload, which `POST …/clips/{number}/accept` takes
 */
export declare function uploadItem(sealed: Pick<SealedEnvelope, "file" | "bytes">, options?: Watch): Promise<string>;
