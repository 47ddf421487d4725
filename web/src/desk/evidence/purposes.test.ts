import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { purposeHeader, reasonAlone } from "$lib/purpose";

import { caseCode, type Choices, emptyPurpose, isReason, lacking, tidy } from "./purposes";

const choice = (id: string, needs: { offence?: boolean; case?: boolean; warrant?: boolean } = {}) => ({
  id,
  en: id,
  es: id,
  offence: false,
  case: false,
  warrant: false,
  ...needs,
});
const choices: Choices = {
  law: "New Hampshire",
  classes: [
    choice("triage"),
    choice("crime", { offence: true, case: true }),
    choice("wanted", { case: true, warrant: true }),
  ],
  offences: ["felony", "none"].map((id) => ({ id, en: id, es: id })),
  reason: { least: 20, most: 500, words: 3 },
};
const reason = "white van seen at the garage of Elm Street";

const read = (header: string): unknown =>
  JSON.parse(new TextDecoder().decode(Uint8Array.from(header, (char) => char.charCodeAt(0))));

describe("a purpose in a header", () => {
  it("is JSON on one line, as the bytes of its UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, code) => {
        const header = purposeHeader({ ...emptyPurpose("triage"), reason: text, case: code });
        expect([...header].every((char) => char >= " " && char < "\u0100" && char !== "\u007f")).toBe(true);
        const line = (said: string) => said.replace(/[\s\p{Cc}]+/gu, " ").trim();
        const expected = { class: "triage", offence: "none", reason: line(text) };
        expect(read(header)).toEqual(line(code) ? { ...expected, case: line(code) } : expected);
      }),
    );
  });
  it("may be a reason alone", () => {
    expect(read(purposeHeader(reasonAlone("the order was lifted")))).toEqual({
      class: "none",
      offence: "none",
      reason: "the order was lifted",
    });
    expect([isReason("nine char"), isReason("ten chars!"), isReason("🎥".repeat(501))]).toEqual([false, true, false]);
  });
});

describe("a form of a purpose", () => {
  it("says what its class needs and nothing else", () => {
    expect(lacking({ ...emptyPurpose("triage"), reason }, choices)).toEqual({});
    expect(Object.keys(lacking({ ...emptyPurpose("crime"), reason }, choices))).toEqual(["offence", "case"]);
    expect(Object.keys(lacking({ ...emptyPurpose("wanted"), reason, case: "26-1" }, choices))).toEqual(["warrant"]);
    expect(Object.keys(lacking(emptyPurpose(""), choices))).toEqual(["class", "reason"]);
    expect(Object.keys(lacking({ ...emptyPurpose("triage"), reason: "a".repeat(501) }, choices))).toEqual(["reason"]);
  });
  it("sends nothing that the chosen class does not ask for", () => {
    const filled = { class: "triage", offence: "felony", case: " 26-4 ", reason: ` ${reason} `, warrant: "W-7" };
    expect(tidy(filled, choices)).toEqual({ class: "triage", offence: "none", case: "26-4", reason, warrant: null });
    expect(tidy({ ...filled, class: "wanted" }, choices).warrant).toBe("W-7");
    expect(tidy({ ...filled, class: "crime" }, choices).offence).toBe("felony");
  });
  it("keeps and asks for a warrant where the act needs one besides", () => {
    const filled = { ...emptyPurpose("triage"), reason };
    expect(Object.keys(lacking(filled, choices, true))).toEqual(["warrant"]);
    expect(lacking({ ...filled, warrant: "W-7" }, choices, true)).toEqual({});
    expect(tidy({ ...filled, warrant: " W-7 " }, choices, true).warrant).toBe("W-7");
  });
  it("takes the agency's code of a case where it can be one", () => {
    const id = `cas_${"a".repeat(26)}`;
    expect(caseCode("26-004512", id)).toBe("26-004512");
    for (const code of [null, "", "garage", "7", "1111", "2".repeat(65)]) expect(caseCode(code, id)).toBe(id);
  });
  it("has a text for every rule of purposes.rs that any law has", () => {
    const source = readFileSync(new URL("../../../../crates/policy/src/purpose.rs", import.meta.url), "utf8");
    const rules = [...source.matchAll(/"((?:class|offence|case|warrant|reason)\.[a-z]+)"/g)].map(([, rule]) => rule!);
    expect(rules.length).toBeGreaterThan(8);
    for (const language of ["en", "es"]) {
      const file = new URL(`../../lib/i18n/${language}/evidence.json`, import.meta.url);
      const texts = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
      for (const rule of rules) expect(texts, rule).toHaveProperty([`evidence.purpose.rule.${rule}`]);
    }
  });
});
