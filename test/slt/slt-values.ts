// Values as scripts print them, and whether a result is what a script expects.
//
// Integers in full (a truth value as 1 or 0), reals with three decimals, NULL and (empty) by name; what is not printable as @.
import { createHash } from 'node:crypto';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type CellValue, readCell } from '../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import type { Query } from './slt-script.ts';

/** The values of a result, row by row, each row as often as its weight says. */
export function valuesOf(batches: readonly ChangeBatch[], query: Query): readonly (readonly string[])[] {
  const rows: string[][] = [];
  for (const batch of batches) {
    for (let row = 0; row < batch.rows; row++) {
      const values = batch.columns.map((column, c) =>
        textOf(readCell(column, row), column.type, query.types[c] ?? 'T'),
      );
      const weight = batch.weights === null ? 1 : batch.weights[row]!;
      for (let k = 0; k < weight; k++) rows.push(values);
    }
  }
  return rows;
}

/** null when the rows are what the query expects, else what they are. */
export function differenceOf(rows: readonly (readonly string[])[], query: Query): string | null {
  const sorted = query.sort === 'rowsort' ? [...rows].sort(byValues) : rows;
  const values = sorted.flat();
  if (query.sort === 'valuesort') values.sort();
  const hashed = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(query.expected[0] ?? '');
  if (hashed === null) {
    const same = values.length === query.expected.length && values.every((value, i) => value === query.expected[i]);
    return same ? null : `${values.slice(0, 12).join(' | ')}, expected ${query.expected.slice(0, 12).join(' | ')}`;
  }
  const hash = createHash('md5')
    .update(values.map((value) => `${value}\n`).join(''))
    .digest('hex');
  if (String(values.length) === hashed[1] && hash === hashed[2]) return null;
  return `${values.length} values, ${hash}: ${values.slice(0, 12).join(' | ')}; expected ${query.expected[0]}`;
}

function byValues(a: readonly string[], b: readonly string[]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? '';
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function textOf(value: CellValue, type: SqlType, letter: string): string {
  if (value === null) return 'NULL';
  if (typeof value === 'boolean') return value ? '1' : '0';
  const number = type.kind === 'DECIMAL' && typeof value === 'bigint' ? Number(value) / 10 ** type.scale : value;
  if (letter === 'R' && typeof number !== 'string') return Number(number).toFixed(3);
  if (letter === 'I' && typeof number === 'number') return String(Math.trunc(number));
  if (letter === 'I' && typeof number === 'string') return String(Number.parseInt(number, 10) || 0);
  const text = String(number).replace(/[^ -~]/g, '@');
  return text === '' ? '(empty)' : text;
}
