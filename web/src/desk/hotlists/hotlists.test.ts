import { readFileSync } from "node:fs";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import en from "$lib/i18n/en/plates.json";
import { Problem } from "$lib/problem";

import { filterOf, fits, merged } from "./alerts";
import type { AlertView } from "./api";
import { followAlerts, type LiveState, pause } from "./live";
import { badRows } from "./rows";

const LIST = `htl_${"a2".repeat(13)}`;
const alert = (place: number, more: Partial<AlertView> = {}) =>
  ({ id: `alr_${String(place)}`, place, state: "unconfirmed", list: LIST, ...more }) as AlertView;

test("filters come from the address, and only those that there are", () => {
  const of = (query: string) => filterOf(new URLSearchParams(query));
  expect(of("")).toEqual({ state: "", list: "" });
  expect(of(`state=misread&list=${LIST}`)).toEqual({ state: "misread", list: LIST });
  expect(of("state=open&list=htl_short")).toEqual({ state: "", list: "" });
  expect(fits(alert(1), of("state=misread"))).toBe(false);
  expect(fits(alert(1), of(`state=unconfirmed&list=${LIST}`))).toBe(true);
  expect(fits(alert(1, { list: "htl_other" }), of(`list=${LIST}`))).toBe(false);
});

test("each alert is shown once, newest first, as it was known last", () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(numbers, numbers, (old, late) => {
      const shown = merged(
        old.map((place) => alert(place)),
        late.map((place) => alert(place, { state: "confirmed" })),
      );
      const places = [...new Set([...old, ...late])].sort((a, b) => b - a);
      expect(shown.map(({ place }) => place)).toEqual(places);
      for (const { place, state } of shown) expect(state === "confirmed").toBe(late.includes(place));
    }),
  );
});

test("a refusal's bad rows are told from its other fields", () => {
  const field = (name: string) => ({ field: name, rule: "form", message: "wrong", remedy: "mend it" });
  const fields = ["row 2, region", "reason", "row 1000000, plate", "row x, plate"].map(field);
  expect(badRows(new Problem("no", undefined, fields)).map(({ row, field }) => [row, field])).toEqual([
    [2, "region"],
    [1_000_000, "plate"],
  ]);
});

test("there is a text for each rule of rows.rs", () => {
  const source = readFileSync(new URL("../../../../crates/core/src/hotlists/rows.rs", import.meta.url), "utf8");
  const columns = ["plate", "region", "reason", "expires", "row"];
  const rules = [...source.matchAll(/(?:fault)?\(\s*"(\w+)",\s*"(\w+)",/g)].filter(([, field]) =>
    columns.includes(field!),
  );
  expect(rules.length).toBeGreaterThan(8);
  for (const [, field, rule] of rules) expect(en).toHaveProperty([`plates.import.rule.${field}.${rule}`]);
});

test("pauses double up to a minute, and are spread", () => {
  expect([0, 1, 2, 3, 7, 99].map((failures) => pause(failures, 1))).toEqual([1000, 1000, 2000, 4000, 60_000, 60_000]);
  expect(pause(3, 0)).toBe(2000);
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server whose answers are given one by one; it keeps what it was asked. */
function serving(answers: ((signal: AbortSignal) => Response)[]) {
  const asked: Headers[] = [];
  const fetch = (_: string, { headers, signal }: RequestInit) => {
    asked.push(new Headers(headers));
    const next = answers.shift();
    return next ? Promise.resolve(next(signal!)) : new Promise<Response>(() => undefined);
  };
  vi.stubGlobal("fetch", fetch);
  const seen: { states: LiveState[]; places: number[]; starts: number } = { states: [], places: [], starts: 0 };
  const stop = followAlerts({
    onalert: ({ place }) => seen.places.push(place),
    onstate: (state) => seen.states.push(state),
    onstart: () => (seen.starts += 1),
  });
  return { asked, seen, stop };
}
const event = (place: number) => `event: alert\nid: ${String(place)}\ndata: ${JSON.stringify(alert(place))}\n\n`;
/** Text that comes in parts; the stream ends after it, or falls silent. */
const stream =
  (parts: string[], ends = true) =>
  () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
          if (ends) controller.close();
        },
      }),
    );
const refusal = (status: number) => () => new Response("{}", { status });

test("a stream that ends goes on behind its last alert, wherever its parts are cut", async () => {
  const whole = event(7) + ": alive\n\n" + event(8);
  const { asked, seen, stop } = serving([
    stream([whole.slice(0, 3), whole.slice(3, 40), whole.slice(40)]),
    stream([event(9)], false),
  ]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(seen).toEqual({ states: ["opening", "live", "live"], places: [7, 8, 9], starts: 1 });
  expect(asked.map((headers) => headers.get("last-event-id"))).toEqual([null, "8"]);
  expect(asked[0]?.get("canvass-desk")).toBe("1");
  stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked.length, "nothing is asked once the page is left").toBe(2);
});

test("one that broke off before its first alert has the list loaded anew", async () => {
  const { seen, stop } = serving([stream([]), refusal(500), stream([": alive\n\n"], false)]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen).toEqual({ states: ["opening", "live", "lost", "live"], places: [], starts: 2 });
  stop();
});

test("a silent stream is given up; a busy server is left alone; a refusal is final", async () => {
  const { asked, seen, stop } = serving([stream([event(1)], false), refusal(503), refusal(403)]);
  await vi.advanceTimersByTimeAsync(48_000);
  expect([asked.length, seen.states.at(-1)]).toEqual([2, "lost"]);
  await vi.advanceTimersByTimeAsync(50_000);
  expect(asked.length, "not before a minute").toBe(2);
  await vi.advanceTimersByTimeAsync(700_000);
  expect([asked.length, seen.states.at(-1)]).toEqual([3, "refused"]);
  stop();
});
