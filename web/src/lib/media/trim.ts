/** Cuts a clip without touching its picture or sound: the coded data is copied as it is. */
import { EncodedPacketSink, type InputVideoTrack, MPEG_TS, Mp4OutputFormat } from "mediabunny";

import { Problem } from "$lib/problem";

import { convert, formatFor, later, type MediaCopy, type Running } from "./convert";
import { deleteCopy } from "./copies";
import { extent, openInput, recordedAt } from "./probe";

/** A part of a clip, in seconds from its beginning. */
export interface Range {
  from: number;
  until: number;
}

/**
 * Where a cut without re-encoding really begins and ends. A picture can only begin at a key frame, so the beginning moves
 * back to the one before; what was asked for is always inside.
 *
 * @throws Problem when the container or the range is none that can be cut
 */
export async function snap(file: Blob, range: Range): Promise<Range> {
  const input = openInput(file);
  try {
    if (!(await input.canRead())) throw new Problem("player.problem.container", "player.problem.container.remedy");
    const track = await input.getPrimaryVideoTrack();
    const { begin, end } = await extent(input);
    const until = Math.min(range.until, end - begin);
    if (!(range.from >= 0) || !(until > range.from)) throw new Problem("player.problem.range");
    if (!track) return { from: range.from, until };
    return { from: Math.max(0, (await keyBefore(track, range.from + begin)) - begin), until };
  } finally {
    input.dispose();
  }
}

async function keyBefore(track: InputVideoTrack, time: number): Promise<number> {
  const sink = new EncodedPacketSink(track);
  const key = (await sink.getKeyPacket(time, { metadataOnly: true })) ?? (await sink.getFirstKeyPacket());
  return key?.timestamp ?? time;
}

/**
 * Copies a part of a clip into a new file, without re-encoding.
 *
 * @returns the copy, and which part it really holds (see {@link snap})
 * @throws Problem; `AbortError` when cancelled. No partial file is left.
 */
export async function trim(
  file: Blob,
  range: Range,
  running: Running & {
    /** Leave the sound out. */
    mute?: boolean;
  } = {},
): Promise<MediaCopy> {
  if (await isStream(file)) return throughCopy(file, range, running);
  const real = await snap(file, range);
  const input = openInput(file);
  try {
    const { begin, end } = await extent(input);
    const share = end > begin ? (real.until - real.from) / (end - begin) : 1;
    const copy = await convert(
      input,
      {
        format: formatFor(await input.getFormat()),
        bytes: Math.ceil(file.size * Math.min(1, share * 1.1)),
        recorded: later(await recordedAt(input, file), real.from),
        trim: { start: real.from + begin, end: real.until + begin },
        copy: { mode: "forced", boundaryPolicy: "expand", shiftTolerance: Infinity },
        audio: running.mute ? { discard: true } : {},
      },
      running,
    );
    const cut = real.from > 0 || real.until < end - begin;
    return {
      ...copy,
      ...real,
      how: [...(cut ? (["trimmed"] as const) : []), ...(running.mute ? (["muted"] as const) : [])],
    };
  } finally {
    input.dispose();
  }
}

async function isStream(file: Blob): Promise<boolean> {
  const input = openInput(file);
  try {
    return (await input.canRead()) && (await input.getFormat()) === MPEG_TS;
  } finally {
    input.dispose();
  }
}

// Cut from its middle, a transport stream loses packets in the library's hands; read from its beginning it does not.
async function throughCopy(file: Blob, range: Range, running: Running & { mute?: boolean }): Promise<MediaCopy> {
  const whole = await playableCopy(file, { ...running, onProgress: (share) => running.onProgress?.(share / 2) });
  try {
    return await trim(whole.file, range, { ...running, onProgress: (share) => running.onProgress?.(0.5 + share / 2) });
  } finally {
    await deleteCopy(whole.path);
  }
}

/**
 * A copy in a container that this browser plays, of a clip whose coded data it could play: for looking at recordings in
 * Matroska or MPEG-TS where the browser opens only MP4. Nothing is re-encoded.
 */
export async function playableCopy(file: Blob, running: Running = {}): Promise<MediaCopy> {
  const input = openInput(file);
  try {
    const { begin, end } = await extent(input);
    const copy = await convert(
      input,
      {
        format: new Mp4OutputFormat({ fastStart: false }),
        bytes: file.size,
        recorded: null,
        tracks: "primary",
        // The copy counts from where the file does, so that a moment of one is the same moment of the other.
        trim: { start: 0 },
        copy: { mode: "preferred", shiftTolerance: 0 },
      },
      running,
    );
    return { ...copy, from: 0, until: end - begin, how: [] };
  } finally {
    input.dispose();
  }
}
