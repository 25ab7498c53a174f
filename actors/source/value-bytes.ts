// What the rows of a batch count as in statistics: eight bytes a value, texts by their length, as Feldera has it.
//
// Of batches that a source makes itself; bytes that are decoded count as they are.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type DictionaryColumn, isValid } from '../../runtime/batch/column.ts';

export function valueBytes(batch: ChangeBatch): number {
  let bytes = 0;
  for (const column of batch.columns) {
    if (column.layout === 'bytes') bytes += (column.offsets[batch.rows] ?? 0) - (column.offsets[0] ?? 0);
    else if (column.layout === 'dictionary') bytes += entryBytes(column, batch.rows);
    else bytes += 8 * batch.rows;
  }
  return bytes;
}

// ── data plane ──

function entryBytes({ codes, validity, dictionary }: DictionaryColumn, rows: number): number {
  const { offsets } = dictionary;
  let bytes = 0;
  for (let row = 0; row < rows; row++) {
    if (isValid(validity, row)) bytes += offsets[codes[row]! + 1]! - offsets[codes[row]!]!;
  }
  return bytes;
}
