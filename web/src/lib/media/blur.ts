/** Makes a copy of a clip in which boxes are hidden for good: its picture is decoded, painted over and encoded anew. */
import {
  getFirstEncodableVideoCodec,
  type Input,
  type InputVideoTrack,
  type OutputFormat,
  Quality,
  type VideoCodec,
  type VideoSample,
} from "mediabunny";

import { Problem } from "$lib/problem";

import type { Box } from "./boxes";
import { convert, formatFor, later, type MediaCopy, type Running } from "./convert";
import { hideBoxes } from "./paint";
import { extent, openInput, recordedAt } from "./probe";
import type { Range } from "./trim";

export type { Box, BoxKey, BoxStyle, Rect } from "./boxes";
export type { MediaCopy } from "./convert";

/** What the copy is to be. */
export interface BlurPlan {
  /** What to hide, in seconds from the original's beginning and shares of its shown picture. May be empty: then it is cut exactly. */
  boxes: readonly Box[];
  /** Which part of the original; all of it where left out. Cut exactly, since the picture is encoded anew. */
  range?: Range;
  /** Leave the sound out. */
  mute?: boolean;
}

/** Codecs in the order in which we would have them: what everybody plays first. */
const CODECS: VideoCodec[] = ["avc", "vp9", "hevc", "av1", "vp8"];

/** Which codec the copy of a picture of this size would have in this browser; none if it encodes none. */
export async function encoderFor(format: OutputFormat, width: number, height: number): Promise<VideoCodec | null> {
  const possible = CODECS.filter((codec) => format.getSupportedVideoCodecs().includes(codec));
  return getFirstEncodableVideoCodec(possible, { width, height, quality: new Quality("high") });
}

/**
 * Renders the copy.
 *
 * @param file the original, which stays as it is
 * @returns the copy and which part of the original it holds
 * @throws Problem (codec that this browser can't decode or encode, full disk, file gone); `AbortError` when cancelled.
 *   No partial file is left.
 */
export async function renderBlur(file: Blob, plan: BlurPlan, running: Running = {}): Promise<MediaCopy> {
  const input = openInput(file);
  try {
    if (!(await input.canRead())) throw new Problem("player.problem.container", "player.problem.container.remedy");
    const track = await input.getPrimaryVideoTrack();
    if (!track || !(await track.canDecode())) throw new Problem("player.problem.codec", "player.problem.codec.remedy");
    return await render({ input, track, size: file.size, recorded: await recordedAt(input, file) }, plan, running);
  } finally {
    input.dispose();
  }
}

interface Original {
  input: Input;
  track: InputVideoTrack;
  size: number;
  recorded: Date | null;
}

async function render(original: Original, plan: BlurPlan, running: Running): Promise<MediaCopy> {
  const { input, track, size } = original;
  const { begin, end } = await extent(input);
  const length = end - begin;
  const range = { from: Math.max(0, plan.range?.from ?? 0), until: Math.min(length, plan.range?.until ?? length) };
  if (!(range.until > range.from)) throw new Problem("player.problem.range");
  const format = formatFor(await input.getFormat());
  const { width, height } = await evenSize(track);
  const codec = await encoderFor(format, width, height);
  if (!codec) throw new Problem("player.problem.encode", "player.problem.encode.remedy");
  const painter = new Painter(plan.boxes, range.from, width, height);
  const share = (range.until - range.from) / length;
  const copy = await convert(
    input,
    {
      format,
      bytes: Math.ceil(size * Math.min(1, share * 1.1)),
      recorded: later(original.recorded, range.from),
      tracks: "primary",
      trim: { start: range.from + begin, end: range.until + begin },
      // No shift: boxes are told by the times of the samples.
      copy: { mode: "preferred", boundaryPolicy: "shrink", shiftTolerance: 0 },
      video: {
        codec,
        quality: new Quality("high"),
        forceTranscode: true,
        allowTransformationMetadata: false,
        process: (sample) => painter.paint(sample),
        processedWidth: width,
        processedHeight: height,
      },
      audio: plan.mute ? { discard: true } : {},
    },
    running,
  );
  return { ...copy, ...range, how: howOf(plan, range, length) };
}

function howOf(plan: BlurPlan, range: Range, length: number): MediaCopy["how"] {
  const cut = range.from > 0.05 || range.until < length - 0.05;
  return [
    ...(cut ? (["trimmed"] as const) : []),
    plan.boxes.length > 0 ? ("blurred" as const) : ("recoded" as const),
    ...(plan.mute ? (["muted"] as const) : []),
  ];
}

/** Encoders take pictures of even sides only. */
async function evenSize(track: InputVideoTrack): Promise<{ width: number; height: number }> {
  const even = (side: number) => Math.max(2, side - (side % 2));
  return { width: even(await track.getDisplayWidth()), height: even(await track.getDisplayHeight()) };
}

class Painter {
  private readonly canvas: OffscreenCanvas;
  private readonly context: OffscreenCanvasRenderingContext2D;

  constructor(
    private readonly boxes: readonly Box[],
    private readonly start: number,
    width: number,
    height: number,
  ) {
    this.canvas = new OffscreenCanvas(width, height);
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) throw new Problem("player.problem.encode", "player.problem.encode.remedy");
    this.context = context;
  }

  // Samples come with the copy's times, which begin where the cut does.
  paint(sample: VideoSample): OffscreenCanvas {
    const { width, height } = this.canvas;
    sample.draw(this.context, 0, 0, width, height);
    hideBoxes(this.context, this.canvas, this.boxes, {
      time: sample.timestamp + this.start,
      length: sample.duration,
    });
    return this.canvas;
  }
}
