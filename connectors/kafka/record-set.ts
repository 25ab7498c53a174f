// The values of the records in the bytes that a broker has fetched, one behind the other with a line break behind each: messages as
// formats take them. No record becomes an object; a batch is copied as a whole, and values are moved together inside the copy.
//
// A record set is a row of batches (magic 2), the last of which may be cut. Left out: what lies before the offset that was asked for,
// control batches, records of transactions that were aborted, records without a value (tombstones, counted).
// https://kafka.apache.org/documentation/#recordbatch
import type { RecordFilter } from './header-filter.ts';
import { KafkaMalformed } from './kafka-errors.ts';

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** Of one fetched partition; `values` and the arrays are reused by the next one. */
export class RecordValues {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 16);
  length = 0;
  /** ends[i]: where the i-th value ends, its line break included; offsets[i]: its offset in the partition. */
  ends: Int32Array = new Int32Array(1024);
  offsets: Float64Array = new Float64Array(1024);
  count = 0;
  tombstones = 0;
  /** Behind the last record that was seen, whatever became of it. */
  nextOffset = 0;

  clear(nextOffset: number): void {
    this.length = 0;
    this.count = 0;
    this.tombstones = 0;
    this.nextOffset = nextOffset;
  }

  /**
   * Copies a batch behind the values so far, and makes room for so many more. Returns where it begins. A value with its line break is
   * shorter than its record, so that what is moved together never reaches what is still to be read.
   */
  take(body: Uint8Array, count: number): number {
    if (count < 0 || count > body.length) throw new KafkaMalformed({ detail: 'a batch has more records than bytes' });
    const start = this.length;
    if (start + body.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(start + body.length, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(body, start);
    if (this.count + count > this.ends.length) {
      const rows = Math.max(this.count + count, this.ends.length * 2);
      const ends = new Int32Array(rows);
      ends.set(this.ends);
      this.ends = ends;
      const offsets = new Float64Array(rows);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    return start;
  }
}

const headBytes = 61;
const compressionMask = 7;
const appendTimeMask = 8;
const transactionalMask = 0x10;
const controlMask = 0x20;

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

export type Decompress = (codec: number, bytes: Buffer) => Uint8Array;

/** Reads a record set into `values`, which has been cleared with the wanted offset. @throws KafkaMalformed */
export function readRecordSet(
  set: Buffer,
  aborted: readonly AbortedTransaction[],
  decompress: Decompress,
  values: RecordValues,
  details: RecordDetails | null = null,
  filter: RecordFilter | null = null,
): void {
  const wanted = values.nextOffset;
  const pending = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const abortedProducers = new Set<bigint>();
  for (let at = 0; at + headBytes <= set.length; ) {
    const end = at + 12 + set.readInt32BE(at + 8);
    // The broker cuts the last batch where the answer is full.
    if (end > set.length) break;
    const magic = set[at + 16];
    if (magic !== 2) throw new KafkaMalformed({ detail: `a record batch of version ${magic}` });
    const baseOffset = Number(set.readBigInt64BE(at));
    const attributes = set.readInt16BE(at + 21);
    const behind = baseOffset + set.readInt32BE(at + 23) + 1;
    while (pending[0] !== undefined && Number(pending[0].firstOffset) < behind) {
      const next = pending.shift();
      if (next !== undefined) abortedProducers.add(next.producerId);
    }
    const isControl = (attributes & controlMask) !== 0;
    const producer = set.readBigInt64BE(at + 43);
    const isAborted = (attributes & transactionalMask) !== 0 && abortedProducers.has(producer);
    if (isControl) {
      // The marker that ends an aborted transaction: later ones of this producer are others.
      if (isAbortMarker(set, at + headBytes, end)) abortedProducers.delete(producer);
    } else if (!isAborted && behind > wanted) {
      const codec = attributes & compressionMask;
      const count = set.readInt32BE(at + 57);
      const packed = set.subarray(at + headBytes, end);
      const body = codec === 0 ? packed : decompress(codec, packed);
      const isAppendTime = (attributes & appendTimeMask) !== 0;
      const baseTimestamp = Number(set.readBigInt64BE(at + (isAppendTime ? 35 : 27)));
      const start = values.take(body, count);
      const batch = { baseOffset, wanted, baseTimestamp, deltas: isAppendTime ? 0 : 1 } as const;
      readRecords(values, start, start + body.length, count, { ...batch, details, filter });
    }
    values.nextOffset = Math.max(values.nextOffset, behind);
    at = end;
  }
}

/** Key of a control record: version i16, type i16 (0 abort, 1 commit). */
function isAbortMarker(set: Buffer, start: number, end: number): boolean {
  const cursor = { at: start };
  varint(set, cursor, end);
  cursor.at++;
  varint(set, cursor, end);
  varint(set, cursor, end);
  const keyLength = varint(set, cursor, end);
  return keyLength >= 4 && cursor.at + 4 <= end && set.readInt16BE(cursor.at + 2) === 0;
}

// ── data plane ──

interface Cursor {
  at: number;
}

interface BatchHead {
  readonly baseOffset: number;
  readonly wanted: number;
  readonly baseTimestamp: number;
  /** 0: all records have the time of the batch. */
  readonly deltas: 0 | 1;
  readonly details: RecordDetails | null;
  readonly filter: RecordFilter | null;
}

/** Reads the records of a batch that `values` has taken, and moves their values behind those before. */
function readRecords(values: RecordValues, start: number, end: number, count: number, batch: BatchHead): void {
  const { bytes, ends, offsets } = values;
  const { baseOffset, wanted, details, filter } = batch;
  const cursor: Cursor = { at: start };
  const place = { offset: 0, timestamp: 0, keyStart: 0, keyEnd: -1, headersStart: 0, end: 0 };
  let length = values.length;
  let found = values.count;
  for (let i = 0; i < count; i++) {
    const size = varint(bytes, cursor, end);
    const recordEnd = cursor.at + size;
    if (size < 0 || recordEnd > end) throw new KafkaMalformed({ detail: 'a record is longer than its batch' });
    cursor.at++;
    if (details === null) skipVarint(bytes, cursor, end);
    else place.timestamp = batch.baseTimestamp + batch.deltas * varlong(bytes, cursor, end);
    const offset = baseOffset + varint(bytes, cursor, end);
    const keyLength = varint(bytes, cursor, end);
    const keyStart = cursor.at;
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = varint(bytes, cursor, end);
    if (offset >= wanted) {
      const from = cursor.at;
      if (from + valueLength > recordEnd) throw new KafkaMalformed({ detail: 'a value is longer than its record' });
      if (valueLength < 0) values.tombstones++;
      else if (filter === null || filter(bytes, from + valueLength, recordEnd)) {
        if (details !== null) {
          place.offset = offset;
          place.keyStart = keyStart;
          place.keyEnd = keyLength < 0 ? -1 : keyStart + keyLength;
          place.headersStart = from + valueLength;
          place.end = recordEnd;
          details.print(bytes, place);
        }
        if (valueLength < 32) for (let b = 0; b < valueLength; b++) bytes[length + b] = bytes[from + b]!;
        else bytes.copyWithin(length, from, from + valueLength);
        length += valueLength;
        bytes[length++] = 10;
        ends[found] = length;
        offsets[found++] = offset;
      }
    }
    cursor.at = recordEnd;
  }
  values.length = length;
  values.count = found;
}

/** A zigzag varint of at most 32 bits. */
function varint(bytes: Uint8Array, cursor: Cursor, end: number): number {
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
