// A builder that is cleared builds what a new one builds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { assertBatch, type ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';

const schema = makeSchema([
  { name: 'id', type: { kind: 'BIGINT' }, nullable: true },
  { name: 'sum', type: { kind: 'DECIMAL', precision: 30, scale: 0 }, nullable: true },
  { name: 'text', type: { kind: 'VARCHAR', length: null }, nullable: true },
]);

function fill(builder: BatchBuilder, rows: number, nullEach: number, weight: number): void {
  for (let row = 0; row < rows; row++) {
    builder.reserve(1);
    const [id, sum, text] = builder.columns;
    if (row % nullEach === 0) for (const column of builder.columns) column.setNull(row);
    else {
      const ids = id?.values;
      const sums = sum?.values;
      if (ids instanceof BigInt64Array) ids[row] = BigInt(row);
      if (sums instanceof BigInt64Array) sums.fill(-1n, 2 * row, 2 * row + 2);
      const bytes = new TextEncoder().encode(`text ${row}`);
      text?.appendBytes(bytes, 0, bytes.length);
    }
    if (row === 3) builder.setAbsent(1);
    builder.commitRow(row === 5 ? weight : 1);
  }
}

/** The batch as plain arrays, without the classes of their buffers. */
function plain(batch: ChangeBatch): unknown {
  assertBatch(batch);
  const columns = batch.columns.map((column) => [
    column.validity === null ? null : [...column.validity],
    column.layout === 'fixed'
      ? [...column.values]
      : column.layout === 'bytes'
        ? [...column.offsets, ...column.bytes]
        : null,
  ]);
  return [batch.rows, batch.weights && [...batch.weights], batch.presence && [...batch.presence], columns];
}

test('a builder that was cleared builds the same batches as a new one, in the arrays that it has', () => {
  const kept = new BatchBuilder(schema, 8);
  const other = new BatchBuilder(schema, 8);
  let arrays: readonly unknown[] = [];
  for (const [rows, nullEach, weight] of [
    [100, 3, -1],
    [90, 4, 1],
    [3, 7, 1],
    [100, 2, 5],
  ] as const) {
    fill(kept, rows, nullEach, weight);
    fill(other, rows, nullEach, weight);
    assert.equal(plain(kept.peek()), plain(other.finish()));
    if (rows !== 100) assert.ok(kept.columns.every((column, c) => column.values === arrays[c]));
    arrays = kept.columns.map((column) => column.values);
    kept.clear();
    assert.is(kept.rows, 0);
    assert.is(kept.bytesUsed, 0);
  }
});

test.run();
