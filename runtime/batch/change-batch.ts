// A change batch: a columnar multiset of changes of one relation.
//
// Row i stands `weights[i]` times (+ inserted, - deleted); no weights = every row +1. Weights are never 0.
// For a relation with a primary key a batch on its way *in* is a list of commands in order, not yet a Z-set: weight +1
// upserts by key, -1 deletes by key (other columns are ignored). With `presence`, a +1 row is a partial update: only the
// columns whose bit is set are written, the key must be among them and an absent key is ignored.
//   presence   row-major bits: bit c of row i is byte i * presenceBytes(columns) + (c >> 3), bit c & 7; null = all present
// A batch is immutable after `finish()` of its builder; sending it over a port gives it away.
import { assert } from '../assert.ts';
import type { Column } from './column.ts';
import type { Schema } from './schema.ts';

export interface ChangeBatch {
  readonly schema: Schema;
  readonly rows: number;
  readonly weights: Int32Array | null;
  readonly columns: readonly Column[];
  readonly presence: Uint8Array | null;
}

/** Bytes of presence bits for each row. */
export function presenceBytes(columns: number): number {
  return (columns + 7) >> 3;
}

/** O(columns) checks that hold for every batch that crosses a border. */
export function assertBatch(batch: ChangeBatch): void {
  const { rows, columns, schema, weights, presence } = batch;
  assert(columns.length === schema.fields.length, 'a batch has one column for each field');
  assert(weights === null || weights.length >= rows, 'a batch has a weight for each row');
  assert(
    presence === null || presence.length >= rows * presenceBytes(columns.length),
    'a batch has presence bits for each row',
  );
  for (const column of columns) {
    assert(column.validity === null || column.validity.length * 8 >= rows, 'a validity bitmap covers every row');
    if (column.layout === 'bytes') assert(column.offsets.length > rows, 'a bytes column has rows + 1 offsets');
    else if (column.layout === 'dictionary')
      assert(column.codes.length >= rows, 'a dictionary column has a code a row');
    else assert(column.values.length >= rows, 'a fixed column has a value for each row');
  }
}
