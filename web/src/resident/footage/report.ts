/** Rules of footage search, and the published measurements: read with care, for both come from outside the page. */

/** One thing that footage may not be searched for. */
export interface Rule {
  id: string;
  title_en: string;
  title_es: string;
  reason_en: string;
  reason_es: string;
}

/** What was measured of the models that see. */
export interface Report {
  date: string;
  models: { name: string; version?: string; sha256: string; licence: string }[];
  data: { name: string; what: string }[];
  plates: {
    set: string;
    plates: number;
    found: number;
    exact: number;
    folded: number;
    one_edit: number;
    false_alarms: number;
  }[];
  reliability: { from: number; until: number; plates: number; said: number; right: number }[];
  attributes: { group: string; value: string; cases: number; right: number }[];
  search: {
    query: string;
    language: string;
    /** Where it was searched. */
    clip?: string;
    passed: boolean;
    found: number;
    expected: number;
    false_alarms: number;
  }[];
}

type Form = Record<string, "string" | "number" | "boolean">;
const PARTS: Record<Exclude<keyof Report, "date">, Form> = {
  models: { name: "string", sha256: "string", licence: "string" },
  data: { name: "string", what: "string" },
  plates: {
    set: "string",
    plates: "number",
    found: "number",
    exact: "number",
    folded: "number",
    one_edit: "number",
    false_alarms: "number",
  },
  reliability: { from: "number", until: "number", plates: "number", said: "number", right: "number" },
  attributes: { group: "string", value: "string", cases: "number", right: "number" },
  search: {
    query: "string",
    language: "string",
    passed: "boolean",
    found: "number",
    expected: "number",
    false_alarms: "number",
  },
};
const RULE: Form = { id: "string", title_en: "string", title_es: "string", reason_en: "string", reason_es: "string" };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isListOf = (value: unknown, form: Form): boolean =>
  Array.isArray(value) &&
  value.every((row) => isObject(row) && Object.entries(form).every(([name, type]) => typeof row[name] === type));

/** The rules of an answer; `null` when it has another form. */
export function rulesOf(value: unknown): Rule[] | null {
  if (!isObject(value) || !isListOf(value.rules, RULE)) return null;
  return value.rules as Rule[];
}

/** The measurements of a file; `null` when it has another form. */
export function reportOf(value: unknown): Report | null {
  if (!isObject(value) || typeof value.date !== "string") return null;
  const whole = Object.entries(PARTS).every(([name, form]) => isListOf(value[name], form));
  return whole ? (value as unknown as Report) : null;
}
