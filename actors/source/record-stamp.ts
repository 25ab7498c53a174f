// What every record is given when it is read: when that was, and from which connector, unless it says so itself.
//
// Metadata is entries one behind the other of which the last of a key counts (record-metadata.ts): ours stand in front, so that what a
// record brings wins, and nothing has to be looked into. A batch whose metadata repeats stays a dictionary.
import { recordMetadata } from '../../connectors/sdk/record.ts';
import { recordColumn } from '../../connectors/sdk/record-batch.ts';
import { writeMetadata } from '../../connectors/sdk/record-metadata.ts';
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { BytesColumn, Column, Dictionary } from '../../runtime/batch/column.ts';

/** `now`: milliseconds since 1970. */
export function stampRecords(batch: ChangeBatch, connector: string, now: number): ChangeBatch {
  const stamp = writeMetadata({
    [recordMetadata.readAt]: String(BigInt(Math.round(now)) * 1_000_000n),
    [recordMetadata.sourceConnector]: connector,
  });
  const column = batch.columns[recordColumn.metadata];
  assert(column !== undefined && column.layout !== 'fixed', 'metadata is a column of bytes');
  const columns = [...batch.columns];
  columns[recordColumn.metadata] = stamped(column, stamp, batch.rows);
  return { ...batch, columns };
}

function stamped(column: Exclude<Column, { layout: 'fixed' }>, stamp: Uint8Array, rows: number): Column {
  if (column.layout === 'dictionary') {
    const { dictionary } = column;
    const made = prefixed(dictionary.offsets, dictionary.bytes, dictionary.size, stamp);
    return { ...column, dictionary: { identity: made, size: dictionary.size, ...made } };
  }
  const { type, validity } = column;
  if ((column.offsets[rows] ?? 0) === (column.offsets[0] ?? 0)) {
    const only = { offsets: Int32Array.of(0, stamp.length), bytes: stamp };
    const dictionary: Dictionary = { identity: only, size: 1, ...only };
    return { layout: 'dictionary', type, validity, codes: new Int32Array(rows), dictionary };
  }
  return { layout: 'bytes', type, validity, ...prefixed(column.offsets, column.bytes, rows, stamp) };
}

// ── data plane ──

function prefixed(
  offsets: Int32Array,
  bytes: Uint8Array,
  count: number,
  prefix: Uint8Array,
): Pick<BytesColumn, 'offsets' | 'bytes'> {
  const made = new Int32Array(count + 1);
  const filled = new Uint8Array(count * prefix.length + offsets[count]! - offsets[0]!);
  let at = 0;
  for (let i = 0; i < count; i++) {
    made[i] = at;
    filled.set(prefix, at);
    at += prefix.length;
    const start = offsets[i]!;
    const end = offsets[i + 1]!;
    filled.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  made[count] = at;
  return { offsets: made, bytes: filled };
}
