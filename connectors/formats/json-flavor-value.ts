// Values of a column that a flavour spells in another way (json-flavor.ts): numbers for dates and times, texts for binary data and VARIANT.
// What such a text holds has been unescaped by the caller. Outcomes are those of the parse kernels.

import { parseDouble } from '../../runtime/batch/text-double.ts';
import { inexact, malformed, outOfRange, type ParseOutcome, parsed } from '../../runtime/batch/text-outcome.ts';
import { writeInt64, writeInt64Sum } from '../../runtime/batch/text-words.ts';
import { type ColumnTarget, spelledBase58, spelledHex, targetDate, targetTime } from './column-target.ts';
import { copyCompact, skipSpace, skipValue } from './json-scan.ts';

const nanosOfDay = 86_400_000_000_000;
/** 0001-01-01 and 9999-12-31. */
const daysMin = -719_162;
const daysMax = 2_932_896;
const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const digitsOf58: Int8Array = Int8Array.from({ length: 128 }, (_, code) => base58.indexOf(String.fromCharCode(code)));
const scratch: Float64Array = new Float64Array(1);

// ── data plane ──

/** A whole number of the units that the column counts in. */
export function parseUnits(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
): ParseOutcome {
  const outcome = parseDouble(bytes, start, end, scratch, 0);
  if (outcome !== parsed) return outcome;
  const value = scratch[0]!;
  if (!Number.isInteger(value)) return inexact;
  if (target.kind === targetDate) {
    if (value < daysMin || value > daysMax) return outOfRange;
    target.ints[row] = value;
    return parsed;
  }
  const unit = target.numberUnit;
  if (target.kind === targetTime) {
    if (value < 0 || value >= nanosOfDay / unit) return outOfRange;
    writeInt64(target.words, row, value * unit, false);
    return parsed;
  }
  const magnitude = Math.abs(value);
  const perSecond = 1_000_000 / unit;
  const seconds = Math.floor(magnitude / perSecond);
  if (seconds >= 2 ** 37) return outOfRange;
  const rest = (magnitude - seconds * perSecond) * unit;
  return writeInt64Sum(target.words, row, seconds, 1_000_000, rest, value < 0) ? parsed : outOfRange;
}

/** The text of a BINARY or a VARIANT, without its quotes, to the bytes of the column. */
export function parseSpelled(bytes: Uint8Array, start: number, end: number, target: ColumnTarget): ParseOutcome {
  if (target.spelled === spelledHex) return parseHex(bytes, start, end, target);
  if (target.spelled === spelledBase58) return parseBase58(bytes, start, end, target);
  const first = skipSpace(bytes, start, end);
  const stop = first < end ? skipValue(bytes, first, end) : -1;
  if (stop < 0 || skipSpace(bytes, stop, end) !== end) return malformed;
  target.column.reserveBytes(stop - first);
  target.column.bytesUsed = copyCompact(bytes, first, stop, target.column.bytes, target.column.bytesUsed);
  return parsed;
}

function parseHex(bytes: Uint8Array, start: number, end: number, target: ColumnTarget): ParseOutcome {
  const marked =
    end - start >= 2 && (bytes[start] === 0x30 || bytes[start] === 0x5c) && (bytes[start + 1]! | 0x20) === 0x78;
  const first = marked ? start + 2 : start;
  if ((end - first) % 2 !== 0) return malformed;
  const { column } = target;
  column.reserveBytes((end - first) >> 1);
  let to = column.bytesUsed;
  for (let i = first; i < end; i += 2) {
    const high = hexDigit(bytes[i]!);
    const low = hexDigit(bytes[i + 1]!);
    if (high < 0 || low < 0) return malformed;
    column.bytes[to++] = high * 16 + low;
  }
  column.bytesUsed = to;
  return parsed;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = (code | 0x20) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** Each leading 1 is a byte 0; the rest is one number, most significant digit first. */
function parseBase58(bytes: Uint8Array, start: number, end: number, target: ColumnTarget): ParseOutcome {
  const number: number[] = [];
  let zeros = 0;
  while (start + zeros < end && bytes[start + zeros] === 0x31) zeros++;
  for (let i = start + zeros; i < end; i++) {
    let carry = bytes[i]! < 128 ? digitsOf58[bytes[i]!]! : -1;
    if (carry < 0) return malformed;
    for (let k = 0; k < number.length; k++) {
      carry += number[k]! * 58;
      number[k] = carry & 255;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) number.push(carry & 255);
  }
  const value = new Uint8Array(zeros + number.length);
  for (let k = 0; k < number.length; k++) value[value.length - 1 - k] = number[k]!;
  target.column.appendBytes(value, 0, value.length);
  return parsed;
}
