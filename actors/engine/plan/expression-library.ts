// Functions that generated code calls. Each is a top-level function over typed arrays, numbers and strings.
//
// Text is compared as UTF-8 bytes, whose order is the order of code points; `compareText` gives JavaScript strings the
// same order (UTF-16 order differs above U+FFFF). Words are the two halves of a UUID: they compare as unsigned.
// Called only by code that expression-compiler.ts generates.
import { assert } from '../../../runtime/assert.ts';
import { fromPublic, nestedPart, Refusal } from '../../../runtime/batch/public-values.ts';
import { parseUuidText } from '../../../runtime/batch/scalar-text.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import type { ExpressionSource } from '../sql/bound.ts';
import { DivisionByZero, NumericOverflow } from '../sql/evaluation-errors.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';

/** An expression that can fail: where it stands and what it yields. */
export interface FailureSite {
  readonly source: ExpressionSource;
  readonly type: SqlType;
}

export function overflow(site: FailureSite): MillraceError {
  return new NumericOverflow({ type: formatSqlType(site.type), detail: 'the result' });
}

export function divisionByZero(): MillraceError {
  return new DivisionByZero({});
}

/** The elements of an array as values. */
export function elementCells(text: string, type: SqlType): readonly ScalarValue[] {
  const parts = parseVariant(text);
  if (!Array.isArray(parts)) return [];
  return parts.map((part: unknown) => {
    const cell = fromPublic(part ?? null, type);
    return cell instanceof Refusal ? null : cell;
  });
}

/** The array of values of a type. */
export function arrayText(values: readonly ScalarValue[], type: SqlType): string {
  return `[${values.map((value) => nestedPart(value, type)).join(',')}]`;
}

// ── data plane ── no allocation but of the strings and big integers that are asked for

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** bytes[start .. end) as a JavaScript string. Short ASCII, by far the most common, is built without the decoder. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 32) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 127) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

export function sameBytes(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number): boolean {
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (a[i] !== b[j]) return false;
  return true;
}

/** Negative, zero or positive: the order of the byte strings, a prefix first. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** The order of code points, which is the order of the UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above every other UTF-16 unit.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

/** Order of two 128-bit values given as words, unsigned. */
export function compareWords(aLow: bigint, aHigh: bigint, bLow: bigint, bHigh: bigint): number {
  if (aHigh !== bHigh) return BigInt.asUintN(64, aHigh) < BigInt.asUintN(64, bHigh) ? -1 : 1;
  if (aLow !== bLow) return BigInt.asUintN(64, aLow) < BigInt.asUintN(64, bLow) ? -1 : 1;
  return 0;
}

/** n / d rounded to the nearest integer, a half away from zero. d is not zero. */
export function divideRounded(n: bigint, d: bigint): bigint {
  const quotient = n / d;
  const remainder = n % d;
  if (remainder === 0n) return quotient;
  const twice = (remainder < 0n ? -remainder : remainder) * 2n;
  if (twice < (d < 0n ? -d : d)) return quotient;
  return n < 0n === d < 0n ? quotient + 1n : quotient - 1n;
}

/** The text of a UUID as entry `row` of an i128 column. */
export function writeUuid(text: string, into: BigInt64Array, row: number): void {
  const words = parseUuidText(text);
  assert(words !== undefined, 'a computed UUID is well-formed');
  into[2 * row] = words.low;
  into[2 * row + 1] = words.high;
}

/** A set of byte strings, probed with slices: open addressing over 32-bit hashes. */
export class BytesSet {
  readonly #entries: readonly Uint8Array[];
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(entries: readonly Uint8Array[]) {
    let size = 8;
    while (size < entries.length * 2) size *= 2;
    this.#entries = entries;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(-1);
    entries.forEach((entry, i) => {
      let slot = hashBytes(entry, 0, entry.length) & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = i;
    });
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    let slot = hashBytes(bytes, start, end) & this.#mask;
    for (let found = this.#slots[slot]!; found !== -1; found = this.#slots[slot]!) {
      const entry = this.#entries[found]!;
      if (entry.length === end - start && sameBytes(bytes, start, end, entry, 0)) return true;
      slot = (slot + 1) & this.#mask;
    }
    return false;
  }
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

const encoder = new TextEncoder();

/** The bytes of one output column while a program runs. Row r is finished by exactly one of the three calls. */
export class TextSink {
  bytes: Uint8Array;
  used = 0;
  readonly offsets: Int32Array;

  constructor(rows: number, bytesExpected: number) {
    this.offsets = new Int32Array(rows + 1);
    this.bytes = new Uint8Array(Math.max(64, bytesExpected));
  }

  slice(source: Uint8Array, start: number, end: number, row: number): void {
    const length = end - start;
    if (this.used + length > this.bytes.length) this.#grow(length);
    const target = this.bytes;
    let at = this.used;
    if (length <= 24) for (let i = start; i < end; i++) target[at++] = source[i]!;
    else target.set(source.subarray(start, end), at);
    this.used += length;
    this.offsets[row + 1] = this.used;
  }

  text(text: string, row: number): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (this.used + text.length * 3 > this.bytes.length) this.#grow(text.length * 3);
    const target = this.bytes;
    let at = this.used;
    let i = 0;
    if (text.length <= 32) {
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) break;
        target[at++] = unit;
      }
    }
    this.used = i === text.length ? at : this.used + encoder.encodeInto(text, target.subarray(this.used)).written;
    this.offsets[row + 1] = this.used;
  }

  none(row: number): void {
    this.offsets[row + 1] = this.used;
  }

  #grow(length: number): void {
    assert(this.used + length < 2 ** 31, 'the bytes of one column of a batch stay below 2 GiB');
    const bytes = new Uint8Array(Math.min(2 ** 31 - 1, Math.max(this.used + length, this.bytes.length * 2)));
    bytes.set(this.bytes.subarray(0, this.used));
    this.bytes = bytes;
  }
}
