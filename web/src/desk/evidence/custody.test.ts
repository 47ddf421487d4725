import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CustodyEvent, type CustodyView, defectOf, hashOf } from "./custody";

/** A chain as the server wrote it. */
const FROM_SERVER = {
  subject: "off_uncjxpof4nalipouybtzsp4zn4",
  head: { length: 5, hash: "f5ea79c203a05645a55584e6db0ee7313037d3ad78f5d5f3ebf90195855d78d1" },
  events: [
    {
      subject: "off_uncjxpof4nalipouybtzsp4zn4",
      number: 0,
      previous: "0000000000000000000000000000000000000000000000000000000000000000",
      event: "received",
      by: null,
      at: "2026-11-26T04:03:03Z",
      detail: {
        ciphertext_bytes: 42057055,
        ciphertext_sha256: "6c0ad212f1e240ae73b2d1bd2c989a44aebe90ae9908199265752420ffb34c5a",
        destination: "req_cov4tk4xgruesyv7ipvqecmzi4",
      },
      hash: "381be7edd574a4e361ede4be0be500661bc5c7433688310d1b05d4891f6f1e6d",
    },
    {
      subject: "off_uncjxpof4nalipouybtzsp4zn4",
      number: 1,
      previous: "381be7edd574a4e361ede4be0be500661bc5c7433688310d1b05d4891f6f1e6d",
      event: "linked",
      by: "mbr_dtzcdfimar5fbqr75x42qrgmo4",
      at: "2026-11-26T04:03:05Z",
      detail: { case: "cas_4clz3jfgh56gddokxmnlsg2iiy" },
      hash: "2e6a58e84cd6fd7f1a10fa79c10e68f5b6be81d80f8787ec7b28e5445d93dcf2",
    },
    {
      subject: "off_uncjxpof4nalipouybtzsp4zn4",
      number: 2,
      previous: "2e6a58e84cd6fd7f1a10fa79c10e68f5b6be81d80f8787ec7b28e5445d93dcf2",
      event: "opened",
      by: "mbr_dtzcdfimar5fbqr75x42qrgmo4",
      at: "2026-11-26T04:03:05Z",
      detail: { envelope_sha256: "6c0ad212f1e240ae73b2d1bd2c989a44aebe90ae9908199265752420ffb34c5a" },
      hash: "94b7a97dce949b65067e263db1a7516752a0176bc6a99a7cdba8871654d507ab",
    },
    {
      subject: "off_uncjxpof4nalipouybtzsp4zn4",
      number: 3,
      previous: "94b7a97dce949b65067e263db1a7516752a0176bc6a99a7cdba8871654d507ab",
      event: "reported",
      by: "mbr_dtzcdfimar5fbqr75x42qrgmo4",
      at: "2026-11-26T04:03:06Z",
      detail: {
        clips: 3,
        defects: 0,
        differs: null,
        envelope_sha256: "6c0ad212f1e240ae73b2d1bd2c989a44aebe90ae9908199265752420ffb34c5a",
        report_sha256: "8e5fa0f00400202bab7879b9dd2fcb1f337279fbcb4e759665efca8ec2857b65",
      },
      hash: "4173748bcf7c3fcaefe5a74949fc8bd733b241d86ee8a0d4ee3675d1d2742053",
    },
    {
      subject: "off_uncjxpof4nalipouybtzsp4zn4",
      number: 4,
      previous: "4173748bcf7c3fcaefe5a74949fc8bd733b241d86ee8a0d4ee3675d1d2742053",
      event: "accepted",
      by: "mbr_dtzcdfimar5fbqr75x42qrgmo4",
      at: "2026-11-26T04:03:06Z",
      detail: {
        case: "cas_4clz3jfgh56gddokxmnlsg2iiy",
        clip: 1,
        item: "itm_qn6bdcwsor32untxoef2glaglu",
        sha256: "1b428ccceb6fc4c9b15d6b580acfde3b0b6d8d3c676cae80774796a504d7ff9a",
      },
      hash: "f5ea79c203a05645a55584e6db0ee7313037d3ad78f5d5f3ebf90195855d78d1",
    },
  ],
} as unknown as CustodyView;

function chainOf(details: unknown[]): CustodyView {
  const events: CustodyEvent[] = [];
  let previous = "0".repeat(64);
  for (const [number, detail] of details.entries()) {
    const event = {
      subject: "off_a",
      number,
      previous,
      event: "opened",
      by: null,
      at: "2026-11-24T05:00:00Z",
      detail,
      hash: "",
    } as unknown as CustodyEvent;
    event.hash = hashOf(event);
    previous = event.hash;
    events.push(event);
  }
  return { subject: "off_a", events, head: { length: events.length, hash: previous } } as CustodyView;
}

describe("a chain of custody", () => {
  it("of the server holds here", () => {
    expect(defectOf(FROM_SERVER)).toBeNull();
  });
  it("holds whatever its details are, and no longer once any event is changed, left out or exchanged", () => {
    const details = fc.array(fc.jsonValue(), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(details, fc.nat(), (all, seed) => {
        const chain = chainOf(all);
        expect(defectOf(chain)).toBeNull();
        const at = seed % chain.events.length;
        const changed = structuredClone(chain);
        const event = changed.events[at];
        if (event) event.at = "2026-11-24T05:00:01Z";
        expect(defectOf(changed)).toEqual({ number: at, why: "hash" });
        const shorter = structuredClone(chain);
        shorter.events.splice(at, 1);
        expect(defectOf(shorter)).not.toBeNull();
      }),
    );
  });
  it("that is empty does not hold", () => {
    expect(defectOf(chainOf([]))).toEqual({ number: 0, why: "end" });
  });
});
