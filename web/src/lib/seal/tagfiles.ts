/** Reading BagIt's text files (RFC 8493) of an opened envelope, and judging what they say against what was there. */
import type { ClipSum } from "./types";

/** What was found in a bag, path by path, below its base. */
export interface Found {
  /** Size and SHA-256 of every file. */
  files: Map<string, { bytes: number; sha256: string }>;
  /** The tag files. */
  tags: Map<string, Uint8Array>;
}

/** A judgement. */
export interface Judgement {
  /** Why the bag isn't sound: `file: what`. */
  errors: string[];
  /** Remarks. */
  warnings: string[];
  info: [label: string, value: string][];
}

/** The tag files of an envelope; it has no others. */
export const TAGS = [
  "bagit.txt",
  "bag-info.txt",
  "manifest-sha256.txt",
  "tagmanifest-sha256.txt",
  "request.json",
  "consent.json",
  "contact.json",
  "mailbox.txt",
];
const MUST = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];

/** Judges a bag as an envelope: version 1.0, SHA-256 manifests, nothing to fetch, no file that no manifest covers. */
export function judge(found: Found): Judgement {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const name of MUST) if (!found.tags.has(name)) errors.push(`${name}: it is missing`);
  const text = (name: string) => readText(found.tags.get(name), name, errors);
  checkDeclaration(text("bagit.txt"), errors);
  const payload = readManifest("manifest-sha256.txt", text("manifest-sha256.txt"), errors);
  const tagged = readManifest("tagmanifest-sha256.txt", text("tagmanifest-sha256.txt"), errors);
  checkListed("manifest-sha256.txt", payload, found, (path) => path.startsWith("data/"), errors);
  checkListed("tagmanifest-sha256.txt", tagged, found, (path) => !path.startsWith("data/"), errors);
  for (const path of found.files.keys()) {
    const listed = path.startsWith("data/") ? payload.has(path) : tagged.has(path) || path === "tagmanifest-sha256.txt";
    if (!path.startsWith("data/") && !TAGS.includes(path)) errors.push(`${path}: an envelope has no such file`);
    else if (!listed) errors.push(`${path}: no manifest lists it`);
  }
  const info = readInfo(text("bag-info.txt"), errors);
  checkOxum(info, found, errors, warnings);
  return { errors, warnings, info };
}

/** The clips in the order of the envelope. */
export function clipSums(found: Found, names: string[]): ClipSum[] {
  return names.map((name) => {
    const file = found.files.get(`data/clips/${name}`);
    return { name, bytes: file?.bytes ?? 0, sha256: file?.sha256 ?? "" };
  });
}

function readText(bytes: Uint8Array | undefined, name: string, errors: string[]): string {
  if (!bytes) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    errors.push(`${name}: it isn't UTF-8`);
    return "";
  }
}

/** Lines ending in LF, CR or CRLF (section 2.1.3), blank ones left out. */
function lines(text: string): string[] {
  return text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
}

function checkDeclaration(text: string, errors: string[]): void {
  const [first, second, ...more] = lines(text);
  const good = first === "BagIt-Version: 1.0" && more.length === 0;
  const encoding = /^Tag-File-Character-Encoding: (\S+)$/.exec(second ?? "");
  if (!good || !encoding) errors.push("bagit.txt: it isn't the declaration of a bag of version 1.0");
  else if (!/^utf-?8$/i.test(encoding[1] ?? "")) errors.push("bagit.txt: only UTF-8 is read");
}

/** `%0A`, `%0D` and `%25` are decoded (section 2.1.3), nothing else. */
function decodePath(path: string): string {
  return path.replaceAll(/%(0A|0D|25)/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

function readManifest(name: string, text: string, errors: string[]): Map<string, string> {
  const listed = new Map<string, string>();
  for (const line of lines(text)) {
    const parts = /^([0-9a-fA-F]{64})[ \t]+\*?(?:\.\/)?(.+)$/.exec(line);
    const path = parts && decodePath(parts[2] ?? "");
    if (!parts || !path) {
      errors.push(`${name}: a line isn't a digest and a path`);
      continue;
    }
    if (listed.has(path)) errors.push(`${name}: ${path} stands twice`);
    listed.set(path, (parts[1] ?? "").toLowerCase());
  }
  return listed;
}

function checkListed(
  name: string,
  listed: Map<string, string>,
  found: Found,
  belongs: (path: string) => boolean,
  errors: string[],
): void {
  for (const [path, digest] of listed) {
    const file = found.files.get(path);
    if (!belongs(path)) errors.push(`${name}: ${path} doesn't belong in it`);
    else if (!file) errors.push(`${path}: it is listed and not there`);
    else if (file.sha256 !== digest) errors.push(`${path}: its SHA-256 is not the one in ${name}`);
  }
}

function readInfo(text: string, errors: string[]): [string, string][] {
  const rows: [string, string][] = [];
  for (const line of lines(text)) {
    const last = rows.at(-1);
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line) && last) last[1] += ` ${line.trim()}`;
    else if (colon > 0 && !/^[ \t]/.test(line)) rows.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
    else errors.push("bag-info.txt: a line has no label");
  }
  return rows;
}

function checkOxum(info: [string, string][], found: Found, errors: string[], warnings: string[]): void {
  const told = info.filter(([label]) => label.toLowerCase() === "payload-oxum");
  if (told.length > 1) errors.push("bag-info.txt: Payload-Oxum stands more than once");
  const [only] = told;
  if (!only) return void warnings.push("bag-info.txt: there is no Payload-Oxum");
  const files = [...found.files].filter(([path]) => path.startsWith("data/"));
  const octets = files.reduce((sum, [, file]) => sum + file.bytes, 0);
  if (only[1] !== `${octets}.${files.length}`) errors.push("bag-info.txt: Payload-Oxum is not what was found");
}
