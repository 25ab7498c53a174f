// Lanes: generated row loops for input whose records all look alike.
//
// A decoder that meets the same shape of record again and again (the same keys in the same order, or a plain CSV line) has a function
// generated for it that reads such records only: keys compared as words, numbers parsed where they stand, arrays in local variables.
// It does about twice the rows of the general reader. At the first record that is different in any way it stops in front of it, and the
// general reader, which alone decides what is legal and what is wrong, takes that record. A lane never reports anything.
//
// The source is made of numbers only (ordinals, byte values, lengths): no text of the user enters it. Here are the parts that json-lane.ts
// and csv-lane.ts share: how values are read, and how a lane begins and ends.

import { parseDateFixed, scanTimeFixed, scanTimestampFixed } from '../../runtime/batch/text-temporal.ts';
import { writeInt64 } from '../../runtime/batch/text-words.ts';
import {
  type ColumnTarget,
  targetBigint,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetTime,
  targetTimestamp,
} from './column-target.ts';
import { findInvalidUtf8 } from './utf8.ts';

/** Where a lane stopped: in front of the first record that it did not read. */
export interface LaneEnd {
  position: number;
  row: number;
}

/** Reads records from `start` on into rows from `row` on, at most up to `rowEnd`. */
export type Lane = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  row: number,
  rowEnd: number,
  stop: LaneEnd,
) => void;

/** Reads any value that the general reader takes; returns the position behind it, negative when it refuses. */
export type ValueReader = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
) => number;

/** What the generated source may call. */
export interface LaneEnvironment {
  readonly targets: readonly ColumnTarget[];
  readonly readValue: ValueReader;
  /** Writes the columns that the records lack; false when one cannot be missing. */
  readonly writeAbsent: (row: number) => boolean;
  /** Skips a value that no column takes; returns the position behind it, negative when it is broken. */
  readonly skipValue: (bytes: Uint8Array, start: number, end: number) => number;
  /** Counts values that were skipped. */
  readonly countUnknown: (values: number) => void;
}

/** The most bytes that a value may take without a check of the end. */
export const valueBytesMax = 32;

/** Strings up to this length are read in place. */
export const stringBytesMax = 64;

/** Compiles the body of the row loop, in which `continue rows` is the next record and `break rows` the end. */
export function compileLane(body: string, environment: LaneEnvironment): Lane {
  const { targets } = environment;
  const bytesColumns = targets.filter((target) => target.storage === 'bytes').map((target) => target.ordinal);
  const load = targets.map((target) => `const t${target.ordinal} = targets[${target.ordinal}];${loadArrays(target)}`);
  const commit = bytesColumns.map((c) => `o${c}[row + 1] = u${c};`);
  const source = `'use strict';
const { targets, readValue, writeAbsent, skipValue, countUnknown, writeInt64, parseDateFixed, scanTimeFixed, scanTimestampFixed, findInvalidUtf8, powers } = environment;
return function lane(bytes, view, start, end, row, rowEnd, stop) {
${load.join('\n')}
let i = start, p = start, s = 0, f = 0, c = 0, v = 0, x = 0, n = 0, all = 0, ok = 0, to = 0, d = 0, limit = 0;
rows: while (row < rowEnd) {
p = i;
${body}
${commit.join(' ')}
i = p; row++;
}
${bytesColumns.map((c) => `t${c}.column.bytesUsed = o${c}[row];`).join(' ')}
stop.position = i; stop.row = row;
};`;
  const kernels = {
    writeInt64,
    parseDateFixed,
    scanTimeFixed,
    scanTimestampFixed,
    findInvalidUtf8,
    powers: powersOfTen,
  };
  // SAFETY: the source above returns a function of this shape.
  return new Function('environment', source)({ ...environment, ...kernels }) as Lane;
}

const powersOfTen: Float64Array = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));

function loadArrays(target: ColumnTarget): string {
  const c = target.ordinal;
  switch (target.storage) {
    case 'bool':
      return `const a${c} = t${c}.bools;`;
    case 'i8':
    case 'i16':
    case 'i32':
      return `const a${c} = t${c}.ints;`;
    case 'i64':
    case 'i128':
      return `const a${c} = t${c}.words;`;
    case 'f32':
    case 'f64':
      return `const a${c} = t${c}.floats;`;
    case 'bytes':
      return `const o${c} = t${c}.column.offsets; let b${c} = t${c}.column.bytes, u${c} = t${c}.column.bytesUsed;`;
  }
}

/** Source that reads the value at `p` with the general reader. `rest` bytes must be left behind it. */
export function emitGeneral(target: ColumnTarget, rest: number): string {
  const c = target.ordinal;
  const isBytes = target.storage === 'bytes';
  return `${isBytes ? `t${c}.column.bytesUsed = u${c};` : ''}
p = readValue(bytes, view, p, end, t${c}, row);
${isBytes ? `b${c} = t${c}.column.bytes; u${c} = t${c}.column.bytesUsed;` : ''}
if (p < 0 || p + ${rest} > end) break rows;`;
}

/** Source that writes the columns that the records lack. */
export function emitAbsent(absent: readonly ColumnTarget[]): string {
  const bytesColumns = absent.filter((target) => target.storage === 'bytes').map((target) => target.ordinal);
  return `${bytesColumns.map((c) => `t${c}.column.bytesUsed = u${c};`).join(' ')}
if (!writeAbsent(row)) break rows;
${bytesColumns.map((c) => `b${c} = t${c}.column.bytes; u${c} = t${c}.column.bytesUsed;`).join(' ')}`;
}

/** What differs between formats in how a value is read fast. */
export interface ValueGrammar {
  /** An expression: the byte `c` behind a number means that the fast path has not seen all of it. */
  readonly numberGoesOn: string;
  readonly leadingZeros: boolean;
  /** The byte in front of and behind a date, time or timestamp, or -1 for none. */
  readonly temporalQuote: number;
}

/** Source that reads the value at `p`: the fast path of its kind, else the general reader. Strings are not among these. */
export function emitValue(target: ColumnTarget, rest: number, grammar: ValueGrammar): string {
  const fast = emitFast(target, grammar);
  if (fast === null) return emitGeneral(target, rest);
  return `s = p; ok = 1;
${fast}
if (ok === 0) { p = s; ${emitGeneral(target, rest)} }`;
}

function emitFast(target: ColumnTarget, grammar: ValueGrammar): string | null {
  const c = target.ordinal;
  switch (target.kind) {
    case targetInteger:
      return `${emitDigits(grammar)}
if (n) v = -v;
if (f < 0 || v < ${target.min} || v > ${target.max}) ok = 0; else a${c}[row] = v;`;
    case targetBigint:
      return `${emitDigits(grammar)}
if (f >= 0) { const w = 2 * row; if (n) { a${c}[w] = -v; a${c}[w + 1] = v === 0 ? 0 : -1; } else { a${c}[w] = v; a${c}[w + 1] = 0; } }
else { p = s + n; ${emitLongDigits(grammar)} if (ok) writeInt64(a${c}, row, x, n === 1); }`;
    case targetDecimal:
      if (target.storage !== 'i64' || target.scale > 15 || target.unsigned > 0) return null;
      return `${emitFraction(grammar)}
if (ok === 0 || f > ${target.scale} || d + ${target.scale} - f > 15) ok = 0;
else { x *= powers[${target.scale} - f]; if (x >= ${target.precision < 15 ? `1e${target.precision}` : '1e18'}) ok = 0; else writeInt64(a${c}, row, x, n === 1); }`;
    case targetFloat:
      return `${emitFraction(grammar)}
if (ok) { x /= powers[f]; a${c}[row] = n ? -x : x; }`;
    case targetBoolean:
      return `v = view.getInt32(p, true);
if (v === 0x65757274) { a${c}[row] = 1; p += 4; }
else if (v === 0x736c6166 && bytes[p + 4] === 101) { a${c}[row] = 0; p += 5; }
else ok = 0;
if (ok) { c = bytes[p]; if (${grammar.numberGoesOn}) ok = 0; }`;
    case targetDate:
      return emitTemporal(`parseDateFixed(view, p, a${c}, row) === 0 ? p + 10 : -1`, grammar);
    case targetTime:
      return emitTemporal(`scanTimeFixed(bytes, view, p, a${c}, row)`, grammar);
    case targetTimestamp:
      return emitTemporal(`scanTimestampFixed(bytes, view, p, a${c}, row)`, grammar);
    default:
      return null;
  }
}

/** Up to nine digits into `v`, the sign into `n`; `f` is negative when the number is longer, `ok` 0 when it is none. */
function emitDigits(grammar: ValueGrammar): string {
  return `n = 0; if (bytes[p] === 45) { n = 1; p++; }
f = p; v = bytes[p] - 48;
if ((v >>> 0) > 9) { ok = 0; v = 0; }
else {
  while (((c = bytes[++p] - 48) >>> 0) < 10 && p - f < 9) v = (v * 10 + c) | 0;
  c += 48;
  ${grammar.leadingZeros ? '' : 'if (p - f > 1 && bytes[f] === 48) ok = 0;'}
  if (((c - 48) >>> 0) < 10) f = -1;
  else if (${grammar.numberGoesOn}) ok = 0;
}
`;
}

/** Up to fifteen digits into `x`. */
function emitLongDigits(grammar: ValueGrammar): string {
  return `x = 0; f = p;
while (((c = bytes[p] - 48) >>> 0) < 10 && p - f < 15) { x = x * 10 + c; p++; }
c += 48;
if (((c - 48) >>> 0) < 10 || (${grammar.numberGoesOn})) ok = 0;`;
}

/** Digits with a fraction into `x`: `d` of them, `f` behind the point; the sign into `n`. Sets `ok` to 0 for more than fifteen. */
function emitFraction(grammar: ValueGrammar): string {
  return `n = 0; if (bytes[p] === 45) { n = 1; p++; }
to = p; v = bytes[p] - 48; f = 0;
if ((v >>> 0) > 9) ok = 0;
else {
  while (((c = bytes[++p] - 48) >>> 0) < 10 && p - to < 9) v = (v * 10 + c) | 0;
  d = p - to; x = v;
  ${grammar.leadingZeros ? '' : 'if (d > 1 && bytes[to] === 48) ok = 0;'}
  if (c === -2) {
    f = ++p;
    while (((c = bytes[p] - 48) >>> 0) < 10 && d < 9) { v = (v * 10 + c) | 0; p++; d++; }
    x = v;
    while (((c = bytes[p] - 48) >>> 0) < 10 && d < 15) { x = x * 10 + c; p++; d++; }
    f = p - f;
    if (f === 0) ok = 0;
  }
  c += 48;
  if (((c - 48) >>> 0) < 10 || (${grammar.numberGoesOn})) ok = 0;
}
`;
}

/** `scan` is the position behind the value, or negative. The value may be followed by what its fast path does not know. */
function emitTemporal(scan: string, grammar: ValueGrammar): string {
  const quote = grammar.temporalQuote;
  if (quote < 0) return `p = ${scan}; if (p < 0) ok = 0; else { c = bytes[p]; if (${grammar.numberGoesOn}) ok = 0; }`;
  return `if (bytes[p] !== ${quote}) ok = 0;
else { p++; p = ${scan}; if (p < 0 || bytes[p] !== ${quote}) ok = 0; else p++; }`;
}

/**
 * Source that copies bytes of a text from `p` on to `to`, four at a time, as long as none of the four is one of `marks`, a control
 * character, or beyond ASCII. Borrows may stop it early, never late: what is left is for a loop over bytes.
 */
export function emitPlainWords(c: number, marks: readonly number[]): string {
  const isMark = marks.map((mark) => `((n = v ^ ${mark * 0x01010101}) - 0x01010101 & ~n) | `);
  return `for (; p + 4 <= limit; p += 4) {
  v = view.getInt32(p, true);
  if (((${isMark.join('')}(v - 0x20202020 & ~v) | v) & 0x80808080) !== 0) break;
  b${c}[to] = v; b${c}[to + 1] = v >> 8; b${c}[to + 2] = v >> 16; b${c}[to + 3] = v >> 24; to += 4;
}`;
}

/** Source that compares the bytes at `p` with `literal`, in words, and goes past them. */
export function emitLiteral(literal: Uint8Array): string {
  const view = new DataView(literal.buffer, literal.byteOffset, literal.length);
  const tests: string[] = [];
  let at = 0;
  for (; at + 4 <= literal.length; at += 4) tests.push(`view.getInt32(p + ${at}, true) !== ${view.getInt32(at, true)}`);
  if (at < literal.length && literal.length >= 4) {
    at = literal.length - 4;
    tests.push(`view.getInt32(p + ${at}, true) !== ${view.getInt32(at, true)}`);
  } else for (; at < literal.length; at++) tests.push(`bytes[p + ${at}] !== ${literal[at]}`);
  return `if (${tests.join(' || ')}) break rows; p += ${literal.length};`;
}
