/** What `media.spec.ts` calls in the browser: the media tools by name, and a player on the page. */
import "$lib/ui/base.css";

import { CanvasSink } from "mediabunny";
import { mount } from "svelte";

import { startTexts } from "$lib/i18n/index.svelte";
import { renderBlur } from "$lib/media/blur";
import type { Box } from "$lib/media/boxes";
import { openInput, probe } from "$lib/media/probe";
import { playableCopy, trim } from "$lib/media/trim";
import { folder, names } from "$lib/seal/opfs";

import Harness from "./PlayerHarness.svelte";

export { playableCopy, probe, renderBlur, trim };

/** The file that the spec serves under this name. */
export async function clip(name: string): Promise<File> {
  const response = await fetch(`/clips/${encodeURIComponent(name)}`);
  return new File([await response.arrayBuffer()], name);
}

/** The colour at a place (shares) of each frame, with its time. */
export async function colours(file: Blob, x: number, y: number): Promise<{ at: number; rgb: number[] }[]> {
  const input = openInput(file);
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error("no picture");
  const found: { at: number; rgb: number[] }[] = [];
  for await (const { canvas, timestamp } of new CanvasSink(track, { poolSize: 1 }).canvases()) {
    const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    const pixel = context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data;
    found.push({ at: timestamp, rgb: [...pixel.subarray(0, 3)] });
  }
  input.dispose();
  return found;
}

/** Names of the files that lie in the private file system. */
export async function kept(): Promise<string[]> {
  return names(await folder("clips"));
}

/** Shows a player of a clip, with its boxes. */
export async function show(name: string, boxes: Box[] = []): Promise<void> {
  await startTexts(["common"]);
  document.body.replaceChildren();
  mount(Harness, { target: document.body, props: { file: await clip(name), boxes } });
}
