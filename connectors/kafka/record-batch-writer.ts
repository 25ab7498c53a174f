// Records as the bytes of a record batch (magic 2), straight from the bytes of a format: no record becomes an object.
//
//   0 base offset i64 = 0   8 length i32   12 leader epoch i32 = -1   16 magic i8 = 2   17 crc32c u32 of everything from 21 on
//   21 attributes i16   23 last offset delta i32   27 first and 35 last time i64   43 producer id i64   51 epoch i16   53 sequence i32
//   57 records i32   61 records: length, attributes i8 = 0, time delta = 0, offset delta, key, value, headers; numbers as zigzag varints
//
// All records of a batch have its time. https://kafka.apache.org/documentation/#recordbatch

const headBytes = 61;
const bytesMin = 4096;

export class RecordBatchWriter {
  readonly #time: bigint;
  readonly #bytesMax: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = headBytes;
  #count = 0;

  /** `bytesMax`: how long a batch of more than one record may become; `bytesAtFirst`: as it will probably be. */
  constructor(timeMs: number, bytesMax: number, bytesAtFirst: number = bytesMin) {
    this.#time = BigInt(timeMs);
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.max(headBytes, Math.min(bytesMax, bytesAtFirst)));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Appends a record: source[keyStart .. keyEnd) is its key (-1: it has none), source[valueStart .. valueEnd) its value (-1: none), and
   * `headers` are their count and they themselves. False: the batch has no room for it.
   */
  append(
    source: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: Uint8Array,
  ): boolean {
    const keyBytes = keyEnd < 0 ? 0 : keyEnd - keyStart;
    const valueBytes = valueEnd < 0 ? 0 : valueEnd - valueStart;
    // Its numbers take five bytes at most, each of five.
    const needed = this.#length + 25 + keyBytes + valueBytes + headers.length;
    if (needed > this.#bytes.length) {
      if (needed > this.#bytesMax && this.#count > 0) return false;
      this.#grow(needed);
    }
    const keyLength = keyEnd < 0 ? -1 : keyBytes;
    const valueLength = valueEnd < 0 ? -1 : valueBytes;
    const bytes = this.#bytes;
    const size =
      2 +
      varintBytes(this.#count) +
      varintBytes(keyLength) +
      keyBytes +
      varintBytes(valueLength) +
      valueBytes +
      headers.length;
    let at = writeVarint(bytes, this.#length, size);
    bytes[at++] = 0;
    bytes[at++] = 0;
    at = writeVarint(bytes, at, this.#count);
    at = writeVarint(bytes, at, keyLength);
    at = copyBytes(bytes, at, source, keyStart, keyBytes);
    at = writeVarint(bytes, at, valueLength);
    at = copyBytes(bytes, at, source, valueStart, valueBytes);
    at = copyBytes(bytes, at, headers, 0, headers.length);
    this.#length = at;
    this.#count++;
    return true;
  }

  /** What it is without the producer's numbers and without a checksum (`sealBatch`). The writer is done with. */
  finish(): Uint8Array<ArrayBuffer> {
    const view = this.#view;
    view.setInt32(12, -1);
    view.setInt8(16, 2);
    view.setInt32(23, this.#count - 1);
    view.setBigInt64(27, this.#time);
    view.setBigInt64(35, this.#time);
    view.setInt32(57, this.#count);
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, Math.min(this.#bytes.length * 2, this.#bytesMax)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

export interface BatchSeal {
  /** -1n: nobody looks whether it comes twice. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  /** Null: as it is. */
  readonly compression: { readonly bitmask: number; readonly compress: (records: Buffer) => Uint8Array } | null;
  readonly crc32c: (bytes: Buffer) => number;
}

/** A finished batch as it is sent. `batch` itself stays what it is. */
export function sealBatch(batch: Uint8Array, seal: BatchSeal): Buffer {
  const records = batch.subarray(headBytes);
  const packed = seal.compression?.compress(Buffer.from(records.buffer, records.byteOffset, records.length)) ?? records;
  const sealed = Buffer.allocUnsafeSlow(headBytes + packed.length);
  sealed.set(batch.subarray(0, headBytes));
  sealed.set(packed, headBytes);
  sealed.writeInt32BE(sealed.length - 12, 8);
  sealed.writeInt16BE(seal.compression?.bitmask ?? 0, 21);
  sealed.writeBigInt64BE(seal.producerId, 43);
  sealed.writeInt16BE(seal.producerEpoch, 51);
  sealed.writeInt32BE(seal.sequence, 53);
  sealed.writeUInt32BE(seal.crc32c(sealed.subarray(21)) >>> 0, 17);
  return sealed;
}

/** A text, bytes, or none. */
export type HeaderValue = string | readonly number[] | null;

/** Headers of a record: their count, then name and value of each. */
export function encodeHeaders(headers: ReadonlyMap<string, HeaderValue>): Uint8Array {
  const parts: Uint8Array[] = [varintOf(headers.size)];
  for (const [name, value] of headers) {
    for (const part of [name, value]) {
      if (part === null) parts.push(varintOf(-1));
      else {
        const bytes = typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part);
        parts.push(varintOf(bytes.length), bytes);
      }
    }
  }
  return Buffer.concat(parts);
}

function varintOf(value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  return bytes.subarray(0, writeVarint(bytes, 0, value));
}

// ── data plane ──

/** Short texts are copied here: a call of the runtime costs more. */
const copiedBytesMax = 128;

function copyBytes(target: Uint8Array, to: number, source: Uint8Array, from: number, count: number): number {
  if (count > copiedBytesMax) target.set(source.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
  return to + count;
}

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = start;
  for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}

function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 1 << 7 ? 1 : zigzag < 1 << 14 ? 2 : zigzag < 1 << 21 ? 3 : zigzag < 1 << 28 ? 4 : 5;
}
