// Records of the plugin protocol (opencdc.v1.Record) into the columns of a batch of records, field by field, without objects.
//
//   Record  position 1 · operation 2 · metadata 3 (map: its entries are copied as they are) · key 4 (Data) · payload 5 (Change)
//   Change  before 1 (Data) · after 2 (Data)             Data  raw_data 1 · structured_data 2 (google.protobuf.Struct)
// https://github.com/ConduitIO/conduit-commons (proto/opencdc/v1)
//
// What a host adds to metadata where it is missing or empty is added here: when the record was read, and by which connector.
import type { BatchBuilder, ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import { ByteWriter } from '../sdk/protobuf-wire.ts';
import { recordMetadata } from '../sdk/record.ts';
import { dataShape, recordColumn, shapeShift } from '../sdk/record-batch.ts';
import { writeMetadataEntry } from '../sdk/record-metadata.ts';

/** What became of one record. Only `taken` has a row. */
export const decoded = { taken: 0, malformed: 1, noPosition: 2, unknownOperation: 3 } as const;

/** Where reading stands; one object for all records of a connector. */
export interface RecordCursor {
  bytes: Uint8Array;
  at: number;
  /** Of the last record, for reports. */
  operation: number;
  positionStart: number;
  positionEnd: number;
}

/** Metadata that is added to records which lack it, as bytes. */
export interface AddedMetadata {
  readonly readAt: Uint8Array;
  readonly connector: Uint8Array;
}

export function addedMetadata(readAtMs: number, connector: string): AddedMetadata {
  const entry = (key: string, value: string): Uint8Array => {
    const writer = new ByteWriter();
    writeMetadataEntry(writer, key, value);
    return writer.finish();
  };
  return {
    readAt: entry(recordMetadata.readAt, `${Math.floor(readAtMs)}000000`),
    connector: entry(recordMetadata.sourceConnector, connector),
  };
}

const readAtKey = Buffer.from(recordMetadata.readAt);
const connectorKey = Buffer.from(recordMetadata.sourceConnector);

/**
 * Reads the fields of a message of the stream, a list of records (field 1), and answers where the bytes of the record that begins
 * at `cursor.at` end: cursor.at then stands at its first byte. -1: the message is malformed. Other fields are skipped.
 */
export function nextRecord(cursor: RecordCursor, messageEnd: number): number {
  while (cursor.at < messageEnd) {
    const tag = readVarint(cursor, messageEnd);
    if (tag === 0x0a) return readEnd(cursor, messageEnd);
    if (tag < 0 || !skipField(cursor, tag, messageEnd)) return -1;
  }
  return -1;
}

// ── data plane ── one call per record: bytes go from the chunk of the socket straight into the columns of the builder.

/** Writes the row `builder.rows` and commits it when the answer is `decoded.taken`. */
export function decodeRecord(cursor: RecordCursor, end: number, builder: BatchBuilder, added: AddedMetadata): number {
  builder.reserve(1);
  const { columns } = builder;
  const row = builder.rows;
  const position = columns[recordColumn.position]!;
  const metadata = columns[recordColumn.metadata]!;
  const bytes = cursor.bytes;
  let operation = 0;
  let shapes = 0;
  let hasReadAt = false;
  let hasConnector = false;
  cursor.positionStart = 0;
  cursor.positionEnd = 0;
  while (cursor.at < end) {
    const fieldStart = cursor.at;
    const tag = readVarint(cursor, end);
    if (tag === 0x10) {
      operation = readVarint(cursor, end);
      if (operation < 0) return rejected(builder, decoded.malformed);
      continue;
    }
    if (tag < 0 || (tag & 7) !== 2) {
      if (tag < 0 || !skipField(cursor, tag, end)) return rejected(builder, decoded.malformed);
      continue;
    }
    const fieldEnd = readEnd(cursor, end);
    if (fieldEnd < 0) return rejected(builder, decoded.malformed);
    const start = cursor.at;
    let shape = 0;
    switch (tag) {
      case 0x0a:
        position.clearRow(row);
        position.appendBytes(bytes, start, fieldEnd);
        cursor.positionStart = start;
        cursor.positionEnd = fieldEnd;
        break;
      case 0x1a:
        metadata.appendBytes(bytes, fieldStart, fieldEnd);
        hasReadAt = hasReadAt || isEntryOf(bytes, start, fieldEnd, readAtKey);
        hasConnector = hasConnector || isEntryOf(bytes, start, fieldEnd, connectorKey);
        break;
      case 0x22:
        shape = copyData(cursor, fieldEnd, columns[recordColumn.key]!, row);
        if (shape < 0) return rejected(builder, decoded.malformed);
        shapes = (shapes & ~(3 << shapeShift.key)) | (shape << shapeShift.key);
        break;
      case 0x2a:
        shape = copyChange(cursor, fieldEnd, columns[recordColumn.before]!, columns[recordColumn.after]!, row);
        if (shape < 0) return rejected(builder, decoded.malformed);
        shapes = (shapes & (3 << shapeShift.key)) | shape;
        break;
      default:
    }
    cursor.at = fieldEnd;
  }
  cursor.operation = operation;
  if (cursor.positionEnd === cursor.positionStart) return rejected(builder, decoded.noPosition);
  if (operation < 1 || operation > 4) return rejected(builder, decoded.unknownOperation);
  if (!hasReadAt) metadata.appendBytes(added.readAt, 0, added.readAt.length);
  if (!hasConnector) metadata.appendBytes(added.connector, 0, added.connector.length);
  columns[recordColumn.operation]!.values[row] = operation;
  columns[recordColumn.shapes]!.values[row] = shapes;
  builder.commitRow();
  return decoded.taken;
}

function rejected(builder: BatchBuilder, outcome: number): number {
  builder.rollbackRow();
  return outcome;
}

/** Both sides of a Change; answers with their shapes in place, or -1. */
function copyChange(
  cursor: RecordCursor,
  end: number,
  before: ColumnBuilder,
  after: ColumnBuilder,
  row: number,
): number {
  let shapes = 0;
  while (cursor.at < end) {
    const tag = readVarint(cursor, end);
    if (tag !== 0x0a && tag !== 0x12) {
      if (tag < 0 || !skipField(cursor, tag, end)) return -1;
      continue;
    }
    const dataEnd = readEnd(cursor, end);
    if (dataEnd < 0) return -1;
    const shift = tag === 0x0a ? shapeShift.before : shapeShift.after;
    const shape = copyData(cursor, dataEnd, tag === 0x0a ? before : after, row);
    if (shape < 0) return -1;
    shapes = (shapes & ~(3 << shift)) | (shape << shift);
  }
  return shapes;
}

/** The content of a Data; answers with its shape, or -1. */
function copyData(cursor: RecordCursor, end: number, column: ColumnBuilder, row: number): number {
  let shape: number = dataShape.nothing;
  column.clearRow(row);
  while (cursor.at < end) {
    const tag = readVarint(cursor, end);
    if (tag !== 0x0a && tag !== 0x12) {
      if (tag < 0 || !skipField(cursor, tag, end)) return -1;
      continue;
    }
    const contentEnd = readEnd(cursor, end);
    if (contentEnd < 0) return -1;
    column.clearRow(row);
    column.appendBytes(cursor.bytes, cursor.at, contentEnd);
    cursor.at = contentEnd;
    shape = tag === 0x0a ? dataShape.raw : dataShape.struct;
  }
  return shape;
}

/** Whether the map entry in start .. end has this key and a value that is not empty. */
function isEntryOf(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  const { length } = key;
  // Key and value tags with one byte of length each; a key of that length has its length in one byte.
  if (bytes[start] !== 0x0a || bytes[start + 1] !== length || end - start < length + 5) return false;
  for (let i = 0; i < length; i++) if (bytes[start + 2 + i] !== key[i]) return false;
  return bytes[start + 2 + length] === 0x12 && bytes[start + 3 + length] !== 0;
}

/** -1: cut, or more than 2^31. */
function readVarint(cursor: RecordCursor, end: number): number {
  const { bytes } = cursor;
  if (cursor.at >= end) return -1;
  const first = bytes[cursor.at++]!;
  if (first < 128) return first;
  let value = first & 127;
  for (let shift = 7; shift < 70; shift += 7) {
    if (cursor.at >= end) return -1;
    const byte = bytes[cursor.at++]!;
    if (shift < 28) value |= (byte & 127) << shift;
    else if (shift === 28 && byte < 8) value |= byte << 28;
    else if ((byte & 127) !== 0) value = -1;
    if (byte < 128) return value;
    if (value < 0) value = -1;
  }
  return -1;
}

/** Reads a length; answers with the end of what follows, or -1. */
function readEnd(cursor: RecordCursor, end: number): number {
  const length = readVarint(cursor, end);
  return length < 0 || length > end - cursor.at ? -1 : cursor.at + length;
}

function skipField(cursor: RecordCursor, tag: number, end: number): boolean {
  switch (tag & 7) {
    case 0: {
      // A varint of any size, also a negative one of ten bytes.
      for (let i = 0; i < 10 && cursor.at < end; i++) if (cursor.bytes[cursor.at++]! < 128) return true;
      return false;
    }
    case 1:
      cursor.at += 8;
      return cursor.at <= end;
    case 2:
      cursor.at = readEnd(cursor, end);
      return cursor.at >= 0;
    case 5:
      cursor.at += 4;
      return cursor.at <= end;
    default:
      return false;
  }
}
