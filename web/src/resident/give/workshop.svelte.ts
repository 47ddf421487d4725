/** Makes the changed copy of a clip that its edit asks for. */
import { renderBlur } from "$lib/media/blur";
import { trim } from "$lib/media/trim";
import { Problem } from "$lib/problem";
import { hashFile } from "$lib/seal/hasher";

import type { Clip } from "./draft.svelte";

/**
 * Brings a clip's copy in line with its edit: makes it, or drops it where nothing is to be changed any more.
 *
 * @throws Problem; `AbortError` when cancelled. The chosen file and the edit stay as they are.
 */
export async function makeCopy(clip: Clip, onProgress: (share: number) => void, signal: AbortSignal): Promise<void> {
  if (!clip.pending) return;
  await clip.dropCopy();
  if (!clip.changes) return;
  const file = clip.file;
  if (!file) throw new Problem("player.problem.gone", "player.problem.gone.remedy");
  const { range, exact, boxes, mute } = $state.snapshot(clip.edit);
  const original = clip.original ? Promise.resolve(clip.original) : hashFile(file, signal);
  original.catch(() => undefined);
  const running = { onProgress, signal };
  const copy =
    boxes.length > 0 || (exact && range)
      ? await renderBlur(file, { boxes, range: range ?? undefined, mute }, running)
      : await trim(file, range ?? { from: 0, until: clip.duration ?? Infinity }, { ...running, mute });
  clip.take(copy, await original);
}
