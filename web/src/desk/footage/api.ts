/** Calls of footage search. Every search goes with a purpose, and leaves an entry with each owner first. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { authorization, problemOf, type Schemas } from "$lib/api/client";
import { type Moment, search, type Understood } from "$lib/footage/search";
import { parseSightings } from "$lib/footage/sighting";
import { Problem } from "$lib/problem";
import type { Purpose } from "$lib/purpose";
import { openBytes } from "$lib/seal/age";

import { address, call } from "../evidence/call";
import { destinationKey } from "../evidence/opened.svelte";

export type SearchFootage = Schemas["SearchFootage"];
export type FootageFound = Schemas["FootageFound"];
export type FootageMoment = Schemas["FootageMoment"];
export type SealedEvidence = Schemas["SealedEvidence"];
export type FootageRule = Schemas["FootageRule"];

/** Most bytes of the sealed sightings of one item. */
const MAX_SEALED = 1024 * 1024;

export const searchFootage = (wish: SearchFootage, purpose: Purpose): Promise<FootageFound> =>
  call("POST", "/footage/searches", { body: wish, purpose });

/** What may not be searched for. */
export const footageRules = (): Promise<{ rules: FootageRule[] }> => call("GET", "/footage/rules");

/** A moment of an item of the case. */
export interface EvidenceMoment extends Moment {
  item: string;
  /** The item's file name. */
  name: string;
}

/** What became of the sealed sightings of the items. */
export interface Opened {
  moments: EvidenceMoment[];
  /** Items that could not be looked through, each with why. */
  failed: { item: string; name: string; problem: unknown }[];
}

async function sealedBytes(sealed: SealedEvidence): Promise<Uint8Array> {
  const response = await fetch(address(sealed.path), { headers: authorization(), cache: "no-store" });
  if (!response.ok) throw await problemOf(response);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > MAX_SEALED || bytesToHex(sha256(bytes)) !== sealed.sha256)
    throw new Problem("moments.evidence.altered");
  return bytes;
}

/**
 * Opens the sealed sightings with the member's key, here in this page, and holds them against the description. Null when the
 * member loads no key.
 */
export async function searchEvidence(
  evidence: readonly SealedEvidence[],
  understood: Understood,
  least: number,
): Promise<Opened | null> {
  const keys = new Map<string, string>();
  const opened: Opened = { moments: [], failed: [] };
  for (const sealed of evidence) {
    const { item, name, destination } = sealed;
    try {
      let key = keys.get(destination);
      if (!key) {
        const found = await destinationKey(destination);
        if (!found) return null;
        key = found.secret;
        keys.set(destination, key);
      }
      const text = await openBytes(await sealedBytes(sealed), key);
      const sightings = parseSightings(text);
      if (!sightings) throw new Problem("moments.evidence.form");
      opened.moments.push(...search(understood, sightings, least).map((moment) => ({ ...moment, item, name })));
    } catch (problem) {
      opened.failed.push({ item, name, problem });
    }
  }
  opened.moments.sort((a, b) => b.score - a.score);
  return opened;
}
