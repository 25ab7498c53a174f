// The columns of a batch of records as messages of the plugin protocol (opencdc.v1.Record), ready for a gRPC stream: each message
// holds as many records as fit below the receiver's limit, since a plugin that gets more than that breaks the stream off.
// Layout of a record: see record-decoder.ts.
//
// Structured data that is not yet a protobuf Struct is made one (`StructLosesValue` where that is not exact); such a record, and
// one that is too large, is left out and reported with its row.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { encodeStruct } from '../sdk/protobuf-struct.ts';
import { dataShape, recordColumn, shapeShift } from '../sdk/record-batch.ts';
import { unpackStructured } from '../sdk/structured-data.ts';
import { messagePrefixBytes } from './grpc-message.ts';
import { PluginRecordTooLarge } from './plugin-errors.ts';

export interface EncodeLimits {
  readonly plugin: string;
  /** Of a message without its prefix. */
  readonly messageBytesMax: number;
  readonly recordsPerMessageMax: number;
}

/** A message begins a new one beyond this, whatever the receiver allows: smaller pieces keep both sides busy. */
const messageBytesWanted = 256 << 10;

/** Writes batches into one growing buffer. One encoder for a connector. */
export class RecordEncoder {
  readonly #limits: EncodeLimits;
  #bytes = new Uint8Array(1 << 16);
  #used = 0;
  /** Where the message being written begins; -1: none is. */
  #messageStart = -1;
  #messageRecords = 0;

  constructor(limits: EncodeLimits) {
    this.#limits = limits;
  }

  /** Whole messages, in an array of their own. `refuse` is told of each row that is left out, in order. */
  encode(batch: ChangeBatch, refuse: (row: number, error: Error) => void): Uint8Array {
    const { messageBytesMax, recordsPerMessageMax, plugin } = this.#limits;
    const columns = readBatch(batch);
    const wanted = Math.min(messageBytesMax, messageBytesWanted);
    this.#used = 0;
    this.#messageStart = -1;
    for (let row = 0; row < batch.rows; row++) {
      const problem = exactShapes(columns, row);
      const size = problem === null ? recordSize(columns, row) : 0;
      const fieldSize = 1 + varintSize(size) + size;
      if (problem !== null || fieldSize > messageBytesMax) {
        refuse(row, problem ?? new PluginRecordTooLarge({ plugin, bytes: fieldSize, bytesMax: messageBytesMax }));
        continue;
      }
      const messageBytes = this.#used - this.#messageStart - messagePrefixBytes;
      if (this.#messageRecords >= recordsPerMessageMax || messageBytes + fieldSize > wanted) this.#endMessage();
      this.#reserve(messagePrefixBytes + fieldSize);
      this.#beginMessage();
      this.#used = writeRecord(this.#bytes, this.#used, columns, row, size);
      this.#messageRecords++;
    }
    this.#endMessage();
    return this.#bytes.slice(0, this.#used);
  }

  #beginMessage(): void {
    if (this.#messageStart >= 0) return;
    this.#messageStart = this.#used;
    this.#messageRecords = 0;
    this.#bytes[this.#used] = 0;
    this.#used += messagePrefixBytes;
  }

  #endMessage(): void {
    if (this.#messageStart < 0) return;
    const length = this.#used - this.#messageStart - messagePrefixBytes;
    new DataView(this.#bytes.buffer).setUint32(this.#messageStart + 1, length);
    this.#messageStart = -1;
    this.#messageRecords = 0;
  }

  #reserve(count: number): void {
    if (this.#used + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#used + count, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

/** Row i of a column is bytes[starts[i] .. ends[i]). */
interface ByteRows {
  bytes: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
  /** Rows that were made anew, by row; empty in the usual case. */
  readonly made: Map<number, Uint8Array>;
}

interface RecordColumns {
  readonly operations: ArrayLike<number | bigint>;
  readonly shapes: ArrayLike<number | bigint>;
  readonly position: ByteRows;
  readonly metadata: ByteRows;
  /** In the order of their shapes. */
  readonly key: ByteRows;
  readonly before: ByteRows;
  readonly after: ByteRows;
}

function readBatch(batch: ChangeBatch): RecordColumns {
  const rowsOf = (ordinal: number): ByteRows => byteRows(batch.columns[ordinal]!, batch.rows);
  return {
    operations: fixedValues(batch.columns[recordColumn.operation]!),
    shapes: fixedValues(batch.columns[recordColumn.shapes]!),
    position: rowsOf(recordColumn.position),
    metadata: rowsOf(recordColumn.metadata),
    key: rowsOf(recordColumn.key),
    before: rowsOf(recordColumn.before),
    after: rowsOf(recordColumn.after),
  };
}

function fixedValues(column: Column): ArrayLike<number | bigint> {
  return column.layout === 'fixed' ? column.values : [];
}

function byteRows(column: Column, rows: number): ByteRows {
  const made = new Map<number, Uint8Array>();
  if (column.layout === 'bytes') {
    return { bytes: column.bytes, starts: column.offsets, ends: column.offsets.subarray(1), made };
  }
  const starts = new Int32Array(rows);
  const ends = new Int32Array(rows);
  if (column.layout === 'fixed') return { bytes: new Uint8Array(0), starts, ends, made };
  const { dictionary, codes } = column;
  for (let row = 0; row < rows; row++) {
    starts[row] = dictionary.offsets[codes[row]!]!;
    ends[row] = dictionary.offsets[codes[row]! + 1]!;
  }
  return { bytes: dictionary.bytes, starts, ends, made };
}

/** Makes Structs of MessagePack where there is any. Answers with what cannot be said exactly. */
function exactShapes(columns: RecordColumns, row: number): Error | null {
  const shapes = Number(columns.shapes[row]);
  // The usual case, without a call: none of the three is MessagePack (both bits).
  if ((shapes & (shapes >> 1) & 0b010101) === 0) return null;
  try {
    makeStruct(columns.key, row, (shapes >> shapeShift.key) & 3);
    makeStruct(columns.before, row, (shapes >> shapeShift.before) & 3);
    makeStruct(columns.after, row, (shapes >> shapeShift.after) & 3);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function makeStruct(rows: ByteRows, row: number, shape: number): void {
  if (shape !== dataShape.msgpack) return;
  rows.made.set(row, encodeStruct(unpackStructured(rows.bytes.subarray(rows.starts[row], rows.ends[row]))));
}

// ── data plane ── sizes first, then bytes, so that each is copied once.

function recordSize(columns: RecordColumns, row: number): number {
  const shapes = Number(columns.shapes[row]);
  const positionLength = lengthOf(columns.position, row);
  let size = 1 + varintSize(positionLength) + positionLength + 2 + lengthOf(columns.metadata, row);
  const keySize = dataSize(columns.key, row, (shapes >> shapeShift.key) & 3);
  if (keySize >= 0) size += 1 + varintSize(keySize) + keySize;
  const changeSize = changeSizeOf(columns, row, shapes);
  return size + 1 + varintSize(changeSize) + changeSize;
}

function changeSizeOf(columns: RecordColumns, row: number, shapes: number): number {
  const before = dataSize(columns.before, row, (shapes >> shapeShift.before) & 3);
  const after = dataSize(columns.after, row, (shapes >> shapeShift.after) & 3);
  return (before < 0 ? 0 : 1 + varintSize(before) + before) + (after < 0 ? 0 : 1 + varintSize(after) + after);
}

/** Of a Data message without its own tag; -1: there is none. */
function dataSize(rows: ByteRows, row: number, shape: number): number {
  if (shape === dataShape.nothing) return -1;
  const length = lengthOf(rows, row);
  return 1 + varintSize(length) + length;
}

function lengthOf(rows: ByteRows, row: number): number {
  if (rows.made.size > 0) {
    const made = rows.made.get(row);
    if (made !== undefined) return made.length;
  }
  return rows.ends[row]! - rows.starts[row]!;
}

function writeRecord(target: Uint8Array, at: number, columns: RecordColumns, row: number, size: number): number {
  const shapes = Number(columns.shapes[row]);
  target[at] = 0x0a;
  let end = writeVarint(target, at + 1, size);
  target[end] = 0x0a;
  end = writeVarint(target, end + 1, lengthOf(columns.position, row));
  end = copyRow(target, end, columns.position, row);
  target[end] = 0x10;
  target[end + 1] = Number(columns.operations[row]);
  end = copyRow(target, end + 2, columns.metadata, row);
  end = writeData(target, end, 0x22, columns.key, row, (shapes >> shapeShift.key) & 3);
  target[end] = 0x2a;
  end = writeVarint(target, end + 1, changeSizeOf(columns, row, shapes));
  end = writeData(target, end, 0x0a, columns.before, row, (shapes >> shapeShift.before) & 3);
  return writeData(target, end, 0x12, columns.after, row, (shapes >> shapeShift.after) & 3);
}

function writeData(target: Uint8Array, at: number, tag: number, rows: ByteRows, row: number, shape: number): number {
  if (shape === dataShape.nothing) return at;
  const length = lengthOf(rows, row);
  target[at] = tag;
  let end = writeVarint(target, at + 1, 1 + varintSize(length) + length);
  target[end] = shape === dataShape.raw ? 0x0a : 0x12;
  end = writeVarint(target, end + 1, length);
  return copyRow(target, end, rows, row);
}

function copyRow(target: Uint8Array, at: number, rows: ByteRows, row: number): number {
  const made = rows.made.size > 0 ? rows.made.get(row) : undefined;
  if (made !== undefined) {
    target.set(made, at);
    return at + made.length;
  }
  const start = rows.starts[row]!;
  const end = rows.ends[row]!;
  const source = rows.bytes;
  if (end - start < 24) for (let i = start, j = at; i < end; i++, j++) target[j] = source[i]!;
  else target.set(source.subarray(start, end), at);
  return at + end - start;
}

function varintSize(value: number): number {
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : value < 268435456 ? 4 : 5;
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest > 127) {
    target[end++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[end] = rest;
  return end + 1;
}
