import { bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { chacha20poly1305 as noble } from "@noble/ciphers/chacha.js";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { useEngine } from "./cipher";
import { STRIDE } from "./lanes";
import { newIdentity } from "./keys";
import { aead, ready } from "./sodium";
import { lanes, noise, opened, sealed } from "./testing";

const utf8 = (text: string) => new TextEncoder().encode(text);
const key = newIdentity();
const plan = (clips: [string, Uint8Array<ArrayBuffer>][]) => ({
  recipient: key.recipient,
  tags: [
    ["request.json", utf8('{"request":"r1"}')],
    ["consent.json", utf8('{"consent":"yes"}')],
  ] as [string, Uint8Array][],
  clips: clips.map(([name, bytes]) => ({ name, file: new Blob([bytes]) })),
  identifier: "req_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  date: "2026-01-31",
  agent: "canvass web",
});

afterEach(() => useEngine(null));

describe("an envelope", () => {
  const long = `${"ñ".repeat(90)}.mp4`;
  for (const length of [0, 1, 65_535, 65_536, 65_537, 1_048_576, 3_000_001]) {
    it(`of ${length} bytes comes back, sealed and opened with lanes and without`, async () => {
      await ready;
      const bytes = noise(length);
      for (const [sealing, opening] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const with_ = sealing ? lanes(aead, 3) : undefined;
        useEngine(with_?.lanes ?? null);
        const file = await sealed(
          plan([
            ["clip-01.mp4", bytes],
            [long, noise(70_000, 2)],
          ]),
          with_,
        );
        const other = opening ? lanes(aead, 2) : undefined;
        useEngine(other?.lanes ?? null);
        const expected = { bytes: file.length, sha256: bytesToHex(sha256(file)) };
        const found = await opened(file, { identity: key.secret, ...expected }, other);
        expect(found.bag.clips.map((clip) => clip.name)).toEqual(["clip-01.mp4", long]);
        expect(found.bag.clips[0]?.sha256).toBe(bytesToHex(sha256(bytes)));
        expect(bytesToHex(sha256(found.clips[0] ?? utf8("none")))).toBe(bytesToHex(sha256(bytes)));
        expect(found.bag.defects).toEqual([]);
      }
    });
  }

  it("altered in any byte, or cut anywhere, is refused", async () => {
    await ready;
    const file = await sealed(plan([["clip-01.mp4", noise(150_000)]]));
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, x, lane) => {
        const changed = file.slice();
        changed[at] = (changed[at] ?? 0) ^ x;
        const with_ = lane ? lanes(aead) : undefined;
        useEngine(with_?.lanes ?? null);
        await expect(opened(changed, { identity: key.secret }, with_)).rejects.toThrow();
        await expect(opened(file.slice(0, at), { identity: key.secret }, with_)).rejects.toThrow();
      }),
      { numRuns: 25 },
    );
  });

  it("opens with its own key alone, and says so", async () => {
    const file = await sealed(plan([["clip-01.mp4", noise(10)]]));
    await expect(opened(file, { identity: newIdentity().secret })).rejects.toMatchObject({ what: "key" });
    await expect(opened(utf8("no age file at all, but long"), { identity: key.secret })).rejects.toMatchObject({
      what: "notage",
    });
    const short = opened(file.slice(0, -20), { identity: key.secret, bytes: file.length });
    await expect(short).rejects.toMatchObject({ what: "cut" });
    const other = opened(file, { identity: key.secret, sha256: "0".repeat(64) });
    await expect(other).rejects.toMatchObject({ what: "other" });
    await expect(opened(file, { identity: key.secret, limit: 9 })).rejects.toMatchObject({ what: "large" });
  });
});

describe("the cipher of the lanes", () => {
  it("is noble's for any key, nonce and chunk", async () => {
    await ready;
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), bytes(12), fc.uint8Array({ maxLength: 5000 }), (secret, nonce, chunk) => {
        const ours = aead.encrypt(secret, nonce, chunk);
        expect(bytesToHex(ours)).toBe(bytesToHex(noble(secret, nonce).encrypt(chunk)));
        expect(bytesToHex(aead.decrypt(secret, nonce, ours) ?? utf8("x"))).toBe(bytesToHex(chunk));
        ours[ours.length - 1] = (ours[ours.length - 1] ?? 0) ^ 1;
        expect(aead.decrypt(secret, nonce, ours)).toBeNull();
      }),
    );
  });

  it("holds for a whole chunk, and for the vector of RFC 8439 section 2.8.2", async () => {
    await ready;
    const chunk = noise(STRIDE - 16);
    const [secret, nonce] = [noise(32, 3), noise(12, 4)];
    expect(bytesToHex(aead.encrypt(secret, nonce, chunk))).toBe(bytesToHex(noble(secret, nonce).encrypt(chunk)));
  });
});
