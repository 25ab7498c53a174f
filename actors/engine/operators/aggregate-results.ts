// From cells to result columns: what SQL says the value of an aggregate is.
//
//   COUNT   the count, BIGINT                     SUM   NULL without values; must fit the result type, else a failure
//   AVG     sum / count: DOUBLE and REAL as a quotient of doubles; DECIMAL and integers truncated at the scale of the
//           result, as integer division is                MIN MAX   NULL without values
//   ARRAY_AGG   all items in the order of their keys: what stands behind the byte 0 of each; empty without any
// Results are written as records of words, column by column, for the groups that a step has touched. `failed[t]` becomes
// the number of the aggregate + 1 whose result does not fit its type.
// Not here: how cells are kept (aggregate-cells.ts), what becomes of a failure (aggregate.ts).
import { assert } from '../../../runtime/assert.ts';
import { decimalPrecisionMax, type SqlType, type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import { limbsOfDecimal, limbsOfWord, readFloat, readSum } from '../state/exact-sum.ts';
import type { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, wordsOf } from '../state/row-layout.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type AggregateCells, type AggregateColumn, type Cell, limbsOf, markOf } from './aggregate-cells.ts';
import type { PlainResult } from './aggregate-kernel-source.ts';

/** Where results go: result of group ids[t] to the record that begins at word t * stride. */
export interface ResultTarget {
  readonly words: Int32Array;
  readonly stride: number;
  readonly ids: Int32Array;
  readonly from: number;
  readonly to: number;
  /** Per group: 0, or the number of the failed aggregate + 1. */
  readonly failed: Uint16Array;
}

/** Writes the results of one aggregate. Words of the target are 0 before. */
export type ResultWriter = (groups: RecordTable, target: ResultTarget) => void;

/** `position` is the number of the aggregate, `place` its column in the target's records. */
export function resultWriter(
  call: AggregateColumn,
  position: number,
  place: LayoutColumn,
  cells: AggregateCells,
): ResultWriter {
  switch (call.function) {
    case 'count': {
      const at = cells.countAt(call);
      return (groups, target) => writeCounts(groups.doubles, groups.width >> 1, at, target, place.offset);
    }
    case 'min':
    case 'max':
      return extremeWriter(call, place, cells.extremeOf(call));
    case 'array_agg':
      return arrayWriter(call, place, cells.extremeOf(call), cells.pool);
    case 'sum':
    case 'avg':
      return sumWriter(call, position, place, cells.sumOf(call), cells.countAt(call));
  }
}

/** What the generated kernel needs to know of a result that it can make; null for the others. */
export function plainResult(call: AggregateColumn, place: LayoutColumn, cells: AggregateCells): PlainResult | null {
  const { offset, words, nullWord, nullBit } = place;
  if (call.function === 'count') return { kind: 'count', at: cells.countAt(call), offset };
  if (call.function !== 'sum') return null;
  const { at, storage } = cells.sumOf(call);
  if (!isPlainSum(call, place, storage!)) return null;
  const { safe } = limitsOf(call.type);
  const countAt = cells.countAt(call);
  return { kind: 'sum', at, limbs: limbsOf(storage!), countAt, offset, words, nullWord, nullBit, safe };
}

/** A sum that is written as it is kept: integers of at most 64 bits to integers of at least 64, at one scale. */
function isPlainSum(call: AggregateColumn, place: LayoutColumn, storage: Storage): boolean {
  const result = storageOf(call.type);
  const float = [storage, result].some((one) => one === 'f32' || one === 'f64');
  return (
    !float &&
    limbsOf(storage) !== limbsOfDecimal &&
    scaleOf(call.type) === scaleOf(call.operandType!) &&
    place.words > 1
  );
}

function scaleOf(type: SqlType): number {
  return type.kind === 'DECIMAL' ? type.scale : 0;
}

function extremeWriter(call: AggregateColumn, place: LayoutColumn, cell: Cell): ResultWriter {
  const size = wordsOf(cell.storage!);
  const { multiset } = cell;
  if (multiset === null) {
    const mark = markOf(cell);
    return (groups, target) => {
      for (let t = target.from; t < target.to; t++) {
        const group = target.ids[t]! * groups.width;
        const to = t * target.stride;
        if (groups.words[group + mark] === 0) setNull(target.words, to, place);
        else copyWords(groups.words, group + cell.at * 2, target.words, to + place.offset, size);
      }
    };
  }
  const rootAt = cell.at * 2 + (call.function === 'max' ? 1 : 0);
  // Keeps the loads that warm the cache from being optimised away.
  const warmth = new Int32Array(1);
  return (groups, target) => {
    warmth[0]! ^= warmRoots(groups.words, groups.width, rootAt, target, multiset.words, multiset.width);
    for (let t = target.from; t < target.to; t++) {
      const root = groups.words[target.ids[t]! * groups.width + rootAt]!;
      const to = t * target.stride;
      if (root === 0) setNull(target.words, to, place);
      else copyWords(multiset.words, (root - 1) * multiset.width + 1, target.words, to + place.offset, size);
    }
  };
}

const noItems: Uint8Array = new TextEncoder().encode('[]');

/** The items of each group in the order of their keys, as the text of an array. */
function arrayWriter(call: AggregateColumn, place: LayoutColumn, cell: Cell, pool: StringPool): ResultWriter {
  const { multiset } = cell;
  assert(multiset !== null, 'ARRAY_AGG keeps the values of its groups');
  const rootAt = cell.at * 2;
  let text = new Uint8Array(1 << 10);
  return (groups, target) => {
    for (let t = target.from; t < target.to; t++) {
      const root = groups.words[target.ids[t]! * groups.width + rootAt]!;
      const to = t * target.stride;
      if (root === 0) {
        target.words[to + place.offset] = pool.intern(noItems, new DataView(noItems.buffer), 0, noItems.length);
        continue;
      }
      const { words, width } = multiset;
      const { offsets, bytes } = pool.dictionary();
      const records = multiset
        .valuesOf(cell.lane, root)
        .sort((a, b) => pool.compare(words[a * width + 1]!, words[b * width + 1]!));
      let at = 1;
      text[0] = 0x5b;
      for (const record of records) {
        const code = words[record * width + 1]!;
        const start = bytes.indexOf(0, offsets[code]!) + 1;
        const size = offsets[code + 1]! - start + 1;
        const times = call.distinct ? 1 : multiset.weightOf(cell.lane, record);
        if (at + times * size + 1 > text.length) {
          const grown = new Uint8Array((at + times * size + 1) * 2);
          grown.set(text.subarray(0, at));
          text = grown;
        }
        for (let k = 0; k < times; k++) {
          text.set(bytes.subarray(start, offsets[code + 1]!), at);
          at += size;
          text[at - 1] = 0x2c;
        }
      }
      text[at - 1] = 0x5d;
      target.words[to + place.offset] = pool.intern(text, new DataView(text.buffer), 0, at);
    }
  };
}

function sumWriter(
  call: AggregateColumn,
  position: number,
  place: LayoutColumn,
  cell: Cell,
  countAt: number,
): ResultWriter {
  const float = cell.storage === 'f32' || cell.storage === 'f64';
  const limbs = limbsOf(cell.storage!);
  const average = call.function === 'avg';
  const resultStorage = storageOf(call.type);
  const toFloat = resultStorage === 'f32' || resultStorage === 'f64';
  const shift = scaleOf(call.type) - scaleOf(call.operandType!);
  const factor = 10n ** BigInt(Math.abs(shift));
  const limits = limitsOf(call.type);
  const plain = !average && isPlainSum(call, place, cell.storage!);
  const exact = new Int32Array(4);
  return (groups, target) => {
    const { doubles } = groups;
    const width = groups.width >> 1;
    for (let t = target.from; t < target.to; t++) {
      const group = target.ids[t]! * width;
      const to = t * target.stride;
      const count = doubles[group + countAt]!;
      if (count === 0) {
        setNull(target.words, to, place);
        // Rounding errors of a float sum end with the last value.
        if (float) doubles.fill(0, group + cell.at, group + cell.at + cell.doubles);
        continue;
      }
      if (float) {
        const sum = readFloat(doubles, group + cell.at);
        writeFloat(average ? sum / count : sum, resultStorage, target.words, to + place.offset);
        continue;
      }
      const third = limbs > limbsOfWord ? doubles[group + cell.at + limbsOfWord]! : 0;
      if (
        plain &&
        third === 0 &&
        writeShort(doubles, group + cell.at, target.words, to + place.offset, place.words, limits.safe)
      )
        continue;
      let fits = readSum(doubles, group + cell.at, limbs, exact, 0);
      if (fits && toFloat) {
        const sum = sumAsNumber(exact) / Number(factor) ** Math.sign(-shift);
        writeFloat(average ? sum / count : sum, resultStorage, target.words, to + place.offset);
        continue;
      }
      if (fits && (average || shift !== 0)) {
        const scaled = shift >= 0 ? sumAsBigInt(exact) * factor : sumAsBigInt(exact);
        const divisor = (average ? BigInt(count) : 1n) * (shift < 0 ? factor : 1n);
        fits = writeBigInt(
          call.type.kind === 'DECIMAL' && call.type.unsigned === undefined && !average
            ? divideRounded(scaled, divisor)
            : scaled / divisor,
          exact,
        );
      }
      if (!fits || !withinLimits(exact, limits, place.words)) {
        target.failed[t] = position + 1;
        continue;
      }
      copyWords(exact, 0, target.words, to + place.offset, place.words);
    }
  };
}

interface Limits {
  readonly least: bigint;
  readonly bound: bigint;
  readonly safe: number;
  readonly bits: number;
}

/** What lies within a DECIMAL type; null for integers, whose words are the limit. */
function limitsOf(type: SqlType): Limits {
  const bits = { bool: 1, i8: 8, i16: 16, i32: 32, i64: 64, i128: 128, f32: 0, f64: 0, bytes: 0 }[storageOf(type)];
  if (type.kind === 'DECIMAL' && type.unsigned !== undefined) {
    // Nothing is known to fit by its size alone: a sum below zero has to be seen.
    return { least: 0n, bound: 2n ** BigInt(type.unsigned), safe: 0, bits };
  }
  const precision = type.kind === 'DECIMAL' ? type.precision : decimalPrecisionMax + 1;
  const bound = 10n ** BigInt(precision);
  return { least: 1n - bound, bound, safe: Number(bound) * 0.999, bits };
}

function withinLimits(words: Int32Array, limits: Limits, size: number): boolean {
  const top = words[size - 1]!;
  for (let k = size; k < 4; k++) if (words[k] !== top >> 31) return false;
  if (limits.bits < 32 && (top << (32 - limits.bits)) >> (32 - limits.bits) !== top) return false;
  if (Math.abs(sumAsNumber(words)) < limits.safe) return true;
  const value = sumAsBigInt(words);
  return value < limits.bound && value >= limits.least;
}

function divideRounded(value: bigint, divisor: bigint): bigint {
  const magnitude = value < 0n ? -value : value;
  const positive = divisor < 0n ? -divisor : divisor;
  const quotient = (2n * magnitude + positive) / (2n * positive);
  return value < 0n !== divisor < 0n ? -quotient : quotient;
}

function sumAsBigInt(words: Int32Array): bigint {
  return (
    (BigInt(words[3]!) << 96n) |
    (BigInt(words[2]! >>> 0) << 64n) |
    (BigInt(words[1]! >>> 0) << 32n) |
    BigInt(words[0]! >>> 0)
  );
}

/** The nearest double while the sum fits 53 bits, and within one unit in the last place beyond. */
function sumAsNumber(words: Int32Array): number {
  if (words[3] === words[1]! >> 31 && words[2] === words[3]) return words[1]! * 4294967296 + (words[0]! >>> 0);
  return Number(sumAsBigInt(words));
}

function writeBigInt(value: bigint, words: Int32Array): boolean {
  for (let k = 0; k < 4; k++) words[k] = Number(BigInt.asIntN(32, value >> BigInt(32 * k)));
  return BigInt.asIntN(128, value) === value;
}

// ── data plane ──

const pair: Int32Array = new Int32Array(2);
const pairAsDouble: Float64Array = new Float64Array(pair.buffer);
const single: Float32Array = new Float32Array(pair.buffer);

function writeFloat(value: number, storage: string, words: Int32Array, at: number): void {
  if (storage === 'f32') {
    single[0] = value;
    words[at] = Number.isNaN(value) ? 0x7fc00000 : pair[0]!;
    return;
  }
  pairAsDouble[0] = value;
  words[at] = Number.isNaN(value) ? 0 : pair[0]!;
  words[at + 1] = Number.isNaN(value) ? 0x7ff80000 : pair[1]!;
}

/** A sum of which only two limbs are in use, and which fits 64 bits and lies within `safe`: the common case. */
function writeShort(
  doubles: Float64Array,
  at: number,
  words: Int32Array,
  to: number,
  size: number,
  safe: number,
): boolean {
  let low = doubles[at]!;
  let high = doubles[at + 1]!;
  if (low < 0 || low >= 4294967296) {
    const carried = Math.floor(low / 4294967296);
    low -= carried * 4294967296;
    high += carried;
  }
  if (high < -2147483648 || high > 2147483647) return false;
  const magnitude = high * 4294967296 + low;
  if (magnitude >= safe || magnitude <= -safe) return false;
  words[to] = low;
  words[to + 1] = high;
  if (size === 4) {
    words[to + 2] = high < 0 ? -1 : 0;
    words[to + 3] = high < 0 ? -1 : 0;
  }
  return true;
}

/** Touches the records at the tops of the groups' heaps: a loop without branches has many loads under way. */
function warmRoots(
  groups: Int32Array,
  groupWidth: number,
  rootAt: number,
  target: ResultTarget,
  values: Int32Array,
  width: number,
): number {
  const { ids, from, to } = target;
  let warmth = 0;
  let t = from;
  for (; t < to - 3; t += 4) {
    const root0 = groups[ids[t]! * groupWidth + rootAt]!;
    const root1 = groups[ids[t + 1]! * groupWidth + rootAt]!;
    const root2 = groups[ids[t + 2]! * groupWidth + rootAt]!;
    const root3 = groups[ids[t + 3]! * groupWidth + rootAt]!;
    warmth ^= values[(root0 === 0 ? 0 : root0 - 1) * width]! ^ values[(root1 === 0 ? 0 : root1 - 1) * width]!;
    warmth ^= values[(root2 === 0 ? 0 : root2 - 1) * width]! ^ values[(root3 === 0 ? 0 : root3 - 1) * width]!;
  }
  return warmth;
}

function setNull(words: Int32Array, at: number, place: LayoutColumn): void {
  if (place.nullWord >= 0) words[at + place.nullWord]! |= place.nullBit;
}

function copyWords(from: Int32Array, at: number, to: Int32Array, target: number, count: number): void {
  for (let k = 0; k < count; k++) to[target + k] = from[at + k]!;
}

function writeCounts(doubles: Float64Array, width: number, cell: number, target: ResultTarget, offset: number): void {
  const { words, stride, ids } = target;
  for (let t = target.from; t < target.to; t++) {
    const count = doubles[ids[t]! * width + cell]!;
    const at = t * stride + offset;
    // The conversion to int32 takes the count modulo 2^32.
    words[at] = count | 0;
    words[at + 1] = Math.floor(count / 4294967296);
  }
}
