// The rows of a small step in the order of their columns, so that who reads the changes of a view sees the same whatever the order was in
// which the engine has come upon them (it depends on hashes, and on how many workers share the work).
//
// NULL first, then by value, texts by their code units, the next column where a row is equal to another in this one. Only small steps: in
// large ones the order costs as much as the printing, and nobody compares them by eye.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { concatBatches } from '../../../runtime/batch/concat-batches.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import { type CellValue, readCell } from '../../../runtime/batch/scalar-values.ts';

/** Rows of the largest step that is put in order. */
export const orderedRowsMax = 1_000;

/** The same rows in one batch; larger steps come back as they are. */
export function inRowOrder(batches: readonly ChangeBatch[]): readonly ChangeBatch[] {
  const [first] = batches;
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  if (first === undefined || rows <= 1 || rows > orderedRowsMax) return batches;
  const whole = concatBatches(batches, first.schema);
  const { columns, weights } = whole;
  const [leading, ...others] = columns;
  if (leading === undefined) return batches;
  // The first column tells most rows apart: it is read once for each, the others only where they are needed.
  const keys = Array.from({ length: rows }, (_, row) => readCell(leading, row));
  const order = Array.from({ length: rows }, (_, row) => row);
  order.sort((a, b) => compareCells(keys[a] ?? null, keys[b] ?? null) || compareRows(others, a, b) || a - b);
  if (order.every((row, at) => row === at)) return [whole];
  const ids = Int32Array.from(order);
  return [gatherRows(whole, ids, rows, weights === null ? null : ids.map((row) => weights[row] ?? 0))];
}

function compareRows(columns: readonly Column[], a: number, b: number): number {
  for (const column of columns) {
    const compared = compareCells(readCell(column, a), readCell(column, b));
    if (compared !== 0) return compared;
  }
  return 0;
}

function compareCells(a: CellValue, b: CellValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  // NaN is the greatest number, as it is in SQL.
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
