/** The vectors that Rust and this code share. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { base64 } from "@scure/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { useEngine } from "./cipher";
import { nameFault, sanitise } from "./names";
import { newOffer, parseOffer, readSecret } from "./offer";
import type { OpenFault } from "./open-work";
import { aead, ready } from "./sodium";
import { lanes, opened } from "./testing";
import { parseGroups, qrModules, secretGroups } from "./words";

const load = <T>(name: string) =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, "../../../../vectors/seal", name), "utf8")) as T;

describe("shared vectors", () => {
  it("names", () => {
    for (const { name, verdict } of load<{ name: string; verdict: string }[]>("names.json"))
      expect([name, nameFault(name) ?? "valid"]).toEqual([name, verdict]);
  });

  it("offers", () => {
    const file = load<{
      secret: string;
      public_key: string;
      lookup: string;
      mailbox: string;
      vectors: { text: string; verdict: string }[];
    }>("offers.json");
    const secret = parseOffer(file.secret);
    expect(secret.text).toBe(file.secret);
    expect([secret.publicKey, secret.lookup]).toEqual([file.public_key, file.lookup]);
    expect(secret.mailboxRecipient).toBe(file.mailbox);
    for (const { text, verdict } of file.vectors) {
      const found = readSecret(text);
      expect(verdict.split("|"), text).toContain(typeof found === "string" ? found : "valid");
    }
  });

  it("messages: the good ones are signed to the same bytes", () => {
    const secret = parseOffer(load<{ secret: string }>("offers.json").secret);
    type Vector = { body: string; message: Record<string, string>; verdict: string };
    const good = load<Vector[]>("messages.json").filter((vector) => vector.verdict === "valid");
    expect(good.length).toBeGreaterThan(0);
    for (const { body, message } of good) {
      if (message.lookup !== secret.lookup) continue;
      expect(secret.signMessage(message.kind as "answer", body, message.at ?? "")).toEqual(message);
    }
  });
});

describe("a secret", () => {
  it("survives paper, however it is typed", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.constantFrom(" ", "-", "\n", " - "), (upper, gap) => {
        const secret = newOffer();
        const typed = secretGroups(secret).join(gap);
        expect(parseGroups(upper ? typed.toUpperCase() : typed).text).toBe(secret.text);
        expect(parseGroups(secret.text).text).toBe(secret.text);
      }),
      { numRuns: 20 },
    );
  });

  it("is not taken with any wrong character", () => {
    const { text } = newOffer();
    fc.assert(
      fc.property(
        fc.integer({ min: 15, max: text.length - 1 }),
        fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn"),
        (at, with_) => {
          fc.pre(text[at] !== with_);
          expect(readSecret(text.slice(0, at) + with_ + text.slice(at + 1))).toBe("Checksum");
        },
      ),
    );
  });

  it("fits a QR code", () => {
    expect(qrModules(newOffer().text).length).toBeLessThan(60);
  });
});

describe("names", () => {
  it("are always good once sanitised", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => nameFault(sanitise(name)) === null));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (name) => nameFault(sanitise(name)) === null),
    );
  });
});

describe("whole envelopes", () => {
  const file = load<{
    identity: string;
    limit: number;
    vectors: { name: string; web: string; file: string; clips?: Record<string, string> }[];
  }>("envelopes.json");
  const hex = (bytes: Uint8Array) => bytesToHex(sha256(bytes));
  for (const vector of file.vectors)
    it(`${vector.name}: ${vector.web}`, async () => {
      await ready;
      for (const lane of [false, true]) {
        const tools = lane ? lanes(aead) : undefined;
        useEngine(tools?.lanes ?? null);
        const opening = opened(base64.decode(vector.file), { identity: file.identity, limit: file.limit }, tools);
        const found = await opening.then(
          ({ bag, clips }) => ({ what: "valid", clips: bag.clips.map((clip, at) => [clip.name, hex(clips[at]!)]) }),
          (error: OpenFault) => ({ what: error.what, clips: [] }),
        );
        expect(vector.web.split("|")).toContain(found.what);
        expect(Object.fromEntries(found.clips)).toEqual(vector.clips ?? {});
      }
      useEngine(null);
    });
});
