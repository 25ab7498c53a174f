// Batches as they go over a port to the engine: encoded, each in a buffer of its own or in memory that is lent.
//
// At most `batchRowsMax` rows each, so that between here and the engine nothing touches a row again. What is lent and not sent after all
// goes back to its rooms, by whoever leaves it out.
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { FrameMemory, LentFrame } from '../../runtime/mailbox/frame-rooms.ts';
import { decodeBatch, encodeBatchIn } from '../../runtime/wire/batch-codec.ts';

/** The most rows of one batch. A multiple of 8, so that slices of validity bitmaps are views. */
export const batchRowsMax = 65_536;

export interface EncodedBatch {
  readonly frame: ArrayBuffer | LentFrame;
  readonly rows: number;
}

/** `rooms`: where there may be room to be lent. Empty batches are left out. */
export function encodeAll(batches: readonly ChangeBatch[], rooms: FrameMemory | null = null): readonly EncodedBatch[] {
  const encoded: EncodedBatch[] = [];
  for (const batch of batches) {
    for (let start = 0; start < batch.rows; start += batchRowsMax) {
      const end = Math.min(batch.rows, start + batchRowsMax);
      const part = start === 0 && end === batch.rows ? batch : sliceBatch(batch, start, end);
      encoded.push({ frame: encodeFrame(part, rooms), rows: part.rows });
    }
  }
  return encoded;
}

export function frameBytes({ frame }: EncodedBatch): number {
  return frame instanceof ArrayBuffer ? frame.byteLength : frame.bytes;
}

/** As views of the frame. */
export function decodeFrame({ frame }: EncodedBatch, schema: Schema): ChangeBatch {
  if (frame instanceof ArrayBuffer) return decodeBatch(frame, schema, 'in memory').batch;
  return decodeBatch(frame.memory, schema, 'in memory', frame.bytes).batch;
}

/** Whether one of the batches lies in this room. */
export function isUsed(room: LentFrame, batches: readonly EncodedBatch[]): boolean {
  return batches.some(({ frame }) => !(frame instanceof ArrayBuffer) && frame.room === room.room);
}

function encodeFrame(batch: ChangeBatch, rooms: FrameMemory | null): ArrayBuffer | LentFrame {
  const lent: LentFrame[] = [];
  const memory = encodeBatchIn<ArrayBuffer | SharedArrayBuffer>((bytes) => {
    const room = rooms?.take(bytes) ?? null;
    if (room === null) return new ArrayBuffer(bytes);
    lent.push(room);
    return room.memory;
  }, batch);
  if (memory instanceof ArrayBuffer) return memory;
  const [frame] = lent;
  assert(frame !== undefined, 'shared memory of a frame is lent');
  return frame;
}
