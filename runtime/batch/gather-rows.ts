// Chosen rows of a batch as a new batch, in the order in which they were chosen.
//
// Values are copied by one loop for each class of array; a dictionary column copies codes and keeps its dictionary. A row
// may be chosen more than once. Presence bits are not kept: a gathered batch is a Z-set, never a list of commands.
import { assert } from '../assert.ts';
import type { ChangeBatch } from './change-batch.ts';
import type { Column, Values } from './column.ts';
import { storageOf } from './sql-type.ts';

/** Rows rowIds[0 .. count) with these weights; `weights` null: all +1. */
export function gatherRows(
  batch: ChangeBatch,
  rowIds: Int32Array,
  count: number,
  weights: Int32Array | null,
): ChangeBatch {
  assert(batch.presence === null, 'rows are gathered from whole rows');
  const columns = batch.columns.map((column) => gatherColumn(column, rowIds, count));
  return { schema: batch.schema, rows: count, weights, columns, presence: null };
}

function gatherColumn(column: Column, ids: Int32Array, count: number): Column {
  const { type } = column;
  const validity = column.validity === null ? null : gatherBits(column.validity, ids, count);
  if (column.layout === 'dictionary') {
    const codes = new Int32Array(count);
    gather32(column.codes, ids, count, codes);
    return { layout: 'dictionary', type, validity, codes, dictionary: column.dictionary };
  }
  if (column.layout === 'bytes') {
    const offsets = new Int32Array(count + 1);
    const bytes = new Uint8Array(bytesOf(column.offsets, ids, count));
    gatherBytes(column.offsets, column.bytes, ids, count, offsets, bytes);
    return { layout: 'bytes', type, validity, offsets, bytes };
  }
  return {
    layout: 'fixed',
    type,
    validity,
    values: gatherValues(column.values, storageOf(type) === 'i128', ids, count),
  };
}

function gatherValues(values: Values, wide: boolean, ids: Int32Array, count: number): Values {
  if (values instanceof Int32Array) {
    const out = new Int32Array(count);
    gather32(values, ids, count, out);
    return out;
  }
  if (values instanceof Float32Array) {
    const out = new Float32Array(count);
    gather32(wordsOf(values), ids, count, wordsOf(out));
    return out;
  }
  if (values instanceof Float64Array) {
    const out = new Float64Array(count);
    gatherGroups(wordsOf(values), 2, ids, count, wordsOf(out));
    return out;
  }
  if (values instanceof BigInt64Array) {
    const out = new BigInt64Array(wide ? count * 2 : count);
    gatherGroups(wordsOf(values), wide ? 4 : 2, ids, count, wordsOf(out));
    return out;
  }
  if (values instanceof Int16Array) {
    const out = new Int16Array(count);
    for (let i = 0; i < count; i++) out[i] = values[ids[i]!]!;
    return out;
  }
  const out = values instanceof Int8Array ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = values[ids[i]!]!;
  return out;
}

function wordsOf(values: ArrayBufferView): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
}

// ── data plane ──

function gather32(values: Int32Array, ids: Int32Array, count: number, out: Int32Array): void {
  for (let i = 0; i < count; i++) out[i] = values[ids[i]!]!;
}

function gatherGroups(words: Int32Array, each: number, ids: Int32Array, count: number, out: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const read = ids[i]! * each;
    const write = i * each;
    for (let k = 0; k < each; k++) out[write + k] = words[read + k]!;
  }
}

function gatherBits(validity: Uint8Array, ids: Int32Array, count: number): Uint8Array | null {
  const out = new Uint8Array((count + 7) >> 3).fill(255);
  let nulls = 0;
  for (let i = 0; i < count; i++) {
    const row = ids[i]!;
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) continue;
    out[i >> 3]! &= ~(1 << (i & 7));
    nulls++;
  }
  return nulls === 0 ? null : out;
}

function bytesOf(offsets: Int32Array, ids: Int32Array, count: number): number {
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += offsets[ids[i]! + 1]! - offsets[ids[i]!]!;
  return bytes;
}

function gatherBytes(
  offsets: Int32Array,
  bytes: Uint8Array,
  ids: Int32Array,
  count: number,
  outOffsets: Int32Array,
  out: Uint8Array,
): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = offsets[ids[i]! + 1]!;
    for (let j = offsets[ids[i]!]!; j < end; j++) out[at++] = bytes[j]!;
    outOffsets[i + 1] = at;
  }
}
