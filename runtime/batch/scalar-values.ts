// One cell of a column as a JavaScript value, and back.
//
// The value forms are those with which expressions compute (`ScalarValue` of the engine; written out here, because runtime/
// imports nothing of the program): BOOLEAN boolean · TINYINT SMALLINT INTEGER DATE INTERVAL_MONTHS REAL DOUBLE number ·
// BIGINT TIME TIMESTAMP INTERVAL_MICROS bigint · DECIMAL bigint (value · 10^scale) · CHAR VARCHAR VARIANT (JSON text) UUID
// string · BINARY VARBINARY Uint8Array · NULL null. One object per cell: for constants, samples and tests, never for hot loops.
import { assert } from '../assert.ts';
import type { ColumnBuilder } from './batch-builder.ts';
import { type Column, isValid, type Values } from './column.ts';
import { formatUuid, parseUuidText } from './scalar-text.ts';
import type { SqlType } from './sql-type.ts';

export type CellValue = boolean | number | bigint | string | Uint8Array | null;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** The value of row `row`. Bytes are copied out of the column. */
export function readCell(column: Column, row: number): CellValue {
  if (column.type.kind === 'NULL' || !isValid(column.validity, row)) return null;
  if (column.layout === 'fixed') return readFixed(column.type, column.values, row);
  const source = column.layout === 'bytes' ? column : column.dictionary;
  const entry = column.layout === 'bytes' ? row : column.codes[row]!;
  const bytes = source.bytes.subarray(source.offsets[entry]!, source.offsets[entry + 1]!);
  return isBinary(column.type) ? bytes.slice() : decoder.decode(bytes);
}

function readFixed(type: SqlType, values: Values, row: number): CellValue {
  if (type.kind === 'BOOLEAN') return values[row] === 1;
  if (!(values instanceof BigInt64Array)) return values[row]!;
  if (type.kind === 'UUID') return formatUuid(values[2 * row]!, values[2 * row + 1]!);
  if (type.kind === 'DECIMAL' && type.precision > 18) {
    return (values[2 * row + 1]! << 64n) | BigInt.asUintN(64, values[2 * row]!);
  }
  return values[row]!;
}

/** Writes a value of the builder's type to row `row`, for which there is room. The row is committed by the caller. */
export function writeCell(builder: ColumnBuilder, row: number, value: CellValue): void {
  if (value === null) {
    builder.setNull(row);
    return;
  }
  if (builder.storage === 'bytes') {
    assert(typeof value === 'string' || value instanceof Uint8Array, 'a value of a bytes column is text or bytes');
    const bytes = typeof value === 'string' ? encoder.encode(value) : value;
    builder.appendBytes(bytes, 0, bytes.length);
    return;
  }
  const values = builder.values;
  if (values instanceof BigInt64Array) {
    if (builder.type.kind === 'UUID') {
      const words = typeof value === 'string' ? parseUuidText(value) : undefined;
      assert(words !== undefined, 'a value of a UUID column is its text');
      values[2 * row] = words.low;
      values[2 * row + 1] = words.high;
      return;
    }
    assert(typeof value === 'bigint', `a value of ${builder.type.kind} is a bigint`);
    if (builder.storage === 'i128') {
      values[2 * row] = value;
      values[2 * row + 1] = value >> 64n;
    } else {
      values[row] = value;
    }
    return;
  }
  assert(typeof value === 'number' || typeof value === 'boolean', `a value of ${builder.type.kind} is a number`);
  values[row] = Number(value);
}

function isBinary(type: SqlType): boolean {
  return type.kind === 'BINARY' || type.kind === 'VARBINARY';
}
