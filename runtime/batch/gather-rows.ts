// Chosen rows of a batch as a new batch, in the order in which they were chosen.
//
// Columns are gathered by gather-column.ts. A row may be chosen more than once. Presence bits are not kept: a gathered batch is a Z-set, never a list of commands.

import { assert } from '../assert.ts';
import type { ChangeBatch } from './change-batch.ts';
import { gatherColumn } from './gather-column.ts';
import { packed } from './packed-array.ts';

/** Rows rowIds[0 .. count) with these weights; `weights` null: all +1. */
export function gatherRows(
  batch: ChangeBatch,
  rowIds: Int32Array,
  count: number,
  weights: Int32Array | null,
): ChangeBatch {
  assert(batch.presence === null, 'rows are gathered from whole rows');
  const columns = packed(batch.columns, (column) => gatherColumn(column, rowIds, count));
  return { schema: batch.schema, rows: count, weights, columns, presence: null };
}
