// What a window function gives for each position of a sorted partition, written into records of results.
//
//   ROW_NUMBER, RANK, DENSE_RANK   of the position and its peers         LAG, LEAD   a value some rows away
//   FIRST_VALUE, LAST_VALUE, NTH_VALUE   of the frame                    COUNT, SUM, AVG, MIN, MAX   over the frame
// Counts and exact sums come from running totals, one subtraction a frame; floating-point sums and extremes follow the frame
// and start over when its beginning moves past what they hold. A sum that does not fit its type gives NULL, and is told.
import { decimalRange, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { WindowFrame, WindowFunction } from '../sql/window-function.ts';
import type { LayoutColumn } from '../state/row-layout.ts';
import type { StringPool } from '../state/string-pool.ts';
import { valueOrder } from '../state/value-order.ts';
import { type Frames, type Peers, readNumber, type SortedRows, writeNumber } from './window-frames.ts';

/** Operands are columns of the input. */
export interface WindowColumn {
  readonly function: WindowFunction;
  readonly operand: LayoutColumn | null;
  readonly filter: LayoutColumn | null;
  readonly fallback: LayoutColumn | null;
  readonly offset: number;
  readonly ignoreNulls: boolean;
  readonly frame: WindowFrame;
  readonly type: SqlType;
}

/** Where results go: that of position i to the record at word i * stride. Null bits are clear before. */
export interface WindowTarget {
  readonly words: Int32Array;
  readonly stride: number;
  readonly place: LayoutColumn;
}

/** What lies before the sorted rows, where they are not a partition from its beginning on, for one call. */
export interface Before {
  readonly rows: number;
  /** Groups of rows whose order keys are equal, for calls that count them. */
  readonly groups: number;
  /** Of those that take part, and their sum: for calls that run from the first row on. */
  readonly count: number;
  readonly sum: bigint;
  /** The record whose value is the first, least or greatest of them; -1: there is none. */
  readonly record: number;
}

export const nothingBefore: Before = { rows: 0, groups: 0, count: 0, sum: 0n, record: -1 };

/** Writes the results of a call; returns the positions whose result does not fit. */
export function writeResults(
  call: WindowColumn,
  rows: SortedRows,
  peers: Peers,
  frames: Frames | null,
  target: WindowTarget,
  pool: StringPool,
  before: Before = nothingBefore,
): readonly number[] {
  switch (call.function) {
    case 'row_number':
    case 'rank':
    case 'dense_rank':
      writeRanks(call.function, rows, peers, target, call.function === 'dense_rank' ? before.groups : before.rows);
      return [];
    case 'lag':
    case 'lead':
      writeShifted(call, rows, target);
      return [];
    case 'first_value':
    case 'last_value':
      writeEdge(call, rows, frames!, target, before.record);
      return [];
    case 'nth_value':
      writeNth(call, rows, frames!, target);
      return [];
    case 'count':
      writeCounts(call, rows, frames!, target, before);
      return [];
    case 'min':
    case 'max':
      writeExtremes(call, rows, frames!, target, pool, before.record);
      return [];
    case 'sum':
    case 'avg':
      return isFloat(call.operand!)
        ? writeFloatSums(call, rows, frames!, target)
        : writeExactSums(call, rows, frames!, target, before);
  }
}

function writeRanks(
  name: WindowFunction,
  rows: SortedRows,
  peers: Peers,
  { words, stride, place }: WindowTarget,
  before: number,
): void {
  for (let i = 0; i < rows.count; i++) {
    const run = name === 'row_number' ? i : peers.runOf[i]!;
    const rank = name === 'rank' ? peers.starts[run]! : run;
    words[i * stride + place.offset] = before + rank + 1;
    words[i * stride + place.offset + 1] = 0;
  }
}

function writeShifted(call: WindowColumn, rows: SortedRows, target: WindowTarget): void {
  const step = call.function === 'lag' ? -1 : 1;
  for (let i = 0; i < rows.count; i++) {
    let at = i + step * call.offset;
    if (call.ignoreNulls) {
      let left = call.offset;
      at = i;
      while (left > 0 && at >= 0 && at < rows.count) {
        at += step;
        if (at >= 0 && at < rows.count && !isNull(rows, at, call.operand!)) left--;
      }
    }
    if (at >= 0 && at < rows.count) copyValue(rows, at, call.operand!, target, i);
    else if (call.fallback !== null) copyValue(rows, i, call.fallback, target, i);
    else setNull(target, i);
  }
}

function writeEdge(
  call: WindowColumn,
  rows: SortedRows,
  { from, to }: Frames,
  target: WindowTarget,
  before: number,
): void {
  const isFirst = call.function === 'first_value';
  const operand = call.operand!;
  for (let i = 0; i < rows.count; i++) {
    if (before >= 0) {
      copyRecord(rows, before, operand, target, i);
      continue;
    }
    let at = isFirst ? from[i]! : to[i]! - 1;
    if (call.ignoreNulls) while (at >= from[i]! && at < to[i]! && isNull(rows, at, operand)) at += isFirst ? 1 : -1;
    if (at >= from[i]! && at < to[i]!) copyValue(rows, at, operand, target, i);
    else setNull(target, i);
  }
}

function writeNth(call: WindowColumn, rows: SortedRows, { from, to }: Frames, target: WindowTarget): void {
  const operand = call.operand!;
  for (let i = 0; i < rows.count; i++) {
    let at = from[i]! + call.offset - 1;
    if (call.ignoreNulls) {
      let left = call.offset;
      for (at = from[i]!; at < to[i]!; at++) if (!isNull(rows, at, operand) && --left === 0) break;
    }
    if (at < to[i]!) copyValue(rows, at, operand, target, i);
    else setNull(target, i);
  }
}

function writeCounts(
  call: WindowColumn,
  rows: SortedRows,
  { from, to }: Frames,
  { words, stride, place }: WindowTarget,
  before: Before,
): void {
  const totals = new Int32Array(rows.count + 1);
  const earlier = call.frame.start.kind === 'unbounded' ? before.count : 0;
  for (let i = 0; i < rows.count; i++) totals[i + 1] = totals[i]! + (counts(call, rows, i) ? 1 : 0);
  for (let i = 0; i < rows.count; i++) {
    words[i * stride + place.offset] = earlier + totals[to[i]!]! - totals[from[i]!]!;
    words[i * stride + place.offset + 1] = 0;
  }
}

function writeExtremes(
  call: WindowColumn,
  rows: SortedRows,
  { from, to }: Frames,
  target: WindowTarget,
  pool: StringPool,
  before: number,
): void {
  const operand = call.operand!;
  const order = valueOrder(operand.type, pool);
  const sign = call.function === 'min' ? 1 : -1;
  const { words, width, ids } = rows;
  // A record that lies before the rows is as if it were the first of them: all frames begin there.
  let record = before;
  let best = before < 0 ? -1 : 0;
  let seen = 0;
  let begun = 0;
  for (let i = 0; i < rows.count; i++) {
    // What is held serves on while it lies in the frame and the frame only grew at its end.
    if (best < from[i]! || to[i]! < seen || from[i]! < begun) {
      best = -1;
      seen = from[i]!;
    }
    begun = from[i]!;
    for (; seen < to[i]!; seen++) {
      if (!counts(call, rows, seen)) continue;
      const better =
        best < 0 ||
        sign * order(words, ids[seen]! * width + operand.offset, words, record * width + operand.offset) < 0;
      if (!better) continue;
      best = seen;
      record = ids[seen]!;
    }
    if (best < 0) setNull(target, i);
    else copyRecord(rows, record, operand, target, i);
  }
}

function writeExactSums(
  call: WindowColumn,
  rows: SortedRows,
  { from, to }: Frames,
  target: WindowTarget,
  before: Before,
): readonly number[] {
  const operand = call.operand!;
  const earlier = call.frame.start.kind === 'unbounded' ? before : nothingBefore;
  const sums: bigint[] = [0n];
  const totals = new Int32Array(rows.count + 1);
  for (let i = 0; i < rows.count; i++) {
    const takes = counts(call, rows, i);
    const value = takes ? readNumber(rows.words, rows.ids[i]! * rows.width + operand.offset, operand.storage) : 0n;
    sums.push(sums[i]! + BigInt(value));
    totals[i + 1] = totals[i]! + (takes ? 1 : 0);
  }
  const [least, greatest] = rangeOf(call.type);
  const failed: number[] = [];
  for (let i = 0; i < rows.count; i++) {
    const count = earlier.count + totals[to[i]!]! - totals[from[i]!]!;
    if (count === 0) {
      setNull(target, i);
      continue;
    }
    const sum = earlier.sum + sums[to[i]!]! - sums[from[i]!]!;
    const value = call.function === 'sum' ? sum : average(sum, BigInt(count), operand.type, call.type);
    if (value < least || value > greatest) {
      failed.push(i);
      setNull(target, i);
    } else writeNumber(target.words, i * target.stride + target.place.offset, target.place.storage, value);
  }
  return failed;
}

function writeFloatSums(
  call: WindowColumn,
  rows: SortedRows,
  { from, to }: Frames,
  target: WindowTarget,
): readonly number[] {
  const operand = call.operand!;
  let sum = 0;
  let count = 0;
  let begun = 0;
  let seen = 0;
  for (let i = 0; i < rows.count; i++) {
    if (from[i] !== begun || to[i]! < seen) {
      sum = 0;
      count = 0;
      begun = from[i]!;
      seen = begun;
    }
    for (; seen < to[i]!; seen++) {
      if (!counts(call, rows, seen)) continue;
      sum += Number(readNumber(rows.words, rows.ids[seen]! * rows.width + operand.offset, operand.storage));
      count++;
    }
    if (count === 0) setNull(target, i);
    else {
      const value = call.function === 'sum' ? sum : sum / count;
      writeNumber(target.words, i * target.stride + target.place.offset, target.place.storage, value);
    }
  }
  return [];
}

/** Integers are cut toward zero, decimals rounded half away from zero at the scale of the result. */
function average(sum: bigint, count: bigint, from: SqlType, to: SqlType): bigint {
  if (from.kind !== 'DECIMAL' || from.unsigned !== undefined) return sum / count;
  const more = to.kind === 'DECIMAL' ? to.scale - from.scale : 0;
  const scaled = sum * 10n ** BigInt(Math.max(0, more));
  const rest = scaled % count;
  const magnitude = rest < 0n ? -rest : rest;
  return scaled / count + (magnitude * 2n >= count ? (scaled < 0n ? -1n : 1n) : 0n);
}

function rangeOf(type: SqlType): readonly [bigint, bigint] {
  if (type.kind === 'DECIMAL') return decimalRange(type);
  const bits = { TINYINT: 8n, SMALLINT: 16n, INTEGER: 32n }[type.kind as string] ?? 64n;
  return [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

export function isFloat({ storage }: LayoutColumn): boolean {
  return storage === 'f32' || storage === 'f64';
}

/** Whether a row takes part in an aggregate: its operand is not NULL and its filter is true. */
function counts(call: WindowColumn, { words, width, ids }: SortedRows, i: number): boolean {
  return takesPart(call, words, ids[i]! * width);
}

/** The same for the record at word `base`. */
export function takesPart({ operand, filter }: WindowColumn, words: Int32Array, base: number): boolean {
  if (operand !== null && isNullAt(words, base, operand)) return false;
  return filter === null || (!isNullAt(words, base, filter) && words[base + filter.offset] === 1);
}

function isNull({ words, width, ids }: SortedRows, i: number, place: LayoutColumn): boolean {
  return isNullAt(words, ids[i]! * width, place);
}

export function isNullAt(words: Int32Array, base: number, place: LayoutColumn): boolean {
  return place.nullWord >= 0 && (words[base + place.nullWord]! & place.nullBit) !== 0;
}

function setNull({ words, stride, place }: WindowTarget, i: number): void {
  for (let k = 0; k < place.words; k++) words[i * stride + place.offset + k] = 0;
  words[i * stride + place.nullWord]! |= place.nullBit;
}

function copyValue(rows: SortedRows, from: number, operand: LayoutColumn, target: WindowTarget, i: number): void {
  copyRecord(rows, rows.ids[from]!, operand, target, i);
}

function copyRecord(rows: SortedRows, record: number, operand: LayoutColumn, target: WindowTarget, i: number): void {
  if (isNullAt(rows.words, record * rows.width, operand)) {
    setNull(target, i);
    return;
  }
  const read = record * rows.width + operand.offset;
  const write = i * target.stride + target.place.offset;
  for (let k = 0; k < operand.words; k++) target.words[write + k] = rows.words[read + k]!;
}
