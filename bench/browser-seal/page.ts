// The page that the measurement drives: what Give and the desk import, and nothing else.
import { useToken } from "../../web/src/lib/api/client";
import * as age from "../../web/src/lib/seal/age";
import { hashFile } from "../../web/src/lib/seal/hasher";
import * as files from "../../web/src/lib/seal/files";
import * as keys from "../../web/src/lib/seal/keys";
import * as offer from "../../web/src/lib/seal/offer";
import * as open from "../../web/src/lib/seal/open";
import * as seal from "../../web/src/lib/seal/seal";
import * as sodium from "../../web/src/lib/seal/sodium";
import * as status from "../../web/src/lib/seal/status";
import * as store from "../../web/src/lib/seal/store";
import * as upload from "../../web/src/lib/seal/upload";
import { startTrustedTypes } from "../../web/src/lib/trusted";

startTrustedTypes();

/** MB/s of each stage of sealing by itself, one thread each: what the sum is made of. */
async function stages(file: File): Promise<Record<string, number>> {
  const rate = (bytes: number, start: number) => bytes / 1000 / (performance.now() - start);
  const piece = 4 * 1024 * 1024;
  let start = performance.now();
  for (let at = 0; at < file.size; at += piece) await file.slice(at, at + piece).arrayBuffer();
  const read = rate(file.size, start);
  start = performance.now();
  await hashFile(file);
  const hashed = rate(file.size, start);
  await sodium.ready;
  const [key, nonce, chunk] = [32, 12, 64 * 1024].map((length) => new Uint8Array(length));
  const bytes = 256 * 1024 * 1024;
  start = performance.now();
  for (let done = 0; done < bytes; done += chunk.length) sodium.aead.encrypt(key, nonce, chunk);
  const sealed = rate(bytes, start);
  const worker = new Worker(new URL("./write.worker.ts", import.meta.url), { type: "module" });
  const took = await new Promise<number>((done) => {
    worker.onmessage = ({ data }: MessageEvent<number>) => done(data);
    worker.postMessage(bytes);
  });
  worker.terminate();
  return { read, "read and SHA-256": hashed, "ChaCha20-Poly1305": sealed, write: bytes / 1000 / took };
}

Object.assign(globalThis, { stages, seal: { useToken, ...age, ...files, ...keys, ...offer, ...open, ...seal, ...status, ...store, ...upload } });
