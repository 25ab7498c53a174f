// A record as the bytes that it has in its columns, and as one text: what is kept of a record that JSON could not give back exactly.
//
// Form of the text: base64 of a version (1), the byte of `shapes`, then key, before and after, each behind its length in four bytes,
// little-endian. Position, operation and metadata are exact in JSON and not part of it. Pure.
import { assert } from '../../runtime/assert.ts';
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { dataShape, recordBytes, recordColumn, shapeShift } from './record-batch.ts';

const version = 1;

/** The data of a record: see record-batch.ts. */
export interface RecordDataBytes {
  readonly shapes: number;
  readonly key: Uint8Array;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export interface RecordBytes extends RecordDataBytes {
  readonly position: Uint8Array;
  /** 1 create, 2 update, 3 delete, 4 snapshot. */
  readonly operation: number;
  /** As record-metadata.ts writes it. */
  readonly metadata: Uint8Array;
}

/** Null when its data are raw bytes or nothing, which JSON gives back as they were. */
export function exactData(batch: ChangeBatch, row: number): string | null {
  const column = batch.columns[recordColumn.shapes];
  assert(column?.layout === 'fixed', 'a batch of records has a column of shapes');
  const shapes = Number(column.values[row]);
  const isExact = Object.values(shapeShift).every((shift) => ((shapes >> shift) & 3) <= dataShape.raw);
  if (isExact) return null;
  const parts: Uint8Array[] = [Uint8Array.of(version, shapes)];
  for (const ordinal of [recordColumn.key, recordColumn.before, recordColumn.after]) {
    const bytes = recordBytes(batch, ordinal, row);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts).toString('base64');
}

/** Null: it is no such text. */
export function readExactData(text: string): RecordDataBytes | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < 2 || bytes[0] !== version) return null;
  const data: Uint8Array[] = [];
  let at = 2;
  for (let part = 0; part < 3; part++) {
    if (at + 4 > bytes.length) return null;
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (at + length > bytes.length) return null;
    data.push(bytes.subarray(at, at + length));
    at += length;
  }
  const [key, before, after] = data;
  if (key === undefined || before === undefined || after === undefined) return null;
  return { shapes: bytes[1] ?? 0, key, before, after };
}

export function appendRecordBytes(builder: BatchBuilder, record: RecordBytes): void {
  builder.reserve(1);
  const row = builder.rows;
  const put = (ordinal: number, bytes: Uint8Array): void => {
    const column = builder.columns[ordinal];
    assert(column !== undefined, 'a builder of records has the columns of recordSchema');
    column.appendBytes(bytes, 0, bytes.length);
  };
  const { operation, shapes } = recordColumn;
  const operations = builder.columns[operation];
  const shapeColumn = builder.columns[shapes];
  assert(operations !== undefined && shapeColumn !== undefined, 'a builder of records has the columns of recordSchema');
  put(recordColumn.position, record.position);
  operations.values[row] = record.operation;
  put(recordColumn.metadata, record.metadata);
  shapeColumn.values[row] = record.shapes;
  put(recordColumn.key, record.key);
  put(recordColumn.before, record.before);
  put(recordColumn.after, record.after);
  builder.commitRow();
}
