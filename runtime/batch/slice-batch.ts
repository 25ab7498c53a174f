// A part of a batch as a batch of its own, for bounds on rows.
//
// Arrays are shared with the whole, which is immutable: O(columns), but for validity bitmaps where `start` is not a
// multiple of 8: those are shifted into a copy. The slice of a bytes column begins at an offset that may be above 0.
// Nothing may be given away (transferred) while a slice of it lives.

import { assert } from '../assert.ts';
import { type ChangeBatch, presenceBytes } from './change-batch.ts';
import type { Column } from './column.ts';
import { packed } from './packed-array.ts';
import { storageOf } from './sql-type.ts';

/** Rows `start .. end` of `batch`. */
export function sliceBatch(batch: ChangeBatch, start: number, end: number): ChangeBatch {
  assert(start >= 0 && start <= end && end <= batch.rows, 'a slice lies within its batch');
  if (start === 0 && end === batch.rows) return batch;
  const width = presenceBytes(batch.columns.length);
  return {
    schema: batch.schema,
    rows: end - start,
    weights: batch.weights === null ? null : batch.weights.subarray(start, end),
    columns: packed(batch.columns, (column) => sliceColumn(column, start, end)),
    presence: batch.presence === null ? null : batch.presence.subarray(start * width, end * width),
  };
}

function sliceColumn(column: Column, start: number, end: number): Column {
  const validity = column.validity === null ? null : sliceBitmap(column.validity, start, end);
  switch (column.layout) {
    case 'fixed': {
      const width = storageOf(column.type) === 'i128' ? 2 : 1;
      return { ...column, validity, values: column.values.subarray(start * width, end * width) };
    }
    case 'bytes':
      return { ...column, validity, offsets: column.offsets.subarray(start, end + 1) };
    case 'dictionary':
      return { ...column, validity, codes: column.codes.subarray(start, end) };
  }
}

// ── data plane ──

function sliceBitmap(bitmap: Uint8Array, start: number, end: number): Uint8Array {
  const first = start >> 3;
  const bytes = (end - start + 7) >> 3;
  const shift = start & 7;
  if (shift === 0) return bitmap.subarray(first, first + bytes);
  const sliced = new Uint8Array(bytes);
  const last = bitmap.length - 1;
  for (let i = 0; i < bytes; i++) {
    const at = first + i;
    const high = at < last ? bitmap[at + 1]! : 255;
    sliced[i] = (bitmap[at]! >> shift) | (high << (8 - shift));
  }
  return sliced;
}
