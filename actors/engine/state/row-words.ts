// Rows of a batch, written as records of words (row-layout.ts says how they lie).
//
// `encodeRows` fills rows [from, to) of a batch into a scratch array, column by column, one kernel for each storage.
// Strings become codes of the pool: by a memo for dictionary columns, by hashing (or, in a carried column, by a copy) for bytes
// columns, not at all for columns that came out of the pool. `canonicalZero` is for keys: -0 equals 0 there; elsewhere a row keeps its sign.
// Not here: the way back (row-output.ts).

import { unreachable } from '../../../runtime/assert.ts';
import type { BytesColumn, Column, DictionaryColumn, FixedColumn } from '../../../runtime/batch/column.ts';
import type { LayoutColumn, RowLayout } from './row-layout.ts';
import { nullWordsOf } from './row-layout.ts';
import type { StringPool } from './string-pool.ts';
import { textSource } from './text-source.ts';

export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Where records are written: row `from` begins at word 0, the next one `stride` words on. */
export interface RecordTarget {
  readonly words: Int32Array;
  readonly stride: number;
}

/** A column of null is left as it is. */
export function encodeRows(
  columns: readonly (Column | null)[],
  layout: RowLayout,
  rows: RowRange,
  target: RecordTarget,
  pool: StringPool,
  canonicalZero: boolean,
): void {
  const { words, stride } = target;
  const count = rows.to - rows.from;
  const [firstNull, nullWords] = nullWordsOf(layout);
  for (let k = 0; k < nullWords; k++) fillStrided(words, stride, firstNull + k, count, 0);
  for (let c = 0; c < columns.length; c++) {
    const column = columns[c]!;
    if (column === null) continue;
    const place = layout.columns[c]!;
    if (column.layout === 'dictionary') encodeDictionary(column, place, rows, target, pool);
    else if (column.layout === 'bytes') encodeBytes(column, place, rows, target, pool);
    else encodeFixed(column, place, rows, target, canonicalZero);
    if (column.validity !== null && place.nullWord >= 0)
      markNulls(
        column.validity,
        rows.from,
        count,
        words,
        stride,
        place.offset,
        place.words,
        place.nullWord,
        place.nullBit,
      );
  }
}

function encodeFixed(
  column: FixedColumn,
  place: LayoutColumn,
  rows: RowRange,
  target: RecordTarget,
  zero: boolean,
): void {
  const { words, stride } = target;
  const { offset } = place;
  const count = rows.to - rows.from;
  // SAFETY (all casts below): the class of `values` follows from the storage of the column's type.
  switch (place.storage) {
    case 'bool':
      copyU8(column.values as Uint8Array, rows.from, count, words, stride, offset);
      break;
    case 'i8':
      copyI8(column.values as Int8Array, rows.from, count, words, stride, offset);
      break;
    case 'i16':
      copyI16(column.values as Int16Array, rows.from, count, words, stride, offset);
      break;
    case 'i32':
      copyWord(column.values as Int32Array, rows.from, count, words, stride, offset);
      break;
    case 'i64':
      copyTwoWords(wordsOfValues(column.values), rows.from, count, words, stride, offset);
      break;
    case 'i128':
      copyFourWords(wordsOfValues(column.values), rows.from, count, words, stride, offset);
      break;
    case 'f32':
      copyWord(wordsOfValues(column.values), rows.from, count, words, stride, offset);
      canonicalSingles(words, stride, offset, count, zero);
      break;
    case 'f64':
      copyTwoWords(wordsOfValues(column.values), rows.from, count, words, stride, offset);
      canonicalDoubles(words, stride, offset, count, zero);
      break;
    case 'bytes':
      throw new TypeError('a fixed column has fixed storage');
    default:
      unreachable(place.storage);
  }
}

function encodeBytes(
  column: BytesColumn,
  { carried, offset }: LayoutColumn,
  { from, to }: RowRange,
  { words, stride }: RecordTarget,
  pool: StringPool,
): void {
  if (carried === null) pool.internColumn(column, from, to, words, stride, offset);
  else carried.write(column, from, to, words, stride, offset, pool);
}

function encodeDictionary(
  column: DictionaryColumn,
  { carried, offset }: LayoutColumn,
  rows: RowRange,
  target: RecordTarget,
  pool: StringPool,
): void {
  const { codes, dictionary, validity } = column;
  const count = rows.to - rows.from;
  const own = dictionary.identity === pool || dictionary.identity === pool.carried;
  if (dictionary.identity === pool || (own && carried !== null)) {
    copyWord(codes, rows.from, count, target.words, target.stride, offset);
    return;
  }
  if (own) {
    canonicalCodes(codes, validity, rows, target, offset, pool);
    return;
  }
  const source = textSource(column);
  if (source !== null) {
    const chosen = codes.subarray(rows.from, rows.to);
    const { words, stride } = target;
    const ids = rowNumbers(count);
    if (carried === null) pool.internRows(source.strings, chosen, count, words, ids, stride, offset);
    else carried.writeRows(source.strings, chosen, count, words, ids, stride, offset, pool);
    return;
  }
  const memo = pool.memoOf(dictionary);
  const bytes = dictionary.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { words, stride } = target;
  const starts = dictionary.offsets;
  let at = offset;
  for (let i = 0, row = rows.from; i < count; i++, row++, at += stride) {
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) {
      words[at] = 0;
      continue;
    }
    const code = codes[row]!;
    let pooled = memo[code]!;
    if (pooled === 0) {
      pooled = pool.intern(bytes, view, starts[code]!, starts[code + 1]!) + 1;
      memo[code] = pooled;
    }
    words[at] = pooled - 1;
  }
}

/** 0, 1, … for at least so many. A pure cache. */
let numbers: Int32Array = new Int32Array(0);

function rowNumbers(count: number): Int32Array {
  if (numbers.length < count) numbers = Int32Array.from({ length: count * 2 }, (_, i) => i);
  return numbers;
}

/** Codes of carried strings as those of interned ones. */
function canonicalCodes(
  codes: Int32Array,
  validity: Uint8Array | null,
  { from, to }: RowRange,
  { words, stride }: RecordTarget,
  offset: number,
  pool: StringPool,
): void {
  let at = offset;
  for (let row = from; row < to; row++, at += stride) {
    const isNull = validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0;
    words[at] = isNull ? 0 : pool.canonical(codes[row]!);
  }
}

/** The words of a column of 32-bit or wider values. */
export function wordsOfValues(values: ArrayBufferView): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
}

// ── data plane ── One loop for each storage: a loop that sees arrays of many classes costs five times as much.

function fillStrided(words: Int32Array, stride: number, offset: number, count: number, value: number): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) words[at] = value;
}

function copyU8(
  values: Uint8Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) words[at] = values[from + i]!;
}

function copyI8(
  values: Int8Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) words[at] = values[from + i]!;
}

function copyI16(
  values: Int16Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) words[at] = values[from + i]!;
}

function copyWord(
  values: Int32Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) words[at] = values[from + i]!;
}

function copyTwoWords(
  values: Int32Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  let read = 2 * from;
  for (let i = 0; i < count; i++, at += stride, read += 2) {
    words[at] = values[read]!;
    words[at + 1] = values[read + 1]!;
  }
}

function copyFourWords(
  values: Int32Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
): void {
  let at = offset;
  let read = 4 * from;
  for (let i = 0; i < count; i++, at += stride, read += 4) {
    words[at] = values[read]!;
    words[at + 1] = values[read + 1]!;
    words[at + 2] = values[read + 2]!;
    words[at + 3] = values[read + 3]!;
  }
}

/** One bit pattern for NaN and, in keys, one for zero. */
function canonicalSingles(words: Int32Array, stride: number, offset: number, count: number, zero: boolean): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) {
    const word = words[at]!;
    if ((word & 0x7fffffff) > 0x7f800000) words[at] = 0x7fc00000;
    else if (zero && word === -0x80000000) words[at] = 0;
  }
}

function canonicalDoubles(words: Int32Array, stride: number, offset: number, count: number, zero: boolean): void {
  let at = offset;
  for (let i = 0; i < count; i++, at += stride) {
    const high = words[at + 1]!;
    const magnitude = high & 0x7fffffff;
    if (magnitude > 0x7ff00000 || (magnitude === 0x7ff00000 && words[at] !== 0)) {
      words[at] = 0;
      words[at + 1] = 0x7ff80000;
    } else if (zero && high === -0x80000000 && words[at] === 0) words[at + 1] = 0;
  }
}

function markNulls(
  validity: Uint8Array,
  from: number,
  count: number,
  words: Int32Array,
  stride: number,
  offset: number,
  width: number,
  nullWord: number,
  nullBit: number,
): void {
  let at = 0;
  for (let i = 0, row = from; i < count; i++, row++, at += stride) {
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) continue;
    for (let k = 0; k < width; k++) words[at + offset + k] = 0;
    words[at + nullWord]! |= nullBit;
  }
}
