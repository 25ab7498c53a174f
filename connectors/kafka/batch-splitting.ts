// A batch that a broker finds too large, as two: the topic may allow less than one batch has.
import { RecordBatchWriter } from './record-batch-writer.ts';
import { type Cursor, varint } from './record-values.ts';

const headBytes = 61;

/** A finished batch, not sealed, in two halves; null: it has one record only. */
export function splitBatch(batch: Uint8Array, timeMs: number): readonly RecordBatchWriter[] | null {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  const count = view.getInt32(57);
  if (count < 2) return null;
  // With room for numbers that may be longer than they are.
  const bytesMax = batch.length + 32;
  const halves = [new RecordBatchWriter(timeMs, bytesMax), new RecordBatchWriter(timeMs, bytesMax)];
  const cursor: Cursor = { at: headBytes };
  const end = batch.length;
  for (let i = 0; i < count; i++) {
    const recordEnd = varint(batch, cursor, end) + cursor.at;
    cursor.at += 2;
    varint(batch, cursor, end);
    const keyLength = varint(batch, cursor, end);
    const keyStart = cursor.at;
    cursor.at += Math.max(0, keyLength);
    const valueLength = varint(batch, cursor, end);
    const valueStart = cursor.at;
    const valueEnd = valueStart + Math.max(0, valueLength);
    const half = halves[i < count >> 1 ? 0 : 1];
    half?.append(
      batch,
      keyStart,
      keyLength < 0 ? -1 : keyStart + keyLength,
      valueStart,
      valueLength < 0 ? -1 : valueEnd,
      batch.subarray(valueEnd, recordEnd),
    );
    cursor.at = recordEnd;
  }
  return halves;
}
