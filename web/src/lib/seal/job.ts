/** What passes between a page and the sealing and opening workers. */
import type { ClipSum, Progress } from "./types";

/** A job for a worker. */
export type Job = SealJob | OpenJob;

/** Seal clips into a file of the private file system. */
export interface SealJob {
  kind: "seal";
  recipient: string;
  tags: [name: string, bytes: Uint8Array][];
  clips: { name: string; file: Blob }[];
  /** `External-Identifier`. */
  identifier: string;
  /** Name of the file to write. */
  out: string;
  /** `Bagging-Date`, and the time of every entry. */
  date: string;
  /** `Bag-Software-Agent`. */
  agent: string;
}

/** Open an envelope into a folder of the private file system. */
export interface OpenJob {
  kind: "open";
  /** Where the envelope's bytes come from, see `pump.ts`; transferred. */
  source: MessagePort;
  /** `AGE-SECRET-KEY-1…`. */
  identity: string;
  /** Folder to write. */
  out: string;
  /** Length of the envelope. */
  bytes?: number;
  /** SHA-256 that it must have. */
  sha256?: string;
  /** Most bytes of clips. */
  limit: number;
}

/** What a worker says. */
export type Word = { progress: Progress } | { done: Outcome } | { failed: { text: string; remedy?: string } };

/** What came of a job. */
export type Outcome =
  | { kind: "sealed"; bytes: number; clips: ClipSum[] }
  | {
      kind: "opened";
      clips: ClipSum[];
      /** Names of the clips' files in the folder, in order. */
      files: string[];
      tags: [name: string, bytes: Uint8Array][];
      info: [label: string, value: string][];
      defects: string[];
      sha256: string;
      bytes: number;
    };
