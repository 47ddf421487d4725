/**
 * Several cipher workers side by side. Chunks of age's STREAM are independent of each other: they are gathered in batches,
 * worked on wherever a lane is free, and come back in order. Buffers go back and forth and are used again.
 */
import type { Engine } from "./cipher";

const TAG = 16;
const NONCE = 12;
/** Bytes between two chunks of a batch: age's 64 KiB and a tag. */
export const STRIDE = 64 * 1024 + TAG;
/** Chunks of one batch. */
export const BATCH = 16;

/** A batch on its way. */
export interface Batch {
  id: number;
  decrypt: boolean;
  key: Uint8Array;
  nonces: Uint8Array<ArrayBuffer>;
  /** Bytes of each chunk, before the work and after. */
  lengths: number[];
  /** Chunk n starts at n × {@link STRIDE}. */
  buffer: ArrayBuffer;
}

/** A batch that is done, or the number of the chunk that didn't verify. */
export type BatchDone = { id: number; batch: Batch } | { id: number; altered: number };

/** Stands where the result will be: only its length counts. */
const BLANK = new Uint8Array(STRIDE);

/** Is this a stand-in for a chunk that the lanes work on? */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.buffer === BLANK.buffer;
}

/** A chunk doesn't verify: it was altered, or is the last of a file that was cut short. */
export class ChunkAltered extends Error {
  constructor(
    /** Which chunk, from 0. */
    public readonly chunk: number,
  ) {
    super("a chunk does not verify");
  }
}

interface Waiting {
  resolve: (batch: Batch) => void;
  reject: (error: Error) => void;
}

/** The engine of {@link import("./cipher").useEngine}, and the results in order. */
export class Lanes implements Engine {
  private current: Batch | null = null;
  private readonly order: Promise<Batch>[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private readonly spare: ArrayBuffer[] = [];
  private readonly loads: number[];
  private sent = 0;

  constructor(private readonly workers: Worker[]) {
    this.loads = workers.map(() => 0);
    workers.forEach((worker, lane) => {
      worker.onmessage = ({ data }: MessageEvent<BatchDone>) => this.back(lane, data);
      worker.onerror = (event) => this.fail(new Error(event.message || "a cipher worker stopped"));
    });
  }

  encrypt(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): Uint8Array {
    this.put(false, key, nonce, chunk);
    return BLANK.subarray(0, chunk.length + TAG);
  }

  decrypt(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): Uint8Array {
    if (chunk.length < TAG) throw new ChunkAltered(0);
    this.put(true, key, nonce, chunk);
    return BLANK.subarray(0, chunk.length - TAG);
  }

  /** How many batches are on their way. */
  get pending(): number {
    return this.order.length;
  }

  /** Sends what is gathered although the batch is not full. */
  flush(): void {
    const batch = this.current;
    if (!batch) return;
    this.current = null;
    const lane = this.loads.indexOf(Math.min(...this.loads));
    this.loads[lane] = (this.loads[lane] ?? 0) + 1;
    const done = new Promise<Batch>((resolve, reject) => this.waiting.set(batch.id, { resolve, reject }));
    // It may fail before anyone asks for it.
    done.catch(() => undefined);
    this.order.push(done);
    this.workers[lane]?.postMessage(batch, [batch.buffer]);
  }

  /** The chunks of the oldest batch, to be used before the next call: `use` gets each. */
  async take(use: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>): Promise<void> {
    const batch = await this.order.shift();
    if (!batch) return;
    for (const [at, length] of batch.lengths.entries()) await use(new Uint8Array(batch.buffer, at * STRIDE, length));
    this.spare.push(batch.buffer);
  }

  /** Like {@link take}, with all full chunks of the batch in one piece where they lie beside each other. */
  async takeWhole(use: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<void> {
    const batch = await this.order.shift();
    if (!batch) return;
    const last = batch.lengths.length - 1;
    // Encrypted chunks fill their stride; only the file's last one is shorter.
    use(new Uint8Array(batch.buffer, 0, last * STRIDE + (batch.lengths[last] ?? 0)));
    this.spare.push(batch.buffer);
  }

  private put(decrypt: boolean, key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): void {
    this.current ??= {
      id: this.sent++,
      decrypt,
      key: key.slice(),
      nonces: new Uint8Array(BATCH * NONCE),
      lengths: [],
      buffer: this.spare.pop() ?? new ArrayBuffer(BATCH * STRIDE),
    };
    const { lengths, nonces, buffer } = this.current;
    nonces.set(nonce, lengths.length * NONCE);
    new Uint8Array(buffer).set(chunk, lengths.length * STRIDE);
    lengths.push(chunk.length);
    if (lengths.length === BATCH) this.flush();
  }

  private back(lane: number, done: BatchDone): void {
    this.loads[lane] = (this.loads[lane] ?? 1) - 1;
    const waiting = this.waiting.get(done.id);
    this.waiting.delete(done.id);
    if ("batch" in done) waiting?.resolve(done.batch);
    else waiting?.reject(new ChunkAltered(done.id * BATCH + done.altered));
  }

  private fail(error: Error): void {
    for (const one of this.waiting.values()) one.reject(error);
    this.waiting.clear();
  }
}
