// Rows as a plain text table: numbers to the right, text to the left, columns cut at a width. No control characters.
import { jsonText } from './json-text.ts';

const cellWidthMax = 60;

/** Lines of a table with a heading and a rule. `whole`: a column, the last, that is not cut: what is at its end matters. */
export function textTable(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  whole?: string,
): string[] {
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, i) =>
    Math.min(
      column === whole ? Number.POSITIVE_INFINITY : cellWidthMax,
      Math.max(column.length, ...cells.map((line) => (line[i] ?? '').length)),
    ),
  );
  const isNumeric = columns.map((column) => rows.every((row) => row[column] === null || isNumber(row[column])));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => fit(text, widths[i] ?? 0, isNumeric[i] ?? false))
      .join('  ')
      .trimEnd();
  return [line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)];
}

function isNumber(value: unknown): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return true;
  return typeof value === 'string' && /^-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?( [kMG]?B)?$/.test(value);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  // JSON has no word for them, and would say null.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'string') return value.replaceAll(/\p{Cc}/gu, ' ');
  return jsonText(value);
}

function fit(text: string, width: number, toTheRight: boolean): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return toTheRight ? cut.padStart(width) : cut.padEnd(width);
}
