// The rows of a finished batch behind those of a builder, column by column: for formats that decode into batches.

import { assert } from '../../runtime/assert.ts';
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { type ChangeBatch, presenceBytes } from '../../runtime/batch/change-batch.ts';

/** `batch` is of the builder's schema, without dictionaries; its arrays are copied. */
export function appendBatch(builder: BatchBuilder, batch: ChangeBatch): void {
  const { rows } = batch;
  if (rows === 0) return;
  builder.reserve(rows);
  const base = builder.rows;
  batch.columns.forEach((column, c) => {
    const target = builder.columns[c]!;
    if (column.validity !== null) {
      for (let row = 0; row < rows; row++) {
        if ((column.validity[row >> 3]! & (1 << (row & 7))) === 0) target.setNull(base + row);
      }
    }
    if (column.layout === 'bytes') {
      const start = column.offsets[0]!;
      const shift = target.bytesUsed - start;
      target.appendBytes(column.bytes, start, column.offsets[rows]!);
      for (let row = 0; row < rows; row++) target.offsets[base + row + 1] = column.offsets[row + 1]! + shift;
      return;
    }
    assert(column.layout === 'fixed', 'what is appended has no dictionaries');
    const width = target.storage === 'i128' ? 2 : 1;
    // SAFETY: both arrays are of the storage of the column.
    (target.values as Uint8Array).set(column.values.subarray(0, rows * width) as Uint8Array, base * width);
  });
  if (batch.presence !== null) {
    const width = presenceBytes(batch.columns.length);
    for (let row = 0; row < rows; row++) {
      // Absence is noted for the builder's current row.
      builder.rows = base + row;
      for (let c = 0; c < batch.columns.length; c++) {
        if ((batch.presence[row * width + (c >> 3)]! & (1 << (c & 7))) === 0) builder.setAbsent(c);
      }
    }
    builder.rows = base;
  }
  builder.commitRows(rows, batch.weights === null ? null : batch.weights.subarray(0, rows));
}
