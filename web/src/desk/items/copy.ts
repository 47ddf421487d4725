/** Making a copy of an item: sealed here as the original was, sent, and said to be a copy. */
import { api } from "$lib/api/client";
import { Problem } from "$lib/problem";
import { sealItem } from "$lib/seal/seal";
import { removeSealed } from "$lib/seal/store";
import type { Progress } from "$lib/seal/types";
import { uploadItem } from "$lib/seal/upload";

import { call, type Item, type ItemAlteration } from "../evidence/call";
import type { Opened } from "../evidence/opened.svelte";
import { stayAwake } from "../session/session.svelte";

/** What a copy is. */
export interface NewCopy {
  file: Blob;
  name: string;
  kind: ItemAlteration["kind"];
  /** What was altered and why, 3 to 500 characters. */
  note: string;
  /** Program and version. */
  tool: string;
}

/** The program that makes redacted copies here, as it stands on record. */
export const TOOL = "canvass web, mediabunny, WebCodecs";

/**
 * Seals a copy with the papers of the opened original and hands it in.
 * @throws Problem when the server refuses it; nothing is left here.
 */
export async function handInCopy(
  opened: Opened,
  item: Item,
  copy: NewCopy,
  onProgress: (now: Progress) => void,
): Promise<Item> {
  const done = stayAwake();
  let sealedName: string | undefined;
  try {
    const path = { destination: item.destination };
    const { data: key } = await api.GET("/api/v1/keys/{destination}", { params: { path } });
    if (!key) throw new Problem("common.problem.unknown");
    const clip = { name: copy.name, bytes: copy.file.size, sha256: "", file: copy.file as File };
    const plan = { opened: opened.envelope, clip, number: item.clip, offer: item.offer, recipient: key.recipient };
    const sealed = await sealItem(plan, { onProgress });
    sealedName = sealed.name;
    const sum = sealed.clips[0];
    if (!sum) throw new Problem("common.problem.unknown");
    const upload = await uploadItem(sealed, { onProgress });
    const { kind, name } = copy;
    const body = {
      upload,
      kind,
      name,
      note: copy.note.trim(),
      tool: copy.tool.trim(),
      sha256: sum.sha256,
      bytes: sum.bytes,
    };
    return await call<Item>("POST", `/items/${item.id}/copies`, { body });
  } finally {
    done();
    if (sealedName) await removeSealed(sealedName);
  }
}
