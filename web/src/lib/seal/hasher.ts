/** SHA-256 over a stream of bytes, here or in a worker of its own. */

/** A hash that is being computed. */
export interface Hasher {
  /** Adds bytes; they are copied where needed. A promise asks the caller to wait before the next. */
  update(bytes: Uint8Array): void | Promise<void>;
  /** The digest in hexadecimal; the hasher can't be used afterwards. */
  digest(): Promise<string>;
}

/** A word to the hash worker: bytes of one stream, a whole file, or the end. */
export interface HashWord {
  stream: number;
  bytes?: ArrayBuffer;
  file?: Blob;
}

/** Its answer: bytes that were taken, or a digest. */
export interface HashAnswer {
  stream: number;
  taken?: ArrayBuffer;
  digest?: string;
  /** The file can't be read. */
  failed?: boolean;
}

/** Bytes of one message: small updates are gathered. */
const PIECE = 1024 * 1024;
/** Messages on their way at once. */
const DEPTH = 6;

/** Hashers that share one worker; each has its own stream of messages. */
export class HashLane {
  private streams = 0;
  private readonly ends = new Map<number, (digest: string) => void>();
  private readonly spare: ArrayBuffer[] = [];
  private under = 0;
  private freed: (() => void) | null = null;
  private broken: ((error: Error) => void) | null = null;
  private readonly breaks = new Promise<never>((_, reject) => (this.broken = reject));

  constructor(private readonly worker: Worker) {
    this.breaks.catch(() => undefined);
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      if (data.digest !== undefined) this.ends.get(data.stream)?.(data.digest);
      if (!data.taken) return;
      this.spare.push(data.taken);
      this.under -= 1;
      this.freed?.();
      this.freed = null;
    };
    worker.onerror = (event) => this.broken?.(new Error(event.message || "the hash worker stopped"));
  }

  /** Begins a hash. */
  open(): Hasher {
    const stream = this.streams++;
    let piece = this.piece();
    let filled = 0;
    const send = (bytes: ArrayBuffer, length: number) => {
      this.under += 1;
      // A last, shorter piece is cut to its length.
      const whole = length === bytes.byteLength ? bytes : bytes.slice(0, length);
      this.worker.postMessage({ stream, bytes: whole } satisfies HashWord, [whole]);
    };
    const update = async (bytes: Uint8Array): Promise<void> => {
      for (let at = 0; at < bytes.length;) {
        const n = Math.min(bytes.length - at, PIECE - filled);
        new Uint8Array(piece).set(bytes.subarray(at, at + n), filled);
        at += n;
        filled += n;
        if (filled < PIECE) break;
        send(piece, filled);
        while (this.under >= DEPTH) await Promise.race([new Promise<void>((go) => (this.freed = go)), this.breaks]);
        piece = this.piece();
        filled = 0;
      }
    };
    const digest = () => {
      if (filled > 0) send(piece, filled);
      const end = new Promise<string>((resolve) => this.ends.set(stream, resolve));
      this.worker.postMessage({ stream } satisfies HashWord);
      return Promise.race([end, this.breaks]);
    };
    return { update, digest };
  }

  private piece(): ArrayBuffer {
    for (let found = this.spare.pop(); found; found = this.spare.pop()) if (found.byteLength === PIECE) return found;
    return new ArrayBuffer(PIECE);
  }
}

/**
 * SHA-256 of a file in hexadecimal, read and computed in a worker with flat memory.
 * @throws a NotReadableError when the file can't be read, or the signal's reason.
 */
export function hashFile(file: Blob, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const worker = new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" });
    const settle = (finish: () => void) => {
      signal?.removeEventListener("abort", stop);
      worker.terminate();
      finish();
    };
    const stop = () => settle(() => reject(signal?.reason as Error));
    signal?.addEventListener("abort", stop, { once: true });
    const unreadable = () => new DOMException("a file can't be read any more", "NotReadableError");
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) =>
      settle(() => (data.digest === undefined ? reject(unreadable()) : resolve(data.digest)));
    worker.onerror = (event) => settle(() => reject(new Error(event.message || "the hash worker stopped")));
    worker.postMessage({ stream: 0, file } satisfies HashWord);
  });
}
