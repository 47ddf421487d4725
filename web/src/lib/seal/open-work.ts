/** Opening: a file → age → tar → clips, with every digest. The same code in a worker with lanes, and in Node without. */
import { Decrypter } from "age-encryption";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";

import { CLIPS, MAX_TAG } from "./bag";
import type { Hasher } from "./hasher";
import { ChunkAltered, isBlank, type Lanes } from "./lanes";
import { fold, nameFault } from "./names";
import { SourceFailed } from "./pump";
import { clipSums, judge, TAGS, type Found } from "./tagfiles";
import type { ClipSum } from "./types";

const MAX_ENTRIES = 10_000;
const DEPTH = 3;

/** Why an envelope isn't opened: a key of a text, and what exactly. */
export class OpenFault extends Error {
  constructor(
    /** Below `common.seal.open`. */
    public readonly what:
      | "key"
      | "notage"
      | "header"
      | "cut"
      | "altered"
      | "other"
      | "tar"
      | "unsafe"
      | "bag"
      | "missing"
      | "large"
      | "name",
    public readonly detail?: string,
  ) {
    super(what);
  }
}

/** Where a clip's bytes go. */
export interface ClipSink {
  write(bytes: Uint8Array): void | Promise<void>;
  close(): void | Promise<void>;
}

/** What opening works with. */
export interface OpenTools {
  hash: () => Hasher;
  /** A clip begins; its name is checked already. `index` counts from 0. */
  begin: (index: number, name: string, bytes: number) => ClipSink | Promise<ClipSink>;
  /** Bytes of the envelope read so far. */
  onRead: (bytes: number) => void;
  lanes?: { lanes: Lanes; number: number };
}

/** What is known beforehand. */
export interface OpenPlan {
  identity: string;
  bytes?: number;
  sha256?: string;
  /** Most bytes of clips. */
  limit: number;
}

/** What was opened. All of it held. */
export interface OpenedBag {
  clips: ClipSum[];
  tags: [name: string, bytes: Uint8Array][];
  info: [label: string, value: string][];
  defects: string[];
  sha256: string;
  bytes: number;
}

/** @throws {@link OpenFault} for what doesn't hold; whatever was written until then must be deleted. */
export async function openBag(
  stream: ReadableStream<Uint8Array>,
  plan: OpenPlan,
  tools: OpenTools,
): Promise<OpenedBag> {
  const whole = tools.hash();
  let bytes = 0;
  const counted = stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(part, controller) {
        bytes += part.length;
        await whole.update(part);
        tools.onRead(bytes);
        controller.enqueue(part);
      },
    }),
  );
  const cut = () => plan.bytes !== undefined && bytes < plan.bytes;
  const plain = await decrypt(counted, plan.identity);
  const { names, found } = await readBag(plainStream(plain, tools.lanes, cut), plan.limit, tools, cut);
  const sha256 = await whole.digest();
  if ((plan.sha256 !== undefined && plan.sha256 !== sha256) || (plan.bytes !== undefined && plan.bytes !== bytes))
    throw new OpenFault("other");
  const judged = judge(found);
  if (judged.errors.length > 0) throw new OpenFault("bag", judged.errors.slice(0, 5).join("; "));
  for (const name of ["request.json", "consent.json"]) if (!found.tags.has(name)) throw new OpenFault("missing", name);
  return {
    clips: clipSums(found, names),
    tags: [...found.tags],
    info: judged.info,
    defects: judged.warnings,
    sha256,
    bytes,
  };
}

async function decrypt(stream: ReadableStream<Uint8Array>, identity: string): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const head = await looksLikeAge(stream);
  try {
    return await decrypter.decrypt(head);
  } catch (error) {
    const text = error instanceof Error ? error.message : "";
    if (/no identity matched/.test(text)) throw new OpenFault("key");
    if (error instanceof SourceFailed || error instanceof DOMException) throw error;
    throw new OpenFault("header", text);
  }
}

const INTRO = "age-encryption.org/v1\n";

/** Looks at the first bytes, and gives the stream as it was. */
async function looksLikeAge(stream: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = stream.getReader();
  let head = new Uint8Array(0);
  while (head.length < INTRO.length) {
    const { done, value } = await reader.read();
    if (done) break;
    head = new Uint8Array([...head, ...value]);
  }
  if (new TextDecoder().decode(head.subarray(0, INTRO.length)) !== INTRO) throw new OpenFault("notage");
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(head),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The plaintext: as age gives it, or from the lanes in its place. */
async function* plainStream(
  stream: ReadableStream<Uint8Array>,
  lanes: OpenTools["lanes"],
  cut: () => boolean,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!isBlank(value)) yield value;
      else while (lanes && lanes.lanes.pending > DEPTH * lanes.number) yield* batch(lanes.lanes);
    }
    lanes?.lanes.flush();
    while (lanes && lanes.lanes.pending > 0) yield* batch(lanes.lanes);
  } catch (error) {
    if (error instanceof ChunkAltered || isCipherFault(error)) throw new OpenFault(cut() ? "cut" : "altered");
    throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function* batch(lanes: Lanes): AsyncGenerator<Uint8Array> {
  // The tar reader keeps what it gets until it is used, so each chunk is a copy.
  const chunks: Uint8Array[] = [];
  await lanes.take((bytes) => void chunks.push(bytes.slice()));
  yield* chunks;
}

/** What noble and age throw when a chunk doesn't verify. */
function isCipherFault(error: unknown): boolean {
  return error instanceof Error && /invalid (?:tag|ciphertext)|final chunk|too small|length/i.test(error.message);
}

async function readBag(
  plain: AsyncGenerator<Uint8Array>,
  limit: number,
  tools: OpenTools,
  cut: () => boolean,
): Promise<{ names: string[]; found: Found }> {
  const decoder = createTarDecoder({ strict: true });
  // The archive's own reader fails with it, and its first error counts.
  const feeding = feed(plain, decoder.writable);
  feeding.catch(() => undefined);
  const reading = new BagReader(limit, tools);
  const entries = decoder.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await entries.read();
      if (done) break;
      await reading.entry(value);
    }
  } catch (error) {
    await entries.cancel().catch(() => undefined);
    // What the layers below say comes first: a file that was cut short is no malformed archive.
    const below = await feeding.catch((cause: unknown) => cause);
    for (const one of [error, below]) if (one instanceof OpenFault || isSinkFault(one)) throw one;
    throw new OpenFault(cut() ? "cut" : "tar", error instanceof Error ? error.message : undefined);
  }
  await feeding;
  return { names: reading.names, found: reading.found };
}

/** A failure of the device or the connection, not of the envelope. */
function isSinkFault(error: unknown): boolean {
  return error instanceof DOMException || error instanceof SourceFailed;
}

async function feed(plain: AsyncGenerator<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const bytes of plain) await writer.write(bytes);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

/** Takes the entries of a bag as they pass. */
class BagReader {
  readonly names: string[] = [];
  readonly found: Found = { files: new Map(), tags: new Map() };
  private readonly folded = new Set<string>();
  private base: string | null = null;
  private entries = 0;
  private payload = 0;

  constructor(
    private readonly limit: number,
    private readonly tools: OpenTools,
  ) {}

  async entry({ header, body }: ParsedTarEntry): Promise<void> {
    this.entries += 1;
    if (this.entries > MAX_ENTRIES) throw new OpenFault("large");
    const directory = header.type === "directory";
    if (!directory && header.type !== "file") throw new OpenFault("unsafe", "link");
    const path = this.inside(safePath(header.name, directory), directory);
    if (path === null || directory) return body.cancel();
    if (this.found.files.has(path)) throw new OpenFault("unsafe", "duplicate");
    const hasher = this.tools.hash();
    if (path.startsWith("data/")) await this.clip(path, header.size, body, hasher);
    else await this.tag(path, header.size, body, hasher);
    this.found.files.set(path, { bytes: header.size, sha256: await hasher.digest() });
  }

  private async clip(path: string, size: number, body: ReadableStream<Uint8Array>, hasher: Hasher): Promise<void> {
    const name = path.startsWith(CLIPS) ? path.slice(CLIPS.length) : "";
    if (name === "") throw new OpenFault("bag", `${path}: clips stand in ${CLIPS} alone`);
    const fault = nameFault(name) ?? (this.folded.has(fold(name)) ? "Duplicate" : null);
    if (fault) throw new OpenFault("name", fault);
    this.folded.add(fold(name));
    this.payload += size;
    if (this.payload > this.limit) throw new OpenFault("large");
    const sink = await this.tools.begin(this.names.length, name, size);
    this.names.push(name);
    try {
      await each(body, async (bytes) => {
        await hasher.update(bytes);
        await sink.write(bytes);
      });
    } finally {
      await sink.close();
    }
  }

  private async tag(path: string, size: number, body: ReadableStream<Uint8Array>, hasher: Hasher): Promise<void> {
    if (size > MAX_TAG) throw new OpenFault("large");
    const kept = new Uint8Array(size);
    let at = 0;
    await each(body, async (bytes) => {
      kept.set(bytes, at);
      at += bytes.length;
      await hasher.update(bytes);
    });
    if (TAGS.includes(path)) this.found.tags.set(path, kept);
  }

  /** The path below the bag's base; none for the base itself. The first entry decides whether there is one. */
  private inside(path: string, directory: boolean): string | null {
    if (directory && path === "") return null;
    const slash = path.indexOf("/");
    const first = slash < 0 ? path : path.slice(0, slash);
    this.base ??= (slash >= 0 || directory) && first !== "data" ? `${first}/` : "";
    if (directory && `${path}/` === this.base) return null;
    if (!path.startsWith(this.base)) throw new OpenFault("unsafe", "outside");
    return path.slice(this.base.length);
  }
}

async function each(body: ReadableStream<Uint8Array>, use: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    await use(value);
  }
}

/** The path without `./` and a folder's last `/`. Windows rules hold everywhere, since bags travel. */
function safePath(name: string, directory: boolean): string {
  const path = name.replace(/^\.\//, "");
  const plain = directory ? path.replace(/\/+$/, "") : path;
  if (directory && (plain === "" || plain === ".")) return "";
  const parts = plain.split(/[/\\]/);
  const bad =
    plain === "" ||
    plain.length > 4096 ||
    plain.includes("\0") ||
    /^[/\\~]/.test(plain) ||
    /^[a-zA-Z]:/.test(plain) ||
    parts.includes("..") ||
    /^%.+%$/.test(parts[0] ?? "") ||
    plain.endsWith("/");
  if (bad) throw new OpenFault("unsafe", "path");
  return plain;
}
