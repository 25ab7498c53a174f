// The record set that a broker has fetched of a partition, payload by payload.
//
// A record set is a row of batches (magic 2), the last of which may be cut. Left out: what lies before the offset that was asked for,
// control batches, records of transactions that were aborted, records without a value (tombstones).
// https://kafka.apache.org/documentation/#recordbatch
import { ChunkReader } from './chunk-reader.ts';
import type { RecordFilter } from './header-filter.ts';
import { KafkaMalformed } from './kafka-errors.ts';
import { type RecordDetails, type RecordValues, readRecords, varint } from './record-values.ts';

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export type Decompress = (codec: number, bytes: Buffer) => Uint8Array;

export interface RecordSetParts {
  readonly chunks: readonly Uint8Array[];
  readonly aborted: readonly AbortedTransaction[];
  readonly decompress: Decompress;
  readonly details: RecordDetails | null;
  readonly filter: RecordFilter | null;
}

/**
 * A payload ends with the batch that reaches this. Each costs a hop to another thread and memory that collectors look after: with 512 KiB
 * reading took a quarter more CPU time than with 4 MiB, in pairs of runs.
 */
const payloadBytesMax = 4 << 20;

const headBytes = 61;
const compressionMask = 7;
const appendTimeMask = 8;
const transactionalMask = 0x10;
const controlMask = 0x20;

export class RecordSet {
  readonly #parts: RecordSetParts;
  readonly #reader: ChunkReader;
  readonly #head = Buffer.alloc(headBytes);
  readonly #pending: AbortedTransaction[];
  readonly #abortedProducers = new Set<bigint>();
  /** Bytes of the batch behind `#head`, which has been read; -1: no head has been read. */
  #bodyBytes = -1;
  readonly #wanted: number;
  /** Behind the last batch that was read, whatever became of it. */
  nextOffset: number;

  constructor(parts: RecordSetParts, wanted: number) {
    this.#parts = parts;
    this.#reader = new ChunkReader(parts.chunks);
    this.#pending = [...parts.aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
    this.#wanted = wanted;
    this.nextOffset = wanted;
  }

  /** The values of the next batches. False: there was nothing more, and `values` has none. @throws KafkaMalformed */
  read(values: RecordValues): boolean {
    values.begin(Math.min(this.#reader.remaining, payloadBytesMax));
    while (this.#readHead()) {
      if (values.count > 0 && values.length + this.#bodyBytes > payloadBytesMax) return true;
      this.#readBatch(values);
      this.#bodyBytes = -1;
    }
    return values.count > 0;
  }

  /** False: there is no whole batch any more. */
  #readHead(): boolean {
    if (this.#bodyBytes >= 0) return true;
    const bodyBytes = readHead(this.#reader, this.#head);
    if (bodyBytes === null) return false;
    this.#bodyBytes = bodyBytes;
    return true;
  }

  #readBatch(values: RecordValues): void {
    const head = this.#head;
    const magic = head[16];
    if (magic !== 2) throw new KafkaMalformed({ detail: `a record batch of version ${magic}` });
    const attributes = head.readInt16BE(21);
    const behind = offsetBehind(head);
    for (let next = this.#pending[0]; next !== undefined && Number(next.firstOffset) < behind; ) {
      this.#abortedProducers.add(next.producerId);
      this.#pending.shift();
      next = this.#pending[0];
    }
    const producer = head.readBigInt64BE(43);
    const isAborted = (attributes & transactionalMask) !== 0 && this.#abortedProducers.has(producer);
    if ((attributes & controlMask) !== 0) {
      // The marker that ends an aborted transaction: later ones of this producer are others.
      if (isAbortMarker(this.#body())) this.#abortedProducers.delete(producer);
    } else if (isAborted || behind <= this.#wanted) this.#reader.skip(this.#bodyBytes);
    else this.#readValues(values, attributes);
    this.nextOffset = Math.max(this.nextOffset, behind);
  }

  #readValues(values: RecordValues, attributes: number): void {
    const head = this.#head;
    const { details, filter, decompress } = this.#parts;
    const count = head.readInt32BE(57);
    const codec = attributes & compressionMask;
    const body = codec === 0 ? null : decompress(codec, this.#body());
    const bytes = body?.length ?? this.#bodyBytes;
    values.reserve(bytes, count);
    const start = values.length;
    if (body === null) this.#reader.copyTo(values.bytes, start, bytes);
    else values.bytes.set(body, start);
    const isAppendTime = (attributes & appendTimeMask) !== 0;
    readRecords(values, start, start + bytes, count, {
      baseOffset: Number(head.readBigInt64BE(0)),
      wanted: this.#wanted,
      baseTimestamp: Number(head.readBigInt64BE(isAppendTime ? 35 : 27)),
      deltas: isAppendTime ? 0 : 1,
      details,
      filter,
    });
  }

  /** The batch behind its head, as it came. */
  #body(): Buffer {
    const body = Buffer.allocUnsafe(this.#bodyBytes);
    this.#reader.copyTo(body, 0, this.#bodyBytes);
    return body;
  }
}

/** The offset to ask for next, when a record set that was asked for from `offset` on has come. */
export function offsetBehindSet(chunks: readonly Uint8Array[], offset: number): number {
  const reader = new ChunkReader(chunks);
  const head = Buffer.allocUnsafe(headBytes);
  let behind = offset;
  for (let bytes = readHead(reader, head); bytes !== null; bytes = readHead(reader, head)) {
    behind = Math.max(behind, offsetBehind(head));
    reader.skip(bytes);
  }
  return behind;
}

/** Reads the head of a batch that is there as a whole and returns the bytes behind it. Null: the broker cut it where its answer was full. */
function readHead(reader: ChunkReader, head: Buffer): number | null {
  if (reader.remaining < headBytes) return null;
  reader.copyTo(head, 0, headBytes);
  const bodyBytes = head.readInt32BE(8) + 12 - headBytes;
  if (bodyBytes < 0) throw new KafkaMalformed({ detail: 'a batch is shorter than its head' });
  if (bodyBytes <= reader.remaining) return bodyBytes;
  reader.skip(reader.remaining);
  return null;
}

function offsetBehind(head: Buffer): number {
  return Number(head.readBigInt64BE(0)) + head.readInt32BE(23) + 1;
}

/** Key of a control record: version i16, type i16 (0 abort, 1 commit). */
function isAbortMarker(body: Buffer): boolean {
  const cursor = { at: 0 };
  const end = body.length;
  varint(body, cursor, end);
  cursor.at++;
  varint(body, cursor, end);
  varint(body, cursor, end);
  const keyLength = varint(body, cursor, end);
  return keyLength >= 4 && cursor.at + 4 <= end && body.readInt16BE(cursor.at + 2) === 0;
}
