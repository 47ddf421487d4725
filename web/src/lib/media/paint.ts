/** Hides boxes in a picture. The preview and the copy that is made use this same code, so they show the same. */
import { type Box, hiddenIn, type Rect } from "./boxes";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Blocks along the shorter side of a blurred box: so few that no face, plate or writing can be made out again. */
const BLOCKS = 4;
/** Most blocks along the longer side. */
const MOST_BLOCKS = 12;
/** What a covered box is painted with. */
const COVER = "#000000";

let small: OffscreenCanvas | undefined;

/** How many blocks a blurred box of this size (pixels) is made of. */
export function blocksOf(width: number, height: number): { across: number; down: number } {
  const shorter = Math.max(1, Math.min(width, height));
  const along = (side: number) => Math.max(1, Math.min(MOST_BLOCKS, Math.round((side / shorter) * BLOCKS)));
  return { across: along(width), down: along(height) };
}

/** A rectangle in whole pixels that holds all of a rectangle in shares. */
export function pixels(rect: Rect, width: number, height: number): Rect {
  const x = Math.max(0, Math.floor(rect.x * width));
  const y = Math.max(0, Math.floor(rect.y * height));
  return {
    x,
    y,
    width: Math.max(1, Math.min(width, Math.ceil((rect.x + rect.width) * width)) - x),
    height: Math.max(1, Math.min(height, Math.ceil((rect.y + rect.height) * height)) - y),
  };
}

/**
 * Paints over what the boxes hide in the frame that is shown from `time` for `length` seconds.
 *
 * @param context where the picture is drawn, or a clear layer above it
 * @param source the picture that blocks take their colour from; of size `from`, or of the context's where left out
 */
export function hideBoxes(
  context: Context,
  source: CanvasImageSource,
  boxes: readonly Box[],
  moment: { time: number; length?: number },
  from?: { width: number; height: number },
): number {
  const { width, height } = context.canvas;
  const hidden = hiddenIn(boxes, moment.time, moment.length);
  for (const { rect, style } of hidden) {
    const to = pixels(rect, width, height);
    if (style === "cover") {
      context.fillStyle = COVER;
      context.fillRect(to.x, to.y, to.width, to.height);
    } else {
      blur(context, source, pixels(rect, from?.width ?? width, from?.height ?? height), to);
    }
  }
  return hidden.length;
}

function blur(context: Context, source: CanvasImageSource, from: Rect, to: Rect): void {
  const { across, down } = blocksOf(to.width, to.height);
  small ??= new OffscreenCanvas(MOST_BLOCKS, MOST_BLOCKS);
  const blocks = small.getContext("2d", { alpha: false });
  if (!blocks) {
    context.fillStyle = COVER;
    context.fillRect(to.x, to.y, to.width, to.height);
    return;
  }
  blocks.imageSmoothingEnabled = true;
  blocks.imageSmoothingQuality = "high";
  blocks.drawImage(source, from.x, from.y, from.width, from.height, 0, 0, across, down);
  const smooth = context.imageSmoothingEnabled;
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, across, down, to.x, to.y, to.width, to.height);
  context.imageSmoothingEnabled = smooth;
}
