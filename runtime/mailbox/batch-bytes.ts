// How much memory a frame takes, without encoding it: what a local channel counts as its bytes.
//
// Exact for fixed and bytes columns. Of a dictionary, which belongs to many batches, only the codes are counted.
import type { ChangeBatch } from '../batch/change-batch.ts';

/** What a mark or an end counts, so that a flood of marks is bounded as well. */
export const markBytes = 64;

/** O(columns). */
export function batchBytes(batch: ChangeBatch): number {
  let bytes = markBytes + (batch.weights?.byteLength ?? 0) + (batch.presence?.byteLength ?? 0);
  for (const column of batch.columns) {
    bytes += column.validity?.byteLength ?? 0;
    if (column.layout === 'fixed') bytes += column.values.byteLength;
    else if (column.layout === 'dictionary') bytes += column.codes.byteLength;
    else bytes += column.offsets.byteLength + column.offsets[batch.rows]! - column.offsets[0]!;
  }
  return bytes;
}
