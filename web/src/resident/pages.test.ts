import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { describe, expect, test } from "vitest";

import common from "$lib/i18n/en/common.json";
import desk from "$lib/i18n/en/desk.json";
import evidence from "$lib/i18n/en/evidence.json";
import footage from "$lib/i18n/en/footage.json";
import give from "$lib/i18n/en/give.json";
import ledger from "$lib/i18n/en/ledger.json";
import look from "$lib/i18n/en/look.json";
import notify from "$lib/i18n/en/notify.json";
import policy from "$lib/i18n/en/policy.json";
import searched from "$lib/i18n/en/searched.json";
import spanish from "$lib/i18n/es/common.json";

import { pageFor } from "./pages";

const SOURCE = resolve(import.meta.dirname, "..");
const AREAS = { common, look, give, ledger, notify, searched, footage, policy, desk, evidence };
const areaOf = new Map(Object.entries(AREAS).flatMap(([area, texts]) => Object.keys(texts).map((key) => [key, area])));
const region = "832a36fffffffff";
const request = `req_${"a".repeat(26)}`;
const portal = `por_${"b".repeat(26)}`;

/** The file that an import names; none for packages. */
function fileOf(name: string, from: string): string | undefined {
  const path = name.startsWith("$lib/")
    ? join(SOURCE, "lib", name.slice(5))
    : name.startsWith(".")
      ? join(dirname(from), name)
      : "";
  return ["", ".ts", ".svelte.ts"]
    .map((end) => path + end)
    .find((each) => path && existsSync(each) && /\.(ts|svelte)$/.test(each));
}

/** Every file that a page may load, those behind `import()` too. */
function filesFrom(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/(?:import|from)\s*\(?\s*"([^"]+)"/g)) {
    const next = fileOf(name, file);
    if (next) filesFrom(next, found);
  }
  return found;
}

/** Areas of the texts that a file names, whole or by how they begin. */
function areasIn(file: string): Set<string> {
  const found = new Set<string>();
  for (const [, name = "", end] of readFileSync(file, "utf8").matchAll(/["`]([a-z]+(?:\.[\w-]+)*\.?)("|`|\$\{)/gi)) {
    const keys = end === "${" && name.endsWith(".") ? [...areaOf.keys()].filter((key) => key.startsWith(name)) : [name];
    for (const key of keys) if (areaOf.has(key)) found.add(areaOf.get(key) ?? "");
  }
  return found;
}

const shown: [string, string, string][] = [
  ["/", "", "look/Home"],
  ["/", portal, "look/Portal"],
  ["/", `${portal}/give`, "give/Give"],
  [`/r/${region}`, "", "look/Region"],
  [`/r/${region}`, request, "look/Request"],
  [`/r/${region}`, `${request}/give`, "give/Give"],
  ["/offer", "", "give/MyOffer"],
  ["/ledger", "", "ledger/Transparency"],
  ["/check", "", "ledger/Check"],
  ["/searched", "", "searched/Searched"],
  ["/notify", "", "notify/Notify"],
  ["/footage/rules", "", "footage/Rules"],
  ["/footage/error-rates", "", "footage/Rates"],
  ["/nowhere", "", "Missing"],
];

describe("a page loads the texts that it shows", () => {
  test.each(shown)("%s#%s", (path, fragment, name) => {
    const page = pageFor(path, fragment);
    const files = [...filesFrom(join(SOURCE, "resident", `${name}.svelte`))];
    const needed = new Set(files.flatMap((file) => [...areasIn(file)]));
    needed.delete("common");
    expect([...needed].sort()).toEqual([...page.texts].sort());
  });

  test("what is around every page needs the common texts alone", () => {
    const around = [...filesFrom(join(SOURCE, "resident/App.svelte"))].filter((file) => !file.endsWith("pages.ts"));
    const own = around.filter((file) => /App|Unfinished|lib\/ui/.test(file));
    expect([...new Set(own.flatMap((file) => [...areasIn(file)]))]).toEqual(["common"]);
  });
});

test("the common texts are there in both languages", () => {
  expect(Object.keys(spanish).sort()).toEqual(Object.keys(common).sort());
});
