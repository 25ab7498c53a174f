// Several batches of one schema as one, row after row.
//
// Dictionaries are resolved to bytes: two batches need not share one. Presence is kept. O(bytes); nothing is shared with
// the inputs unless there is only one.
import { assert } from '../assert.ts';
import { type ChangeBatch, presenceBytes } from './change-batch.ts';
import type { Column, FixedColumn, Values } from './column.ts';
import type { SqlType } from './sql-type.ts';

/** `batches` is not empty. */
export function concatenateBatches(batches: readonly ChangeBatch[]): ChangeBatch {
  const first = batches[0];
  assert(first !== undefined, 'at least one batch is concatenated');
  if (batches.length === 1) return first;
  let rows = 0;
  for (const batch of batches) {
    assert(batch.schema.fingerprint === first.schema.fingerprint, 'batches that are concatenated have one schema');
    rows += batch.rows;
  }
  return {
    schema: first.schema,
    rows,
    weights: concatenateWeights(batches, rows),
    columns: first.columns.map((_, c) => concatenateColumn(batches, c, rows)),
    presence: concatenatePresence(batches, rows),
  };
}

function concatenateWeights(batches: readonly ChangeBatch[], rows: number): Int32Array | null {
  if (batches.every((batch) => batch.weights === null)) return null;
  const weights = new Int32Array(rows).fill(1);
  let at = 0;
  for (const batch of batches) {
    if (batch.weights !== null) weights.set(batch.weights.subarray(0, batch.rows), at);
    at += batch.rows;
  }
  return weights;
}

function concatenatePresence(batches: readonly ChangeBatch[], rows: number): Uint8Array | null {
  if (batches.every((batch) => batch.presence === null)) return null;
  const width = presenceBytes(batches[0]!.columns.length);
  const presence = new Uint8Array(rows * width).fill(255);
  let at = 0;
  for (const batch of batches) {
    if (batch.presence !== null) presence.set(batch.presence.subarray(0, batch.rows * width), at);
    at += batch.rows * width;
  }
  return presence;
}

function concatenateColumn(batches: readonly ChangeBatch[], c: number, rows: number): Column {
  const columns = batches.map((batch) => batch.columns[c]!);
  const validity = concatenateValidity(batches, columns, rows);
  const type = columns[0]!.type;
  if (columns[0]!.layout === 'fixed') return concatenateFixed(batches, columns, type, validity, rows);
  let bytes = 0;
  for (let b = 0; b < batches.length; b++) bytes += columnBytes(columns[b]!, batches[b]!.rows);
  const offsets = new Int32Array(rows + 1);
  const target = new Uint8Array(bytes);
  let at = 0;
  for (let b = 0; b < batches.length; b++) {
    const column = columns[b]!;
    const count = batches[b]!.rows;
    if (column.layout === 'bytes') appendBytes(offsets, target, at, column.offsets, column.bytes, count);
    else if (column.layout === 'dictionary') {
      const { codes, validity: valid, dictionary } = column;
      appendEntries(offsets, target, at, codes, valid, dictionary.offsets, dictionary.bytes, count);
    }
    at += count;
  }
  return { layout: 'bytes', type, validity, offsets, bytes: target };
}

function concatenateFixed(
  batches: readonly ChangeBatch[],
  columns: readonly Column[],
  type: SqlType,
  validity: Uint8Array | null,
  rows: number,
): FixedColumn {
  const parts: Values[] = [];
  for (let b = 0; b < columns.length; b++) {
    const column = columns[b]!;
    assert(column.layout === 'fixed', 'the columns of one field have one kind of layout');
    const width = column.type.kind === 'UUID' || isWide(column.type) ? 2 : 1;
    parts.push(column.values.subarray(0, batches[b]!.rows * width));
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  assert(length >= rows, 'a fixed column has a value for each row');
  // SAFETY: every part has the class that the type is stored in; its constructor makes an array of the same class.
  const make = parts[0]!.constructor as new (length: number) => Uint8Array;
  const values = new make(length);
  let at = 0;
  for (const part of parts) {
    // SAFETY: as above.
    values.set(part as Uint8Array, at);
    at += part.length;
  }
  return { layout: 'fixed', type, validity, values };
}

function isWide(type: SqlType): boolean {
  return type.kind === 'DECIMAL' && type.precision > 18;
}

function concatenateValidity(
  batches: readonly ChangeBatch[],
  columns: readonly Column[],
  rows: number,
): Uint8Array | null {
  if (columns.every((column) => column.validity === null)) return null;
  const validity = new Uint8Array((rows + 7) >> 3).fill(255);
  let at = 0;
  for (let b = 0; b < batches.length; b++) {
    const source = columns[b]!.validity;
    if (source !== null) copyBits(validity, at, source, batches[b]!.rows);
    at += batches[b]!.rows;
  }
  return validity;
}

function columnBytes(column: Column, rows: number): number {
  if (column.layout === 'bytes') return column.offsets[rows]! - column.offsets[0]!;
  if (column.layout === 'fixed') return 0;
  return entriesBytes(column.codes, column.validity, column.dictionary.offsets, rows);
}

// ── data plane ──

function copyBits(target: Uint8Array, at: number, source: Uint8Array, rows: number): void {
  for (let i = 0; i < rows; i++) {
    if ((source[i >> 3]! & (1 << (i & 7))) === 0) target[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
  }
}

function appendBytes(
  offsets: Int32Array,
  target: Uint8Array,
  at: number,
  from: Int32Array,
  bytes: Uint8Array,
  rows: number,
): void {
  const base = offsets[at]!;
  const start = from[0]!;
  target.set(bytes.subarray(start, from[rows]!), base);
  for (let i = 1; i <= rows; i++) offsets[at + i] = base + from[i]! - start;
}

function entriesBytes(codes: Int32Array, validity: Uint8Array | null, offsets: Int32Array, rows: number): number {
  let bytes = 0;
  for (let i = 0; i < rows; i++) {
    if (validity !== null && (validity[i >> 3]! & (1 << (i & 7))) === 0) continue;
    bytes += offsets[codes[i]! + 1]! - offsets[codes[i]!]!;
  }
  return bytes;
}

function appendEntries(
  offsets: Int32Array,
  target: Uint8Array,
  at: number,
  codes: Int32Array,
  validity: Uint8Array | null,
  from: Int32Array,
  bytes: Uint8Array,
  rows: number,
): void {
  let used = offsets[at]!;
  for (let i = 0; i < rows; i++) {
    if (validity === null || (validity[i >> 3]! & (1 << (i & 7))) !== 0) {
      const end = from[codes[i]! + 1]!;
      for (let j = from[codes[i]!]!; j < end; j++) target[used++] = bytes[j]!;
    }
    offsets[at + i + 1] = used;
  }
}
