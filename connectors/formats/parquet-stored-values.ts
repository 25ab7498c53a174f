// Values as a Parquet page stores them (its physical type), read from the bytes of a page into dense arrays: no row for a
// NULL, nothing converted yet.
//
// PLAIN is read here; DELTA_* and BYTE_STREAM_SPLIT through hyparquet, over a copy of the page, so that a length that
// lies cannot reach the bytes of a neighbour. INT96 and FIXED_LEN_BYTE_ARRAY are byte strings of one length.
import type { Encoding, ParquetType } from 'hyparquet';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { MillraceError } from '../../runtime/errors.ts';
import { ParquetDamaged, ParquetUnsupported } from './parquet-errors.ts';
import { damaged, unpackCodes, viewOf } from './parquet-page.ts';

/** Byte strings: string i is bytes[offsets[i] .. offsets[i + 1]). */
export interface StoredBytes {
  readonly kind: 'bytes';
  readonly count: number;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

export interface StoredNumbers {
  readonly kind: 'numbers';
  readonly count: number;
  /** BOOLEAN, INT32, INT64, FLOAT, DOUBLE. */
  readonly values: Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;
}

export type StoredValues = StoredBytes | StoredNumbers;

export interface StoredShape {
  readonly name: string;
  readonly physical: ParquetType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly typeLength: number;
}

/** The `count` values that `page` holds in `encoding`. @throws a coded error when the bytes do not hold them. */
export function readStoredValues(
  page: Uint8Array,
  count: number,
  encoding: Encoding,
  shape: StoredShape,
): StoredValues {
  if (encoding === 'PLAIN') return readPlain(page, count, shape);
  if (encoding === 'RLE' && shape.physical === 'BOOLEAN') return readRunsOfBooleans(page, count, shape);
  try {
    return readOther(new Uint8Array(page), count, encoding, shape);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new ParquetDamaged({ detail: `a page of column "${shape.name}" (${encoding}) cannot be read` }, { cause });
  }
}

function readPlain(page: Uint8Array, count: number, shape: StoredShape): StoredValues {
  const width = plainWidth(shape);
  if (width > 0 && count * width > page.length) throw damaged(shape, 'a page ends before its values');
  switch (shape.physical) {
    case 'BOOLEAN':
      if (count > page.length * 8) throw damaged(shape, 'a page ends before its values');
      return { kind: 'numbers', count, values: unpackBooleans(page, count) };
    case 'INT32':
      return { kind: 'numbers', count, values: new Int32Array(ownBuffer(page, count * width)) };
    case 'INT64':
      return { kind: 'numbers', count, values: new BigInt64Array(ownBuffer(page, count * width)) };
    case 'FLOAT':
      return { kind: 'numbers', count, values: new Float32Array(ownBuffer(page, count * width)) };
    case 'DOUBLE':
      return { kind: 'numbers', count, values: new Float64Array(ownBuffer(page, count * width)) };
    case 'INT96':
    case 'FIXED_LEN_BYTE_ARRAY':
      return { kind: 'bytes', count, offsets: evenOffsets(count, width), bytes: page.slice(0, count * width) };
    case 'BYTE_ARRAY':
      return readPlainBytes(page, count, shape);
  }
}

function plainWidth(shape: StoredShape): number {
  switch (shape.physical) {
    case 'INT32':
    case 'FLOAT':
      return 4;
    case 'INT64':
    case 'DOUBLE':
      return 8;
    case 'INT96':
      return 12;
    case 'FIXED_LEN_BYTE_ARRAY':
      return shape.typeLength;
    default:
      return 0;
  }
}

/** A copy, since values in a page are not aligned. Parquet and all machines that Node runs on are little-endian. */
function ownBuffer(page: Uint8Array, length: number): ArrayBuffer {
  const copy = new Uint8Array(length);
  copy.set(page.subarray(0, length));
  return copy.buffer;
}

function readPlainBytes(page: Uint8Array, count: number, shape: StoredShape): StoredBytes {
  if (count * 4 > page.length) throw damaged(shape, 'a page ends before its values');
  const offsets = new Int32Array(count + 1);
  const bytes = new Uint8Array(page.length - count * 4);
  if (!gatherPlainBytes(page, viewOf(page), count, offsets, bytes)) {
    throw damaged(shape, 'a text reaches beyond its page');
  }
  return { kind: 'bytes', count, offsets, bytes: bytes.subarray(0, offsets[count]) };
}

function readRunsOfBooleans(page: Uint8Array, count: number, shape: StoredShape): StoredNumbers {
  const codes = new Int32Array(count);
  if (page.length < 4 || !unpackCodes(page.subarray(4), 0, 1, codes, count)) {
    throw damaged(shape, 'a page ends before its values');
  }
  return { kind: 'numbers', count, values: Uint8Array.from(codes) };
}

function readOther(page: Uint8Array, count: number, encoding: Encoding, shape: StoredShape): StoredValues {
  const reader = { view: viewOf(page), offset: 0 };
  const { physical } = shape;
  if (encoding === 'DELTA_BINARY_PACKED' && (physical === 'INT32' || physical === 'INT64')) {
    const values = new BigInt64Array(count);
    deltaBinaryUnpack(reader, count, values);
    if (physical === 'INT64') return { kind: 'numbers', count, values };
    // Differences of 32-bit values wrap at 32 bits, but some writers begin with a wider unsigned value: the low words of
    // sums over 64 bits are right for both.
    return { kind: 'numbers', count, values: lowWords(new Int32Array(values.buffer), count) };
  }
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && physical === 'BYTE_ARRAY') {
    const strings: Uint8Array[] = new Array(count);
    deltaLengthByteArray(reader, count, strings);
    return joinStrings(strings);
  }
  if (encoding === 'DELTA_BYTE_ARRAY' && (physical === 'BYTE_ARRAY' || physical === 'FIXED_LEN_BYTE_ARRAY')) {
    const strings: Uint8Array[] = new Array(count);
    deltaByteArray(reader, count, strings);
    if (physical === 'FIXED_LEN_BYTE_ARRAY' && strings.some((string) => string.length !== shape.typeLength)) {
      throw damaged(shape, 'a value has not the length that the schema says');
    }
    return joinStrings(strings);
  }
  if (encoding === 'BYTE_STREAM_SPLIT' && physical !== 'BYTE_ARRAY' && physical !== 'BOOLEAN') {
    if (count * plainWidth(shape) > page.length) throw damaged(shape, 'a page ends before its values');
    const values = byteStreamSplit(reader, count, physical, shape.typeLength);
    if (Array.isArray(values)) return joinStrings(values);
    // SAFETY: for the physical types that are left, byteStreamSplit makes one of these arrays.
    return { kind: 'numbers', count, values: values as Int32Array | BigInt64Array | Float32Array | Float64Array };
  }
  throw new ParquetUnsupported({ detail: `the encoding ${encoding} for ${physical} in column "${shape.name}"` });
}

function joinStrings(strings: readonly Uint8Array[]): StoredBytes {
  const count = strings.length;
  const offsets = new Int32Array(count + 1);
  let length = 0;
  for (let i = 0; i < count; i++) offsets[i + 1] = length += strings[i]!.length;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < count; i++) bytes.set(strings[i]!, offsets[i]!);
  return { kind: 'bytes', count, offsets, bytes };
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function unpackBooleans(page: Uint8Array, count: number): Uint8Array {
  const values = new Uint8Array(count);
  for (let i = 0; i < count; i++) values[i] = (page[i >> 3]! >> (i & 7)) & 1;
  return values;
}

function lowWords(words: Int32Array, count: number): Int32Array {
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) values[i] = words[2 * i]!;
  return values;
}

function evenOffsets(count: number, width: number): Int32Array {
  const offsets = new Int32Array(count + 1);
  for (let i = 0, at = 0; i <= count; i++, at += width) offsets[i] = at;
  return offsets;
}

/** Takes the length prefixes out. False when a length reaches beyond the page. */
function gatherPlainBytes(
  page: Uint8Array,
  view: DataView,
  count: number,
  offsets: Int32Array,
  bytes: Uint8Array,
): boolean {
  let at = 0;
  let to = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > page.length) return false;
    const length = view.getUint32(at, true);
    at += 4;
    if (length > page.length - at || length > bytes.length - to) return false;
    if (length < 24) for (const end = at + length; at < end; ) bytes[to++] = page[at++]!;
    else {
      bytes.set(page.subarray(at, at + length), to);
      at += length;
      to += length;
    }
    offsets[i + 1] = to;
  }
  return true;
}
