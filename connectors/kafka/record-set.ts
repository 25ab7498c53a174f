// The values of the records in the bytes that a broker has fetched, one behind the other with a line break behind each: what the
// splitters of formats take. No record becomes an object.
//
// A record set is a row of batches (magic 2), the last of which may be cut. Left out: what lies before the offset that was asked for,
// control batches, records of transactions that were aborted, records without a value (tombstones, counted).
// https://kafka.apache.org/documentation/#recordbatch
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

  reserve(bytes: number): void {
    if (this.length + bytes > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length + bytes, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    if (this.count === this.ends.length) {
      const ends = new Int32Array(this.count * 2);
      ends.set(this.ends);
      this.ends = ends;
      const offsets = new Float64Array(this.count * 2);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
  }
}

const headBytes = 61;
const compressionMask = 7;
const transactionalMask = 0x10;
const controlMask = 0x20;

export type Decompress = (codec: number, bytes: Buffer) => Uint8Array;

/** Reads a record set into `values`, which has been cleared with the wanted offset. @throws KafkaMalformed */
export function readRecordSet(
  set: Buffer,
  aborted: readonly AbortedTransaction[],
  decompress: Decompress,
  values: RecordValues,
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
      const body = codec === 0 ? set : decompress(codec, set.subarray(at + headBytes, end));
      const start = codec === 0 ? at + headBytes : 0;
      readRecords(body, start, codec === 0 ? end : body.length, count, baseOffset, wanted, values);
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

function readRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  baseOffset: number,
  wanted: number,
  values: RecordValues,
): void {
  const cursor: Cursor = { at: start };
  for (let i = 0; i < count; i++) {
    const length = varint(bytes, cursor, end);
    const recordEnd = cursor.at + length;
    if (length < 0 || recordEnd > end) throw new KafkaMalformed({ detail: 'a record is longer than its batch' });
    cursor.at++;
    skipVarint(bytes, cursor, end);
    const offset = baseOffset + varint(bytes, cursor, end);
    const keyLength = varint(bytes, cursor, end);
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = varint(bytes, cursor, end);
    if (offset >= wanted) {
      if (valueLength < 0) values.tombstones++;
      else {
        if (cursor.at + valueLength > recordEnd)
          throw new KafkaMalformed({ detail: 'a value is longer than its record' });
        values.reserve(valueLength + 1);
        const target = values.bytes;
        const to = values.length;
        const from = cursor.at;
        if (valueLength < 48) for (let b = 0; b < valueLength; b++) target[to + b] = bytes[from + b]!;
        else target.set(bytes.subarray(from, from + valueLength), to);
        target[to + valueLength] = 10;
        values.length = to + valueLength + 1;
        values.ends[values.count] = values.length;
        values.offsets[values.count] = offset;
        values.count++;
      }
    }
    cursor.at = recordEnd;
  }
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

/** Of any size: the difference of times. */
function skipVarint(bytes: Uint8Array, cursor: Cursor, end: number): void {
  while (cursor.at < end && bytes[cursor.at]! >= 128) cursor.at++;
  cursor.at++;
}
