/** Names of clips: what every system that may receive one can store as a file. The same rules as the command line's. */
import { Problem } from "../problem";

/** Longest clip name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 200;

/** Which rule a name breaks. */
export type NameFault = "Empty" | "TooLong" | "Character" | "Reserved" | "Duplicate";

// `%` too: RFC 8493 has it encoded in manifests, which widespread BagIt tools don't undo.
const FORBIDDEN = /[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF/\\:%*?"<>|\u2028\u2029\uD800-\uDFFF]/u;
const DEVICE = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])$/;
const length = (text: string) => new TextEncoder().encode(text).length;
const stem = (name: string) => (name.split(".")[0] ?? "").trimEnd().toUpperCase();

/** The rule that a name breaks; none for a good one. */
export function nameFault(name: string): NameFault | null {
  if (name === "") return "Empty";
  if (length(name) > MAX_NAME_BYTES) return "TooLong";
  if (FORBIDDEN.test(name)) return "Character";
  if (/^[~ -]/.test(name) || /[. ]$/.test(name) || DEVICE.test(stem(name))) return "Reserved";
  return null;
}

/** The first fault in a list, duplicates included, and which clip has it, counted from 1. */
export function namesFault(names: string[]): { index: number; fault: NameFault } | null {
  const seen = new Set<string>();
  for (const [at, name] of names.entries()) {
    const fault = nameFault(name) ?? (seen.has(fold(name)) ? "Duplicate" : null);
    if (fault) return { index: at + 1, fault };
    seen.add(fold(name));
  }
  return null;
}

/** @throws {@link Problem} for a list that {@link namesFault} faults. */
export function checkNames(names: string[]): void {
  const found = namesFault(names);
  if (found) throw new Problem(`common.seal.name.${found.fault.toLowerCase()}`);
}

/** How two names are compared: composed, lower case. */
export function fold(name: string): string {
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/** Turns any text into a name that {@link nameFault} accepts, keeping what it can, also the ending. */
export function sanitise(name: string): string {
  let clean = Array.from(name.normalize("NFC"), (character) => (FORBIDDEN.test(character) ? "_" : character)).join("");
  clean = clean.replace(/^[~ -]+/, "").replace(/[. ]+$/, "");
  if (length(clean) > MAX_NAME_BYTES) clean = shorten(clean);
  if (clean === "" || DEVICE.test(stem(clean))) clean = `clip_${clean}`;
  return nameFault(clean) ? "clip" : clean;
}

function shorten(name: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot >= 0 && length(name.slice(dot + 1)) <= 16 ? name.slice(dot) : "";
  let room = MAX_NAME_BYTES - length(ending);
  let kept = "";
  for (const character of name) {
    room -= length(character);
    if (room < 0) break;
    kept += character;
  }
  return kept.replace(/[. ]+$/, "") + ending;
}

/** The plain name that says nothing of the resident: `clip-01.mp4`. `number` counts from 1. */
export function plainName(number: number, original: string): string {
  const dot = original.lastIndexOf(".");
  const ending = dot >= 0 ? original.slice(dot + 1).toLowerCase() : "";
  const base = `clip-${String(number).padStart(2, "0")}`;
  return /^[a-z0-9]{1,8}$/.test(ending) ? `${base}.${ending}` : base;
}
