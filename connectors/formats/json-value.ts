// Reads one JSON value straight into a column. Other flavours than the default one are json-flavor-value.ts.
//
//   BOOLEAN true, false · integers and DECIMAL: numbers, also with fraction or exponent as long as nothing is lost (1.0 and 1e3 are
//   integers); DECIMAL also from a string · REAL, DOUBLE: numbers, and "NaN", "Infinity", "-Infinity" · CHAR, VARCHAR: strings, lone surrogates become U+FFFD ·
//   BINARY, VARBINARY: arrays of integers from 0 to 255 · DATE, TIME, TIMESTAMP, UUID: strings as text-temporal.ts and
//   text-uuid.ts take them · ARRAY: arrays · MAP, ROW: objects · VARIANT: any value, kept as its text without insignificant white space.
//
// Returns the position behind the value; `refused` with `refusal` set when the value does not suit the column; `~p` when the
// grammar is broken at p. The caller has handled `null`. Fast paths first: each kind has one for its usual spelling, and everything
// else goes to `readSlowly`, which finds the token by the full grammar.
import { nestedText } from '../../runtime/batch/public-values.ts';
import { isNested } from '../../runtime/batch/sql-type.ts';
import { parseDecimal } from '../../runtime/batch/text-decimal.ts';
import { parseDouble } from '../../runtime/batch/text-double.ts';
import { parseBigint, parseInteger } from '../../runtime/batch/text-integer.ts';
import { inexact, malformed, outOfRange, type ParseOutcome, parsed } from '../../runtime/batch/text-outcome.ts';
import {
  parseDate,
  parseDateFixed,
  parseTime,
  parseTimestamp,
  scanTimeFixed,
  scanTimestampFixed,
  temporalScanBytes,
} from '../../runtime/batch/text-temporal.ts';
import { parseUuid } from '../../runtime/batch/text-uuid.ts';
import { writeInt64 } from '../../runtime/batch/text-words.ts';
import { parseEveryDigit, parseVariant } from '../../runtime/batch/variant-json.ts';
import {
  type ColumnTarget,
  spelledPlain,
  targetBigint,
  targetBinary,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetNested,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
  targetVariant,
} from './column-target.ts';
import { parseDecimalField } from './decimal-field.ts';
import { parseSpelled, parseUnits } from './json-flavor-value.ts';
import { copyCompact, copyUnescaped, skipNumber, skipSpace, skipString, skipValue } from './json-scan.ts';
import { holds } from './nested-printer.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { findInvalidUtf8 } from './utf8.ts';

/** The value is legal JSON but does not suit its column. No `~p` is this number: bytes are shorter than 2 GiB. */
export const refused = -0x80000000;

const stringShort = 256;

const powersOfTen: Float64Array = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));

// ── data plane ──

/** Reads the value at `start` into row `row` of `target`. `view` is over the same bytes. */
export function readValue(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  switch (target.kind) {
    case targetString:
      return readString(bytes, start, end, target, refusal);
    case targetInteger:
    case targetBigint:
      return readInteger(bytes, start, end, target, row, refusal);
    case targetDecimal:
      return readDecimal(bytes, start, end, target, row, refusal);
    case targetTimestamp:
      if (end - start > temporalScanBytes && bytes[start] === 0x22) {
        // A quote behind what was read: then it held no escape either.
        const stop = scanTimestampFixed(bytes, view, start + 1, target.words, row);
        if (stop >= 0 && bytes[stop] === 0x22) return stop + 1;
      }
      return readSlowly(bytes, start, end, target, row, refusal);
    case targetTime:
      if (end - start > temporalScanBytes && bytes[start] === 0x22) {
        const stop = scanTimeFixed(bytes, view, start + 1, target.words, row);
        if (stop >= 0 && bytes[stop] === 0x22) return stop + 1;
      }
      return readSlowly(bytes, start, end, target, row, refusal);
    case targetDate:
      if (start + 11 < end && bytes[start + 11] === 0x22 && bytes[start] === 0x22) {
        // SAFETY: the storage of DATE is i32.
        if (parseDateFixed(view, start + 1, target.ints as Int32Array, row) === parsed) return start + 12;
      }
      return readSlowly(bytes, start, end, target, row, refusal);
    case targetFloat: {
      const stop = skipNumber(bytes, start, end);
      if (stop < 0) return readSlowly(bytes, start, end, target, row, refusal);
      const outcome = parseDouble(bytes, start, stop, target.floats, row);
      return outcome === parsed ? stop : refuse(refusal, outcome, target, start, stop);
    }
    case targetBoolean:
      if (end - start >= 4 && bytes[start] === 0x74 && bytes[start + 1] === 0x72) {
        if (bytes[start + 2] === 0x75 && bytes[start + 3] === 0x65) {
          target.bools[row] = 1;
          return start + 4;
        }
      } else if (end - start >= 5 && bytes[start] === 0x66 && bytes[start + 1] === 0x61 && bytes[start + 2] === 0x6c) {
        if (bytes[start + 3] === 0x73 && bytes[start + 4] === 0x65) {
          target.bools[row] = 0;
          return start + 5;
        }
      }
      return readSlowly(bytes, start, end, target, row, refusal);
    case targetBinary:
      if (target.spelled !== spelledPlain && bytes[start] === 0x22)
        return readSlowly(bytes, start, end, target, row, refusal);
      return readBinary(bytes, start, end, target, refusal);
    case targetVariant: {
      if (target.spelled !== spelledPlain && bytes[start] === 0x22)
        return readSlowly(bytes, start, end, target, row, refusal);
      const stop = skipValue(bytes, start, end);
      if (stop < 0) return stop;
      target.column.reserveBytes(stop - start);
      target.column.bytesUsed = copyCompact(bytes, start, stop, target.column.bytes, target.column.bytesUsed);
      return stop;
    }
    case targetNested:
      return readNested(bytes, start, end, target, refusal);
    default:
      return readSlowly(bytes, start, end, target, row, refusal);
  }
}

function readString(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, refusal: Refusal): number {
  if (bytes[start] !== 0x22) return refuseToken(bytes, start, end, target, refusal);
  const column = target.column;
  const first = start + 1;
  let i = first;
  let all = 0;
  // Short strings without escapes are copied while they are scanned.
  const shortEnd = end - first < stringShort ? end : first + stringShort;
  column.reserveBytes(stringShort);
  const out = column.bytes;
  let to = column.bytesUsed;
  for (; i < shortEnd; i++) {
    const byte = bytes[i]!;
    if (byte === 0x22) {
      if (all >= 0x80) {
        const invalid = findInvalidUtf8(bytes, first, i);
        if (invalid >= 0) return refuseUtf8(refusal, target, invalid);
      }
      column.bytesUsed = to;
      return i + 1;
    }
    if (byte < 0x20 || byte === 0x5c) break;
    all |= byte;
    out[to++] = byte;
  }
  const stop = skipString(bytes, start, end);
  if (stop < 0) return brokenString(bytes, stop, end, target, refusal);
  column.reserveBytes(stop - start);
  column.bytesUsed = copyUnescaped(bytes, first, stop - 1, column.bytes, column.bytesUsed);
  return stop;
}

function readInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  let i = first;
  let value = 0;
  let next = 0;
  for (; i < end; i++) {
    next = bytes[i]!;
    if (next < 48 || next > 57) break;
    value = value * 10 + (next - 48);
  }
  const digits = i - first;
  const plain = digits > 0 && digits <= 15 && (digits === 1 || bytes[first] !== 48);
  if (!plain || (i < end && (next === 0x2e || (next | 0x20) === 0x65))) {
    return readSlowly(bytes, start, end, target, row, refusal);
  }
  if (target.kind === targetBigint) writeInt64(target.words, row, value, negative);
  else {
    if (negative) value = -value;
    if (value < target.min || value > target.max) return refuse(refusal, outOfRange, target, start, i);
    target.ints[row] = value;
  }
  return i;
}

function readDecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  let i = first;
  let value = 0;
  let next = 0;
  for (; i < end; i++) {
    next = bytes[i]!;
    if (next < 48 || next > 57) break;
    value = value * 10 + (next - 48);
  }
  let digits = i - first;
  let fraction = 0;
  if (digits > 0 && next === 0x2e && i < end) {
    const point = i++;
    for (; i < end; i++) {
      next = bytes[i]!;
      if (next < 48 || next > 57) break;
      value = value * 10 + (next - 48);
    }
    fraction = i - point - 1;
    if (fraction === 0) digits = 0;
    digits += fraction;
  }
  const scaleUp = target.scale - fraction;
  const plain = digits > 0 && digits + scaleUp <= 15 && scaleUp >= 0 && target.precision <= 18 && target.unsigned === 0;
  const exact = plain && (bytes[first] !== 48 || digits - fraction === 1);
  if (!exact || (i < end && (next | 0x20) === 0x65)) return readSlowly(bytes, start, end, target, row, refusal);
  value *= powersOfTen[scaleUp]!;
  if (target.precision < 15 && value >= powersOfTen[target.precision]!) {
    return refuse(refusal, outOfRange, target, start, i);
  }
  writeInt64(target.words, row, value, negative);
  return i;
}

/** Any legal spelling: the token is found by the grammar, then handed to the parse kernel of the type. */
function readSlowly(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  if (start >= end) return ~end;
  const byte = bytes[start]!;
  if (byte === 0x2d || (byte >= 48 && byte <= 57)) {
    const stop = skipNumber(bytes, start, end);
    if (stop < 0) return stop;
    const outcome = parseNumber(bytes, start, stop, target, row);
    return outcome === parsed ? stop : refuse(refusal, outcome, target, start, stop);
  }
  if (byte !== 0x22) return refuseToken(bytes, start, end, target, refusal);
  const stop = skipString(bytes, start, end);
  if (stop < 0) return brokenString(bytes, stop, end, target, refusal);
  let outcome: ParseOutcome;
  if (bytes.subarray(start, stop).includes(0x5c)) {
    const text = new Uint8Array(stop - start);
    outcome = parseString(text, 0, copyUnescaped(bytes, start + 1, stop - 1, text, 0), target, row);
  } else outcome = parseString(bytes, start + 1, stop - 1, target, row);
  return outcome === parsed ? stop : refuse(refusal, outcome, target, start, stop);
}

function parseNumber(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, row: number): ParseOutcome {
  switch (target.kind) {
    case targetFloat:
      return parseDouble(bytes, start, end, target.floats, row);
    case targetDecimal:
      return parseDecimalField(bytes, start, end, target, row);
    case targetInteger:
    case targetBigint:
      return parseIntegral(bytes, start, end, target, row);
    case targetDate:
    case targetTime:
    case targetTimestamp:
      return target.numberUnit > 0 ? parseUnits(bytes, start, end, target, row) : malformed;
    default:
      return malformed;
  }
}

function parseIntegral(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, row: number): ParseOutcome {
  const isBigint = target.kind === targetBigint;
  const direct = isBigint
    ? parseBigint(bytes, start, end, target.words, row)
    : parseInteger(bytes, start, end, target.min, target.max, target.ints, row);
  if (direct !== malformed) return direct;
  // A fraction or an exponent: exact by way of a DECIMAL(19, 0), which every int64 fits.
  const words = new Int32Array(4);
  const outcome = parseDecimal(bytes, start, end, 19, 0, words, 0);
  if (outcome === inexact) return malformed;
  if (outcome !== parsed) return outcome;
  if (words[2] !== words[1]! >> 31 || words[3] !== words[2]) return outOfRange;
  if (isBigint) {
    target.words[2 * row] = words[0]!;
    target.words[2 * row + 1] = words[1]!;
    return parsed;
  }
  const value = words[1]! * 4294967296 + (words[0]! >>> 0);
  if (value < target.min || value > target.max) return outOfRange;
  target.ints[row] = value;
  return parsed;
}

function parseString(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, row: number): ParseOutcome {
  switch (target.kind) {
    case targetFloat:
      return isFloatName(bytes, start, end) ? parseDouble(bytes, start, end, target.floats, row) : malformed;
    case targetDecimal:
      return parseDecimalField(bytes, start, end, target, row);
    case targetDate:
      return parseDate(bytes, start, end, target.ints as Int32Array, row);
    case targetTime:
      return parseTime(bytes, start, end, target.words, row);
    case targetTimestamp:
      return parseTimestamp(bytes, start, end, target.words, row);
    case targetUuid:
      return parseUuid(bytes, start, end, target.words, row);
    case targetBinary:
    case targetVariant:
      return parseSpelled(bytes, start, end, target);
    default:
      return malformed;
  }
}

/** NaN, Infinity and -Infinity are no numbers of JSON: texts are all that it has for them. Digits in quotes are a text. */
function isFloatName(bytes: Uint8Array, start: number, end: number): boolean {
  const letter = bytes[start] === 0x2d ? start + 1 : start;
  return end - letter === (bytes[letter] === 0x4e ? 3 : 8) && (bytes[letter] === 0x4e || bytes[letter] === 0x49);
}

function readBinary(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, refusal: Refusal): number {
  if (bytes[start] !== 0x5b) return refuseToken(bytes, start, end, target, refusal);
  const column = target.column;
  let i = skipSpace(bytes, start + 1, end);
  if (i < end && bytes[i] === 0x5d) return i + 1;
  for (;;) {
    const first = i;
    let value = 0;
    while (i < end && bytes[i]! >= 48 && bytes[i]! <= 57) value = value * 10 + bytes[i++]! - 48;
    const leadingZero = i > first + 1 && bytes[first] === 48;
    if (i === first || value > 255 || leadingZero) return refuseToken(bytes, start, end, target, refusal);
    column.reserveBytes(1);
    column.bytes[column.bytesUsed++] = value;
    i = skipSpace(bytes, i, end);
    if (i >= end) return ~end;
    if (bytes[i] === 0x5d) return i + 1;
    if (bytes[i] !== 0x2c) return refuseToken(bytes, start, end, target, refusal);
    i = skipSpace(bytes, i + 1, end);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** ARRAY, MAP and ROW: by way of values, because each part has a type of its own. */
function readNested(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, refusal: Refusal): number {
  const stop = skipValue(bytes, start, end);
  if (stop < 0) return stop;
  const { type } = target.field;
  const written = decoder.decode(bytes.subarray(start, stop));
  // A VARIANT inside holds what was written: a number there is a number.
  const isExact = holds(type, 'DECIMAL') && !holds(type, 'VARIANT');
  const value = isExact ? parseEveryDigit(written) : parseVariant(written);
  const text = isNested(type) ? nestedText(value, type) : undefined;
  if (text === undefined) {
    refusal.set('value', target.ordinal, start, stop);
    return refused;
  }
  const encoded = encoder.encode(text);
  target.column.appendBytes(encoded, 0, encoded.length);
  return stop;
}

// What is wrong: cold from here on.

function refuse(refusal: Refusal, outcome: ParseOutcome, target: ColumnTarget, start: number, end: number): number {
  refusal.set(refusalOf(outcome), target.ordinal, start, end);
  return refused;
}

/** A value of the wrong JSON type, unless the grammar is broken. */
function refuseToken(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, refusal: Refusal): number {
  const stop = skipValue(bytes, start, end);
  if (stop < 0) return stop;
  refusal.set('value', target.ordinal, start, stop);
  return refused;
}

function refuseUtf8(refusal: Refusal, target: ColumnTarget, at: number): number {
  refusal.set('utf8', target.ordinal, at, -1);
  return refused;
}

/** `skipString` stops at bytes that are not UTF-8, too: those break no grammar. */
function brokenString(bytes: Uint8Array, stop: number, end: number, target: ColumnTarget, refusal: Refusal): number {
  return ~stop < end && bytes[~stop]! >= 0x80 ? refuseUtf8(refusal, target, ~stop) : stop;
}
