/** Marks of searches: finding those of a plate among a day's; `crates/blind/src/mark.rs` is the other half. */
import { gcm } from "@noble/ciphers/aes.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64urlnopad } from "@scure/base";

import { FormatError } from "../format/bytes";

const TAG = 16;
const DETAIL = 128;
const MARK = TAG + DETAIL + 16;
/** Marks that a plate may have on one day; all of these numbers are tried, whatever is found. */
const COUNTERS = 64;
const CAMERAS = ["1", "2-10", "11-100", "101-1000", "1001+"] as const;

/** What the owner of a plate learns of a search that named it. */
export interface Detail {
  agency: string;
  purpose: string;
  cameras: (typeof CAMERAS)[number];
}

/** A day's file. */
export interface DayFile {
  v: 1;
  day: string;
  epoch: string;
  marks: string[];
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** The quarter of a day, `2026-Q4`. */
export function epochOf(day: string): string {
  return `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`;
}

/** Reads a day's file into its marks by tag; throws {@link FormatError}. */
export function readDay(value: unknown, day: string): Map<string, Uint8Array> {
  const file = value as DayFile | null;
  const wrong = () => new FormatError("form", `the file of ${day} is not of the expected form`);
  if (file?.v !== 1 || file.day !== day || file.epoch !== epochOf(day) || !Array.isArray(file.marks)) throw wrong();
  const marks = new Map<string, Uint8Array>();
  for (const text of file.marks) {
    let bytes: Uint8Array;
    try {
      bytes = base64urlnopad.decode(text);
    } catch {
      throw wrong();
    }
    if (bytes.length !== MARK) throw wrong();
    marks.set(base64urlnopad.encode(bytes.slice(0, TAG)), bytes);
  }
  return marks;
}

function readDetail(bytes: Uint8Array): Detail | null {
  try {
    const detail = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Detail;
    const whole = typeof detail.agency === "string" && typeof detail.purpose === "string";
    return whole && CAMERAS.includes(detail.cameras) ? detail : null;
  } catch {
    return null;
  }
}

/** The output of a plate in one quarter, made ready for finding. */
export class Finder {
  private readonly key: Uint8Array;

  constructor(output: Uint8Array) {
    this.key = extract(sha256, output);
  }

  private derive(day: string, counter: number, length: number): Uint8Array {
    return expand(sha256, this.key, utf8(`canvass/asked/v1|${day}|${counter}`), length);
  }

  /** The tag of the search with this number. */
  tag(day: string, counter: number): string {
    return base64urlnopad.encode(this.derive(day, counter, TAG));
  }

  /** What a day's marks hold for the plate. A mark that does not open counts for nothing. */
  find(day: string, marks: Map<string, Uint8Array>): Detail[] {
    const found: Detail[] = [];
    for (let counter = 0; counter < COUNTERS; counter += 1) {
      const mark = marks.get(this.tag(day, counter));
      if (!mark) continue;
      const key = this.derive(day, counter, TAG + 32).slice(TAG);
      try {
        const aad = utf8(`canvass/asked/v1|${day}|${counter}`);
        const detail = readDetail(gcm(key, new Uint8Array(12), aad).decrypt(mark.slice(TAG)));
        if (detail) found.push(detail);
      } catch {
        continue;
      }
    }
    return found;
  }
}
