/** A Canvass of tests: ledgers signed here, served to the readers in place of the network. Only tests import it. */
import { ed25519 } from "@noble/curves/ed25519.js";

import { concat, sha256, toBase64, toHex, utf8 } from "./bytes";
import { canonical, digestOf } from "./jcs";
import { Frontier, type Hash, leafHash, perfect } from "./merkle";
import { FULL } from "./tiles";
import type { Log } from "./types";

const seed = (byte: number) => new Uint8Array(32).fill(byte);

function vkey(name: string, type: number, secret: Uint8Array): string {
  const key = ed25519.getPublicKey(secret);
  return `${name}+${keyId(name, type, key)}+${toBase64(concat(new Uint8Array([type]), key))}`;
}

function keyId(name: string, type: number, key: Uint8Array): string {
  return toHex(sha256(concat(utf8(`${name}\n`), new Uint8Array([type]), key)).subarray(0, 4));
}

function line(name: string, type: number, secret: Uint8Array, signature: Uint8Array): string {
  const id = Uint8Array.from(keyId(name, type, ed25519.getPublicKey(secret)).match(/../g) ?? [], (digits) =>
    parseInt(digits, 16),
  );
  return `\u2014 ${name} ${toBase64(concat(id, signature))}\n`;
}

const secrets: Record<Log, Uint8Array> = { requests: seed(1), oversight: seed(2) };
const PSEUDONYM = `psn_${"a".repeat(26)}`;
const WITNESS = "witness.example/one";

/** Files by path, as the public role serves them. */
export class World {
  files = new Map<string, Uint8Array>();
  entries: Record<Log, string[]> = { requests: [], oversight: [] };

  constructor(private quorum = 0) {
    const log = (name: Log) => ({
      origin: `test.example/${name}`,
      vkey: vkey(`test.example/${name}`, 1, secrets[name]),
    });
    const receipts = vkey("test.example/receipts", 1, seed(3));
    this.put("/ledger/keys.json", {
      v: 1,
      name: "test",
      public_url: "https://test.example",
      logs: { requests: log("requests"), oversight: log("oversight") },
      receipts: { id: "test.example/receipts", public: toBase64(ed25519.getPublicKey(seed(3))), vkey: receipts },
      witnesses: [vkey(WITNESS, 4, seed(4))],
      quorum,
    });
  }

  put(path: string, value: unknown): void {
    this.files.set(path, utf8(canonical(value)));
  }

  /** Adds an entry; {@link publish} serves it. */
  add(log: Log, leaf: unknown): void {
    this.entries[log].push(canonical(leaf));
  }

  /** Adds entries of the oversight ledger. */
  fill(count: number): void {
    for (let at = 0; at < count; at += 1) {
      const month = String(1 + (at % 12)).padStart(2, "0");
      this.add("oversight", {
        ...(at % 3 === 0 ? { type: "offer.open", actor: PSEUDONYM, purpose: "triage" } : { type: "offer.received" }),
        ...(at % 5 === 0 ? {} : { agency: "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa" }),
        subject: `off_${String(at)}`,
        hour: `2026-${month}-24T06Z`,
        commitment: digestOf(at),
      });
    }
  }

  /** Writes tiles, entries and a signed checkpoint. */
  publish(log: Log): void {
    const entries = this.entries[log].map((entry) => utf8(entry));
    let hashes = entries.map(leafHash);
    const tree = new Frontier();
    hashes.forEach((hash) => tree.push(hash));
    for (let at = 0; at * FULL < entries.length; at += 1) {
      const some = entries.slice(at * FULL, (at + 1) * FULL);
      const bytes = some.map((entry) => concat(new Uint8Array([entry.length >> 8, entry.length & 255]), entry));
      this.files.set(this.path(log, "entries", at, some.length), concat(...bytes));
    }
    for (let level = 0; hashes.length > 0; level += 1) {
      const above: Hash[] = [];
      for (let at = 0; at * FULL < hashes.length; at += 1) {
        const tile = hashes.slice(at * FULL, (at + 1) * FULL);
        this.files.set(this.path(log, level, at, tile.length), concat(...tile));
        if (tile.length === FULL) above.push(perfect(tile));
      }
      hashes = above;
    }
    this.sign(log, entries.length, tree.root());
  }

  /** Serves a checkpoint of any size and root, signed by the log and the witness. */
  sign(log: Log, size: number, root: Hash): void {
    const text = `test.example/${log}\n${size}\n${toBase64(root)}\n`;
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, 1_790_000_000n);
    const cosigned = ed25519.sign(utf8(`cosignature/v1\ntime 1790000000\n${text}`), seed(4));
    const signatures = [
      line(`test.example/${log}`, 1, secrets[log], ed25519.sign(utf8(text), secrets[log])),
      ...(this.quorum > 0 ? [line(WITNESS, 4, seed(4), concat(time, cosigned))] : []),
    ];
    this.files.set(`/ledger/${log}/checkpoint`, utf8(`${text}\n${signatures.join("")}`));
  }

  path(log: Log, level: number | "entries", at: number, width: number): string {
    const index =
      at < 1000
        ? String(at).padStart(3, "0")
        : `x${String(Math.floor(at / 1000)).padStart(3, "0")}/${String(at % 1000).padStart(3, "0")}`;
    return `/ledger/${log}/tile/${level}/${index}${width < FULL ? `.p/${width}` : ""}`;
  }

  /** Answers requests of the readers. */
  fetch = async (path: string): Promise<Response> => {
    const bytes = this.files.get(path);
    return bytes ? new Response(bytes as BufferSource) : new Response(null, { status: 404 });
  };
}
