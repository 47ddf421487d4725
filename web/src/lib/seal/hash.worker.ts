/** Hashes streams of bytes, one after another or side by side. */
import { createSHA256, type IHasher } from "hash-wasm";

import type { HashAnswer, HashWord } from "./hasher";

const hashers = new Map<number, Promise<IHasher>>();
const say = (answer: HashAnswer, transfer: Transferable[] = []) => self.postMessage(answer, { transfer });

// One after another: the WebAssembly of a first hasher may still be compiling when its bytes come.
let queue = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<HashWord>) => {
  queue = queue.then(() => work(data));
};

/** Bytes read of a file in one go. */
const PIECE = 4 * 1024 * 1024;

async function work({ stream, bytes, file }: HashWord): Promise<void> {
  if (file) return whole(stream, file);
  const found = hashers.get(stream) ?? createSHA256().then((made) => made.init());
  hashers.set(stream, found);
  const hasher = await found;
  if (bytes) {
    hasher.update(new Uint8Array(bytes));
    say({ stream, taken: bytes }, [bytes]);
  } else {
    hashers.delete(stream);
    say({ stream, digest: hasher.digest("hex") });
  }
}

async function whole(stream: number, file: Blob): Promise<void> {
  const hasher = (await createSHA256()).init();
  try {
    for (let at = 0; at < file.size; at += PIECE)
      hasher.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    say({ stream, digest: hasher.digest("hex") });
  } catch {
    say({ stream, failed: true });
  }
}
