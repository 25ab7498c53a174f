// A whole column as an array of JavaScript values in their public forms (public-values.ts).
//
// Text is decoded once for a whole column where it is ASCII, once per entry where there is a dictionary; the common types
// have loops of their own, all others go cell by cell. Only row-objects.ts calls this.
import { type BytesColumn, type Column, type DictionaryColumn, isValid } from './column.ts';
import { type PublicForms, toPublic } from './public-values.ts';
import { formatDate, formatDecimal, formatTime, formatTimestamp } from './scalar-text.ts';
import { type CellValue, readCell } from './scalar-values.ts';
import { isNested } from './sql-type.ts';

/** The values of a column in their public forms. */
export function columnValues(column: Column, rows: number, forms: PublicForms): unknown[] {
  if (column.type.kind === 'NULL') return new Array<null>(rows).fill(null);
  const values = presentValues(column, rows, forms);
  const validity = column.validity;
  if (validity !== null) for (let i = 0; i < rows; i++) if (!isValid(validity, i)) values[i] = null;
  return values;
}

/** As above, with anything under a NULL. */
function presentValues(column: Column, rows: number, forms: PublicForms): unknown[] {
  const type = column.type;
  if (column.layout === 'dictionary') return dictionaryValues(column, rows, forms);
  if (column.layout === 'bytes') {
    if (type.kind === 'CHAR' || type.kind === 'VARCHAR') return textValues(column, rows);
    return cellValues(column, rows, forms);
  }
  const values = column.values;
  if (values instanceof BigInt64Array) {
    if (type.kind === 'BIGINT') return bigintValues(values, rows, forms);
    if (type.kind === 'DECIMAL' && type.precision <= 18) {
      if (type.unsigned !== undefined) return bigintValues(values, rows, forms);
      return Array.from({ length: rows }, (_, i) => formatDecimal(values[i]!, type.scale));
    }
    if (type.kind === 'TIMESTAMP' && forms.timestamps !== 'date') {
      return Array.from({ length: rows }, (_, i) => formatTimestamp(values[i]!));
    }
    if (type.kind === 'TIME') return Array.from({ length: rows }, (_, i) => formatTime(values[i]!));
    return cellValues(column, rows, forms);
  }
  if (type.kind === 'BOOLEAN') return Array.from({ length: rows }, (_, i) => values[i] === 1);
  if (type.kind === 'DATE' && forms.timestamps !== 'date') {
    return Array.from({ length: rows }, (_, i) => formatDate(values[i]!));
  }
  if (type.kind === 'DATE' || type.kind === 'INTERVAL_MONTHS') return cellValues(column, rows, forms);
  return Array.from(values.subarray(0, rows));
}

function cellValues(column: Column, rows: number, forms: PublicForms): unknown[] {
  return Array.from({ length: rows }, (_, i) => toPublic(readCell(column, i), column.type, forms));
}

function bigintValues(values: BigInt64Array, rows: number, forms: PublicForms): unknown[] {
  const made: unknown[] = new Array(rows).fill(null);
  const always = forms.integers === 'bigint';
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    made[i] = always || value > 9007199254740991n || value < -9007199254740991n ? value : Number(value);
  }
  return made;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function textValues(column: BytesColumn, rows: number): string[] {
  const { offsets, bytes } = column;
  const base = offsets[0]!;
  const whole = decoder.decode(bytes.subarray(base, offsets[rows]!));
  const isAscii = whole.length === offsets[rows]! - base;
  return Array.from({ length: rows }, (_, i) =>
    isAscii
      ? whole.slice(offsets[i]! - base, offsets[i + 1]! - base)
      : decoder.decode(bytes.subarray(offsets[i]!, offsets[i + 1]!)),
  );
}

function dictionaryValues(column: DictionaryColumn, rows: number, forms: PublicForms): unknown[] {
  const known = new Map<number, CellValue>();
  return Array.from({ length: rows }, (_, i) => {
    if (!isValid(column.validity, i)) return null;
    const code = column.codes[i]!;
    let value = known.get(code);
    if (value === undefined) {
      value = readCell(column, i);
      known.set(code, value);
    }
    // Objects and bytes are made anew, so that no two rows share one that can be changed.
    return typeof value === 'string' && column.type.kind !== 'VARIANT' && !isNested(column.type)
      ? value
      : toPublic(value instanceof Uint8Array ? value.slice() : value, column.type, forms);
  });
}
