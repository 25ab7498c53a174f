// Positions of records, and records as a payload: what stands between a source of the record kind and the runtime, whose
// positions are JSON.
import type { ConnectorRecord } from './record.ts';
import { recordBatchOf } from './record-batch.ts';
import type { BatchPayload, Position } from './source.ts';

/** Records that an author made as objects, as `read` yields them. Not empty. A batch built by hand is the fast way. */
export function recordsPayload(records: readonly ConnectorRecord[]): BatchPayload {
  const last = records.at(-1)?.position ?? new Uint8Array(0);
  return { kind: 'batch', batch: recordBatchOf(records), position: recordPosition(last) };
}

/** The runtime's position of a record whose own position is `bytes`. */
export function recordPosition(bytes: Uint8Array): Position {
  return { record: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') };
}

/** The bytes of a record's position; empty when there is none. */
export function recordPositionBytes(position: Position | null): Uint8Array {
  const text = position?.['record'];
  return typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : new Uint8Array(0);
}
