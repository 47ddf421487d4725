/** What cutting and hiding share: the container of the copy, running with progress, cancelling, failures in plain words. */
import {
  Conversion,
  ConversionCanceledError,
  type ConversionOptions,
  type Input,
  type InputFormat,
  type MetadataTags,
  MATROSKA,
  MkvOutputFormat,
  MovOutputFormat,
  Mp4OutputFormat,
  Output,
  type OutputFormat,
  QTFF,
  WEBM,
  WebMOutputFormat,
} from "mediabunny";

import { Problem } from "$lib/problem";

import { TIME_TAG } from "./probe";
import { beginCopy } from "./writing";

/** A changed copy of a clip. The original is never touched. */
export interface MediaCopy {
  file: File;
  /** Name in the origin's private file system, for `openCopy` and `deleteCopy`; none if it is kept in memory. */
  path: string | null;
  /** Ending of the copy's name, without a dot. */
  extension: string;
  /** Which part of the original it holds, in seconds of the original. */
  from: number;
  until: number;
  /** What was done to it. */
  how: ("trimmed" | "blurred" | "recoded" | "muted")[];
}

export interface Running {
  /** From 0 to 1. */
  onProgress?: (share: number) => void;
  /** Cancels; nothing is left. */
  signal?: AbortSignal;
}

/** The container of a copy: the original's where we write it, else MP4, which everything opens. */
export function formatFor(format: InputFormat): OutputFormat {
  // Metadata at the end: a copy of any size is written straight through.
  if (format === WEBM) return new WebMOutputFormat();
  if (format === MATROSKA) return new MkvOutputFormat();
  if (format === QTFF) return new MovOutputFormat({ fastStart: false, metadataFormat: "mdta" });
  return new Mp4OutputFormat({ fastStart: false, metadataFormat: "mdta" });
}

type Job = Omit<ConversionOptions, "input" | "output" | "tags"> & {
  format: OutputFormat;
  /** About how large the copy will be. */
  bytes: number;
  /** When the recording began at the copy's first moment, which the copy keeps; its container's own clock says when it was made. */
  recorded: Date | null;
};

/** Runs one conversion into a new file. */
export async function convert(
  input: Input,
  job: Job,
  { onProgress, signal }: Running,
): Promise<{ file: File; path: string | null; extension: string }> {
  signal?.throwIfAborted();
  const { format, bytes, recorded, ...options } = job;
  const extension = format.fileExtension.replace(/^\./, "");
  const writing = await beginCopy(bytes, extension);
  try {
    const output = new Output({ format, target: writing.target });
    const conversion = await Conversion.init({
      ...options,
      input,
      output,
      tags: (tags) => tagged(tags, recorded),
      showWarnings: false,
    });
    if (!conversion.isValid || lost(conversion))
      throw new Problem("player.problem.codec", "player.problem.codec.remedy");
    if (onProgress) conversion.onProgress = onProgress;
    const cancel = () => void conversion.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (signal?.aborted) throw new ConversionCanceledError();
      await conversion.execute();
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
    return { ...(await writing.finish(format.mimeType)), extension };
  } catch (error) {
    await writing.drop();
    throw asMediaProblem(error, signal);
  }
}

/** A moment some seconds later. */
export function later(date: Date | null, seconds: number): Date | null {
  return date && new Date(date.getTime() + seconds * 1000);
}

function tagged(tags: MetadataTags, recorded: Date | null): MetadataTags {
  // Pictures among the tags may show what the copy hides.
  const { raw, ...rest } = tags;
  delete rest.images;
  const texts = Object.entries(raw ?? {}).filter(([, value]) => typeof value === "string");
  const time = recorded?.toISOString();
  return {
    ...rest,
    ...(recorded ? { date: recorded } : {}),
    raw: { ...Object.fromEntries(texts), ...(time ? { [TIME_TAG.iso]: time, [TIME_TAG.matroska]: time } : {}) },
  };
}

/** Whether a track is left out that nobody asked to leave out: a copy without its picture or sound is not that clip. */
function lost(conversion: Conversion): boolean {
  return conversion.discardedTracks.some(
    ({ track, reason }) => reason !== "discarded_by_user" && (track.isVideoTrack() || track.isAudioTrack()),
  );
}

function asMediaProblem(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted || error instanceof ConversionCanceledError) return new DOMException("cancelled", "AbortError");
  if (error instanceof Problem) return error;
  if (error instanceof DOMException && error.name === "QuotaExceededError") return new Problem("common.problem.full");
  if (error instanceof DOMException && (error.name === "NotReadableError" || error.name === "NotFoundError"))
    return new Problem("player.problem.gone", "player.problem.gone.remedy");
  return new Problem("player.problem.broken", "player.problem.broken.remedy");
}
