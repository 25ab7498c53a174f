// TINYINT to BIGINT and BOOLEAN, from and to text.
//
// An integer is an optional sign and one or more digits; leading zeros are allowed, white space is not. A format whose
// grammar is stricter (JSON) checks that before it calls. int64 is exact over its whole range.

import { printDigits, printPadded } from './text-digits.ts';
import { malformed, outOfRange, type ParseOutcome, parsed } from './text-outcome.ts';
import { millionQuotient, millionRemainder, writeInt64, writeInt64Sum } from './text-words.ts';

// ── data plane ──

/** Parses an integer of at most 32 bits. */
export function parseInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
  min: number,
  max: number,
  into: Int32Array | Int16Array | Int8Array,
  at: number,
): ParseOutcome {
  let i = start;
  const sign = i < end ? bytes[i]! : 0;
  if (sign === 0x2d || sign === 0x2b) i++;
  if (i >= end) return malformed;
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return malformed;
    // Infinity after some 300 digits is out of range like any other big number.
    value = value * 10 + digit;
  }
  if (sign === 0x2d) value = -value;
  if (value < min || value > max) return outOfRange;
  into[at] = value;
  return parsed;
}

/** Parses an int64 into the words of a BigInt64Array. */
export function parseBigint(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Int32Array,
  at: number,
): ParseOutcome {
  let i = start;
  const sign = i < end ? bytes[i]! : 0;
  if (sign === 0x2d || sign === 0x2b) i++;
  if (i >= end) return malformed;
  if (end - i > 15) {
    while (i < end - 1 && bytes[i] === 48) i++;
    if (end - i > 15) return parseLong(bytes, i, end, sign === 0x2d, words, at);
  }
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return malformed;
    value = value * 10 + digit;
  }
  writeInt64(words, at, value, sign === 0x2d);
  return parsed;
}

function parseLong(
  bytes: Uint8Array,
  start: number,
  end: number,
  negative: boolean,
  words: Int32Array,
  at: number,
): ParseOutcome {
  let head = 0;
  let tail = 0;
  const border = end - 9;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return malformed;
    if (i < border) head = head * 10 + digit;
    else tail = tail * 10 + digit;
  }
  if (end - start > 19) return outOfRange;
  return writeInt64Sum(words, at, head, 1000000000, tail, negative) ? parsed : outOfRange;
}

/** Parses `true` or `false` in any case. */
export function parseBoolean(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
): ParseOutcome {
  const length = end - start;
  // Setting bit 5 turns ASCII letters into lower case; no other byte becomes one of these letters.
  if (length === 4) {
    const isTrue = lower(bytes, start) === 0x74 && lower(bytes, start + 1) === 0x72;
    if (!isTrue || lower(bytes, start + 2) !== 0x75 || lower(bytes, start + 3) !== 0x65) return malformed;
    into[at] = 1;
    return parsed;
  }
  if (length !== 5) return malformed;
  const isFalse = lower(bytes, start) === 0x66 && lower(bytes, start + 1) === 0x61 && lower(bytes, start + 2) === 0x6c;
  if (!isFalse || lower(bytes, start + 3) !== 0x73 || lower(bytes, start + 4) !== 0x65) return malformed;
  into[at] = 0;
  return parsed;
}

function lower(bytes: Uint8Array, at: number): number {
  return bytes[at]! | 0x20;
}

/** Prints a number that is a safe integer. At most 17 bytes. Returns the position behind it. */
export function printInteger(value: number, out: Uint8Array, at: number): number {
  if (value >= 0) return printDigits(value, out, at);
  out[at] = 0x2d;
  return printDigits(-value, out, at + 1);
}

/** Prints entry `index` of an int64 column. At most 20 bytes. Returns the position behind it. */
export function printBigint(words: Int32Array, index: number, out: Uint8Array, at: number): number {
  let low = words[2 * index]!;
  let high = words[2 * index + 1]!;
  let to = at;
  if (high < 0) {
    out[to++] = 0x2d;
    low = -low | 0;
    high = low === 0 ? -high | 0 : ~high;
  }
  if (high >= 0 && high < 0x200000) return printDigits(high * 4294967296 + (low >>> 0), out, to);
  const quotient = millionQuotient(low, high);
  return printPadded(millionRemainder(low, quotient), 6, out, printDigits(quotient, out, to));
}

/** Prints `true` or `false`. At most 5 bytes. Returns the position behind it. */
export function printBoolean(value: number, out: Uint8Array, at: number): number {
  if (value !== 0) {
    out[at] = 0x74;
    out[at + 1] = 0x72;
    out[at + 2] = 0x75;
    out[at + 3] = 0x65;
    return at + 4;
  }
  out[at] = 0x66;
  out[at + 1] = 0x61;
  out[at + 2] = 0x6c;
  out[at + 3] = 0x73;
  out[at + 4] = 0x65;
  return at + 5;
}
