// Several batches of one schema as one.
//
// A string column stays a dictionary column when all parts share the dictionary, or have equal ones, as they do where one was sent with
// each of several frames; else its bytes are written out. One
// batch is returned as it is. Presence bits are refused: lists of commands are never put together.

import { assert } from '../assert.ts';
import type { ChangeBatch } from './change-batch.ts';
import type { BytesColumn, Column, Dictionary, DictionaryColumn, FixedColumn, Values } from './column.ts';
import { packed } from './packed-array.ts';
import type { Schema } from './schema.ts';
import { storageOf } from './sql-type.ts';

/** All rows of the batches, in order. */
export function concatBatches(batches: readonly ChangeBatch[], schema: Schema): ChangeBatch {
  const [only] = batches;
  if (batches.length === 1 && only !== undefined) return only;
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  let weights: Int32Array | null = null;
  if (batches.some((batch) => batch.weights !== null)) {
    weights = new Int32Array(rows);
    let at = 0;
    for (const batch of batches) {
      if (batch.weights === null) weights.fill(1, at, at + batch.rows);
      else weights.set(batch.weights.subarray(0, batch.rows), at);
      at += batch.rows;
    }
  }
  const columns = packed(schema.fields, (_, c) =>
    concatColumn(
      packed(batches, (batch) => partOf(batch, c)),
      rows,
    ),
  );
  return { schema, rows, weights, columns, presence: null };
}

interface Part {
  readonly column: Column;
  readonly rows: number;
}

function partOf(batch: ChangeBatch, ordinal: number): Part {
  const column = batch.columns[ordinal];
  assert(column !== undefined && batch.presence === null, 'batches of one schema are put together');
  return { column, rows: batch.rows };
}

function concatColumn(parts: readonly Part[], rows: number): Column {
  const type = parts[0]!.column.type;
  const validity = concatBits(parts, rows);
  if (storageOf(type) === 'bytes') return concatStrings(parts, rows, validity);
  const each = storageOf(type) === 'i128' ? 2 : 1;
  // SAFETY: a column of fixed storage has the fixed layout, and all parts have arrays of one class.
  const first = (parts[0]!.column as FixedColumn).values;
  const values = new (first.constructor as new (length: number) => Values)(rows * each);
  let at = 0;
  for (const { column, rows: count } of parts) {
    const source = (column as FixedColumn).values.subarray(0, count * each);
    (values as Uint8Array).set(source as Uint8Array, at * each);
    at += count;
  }
  return { layout: 'fixed', type, validity, values };
}

function concatStrings(parts: readonly Part[], rows: number, validity: Uint8Array | null): Column {
  const first = parts[0]!.column;
  const { type } = first;
  const shared = (column: Column): column is DictionaryColumn =>
    column.layout === 'dictionary' &&
    first.layout === 'dictionary' &&
    (column.dictionary.identity === first.dictionary.identity || areEqual(column.dictionary, first.dictionary));
  if (parts.every(({ column }) => shared(column))) {
    const codes = new Int32Array(rows);
    let { dictionary } = first as DictionaryColumn;
    let at = 0;
    for (const { column, rows: count } of parts) {
      if (!shared(column)) continue;
      codes.set(column.codes.subarray(0, count), at);
      if (column.dictionary.size > dictionary.size) dictionary = column.dictionary;
      at += count;
    }
    return { layout: 'dictionary', type, validity, codes, dictionary };
  }
  const offsets = new Int32Array(rows + 1);
  let length = 0;
  for (const { column, rows: count } of parts) length += bytesOf(column as BytesColumn | DictionaryColumn, count);
  const bytes = new Uint8Array(length);
  let row = 0;
  for (const { column, rows: count } of parts) {
    // SAFETY: a column of bytes storage is a bytes or a dictionary column.
    copyStrings(column as BytesColumn | DictionaryColumn, count, offsets, bytes, row);
    row += count;
  }
  return { layout: 'bytes', type, validity, offsets, bytes };
}

/** Whether the same codes mean the same strings in both. */
function areEqual(one: Dictionary, other: Dictionary): boolean {
  const { size } = one;
  if (size !== other.size || one.offsets[size] !== other.offsets[size]) return false;
  for (let entry = 0; entry < size; entry++) if (one.offsets[entry] !== other.offsets[entry]) return false;
  const [start, end] = [one.offsets[0], one.offsets[size]];
  return Buffer.compare(one.bytes.subarray(start, end), other.bytes.subarray(start, end)) === 0;
}

function isValid(validity: Uint8Array | null, row: number): boolean {
  return validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
}

// ── data plane ──

function concatBits(parts: readonly Part[], rows: number): Uint8Array | null {
  if (parts.every(({ column }) => column.validity === null)) return null;
  const bits = new Uint8Array((rows + 7) >> 3).fill(255);
  let at = 0;
  for (const { column, rows: count } of parts) {
    const { validity } = column;
    for (let i = 0; validity !== null && i < count; i++) {
      if (!isValid(validity, i)) bits[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
    }
    at += count;
  }
  return bits;
}

function bytesOf(column: BytesColumn | DictionaryColumn, rows: number): number {
  if (column.layout === 'bytes') return column.offsets[rows]! - column.offsets[0]!;
  const { codes, validity, dictionary } = column;
  let bytes = 0;
  for (let i = 0; i < rows; i++) {
    if (isValid(validity, i)) bytes += dictionary.offsets[codes[i]! + 1]! - dictionary.offsets[codes[i]!]!;
  }
  return bytes;
}

function copyStrings(
  column: BytesColumn | DictionaryColumn,
  rows: number,
  offsets: Int32Array,
  bytes: Uint8Array,
  row: number,
): void {
  let at = offsets[row]!;
  if (column.layout === 'bytes') {
    const first = column.offsets[0]!;
    bytes.set(column.bytes.subarray(first, column.offsets[rows]!), at);
    for (let i = 0; i < rows; i++) offsets[row + i + 1] = at + column.offsets[i + 1]! - first;
    return;
  }
  const { codes, validity, dictionary } = column;
  for (let i = 0; i < rows; i++) {
    if (isValid(validity, i)) {
      const end = dictionary.offsets[codes[i]! + 1]!;
      for (let j = dictionary.offsets[codes[i]!]!; j < end; j++) bytes[at++] = dictionary.bytes[j]!;
    }
    offsets[row + i + 1] = at;
  }
}
