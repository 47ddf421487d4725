/** One lane: encrypts or decrypts batches of age chunks in place with libsodium. */
import { workOn } from "./lane-work";
import type { Batch } from "./lanes";
import { aead, ready } from "./sodium";

let queue = ready;
self.onmessage = ({ data }: MessageEvent<Batch>) => {
  queue = queue.then(() => {
    const done = workOn(data, aead);
    self.postMessage(done, { transfer: [data.buffer] });
  });
};
