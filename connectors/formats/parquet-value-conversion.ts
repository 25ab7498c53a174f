// Carries out a Conversion: stored values of a page, or of a dictionary, become values of a column's storage.
//
// Dense in, dense out, entry by entry in the same order. What does not fit is refused: `refused` tells which entries and
// how each reads, and the entry in the result is arbitrary. Numbers go widen -> scale and check -> narrow, each a loop
// over typed arrays; only 128-bit decimals and JSON touch one value at a time, which a dictionary makes rare.
import { isUtf8 } from 'node:buffer';
import type { Values } from '../../runtime/batch/column.ts';
import { type SqlType, type Storage, storageOf } from '../../runtime/batch/sql-type.ts';
import type { Conversion } from './parquet-conversion.ts';
import { damaged } from './parquet-page.ts';
import type { StoredBytes, StoredNumbers, StoredShape, StoredValues } from './parquet-stored-values.ts';

export interface ConvertedBytes {
  readonly kind: 'bytes';
  readonly count: number;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  readonly refused: Refused | null;
}

export interface ConvertedNumbers {
  readonly kind: 'numbers';
  readonly count: number;
  readonly values: Values;
  readonly refused: Refused | null;
}

export type ConvertedValues = ConvertedBytes | ConvertedNumbers;

/** Entry number -> the value as text. */
export type Refused = Map<number, string>;

export function convertValues(
  stored: StoredValues,
  conversion: Conversion,
  type: SqlType,
  shape: StoredShape,
): ConvertedValues {
  const storage = storageOf(type);
  switch (conversion.step) {
    case 'bytes':
      return { ...bytesOf(stored, shape), refused: null };
    case 'text':
      return checkUtf8(bytesOf(stored, shape));
    case 'json':
      return compactJson(bytesOf(stored, shape));
    case 'copy': {
      const { values } = numbersOf(stored, shape);
      if (!holds(values, storage)) throw damaged(shape, 'its values are not of the type that the schema says');
      return { kind: 'numbers', count: stored.count, values, refused: null };
    }
    case 'uuid':
      return uuids(bytesOf(stored, shape));
    case 'int96':
      return int96s(bytesOf(stored, shape));
    case 'float to float':
      return floats(stored, conversion.half, storage, shape);
    case 'integer to float':
      return integersToFloats(stored, conversion, storage, shape);
    case 'integer':
      return integers(stored, conversion, storage, shape);
  }
}

function bytesOf(stored: StoredValues, shape: StoredShape): StoredBytes {
  if (stored.kind !== 'bytes') throw damaged(shape, 'its values are not of the type that the schema says');
  return stored;
}

function numbersOf(stored: StoredValues, shape: StoredShape): StoredNumbers {
  if (stored.kind !== 'numbers') throw damaged(shape, 'its values are not of the type that the schema says');
  return stored;
}

function holds(values: StoredNumbers['values'], storage: Storage): boolean {
  switch (storage) {
    case 'bool':
      return values instanceof Uint8Array;
    case 'i32':
      return values instanceof Int32Array;
    case 'i64':
      return values instanceof BigInt64Array;
    case 'f32':
      return values instanceof Float32Array;
    case 'f64':
      return values instanceof Float64Array;
    default:
      return false;
  }
}

/** Valid as a whole and no entry begins inside a character: then every entry is valid. */
function checkUtf8(stored: StoredBytes): ConvertedBytes {
  const { count, offsets, bytes } = stored;
  if (isUtf8(bytes) && !beginsInsideCharacter(offsets, count, bytes)) return { ...stored, refused: null };
  const refused: Refused = new Map();
  for (let i = 0; i < count; i++) {
    const entry = bytes.subarray(offsets[i], offsets[i + 1]);
    if (!isUtf8(entry)) refused.set(i, new TextDecoder().decode(entry));
  }
  return { ...stored, refused };
}

function compactJson(stored: StoredBytes): ConvertedBytes {
  const { count } = stored;
  const refused: Refused = new Map();
  const offsets = new Int32Array(count + 1);
  const bytes = new Uint8Array(stored.bytes.length);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let to = 0;
  for (let i = 0; i < count; i++) {
    const entry = stored.bytes.subarray(stored.offsets[i], stored.offsets[i + 1]);
    try {
      JSON.parse(decoder.decode(entry));
      to = copyWithoutSpace(entry, bytes, to);
    } catch {
      refused.set(i, new TextDecoder().decode(entry));
    }
    offsets[i + 1] = to;
  }
  return { kind: 'bytes', count, offsets, bytes: bytes.subarray(0, to), refused: refused.size === 0 ? null : refused };
}

function uuids(stored: StoredBytes): ConvertedNumbers {
  const values = new BigInt64Array(stored.count * 2);
  swapUuids(stored.bytes, stored.count, new Uint8Array(values.buffer));
  return { kind: 'numbers', count: stored.count, values, refused: null };
}

/** Nanoseconds of the day (8 bytes), Julian day (4 bytes): the timestamps of old Spark, Impala and Hive. */
function int96s(stored: StoredBytes): ConvertedNumbers {
  const values = new BigInt64Array(stored.count);
  const view = new DataView(stored.bytes.buffer, stored.bytes.byteOffset, stored.bytes.byteLength);
  for (let i = 0; i < stored.count; i++) {
    const days = BigInt(view.getInt32(i * 12 + 8, true) - 2_440_588);
    values[i] = BigInt.asIntN(64, days * 86_400_000_000n + view.getBigInt64(i * 12, true) / 1000n);
  }
  return { kind: 'numbers', count: stored.count, values, refused: null };
}

function floats(stored: StoredValues, half: boolean, storage: Storage, shape: StoredShape): ConvertedNumbers {
  const values = storage === 'f32' ? new Float32Array(stored.count) : new Float64Array(stored.count);
  if (half) {
    const { bytes, count } = bytesOf(stored, shape);
    for (let i = 0; i < count; i++) values[i] = halfFloat(bytes[i * 2]! | (bytes[i * 2 + 1]! << 8));
  } else {
    const from = numbersOf(stored, shape).values;
    if (from instanceof BigInt64Array) throw damaged(shape, 'its values are not of the type that the schema says');
    values.set(from);
  }
  return { kind: 'numbers', count: stored.count, values, refused: null };
}

function integersToFloats(
  stored: StoredValues,
  conversion: { readonly unsigned: boolean; readonly divide: number },
  storage: Storage,
  shape: StoredShape,
): ConvertedNumbers {
  const values = storage === 'f32' ? new Float32Array(stored.count) : new Float64Array(stored.count);
  if (stored.kind === 'bytes') {
    for (let i = 0; i < stored.count; i++) values[i] = Number(bigEndian(stored, i)) / conversion.divide;
  } else {
    const words = new Int32Array(widen(stored, conversion.unsigned, shape).buffer);
    wordsToFloats(words, stored.count, conversion.unsigned, conversion.divide, values);
  }
  return { kind: 'numbers', count: stored.count, values, refused: null };
}

function integers(
  stored: StoredValues,
  conversion: Extract<Conversion, { step: 'integer' }>,
  storage: Storage,
  shape: StoredShape,
): ConvertedNumbers {
  const multiply = BigInt(conversion.multiply);
  const divide = BigInt(conversion.divide);
  const min = BigInt(conversion.min);
  const max = BigInt(conversion.max);
  const refused: Refused = new Map();
  const { count } = stored;
  const wordSized = stored.kind === 'numbers' || longest(stored) <= 8;
  const bigUnsigned = conversion.unsigned && stored.kind === 'numbers' && stored.values instanceof BigInt64Array;
  if (storage === 'i128' || !wordSized || bigUnsigned || multiply > 10n ** 18n) {
    const wide = new BigInt64Array(storage === 'i128' ? count * 2 : count);
    const step = wide.length === count ? 1 : 2;
    for (let i = 0; i < count; i++) {
      const value = valueAt(stored, i, conversion.unsigned);
      const scaled = floorDivide(value * multiply, divide);
      const cut = conversion.exact && scaled * divide !== value * multiply;
      if (cut || scaled < min || scaled > max) refused.set(i, String(value));
      wide[i * step] = BigInt.asIntN(64, scaled);
      if (step === 2) wide[i * 2 + 1] = BigInt.asIntN(64, scaled >> 64n);
    }
    return finishIntegers(wide, storage, count, refused);
  }
  const wide = stored.kind === 'bytes' ? bigEndianWords(stored) : widen(stored, conversion.unsigned, shape);
  // Bounds before scaling: what lies outside of them would not fit after it, so 64 bits are enough for the loop.
  const low = ceilDivide(min * divide, multiply);
  const high = floorDivide(max * divide + (divide - 1n), multiply);
  for (const i of outside(wide, count, clampToInt64(low), clampToInt64(high))) refused.set(i, String(wide[i]));
  const result = new BigInt64Array(count);
  if (divide === 1n) multiplyAll(wide, count, multiply, result);
  else divideAll(wide, count, divide, result);
  if (conversion.exact && divide !== 1n) {
    for (const i of inexact(wide, result, count, divide)) refused.set(i, String(wide[i]));
  }
  return finishIntegers(result, storage, count, refused);
}

function finishIntegers(wide: BigInt64Array, storage: Storage, count: number, refused: Refused): ConvertedNumbers {
  let values: Values = wide;
  if (storage === 'i8' || storage === 'i16' || storage === 'i32') {
    values =
      storage === 'i8' ? new Int8Array(count) : storage === 'i16' ? new Int16Array(count) : new Int32Array(count);
    narrow(new Int32Array(wide.buffer), count, values);
  }
  return { kind: 'numbers', count, values, refused: refused.size === 0 ? null : refused };
}

/** The values as 64-bit integers. Unsigned 32-bit values are extended with zeros. */
function widen(stored: StoredNumbers, unsigned: boolean, shape: StoredShape): BigInt64Array {
  const { values } = stored;
  if (values instanceof BigInt64Array) return values;
  if (!(values instanceof Int32Array)) throw damaged(shape, 'its values are not of the type that the schema says');
  const wide = new BigInt64Array(stored.count);
  extend(values, stored.count, unsigned, new Int32Array(wide.buffer));
  return wide;
}

function valueAt(stored: StoredValues, i: number, unsigned: boolean): bigint {
  if (stored.kind === 'bytes') return bigEndian(stored, i);
  const value = BigInt(stored.values[i] ?? 0);
  if (!unsigned) return value;
  return BigInt.asUintN(stored.values instanceof BigInt64Array ? 64 : 32, value);
}

/** Two's complement, most significant byte first: how decimals are stored as bytes. */
function bigEndian(stored: StoredBytes, i: number): bigint {
  let value = 0n;
  const start = stored.offsets[i] ?? 0;
  const end = stored.offsets[i + 1] ?? 0;
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(stored.bytes[at] ?? 0);
  return end === start ? 0n : BigInt.asIntN((end - start) * 8, value);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return -floorDivide(-value, by);
}

function clampToInt64(value: bigint): bigint {
  const limit = 2n ** 63n;
  return value < -limit ? -limit : value >= limit ? limit - 1n : value;
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function longest(stored: StoredBytes): number {
  let length = 0;
  for (let i = 0; i < stored.count; i++) length = Math.max(length, stored.offsets[i + 1]! - stored.offsets[i]!);
  return length;
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function beginsInsideCharacter(offsets: Int32Array, count: number, bytes: Uint8Array): boolean {
  for (let i = 1; i < count; i++) {
    const at = offsets[i]!;
    if (at < bytes.length && (bytes[at]! & 0xc0) === 0x80) return true;
  }
  return false;
}

/** Copies JSON that is known to be valid, without white space outside of texts. Returns where the copy ends. */
function copyWithoutSpace(json: Uint8Array, to: Uint8Array, at: number): number {
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (inText) {
      if (byte === 0x5c) to[at++] = json[i++]!;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue;
    to[at++] = json[i]!;
  }
  return at;
}

/** From 16 bytes, most significant first, to low word, high word, least significant byte first. */
function swapUuids(bytes: Uint8Array, count: number, to: Uint8Array): void {
  for (let i = 0; i < count * 16; i += 16) for (let k = 0; k < 16; k++) to[i + k] = bytes[i + 15 - k]!;
}

function extend(values: Int32Array, count: number, unsigned: boolean, words: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    words[2 * i] = value;
    words[2 * i + 1] = unsigned ? 0 : value >> 31;
  }
}

function narrow(words: Int32Array, count: number, to: Int8Array | Int16Array | Int32Array): void {
  for (let i = 0; i < count; i++) to[i] = words[2 * i]!;
}

function wordsToFloats(
  words: Int32Array,
  count: number,
  unsigned: boolean,
  divide: number,
  to: Float32Array | Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const high = unsigned ? words[2 * i + 1]! >>> 0 : words[2 * i + 1]!;
    to[i] = (high * 4294967296 + (words[2 * i]! >>> 0)) / divide;
  }
}

/** Byte strings of at most 8 bytes each, most significant first. */
function bigEndianWords(stored: StoredBytes): BigInt64Array {
  const wide = new BigInt64Array(stored.count);
  const words = new Int32Array(wide.buffer);
  const { bytes, offsets, count } = stored;
  for (let i = 0; i < count; i++) {
    const start = offsets[i]!;
    const end = offsets[i + 1]!;
    let high = end > start && bytes[start]! >= 128 ? -1 : 0;
    let low = high;
    for (let at = start; at < end; at++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | bytes[at]!;
    }
    words[2 * i] = low;
    words[2 * i + 1] = high;
  }
  return wide;
}

function outside(values: BigInt64Array, count: number, low: bigint, high: bigint): number[] {
  const found: number[] = [];
  for (let i = 0; i < count; i++) if (values[i]! < low || values[i]! > high) found.push(i);
  return found;
}

function inexact(values: BigInt64Array, quotients: BigInt64Array, count: number, divide: bigint): number[] {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    if (BigInt.asIntN(64, quotients[i]! * divide) !== values[i]!) found.push(i);
  }
  return found;
}

function multiplyAll(values: BigInt64Array, count: number, by: bigint, to: BigInt64Array): void {
  for (let i = 0; i < count; i++) to[i] = BigInt.asIntN(64, values[i]! * by);
}

/** Rounds downwards, also below zero. */
function divideAll(values: BigInt64Array, count: number, by: bigint, to: BigInt64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const quotient = BigInt.asIntN(64, value / by);
    to[i] = value < 0n && BigInt.asIntN(64, quotient * by) !== value ? BigInt.asIntN(64, quotient - 1n) : quotient;
  }
}
