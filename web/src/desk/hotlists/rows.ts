/** Bad rows of an import, in the reader's words where there are some. */
import { hasText, t } from "$lib/i18n/index.svelte";
import type { Problem } from "$lib/problem";

import type { RowProblem } from "./api";

/** The largest file that the server takes, bytes. */
export const MOST_BYTES = 128 * 1024 * 1024;
/** Bad rows that the server names one by one. */
export const MOST_NAMED = 100;

/** The bad rows that a refusal names; its other fields are left out. */
export function badRows({ fields }: Problem): RowProblem[] {
  return fields.flatMap(({ field, rule = "", message, remedy }) => {
    const [, row, column] = /^row (\d+), (\w+)$/.exec(field) ?? [];
    return row && column ? [{ row: Number(row), field: column, rule, message, remedy }] : [];
  });
}

/** What is wrong with a row, and what to do. */
export function rowText({ field, rule, message, remedy }: RowProblem): string {
  const key = `plates.import.rule.${field}.${rule}`;
  return hasText(key) ? t(key) : `${message}. ${remedy}.`;
}

/** What the column of a bad row is called. */
export function columnName(field: string): string {
  const key = `plates.import.column.${field}`;
  return hasText(key) ? t(key) : field;
}
