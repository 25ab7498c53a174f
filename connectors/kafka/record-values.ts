// The values of records, one behind the other with a line break behind each: messages as formats take them.
//
// No record becomes an object: values are copied out of a batch as they are found in it, into shared memory that is lent with a payload:
// `begin` takes what came back, or makes some.
import { copyBytes } from '../../runtime/batch/copy-bytes.ts';
import type { RecordFilter } from './header-filter.ts';
import { KafkaMalformed } from './kafka-errors.ts';

/** What is told of a record beside its value, while it is read. Ranges are of `bytes`, until the next record. */
export interface RecordDetails {
  print(bytes: Uint8Array, record: RecordPlace): void;
}

export interface RecordPlace {
  offset: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** keyEnd -1: there is no key. */
  keyStart: number;
  keyEnd: number;
  headersStart: number;
  end: number;
}

export interface BatchHead {
  readonly baseOffset: number;
  readonly wanted: number;
  readonly baseTimestamp: number;
  /** 0: all records have the time of the batch. */
  readonly deltas: 0 | 1;
  readonly details: RecordDetails | null;
  readonly filter: RecordFilter | null;
}

/** What a payload is lent. */
interface ValuesRoom {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly starts: Int32Array<SharedArrayBuffer>;
  readonly ends: Int32Array<SharedArrayBuffer>;
}

/** Of a few payloads on their way: being decoded, waiting for that, and being filled. */
const roomsMax = 5;
/** Larger ones are not kept. */
const keptBytesMax = 16 << 20;
const noMemory = new SharedArrayBuffer(0);

export class RecordValues {
  bytes: Uint8Array<SharedArrayBuffer> = new Uint8Array(noMemory);
  view: DataView = new DataView(noMemory);
  length = 0;
  /** Value i is bytes[starts[i] .. ends[i]), and a line break behind it; offsets[i]: its offset in the partition. */
  starts: Int32Array<SharedArrayBuffer> = new Int32Array(noMemory);
  ends: Int32Array<SharedArrayBuffer> = new Int32Array(noMemory);
  offsets: Float64Array = new Float64Array(0);
  count = 0;
  readonly #free: ValuesRoom[] = [];

  begin(capacity: number): void {
    this.length = 0;
    this.count = 0;
    if (this.bytes.length >= capacity) return;
    const { bytes, starts, ends } = this.#free.pop() ?? this;
    this.starts = starts;
    this.ends = ends;
    this.#setBytes(bytes.length < capacity ? shared(capacity) : bytes);
  }

  /** Gives the values away; the answer takes their memory back. */
  lend(): () => void {
    const { bytes, starts, ends } = this;
    this.#setBytes(new Uint8Array(noMemory));
    this.starts = new Int32Array(noMemory);
    this.ends = new Int32Array(noMemory);
    return () => {
      if (bytes.length <= keptBytesMax && this.#free.length < roomsMax) this.#free.push({ bytes, starts, ends });
    };
  }

  /** Room for a batch of so many bytes and records behind the values so far: a value with its line break is shorter than its record. @throws KafkaMalformed */
  reserve(bytes: number, count: number): void {
    if (count < 0 || count > bytes) throw new KafkaMalformed({ detail: 'a batch has more records than bytes' });
    const needed = this.length + bytes;
    if (needed > this.bytes.length) {
      const larger = shared(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.#setBytes(larger);
    }
    const rowsNeeded = this.count + count;
    if (rowsNeeded > this.ends.length) {
      const rows = Math.max(rowsNeeded, this.ends.length * 2);
      this.starts = grown(this.starts, new Int32Array(new SharedArrayBuffer(rows * 4)));
      this.ends = grown(this.ends, new Int32Array(new SharedArrayBuffer(rows * 4)));
    }
    if (rowsNeeded <= this.offsets.length) return;
    this.offsets = grown(this.offsets, new Float64Array(Math.max(rowsNeeded, this.offsets.length * 2)));
  }

  #setBytes(bytes: Uint8Array<SharedArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

function shared(bytes: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}

function grown<A extends Int32Array<SharedArrayBuffer> | Float64Array>(before: A, larger: A): A {
  larger.set(before);
  return larger;
}

// ── data plane ──

export interface Cursor {
  at: number;
}

/** Reads the `count` records of a batch, for which there is room, and copies their values behind those before. */
export function readRecords(values: RecordValues, source: Uint8Array, count: number, batch: BatchHead): void {
  const { bytes, view, starts, ends, offsets } = values;
  const { baseOffset, wanted, details, filter } = batch;
  const sourceView = new DataView(source.buffer, source.byteOffset, source.length);
  const cursor: Cursor = { at: 0 };
  const place = { offset: 0, timestamp: 0, keyStart: 0, keyEnd: -1, headersStart: 0, end: 0 };
  const end = source.length;
  let length = values.length;
  let found = values.count;
  for (let i = 0; i < count; i++) {
    const size = varint(source, cursor, end);
    const recordEnd = cursor.at + size;
    if (size < 0 || recordEnd > end) throw new KafkaMalformed({ detail: 'a record is longer than its batch' });
    cursor.at++;
    if (details === null) skipVarint(source, cursor, end);
    else place.timestamp = batch.baseTimestamp + batch.deltas * varlong(source, cursor, end);
    const offset = baseOffset + varint(source, cursor, end);
    const keyLength = varint(source, cursor, end);
    const keyStart = cursor.at;
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = varint(source, cursor, end);
    if (offset >= wanted && valueLength >= 0) {
      const from = cursor.at;
      const valueEnd = from + valueLength;
      if (valueEnd > recordEnd) throw new KafkaMalformed({ detail: 'a value is longer than its record' });
      if (filter === null || filter(source, valueEnd, recordEnd)) {
        if (details !== null) {
          place.offset = offset;
          place.keyStart = keyStart;
          place.keyEnd = keyLength < 0 ? -1 : keyStart + keyLength;
          place.headersStart = valueEnd;
          place.end = recordEnd;
          details.print(source, place);
        }
        starts[found] = length;
        // A call of the runtime costs more than copying a short value does.
        if (valueLength > copiedBytesMax) copyBytes(bytes, length, source.subarray(from, valueEnd));
        else copyWords(view, length, sourceView, from, valueLength);
        length += valueLength;
        ends[found] = length;
        bytes[length++] = 10;
        offsets[found++] = offset;
      }
    }
    cursor.at = recordEnd;
  }
  values.length = length;
  values.count = found;
}

const copiedBytesMax = 4096;

function copyWords(target: DataView, to: number, source: DataView, from: number, count: number): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) target.setInt32(to + i, source.getInt32(from + i, true), true);
  for (; i < count; i++) target.setUint8(to + i, source.getUint8(from + i));
}

/** A zigzag varint of at most 32 bits. */
export function varint(bytes: Uint8Array, cursor: Cursor, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (cursor.at >= end) break;
    const byte = bytes[cursor.at++]!;
    value |= (byte & 127) << shift;
    if (byte < 128) return (value >>> 1) ^ -(value & 1);
  }
  throw new KafkaMalformed({ detail: 'a number of a record is cut' });
}

/** A zigzag varint of at most 53 bits: the difference of times. */
function varlong(bytes: Uint8Array, cursor: Cursor, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    if (cursor.at >= end) break;
    const byte = bytes[cursor.at++]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  throw new KafkaMalformed({ detail: 'a number of a record is cut' });
}

/** Of any size: the difference of times. */
function skipVarint(bytes: Uint8Array, cursor: Cursor, end: number): void {
  while (cursor.at < end && bytes[cursor.at]! >= 128) cursor.at++;
  cursor.at++;
}
