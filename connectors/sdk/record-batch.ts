// Records as columns: a change batch of one fixed schema, so that records travel over the same channels as rows do.
//
//   position   bytes
//   operation  1 create, 2 update, 3 delete, 4 snapshot
//   metadata   entries of protobuf's map<string,string> as field 3 of opencdc.v1.Record, one behind the other, each
//              0x1a length (0x0a length key 0x12 length value): they can be copied to and from the plugin protocol as they are
//   shapes     how to read the next three: two bits each, key in bits 0-1, before in bits 2-3, after in bits 4-5
//              (0 nothing · 1 raw bytes · 2 google.protobuf.Struct · 3 MessagePack of structured data, exact)
//   key, before, after   bytes; empty when there is nothing
//
// `bytes` columns may be slices of one large buffer (a file's lines) and dictionaries (metadata that repeats): readers ask
// for both. Objects are made by recordsOf only, for authors' code.
import { assert } from '../../runtime/assert.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { makeSchema, type Relation, type Schema } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { decodeStruct } from './protobuf-struct.ts';
import { type ConnectorRecord, type RecordData, recordOperations } from './record.ts';
import { readMetadata, writeMetadata } from './record-metadata.ts';
import { packStructured, unpackStructured } from './structured-data.ts';

const bytesType: SqlType = { kind: 'VARBINARY', length: null };
const smallType: SqlType = { kind: 'TINYINT' };

/** The schema of every batch of records. */
export const recordSchema: Schema = makeSchema([
  { name: 'position', type: bytesType, nullable: false },
  { name: 'operation', type: smallType, nullable: false },
  { name: 'metadata', type: bytesType, nullable: false },
  { name: 'shapes', type: smallType, nullable: false },
  { name: 'key', type: bytesType, nullable: false },
  { name: 'before', type: bytesType, nullable: false },
  { name: 'after', type: bytesType, nullable: false },
]);

/** Ordinals of recordSchema. */
export const recordColumn = {
  position: 0,
  operation: 1,
  metadata: 2,
  shapes: 3,
  key: 4,
  before: 5,
  after: 6,
} as const;

/** What stands in two bits of `shapes`. */
export const dataShape = { nothing: 0, raw: 1, struct: 2, msgpack: 3 } as const;

/** Where the two bits of each begin. */
export const shapeShift = { key: 0, before: 2, after: 4 } as const;

/** The relation that connectors of a pipeline without SQL are bound to. */
export const recordRelation: Relation = { name: 'records', schema: recordSchema, primaryKey: [] };

export function recordBatchBuilder(capacityRows?: number): BatchBuilder {
  return new BatchBuilder(recordSchema, capacityRows);
}

/** Appends one record; for authors' code, not for hot loops. */
export function appendRecord(builder: BatchBuilder, record: ConnectorRecord): void {
  builder.reserve(1);
  const row = builder.rows;
  const [position, operation, metadata, shapes, key, before, after] = builder.columns;
  assert(
    position !== undefined && operation !== undefined && metadata !== undefined && shapes !== undefined,
    'a builder of records has the columns of recordSchema',
  );
  assert(key !== undefined && before !== undefined && after !== undefined, 'a record has three data columns');
  position.appendBytes(record.position, 0, record.position.length);
  operation.values[row] = recordOperations.indexOf(record.operation) + 1;
  const entries = writeMetadata(record.metadata);
  metadata.appendBytes(entries, 0, entries.length);
  shapes.values[row] =
    (appendData(key, record.key) << shapeShift.key) |
    (appendData(before, record.before) << shapeShift.before) |
    (appendData(after, record.after) << shapeShift.after);
  builder.commitRow();
}

export function recordBatchOf(records: readonly ConnectorRecord[]): ChangeBatch {
  const builder = recordBatchBuilder(records.length);
  for (const record of records) appendRecord(builder, record);
  return builder.finish();
}

/** Every record of a batch as an object. Bytes are copied out of the columns. */
export function recordsOf(batch: ChangeBatch): ConnectorRecord[] {
  return Array.from({ length: batch.rows }, (_, row) => recordAt(batch, row));
}

export function recordAt(batch: ChangeBatch, row: number): ConnectorRecord {
  const shapes = smallAt(batch, recordColumn.shapes, row);
  const operation = recordOperations[smallAt(batch, recordColumn.operation, row) - 1];
  assert(operation !== undefined, 'a record has one of the four operations');
  return {
    position: recordBytes(batch, recordColumn.position, row).slice(),
    operation,
    metadata: readMetadata(recordBytes(batch, recordColumn.metadata, row)),
    key: dataAt(batch, recordColumn.key, row, (shapes >> shapeShift.key) & 3),
    before: dataAt(batch, recordColumn.before, row, (shapes >> shapeShift.before) & 3),
    after: dataAt(batch, recordColumn.after, row, (shapes >> shapeShift.after) & 3),
  };
}

/** The bytes of a column in a row, without copying. */
export function recordBytes(batch: ChangeBatch, ordinal: number, row: number): Uint8Array {
  const column = columnAt(batch, ordinal);
  assert(column.layout !== 'fixed', 'a column of bytes');
  if (column.layout === 'bytes') return column.bytes.subarray(column.offsets[row], column.offsets[row + 1]);
  const { dictionary, codes } = column;
  const code = codes[row] ?? 0;
  return dictionary.bytes.subarray(dictionary.offsets[code], dictionary.offsets[code + 1]);
}

function smallAt(batch: ChangeBatch, ordinal: number, row: number): number {
  const column = columnAt(batch, ordinal);
  assert(column.layout === 'fixed', 'a column of small integers');
  return Number(column.values[row]);
}

function columnAt(batch: ChangeBatch, ordinal: number): Column {
  const column = batch.columns[ordinal];
  assert(column !== undefined, 'a batch of records has the columns of recordSchema');
  return column;
}

function dataAt(batch: ChangeBatch, ordinal: number, row: number, shape: number): RecordData {
  if (shape === dataShape.nothing) return null;
  const bytes = recordBytes(batch, ordinal, row);
  if (shape === dataShape.raw) return bytes.slice();
  return shape === dataShape.struct ? decodeStruct(bytes) : unpackStructured(bytes);
}

/** Answers with the shape. */
function appendData(column: BatchBuilder['columns'][number], data: RecordData): number {
  if (data === null) return dataShape.nothing;
  const isRaw = data instanceof Uint8Array;
  const bytes = isRaw ? data : packStructured(data);
  column.appendBytes(bytes, 0, bytes.length);
  return isRaw ? dataShape.raw : dataShape.msgpack;
}
