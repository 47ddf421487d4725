import fc from "fast-check";
import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, it } from "vitest";

import en from "$lib/i18n/en/give.json";
import common from "$lib/i18n/en/common.json";
import es from "$lib/i18n/es/give.json";
import type { OfferStatus } from "$lib/seal/types";

import { consentLines, type ConsentFacts, consentParts, type Words } from "./consent";
import { contactFaults } from "./contact";
import { invitationOf } from "./destination";
import { receiptFault } from "./receipt";
import { Speed } from "./speed";
import { askedIn, fromLocal, localText, meeting, onlyAsked, outside, rfc3339 } from "./times";
import { timeline, waitingQuestions } from "./timeline";

const texts: Record<string, string> = { ...common, ...en };
const words: Words = {
  say: ((key: string, values?: Record<string, string>) =>
    String(
      new IntlMessageFormat(texts[key] ?? key, "en", undefined, { ignoreTag: true }).format(values),
    )) as Words["say"],
  size: (bytes) => `${bytes} bytes`,
  length: (seconds) => `${seconds} s`,
};

const frame = { start: "2026-11-25T08:00:00Z", end: "2026-11-25T10:00:00Z", zone: "America/New_York" };
const at = (text: string) => new Date(`2026-11-25T${text}Z`);

describe("times", () => {
  it("meet the asked time as the command line has it: touching is within, unknown is outside", () => {
    expect(outside({ start: at("07:00:00"), end: at("08:00:00") }, frame)).toBe(false);
    expect(outside({ start: at("07:00:00"), end: at("07:59:59") }, frame)).toBe(true);
    expect(outside({ start: at("10:00:00"), end: at("11:00:00") }, frame)).toBe(false);
    expect(outside(null, frame)).toBe(true);
    expect(outside(null, null)).toBe(false);
    expect(meeting({ start: at("07:00:00"), end: at("11:00:00") }, frame)).toEqual({
      kind: "within",
      seconds: 7200,
      whole: true,
    });
  });

  it("tell by how much a clip misses", () => {
    const seconds = fc.integer({ min: -50_000, max: 50_000 });
    fc.assert(
      fc.property(seconds, fc.nat(20_000), (start, length) => {
        const from = Date.parse(frame.start) + start * 1000;
        const span = { start: new Date(from), end: new Date(from + length * 1000) };
        const met = meeting(span, frame);
        if (met.kind === "before") expect(start + length + met.seconds).toBe(0);
        if (met.kind === "after") expect(start - met.seconds).toBe(7200);
        if (met.kind === "within") expect(met.seconds).toBeLessThanOrEqual(Math.min(7200, length));
        expect(outside(span, frame)).toBe(met.kind !== "within");
      }),
    );
  });

  it("find the asked part of a clip, which is within it", () => {
    fc.assert(
      fc.property(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: 1, max: 20_000 }), (start, length) => {
        const began = new Date(Date.parse(frame.start) + start * 1000);
        const part = onlyAsked(began, length, frame);
        if (!part) return;
        expect(part.from).toBeGreaterThanOrEqual(0);
        expect(part.until).toBeLessThanOrEqual(length);
        expect(part.until).toBeGreaterThan(part.from);
        const asked = askedIn(began, frame);
        expect(part.from).toBeGreaterThanOrEqual(asked?.from ?? 0);
      }),
    );
    expect(onlyAsked(at("08:30:00"), 60, frame)).toBeNull();
    expect(onlyAsked(null, 60, frame)).toBeNull();
  });

  it("of a place are read as its clocks show them, through both changes of the clocks", () => {
    const zones = fc.constantFrom("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC");
    const moment = fc.integer({ min: Date.UTC(2024, 0, 1) / 1000, max: Date.UTC(2028, 0, 1) / 1000 });
    fc.assert(
      fc.property(zones, moment, (zone, seconds) => {
        const date = new Date(seconds * 1000);
        const back = fromLocal(localText(date, zone), zone);
        // An hour that is shown twice is read as its first; all others come back exactly.
        expect(back && localText(back, zone)).toBe(localText(date, zone));
        expect(back?.getTime()).toBeLessThanOrEqual(date.getTime());
        expect(date.getTime() - (back?.getTime() ?? 0)).toBeLessThanOrEqual(3_600_000);
      }),
      { numRuns: 300 },
    );
    expect(fromLocal("2026-11-01T01:30:00", "America/New_York")?.toISOString()).toBe("2026-11-01T05:30:00.000Z");
    expect(fromLocal("2026-03-08T02:30:00", "America/New_York")?.toISOString()).toBe("2026-03-08T07:30:00.000Z");
    expect(fromLocal("soon", "UTC")).toBeNull();
    expect(rfc3339(new Date(1_700_000_000_999))).toBe("2023-11-14T22:13:20Z");
  });
});

const clip: ConsentFacts["clips"][number] = {
  name: "clip-01.mp4",
  bytes: 5,
  when: "today",
  known: "recording",
  outside: false,
  how: [],
  why: "",
  original: false,
};
const facts: ConsentFacts = {
  agency: { name: "Concord Police Department", class: "municipal" },
  destination: "req_x",
  code: "26-1",
  clips: [clip],
  keepNames: false,
  mailbox: false,
  contact: null,
};

describe("consent", () => {
  it("says of a person exactly what was chosen", () => {
    const plain = consentLines(consentParts(facts, words)).join("\n");
    expect(plain).toContain("  your name, telephone number, e-mail or address");
    expect(plain).toContain("  a way to ask you anything");
    expect(plain).not.toContain("who you are:");
    const named = consentLines(
      consentParts({ ...facts, mailbox: true, contact: { name: "Ann", email: "a@b.example" } }, words),
    ).join("\n");
    expect(named).toContain("  who you are: Ann, a@b.example");
    expect(named).toContain("  a mailbox:");
    expect(named).not.toContain("your name, telephone");
  });

  it("names each clip, whether it is outside, and how and why it was changed", () => {
    const changed = { ...clip, outside: true, how: ["trimmed", "blurred"] as const, why: "my child", original: true };
    const text = consentLines(consentParts({ ...facts, clips: [{ ...changed, how: [...changed.how] }] }, words)).join(
      "\n",
    );
    expect(text).toContain("clip-01.mp4 (5 bytes; today, as the camera wrote) – outside the asked time");
    expect(text).toContain("changed on your device: trimmed, parts of the picture hidden. Your reason: my child.");
    expect(text).toContain("SHA-256");
  });

  it("holds each line that is shown, and no other", () => {
    const parts = consentParts({ ...facts, mailbox: true }, words);
    const lines = consentLines(parts);
    expect(lines).toHaveLength(parts.reduce((sum, part) => sum + 1 + part.points.length, 0));
    for (const line of lines) expect(line).not.toMatch(/give\.consent|\{/);
  });
});

describe("a person", () => {
  it("is told what can't be a way to reach them", () => {
    expect(contactFaults({ name: "", phone: " ", email: "" })).toHaveProperty("name");
    expect(contactFaults({ name: "", phone: "+1 (603) 555-0100 x12", email: "" })).toEqual({});
    expect(contactFaults({ name: "", phone: "call me", email: "" })).toHaveProperty("phone");
    expect(contactFaults({ name: "", phone: "", email: "a@b" })).toHaveProperty("email");
    expect(contactFaults({ name: "", phone: "", email: "josé@correo.example" })).toEqual({});
  });

  it("comes by an invitation only with a whole secret", () => {
    expect(invitationOf(`req_x/give/${"a2".repeat(16)}`)).toBe("a2".repeat(16));
    expect(invitationOf("req_x/give/short")).toBeNull();
    expect(invitationOf("req_x/give")).toBeNull();
  });
});

describe("an offer", () => {
  const status: OfferStatus = {
    v: 1,
    lookup: "l",
    state: "received",
    updated: "2026-11-25T12:00:00Z",
    can_withdraw: true,
    clips: [],
    questions: [],
    withdrawal: null,
    receipt: null,
  };
  const known = { sealed: "2026-11-25T10:00:00Z", received: "2026-11-25T10:05:00Z", answers: {} };
  const kinds = (of: OfferStatus | null) => timeline(of, known).map((event) => event.kind);

  it("has a line of what became of it", () => {
    expect(kinds(null)).toEqual(["sealed"]);
    expect(kinds(status)).toEqual(["sealed", "received", "waiting"]);
    const triaged: OfferStatus = {
      ...status,
      state: "triaged",
      clips: [
        { number: 1, state: "accepted" },
        { number: 2, state: "declined" },
      ],
      questions: [{ id: "q", sealed: "", asked: "2026-11-25T11:00:00Z", answered: "2026-11-25T11:30:00Z" }],
    };
    expect(kinds(triaged)).toEqual(["sealed", "received", "opened", "accepted", "declined", "asked", "answered"]);
    expect(
      kinds({ ...status, state: "withdrawn", withdrawal: { at: "2026-11-25T11:00:00Z", granted: true, reason: null } }),
    ).toEqual(["sealed", "received", "withdrawn"]);
    expect(
      kinds({ ...triaged, withdrawal: { at: "2026-11-25T13:00:00Z", granted: false, reason: "evidence" } }).slice(-2),
    ).toEqual(["wished", "kept"]);
    expect(kinds({ ...triaged, state: "destroyed" }).at(-1)).toBe("destroyed");
    const taken = { at: "2026-11-25T11:00:00Z", granted: null, reason: null };
    expect(kinds({ ...status, state: "destroyed", withdrawal: taken })).toEqual([
      "sealed",
      "received",
      "withdrawn",
      "destroyed",
    ]);
    expect(kinds({ ...status, state: "refused" })).toEqual(["sealed", "refused"]);
  });

  it("waits for answers that neither the server nor this device has", () => {
    const asked = (id: string, answered: string | null) => ({
      id,
      sealed: "",
      asked: "2026-11-25T11:00:00Z",
      answered,
    });
    const two = { ...status, questions: [asked("a", null), asked("b", null), asked("c", "2026-11-25T12:00:00Z")] };
    expect(waitingQuestions(two, { b: "2026-11-25T12:00:00Z" }).map((each) => each.id)).toEqual(["a"]);
  });

  it("has a receipt of its own, not of another", () => {
    const offer = { destination: "req_x", destination_digest: "d", bytes: 5, sha256: "s" };
    const receipt = {
      lookup: "l",
      destination_id: "req_x",
      destination_digest: "d",
      ciphertext_len: 5,
      ciphertext_sha256: "s",
    } as Parameters<typeof receiptFault>[0];
    expect(receiptFault(receipt, "l", offer)).toBeNull();
    expect(receiptFault(receipt, "other", offer)).toContain("lookup");
    for (const [name, value] of [
      ["destination_id", "x"],
      ["destination_digest", "x"],
      ["ciphertext_len", 6],
      ["ciphertext_sha256", "x"],
    ])
      expect(receiptFault({ ...receipt, [name as string]: value }, "l", offer)).not.toBeNull();
  });
});

describe("speed", () => {
  it("is told after a moment, and forgets what was before a pause", () => {
    const speed = new Speed();
    expect(speed.at(0, 0)).toBeNull();
    expect(speed.at(2000, 4000)).toBe(2000);
    speed.reset();
    expect(speed.at(60_000, 4000)).toBeNull();
    expect(speed.at(62_000, 6000)).toBe(1000);
  });
});

describe("texts", () => {
  it("are there in both languages with the same values, and are well-formed", () => {
    expect(Object.keys(es)).toEqual(Object.keys(en));
    const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1]).sort();
    for (const [key, text] of Object.entries(en)) {
      const other = (es as Record<string, string>)[key] ?? "";
      expect(() => new IntlMessageFormat(text, "en", undefined, { ignoreTag: true })).not.toThrow();
      expect(() => new IntlMessageFormat(other, "es", undefined, { ignoreTag: true })).not.toThrow();
      if (!text.includes("plural")) expect(names(other), key).toEqual(names(text));
    }
  });
});
