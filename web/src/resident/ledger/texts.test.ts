import { readFileSync } from "node:fs";

import { parse, TYPE, type MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { expect, it } from "vitest";

import { DEFECTS } from "$lib/format/bytes";
import common from "$lib/i18n/en/common.json";
import en from "$lib/i18n/en/ledger.json";
import es from "$lib/i18n/es/ledger.json";

import { TYPES } from "./say";

const texts: Record<string, Record<string, string>> = { en, es };

function names(elements: MessageFormatElement[]): string[] {
  return elements.flatMap((element) => {
    if (element.type === TYPE.literal || element.type === TYPE.pound || element.type === TYPE.tag) return [];
    const inner = "options" in element ? Object.values(element.options).flatMap(({ value }) => names(value)) : [];
    return [element.value, ...inner];
  });
}

it("both languages have the same texts with the same values", () => {
  expect(Object.keys(es).toSorted()).toEqual(Object.keys(en).toSorted());
  for (const key of Object.keys(en)) {
    const values = Object.values(texts).map((each) =>
      [...new Set(names(parse(each[key] ?? "", { ignoreTag: true })))].toSorted(),
    );
    expect(values[1], key).toEqual(values[0]);
  }
});

it("purposes and offences are named as the policies name them", () => {
  const toml = readFileSync(new URL("../../../../policies/purposes.toml", import.meta.url), "utf8");
  const named = [...toml.matchAll(/^\[\[(purpose|offence)\]\]\nid = "(.+)"\nen = "(.+)"\nes = "(.+)"$/gm)];
  expect(named.length).toBe([...toml.matchAll(/^\[\[/gm)].length);
  for (const [, kind, id, english, spanish] of named) {
    expect(en, id).toHaveProperty([`ledger.${kind}.${id}`], english);
    expect(es, id).toHaveProperty([`ledger.${kind}.${id}`], spanish);
  }
});

it("everything that may stand in a ledger, and everything that may be wrong, has a text", () => {
  const roles = readFileSync(new URL("../../../../policies/roles.txt", import.meta.url), "utf8");
  const marked = [...roles.matchAll(/^([a-z.]+) +\*/gm)].map(([, action = ""]) => action);
  expect(marked.length).toBeGreaterThan(30);
  for (const type of [...marked, ...TYPES.requests, ...TYPES.oversight]) {
    expect(en, type).toHaveProperty([`ledger.type.${type}`]);
    expect(en, type).toHaveProperty([`ledger.say.${type}`]);
  }
  for (const action of marked) expect(TYPES.oversight).toContain(action);
  for (const code of DEFECTS) expect(common, code).toHaveProperty([`ledger.defect.${code}`]);
});
