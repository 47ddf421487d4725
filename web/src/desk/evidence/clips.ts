/** Times and names of clips. Pure. */

/**
 * Which part of a clip shows the asked time, in seconds of the clip; null when none of it does.
 * @param start - when the clip begins
 * @param duration - its length in seconds
 */
export function askedWithin(
  start: Date,
  duration: number,
  frame: { start: string; end: string },
): { from: number; until: number } | null {
  const seconds = (at: string) => (Date.parse(at) - start.getTime()) / 1000;
  const from = Math.max(0, seconds(frame.start));
  const until = Math.min(duration, seconds(frame.end));
  return Number.isFinite(from) && Number.isFinite(until) && from < until ? { from, until } : null;
}

/** A command that makes a playable copy of a clip with ffmpeg. The names are quoted for a shell. */
export function ffmpegFor(name: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return `ffmpeg -i ${quoted(name)} -c:v libx264 -c:a aac ${quoted(`${name.replace(/\.[^.]+$/, "")}-playable.mp4`)}`;
}

/** The name of a copy: another one than the original's, which a reader can't confuse with it. */
export function copyName(
  original: string,
  extension: string,
  kind: "redacted" | "transcoded",
  taken: readonly string[],
): string {
  const stem = original.replace(/\.[^.]+$/, "").replace(/-(redacted|transcoded)(-\d+)?$/, "") || "clip";
  for (let number = 1; ; number += 1) {
    const name = `${stem}-${kind}${number > 1 ? `-${number}` : ""}.${extension}`;
    if (!taken.includes(name)) return name;
  }
}
