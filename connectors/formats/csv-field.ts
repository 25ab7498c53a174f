// Writes the text of one CSV field into a column.
//
// An empty field is NULL where the column takes NULL, else the empty string of a string column, else an error; an empty field in
// quotes is the empty string of a string column even where NULL is allowed. Text forms are those of runtime/batch/text-*.ts;
// integers also as 0x and hexadecimal digits; VARBINARY and VARIANT as JSON text. Returns false with `refusal` set when the text is no
// value of the column. `at` is where the field stands in the bytes of the call, for messages.
import { copyBytes } from '../../runtime/batch/copy-bytes.ts';
import { parseDouble } from '../../runtime/batch/text-double.ts';
import { parseBigint, parseBoolean, parseInteger } from '../../runtime/batch/text-integer.ts';
import { malformed, outOfRange, type ParseOutcome, parsed } from '../../runtime/batch/text-outcome.ts';
import {
  parseDate,
  parseDateFixed,
  parseTime,
  parseTimestamp,
  scanTimeFixed,
  scanTimestampFixed,
  temporalScanBytes,
} from '../../runtime/batch/text-temporal.ts';
import { hexDigit, parseUuid } from '../../runtime/batch/text-uuid.ts';
import {
  type ColumnTarget,
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
import { skipSpace } from './json-scan.ts';
import { readValue } from './json-value.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { findInvalidUtf8 } from './utf8.ts';

// ── data plane ──

/** Writes bytes[start .. end) into row `row` of `target`. `view` is over the same bytes. */
export function writeField(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  isQuoted: boolean,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): boolean {
  if (start === end) return writeEmpty(isQuoted, target, row, refusal, start);
  let outcome: ParseOutcome;
  switch (target.kind) {
    case targetString:
      return writeString(bytes, start, end, target, refusal);
    case targetInteger:
      outcome = parseInteger(bytes, start, end, target.min, target.max, target.ints, row);
      break;
    case targetBigint:
      outcome = parseBigint(bytes, start, end, target.words, row);
      break;
    case targetDecimal:
      outcome = parseDecimalField(bytes, start, end, target, row);
      break;
    case targetTimestamp:
      // What is read in place may end before or behind the field: then it was another value.
      if (bytes.length - start >= temporalScanBytes) {
        if (scanTimestampFixed(bytes, view, start, target.words, row) === end) return true;
      }
      outcome = parseTimestamp(bytes, start, end, target.words, row);
      break;
    case targetDate: {
      // SAFETY: the storage of DATE is i32.
      const days = target.ints as Int32Array;
      outcome = end - start === 10 ? parseDateFixed(view, start, days, row) : malformed;
      if (outcome !== parsed) outcome = parseDate(bytes, start, end, days, row);
      break;
    }
    case targetFloat:
      outcome = parseDouble(bytes, start, end, target.floats, row);
      break;
    case targetBoolean:
      outcome = parseBoolean(bytes, start, end, target.bools, row);
      break;
    case targetTime:
      if (bytes.length - start >= temporalScanBytes) {
        if (scanTimeFixed(bytes, view, start, target.words, row) === end) return true;
      }
      outcome = parseTime(bytes, start, end, target.words, row);
      break;
    case targetUuid:
      outcome = parseUuid(bytes, start, end, target.words, row);
      break;
    case targetBinary:
    case targetVariant:
    case targetNested:
      outcome = writeJson(bytes, view, start, end, target, row, refusal);
      break;
    default:
      outcome = malformed;
  }
  if (outcome === parsed) return true;
  if (outcome === malformed && (target.kind === targetInteger || target.kind === targetBigint)) {
    outcome = parseHexadecimal(bytes, start, end, target, row);
    if (outcome === parsed) return true;
  }
  refusal.set(refusalOf(outcome), target.ordinal, start, end);
  return false;
}

/** What is longer, and may lie in shared memory, is not set. */
const setBytesMax = 4096;

function writeString(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, refusal: Refusal): boolean {
  const column = target.column;
  column.reserveBytes(end - start);
  const out = column.bytes;
  let to = column.bytesUsed;
  let all = 0;
  if (end - start < 48) {
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      all |= byte;
      out[to++] = byte;
    }
  } else {
    if (end - start > setBytesMax) copyBytes(out, to, bytes.subarray(start, end));
    else out.set(bytes.subarray(start, end), to);
    to += end - start;
    all = 0x80;
  }
  if (all >= 0x80) {
    const invalid = findInvalidUtf8(bytes, start, end);
    if (invalid >= 0) {
      refusal.set('utf8', target.ordinal, invalid, -1);
      return false;
    }
  }
  column.bytesUsed = to;
  return true;
}

function writeEmpty(isQuoted: boolean, target: ColumnTarget, row: number, refusal: Refusal, at: number): boolean {
  const isString = target.kind === targetString;
  if (isString && (isQuoted || !target.nullable)) return true;
  if (target.nullable) {
    target.column.setNull(row);
    return true;
  }
  refusal.set('null', target.ordinal, at, -1, `column ${target.field.name} is NOT NULL and the field is empty`);
  return false;
}

function writeJson(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): ParseOutcome {
  const first = skipSpace(bytes, start, end);
  const stop = first < end ? readValue(bytes, view, first, end, target, row, refusal) : -1;
  return stop >= 0 && skipSpace(bytes, stop, end) === end ? parsed : malformed;
}

/** `0x` and up to 16 digits, with an optional sign. Rare, so BigInt may do it. */
function parseHexadecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
): ParseOutcome {
  const isNegative = bytes[start] === 0x2d;
  const first = start + (isNegative || bytes[start] === 0x2b ? 1 : 0);
  if (end - first < 3 || bytes[first] !== 48 || (bytes[first + 1]! | 0x20) !== 0x78) return malformed;
  let value = 0n;
  for (let i = first + 2; i < end; i++) {
    const digit = hexDigit(bytes[i]!);
    if (digit < 0) return malformed;
    if (value >> 64n === 0n) value = (value << 4n) | BigInt(digit);
  }
  if (isNegative) value = -value;
  if (target.kind === targetBigint) {
    if (BigInt.asIntN(64, value) !== value) return outOfRange;
    target.words[2 * row] = Number(BigInt.asIntN(32, value));
    target.words[2 * row + 1] = Number(BigInt.asIntN(32, value >> 32n));
    return parsed;
  }
  if (value < BigInt(target.min) || value > BigInt(target.max)) return outOfRange;
  target.ints[row] = Number(value);
  return parsed;
}
