/** CSV as RFC 4180 has it: UTF-8, a header, CRLF, every cell of text in quotes. */

/** A cell; one that a spreadsheet would take for a formula is made plain text. */
export function csvCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  return `"${(/^[=+\-@\t\r]/.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
}

/** A table with the names of its columns. */
export interface CsvTable {
  name: string;
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

const lines = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [columns.join(","), ...rows.map((row) => row.map(csvCell).join(","))].join("\r\n") + "\r\n";

/** One table. */
export function tableCsv({ columns, rows }: CsvTable): string {
  return lines(columns, rows);
}

/** Several tables in one: the column `table` says of which, and a cell that a table has not is empty. */
export function allCsv(tables: readonly CsvTable[]): string {
  const columns = [...new Set(tables.flatMap(({ columns }) => columns))];
  const rows = tables.flatMap(({ name, columns: own, rows }) =>
    rows.map((row) => [name, ...columns.map((column) => row[own.indexOf(column)] ?? "")]),
  );
  return lines(["table", ...columns], rows);
}

/** Gives a text to the reader as a file, made on their device. */
export function saveCsv(text: string, name: string): void {
  const link = document.createElement("a");
  // The mark tells spreadsheets that it is UTF-8.
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
