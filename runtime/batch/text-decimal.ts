// DECIMAL(p, s), from and to text: sign, digits, point, exponent, exact at every size.
//
// A value is the integer value · 10^s in the words of an i64 column (p <= 18) or an i128 column (beyond). Text with more
// fraction digits than `s` parses as long as the excess is zeros; else the rounded value is written and the outcome is
// `inexact`: input formats refuse it, a CAST takes it. Printing writes exactly `s` fraction digits.

import { decimalWordDigits } from './sql-type.ts';
import { printDigits, printPadded, printPair } from './text-digits.ts';
import { inexact, malformed, outOfRange, type ParseOutcome, parsed } from './text-outcome.ts';
import { millionQuotient, millionRemainder, writeInt64, writeInt64Sum } from './text-words.ts';

/** Powers of ten that a double holds exactly. */
const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

// ── data plane ──

/** Parses a decimal into entry `at` of an i64 column (precision <= 18) or of an i128 column. */
export function parseDecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  precision: number,
  scale: number,
  words: Int32Array,
  at: number,
): ParseOutcome {
  let i = start;
  const sign = i < end ? bytes[i]! : 0;
  if (sign === 0x2d || sign === 0x2b) i++;
  const first = i;
  let value = 0;
  let byte = 0;
  for (; i < end; i++) {
    byte = bytes[i]! - 48;
    if (byte < 0 || byte > 9) break;
    value = value * 10 + byte;
  }
  const point = i;
  if (i < end && bytes[i] === 0x2e) {
    for (i++; i < end; i++) {
      byte = bytes[i]! - 48;
      if (byte < 0 || byte > 9) break;
      value = value * 10 + byte;
    }
  }
  const digitsEnd = i;
  const fraction = digitsEnd > point ? digitsEnd - point - 1 : 0;
  const digits = point - first + fraction;
  if (digits === 0) return malformed;
  if (i === end && fraction <= scale && digits + scale - fraction <= 15) {
    const magnitude = value * powersOfTen[scale - fraction]!;
    if (precision < 15 && magnitude >= powersOfTen[precision]!) return outOfRange;
    writeDecimal(words, at, magnitude, sign === 0x2d, precision > decimalWordDigits);
    return parsed;
  }
  let exponent = 0;
  if (i < end) {
    if ((bytes[i]! | 0x20) !== 0x65) return malformed;
    i++;
    const exponentSign = i < end ? bytes[i]! : 0;
    if (exponentSign === 0x2d || exponentSign === 0x2b) i++;
    if (i === end) return malformed;
    for (; i < end; i++) {
      byte = bytes[i]! - 48;
      if (byte < 0 || byte > 9) return malformed;
      // Past a million the answer no longer changes; the bound keeps the sum below exact.
      if (exponent < 1000000) exponent = exponent * 10 + byte;
    }
    if (exponentSign === 0x2d) exponent = -exponent;
  }
  return parseLong(bytes, first, point, digitsEnd, exponent, precision, scale, sign === 0x2d, words, at);
}

function writeDecimal(words: Int32Array, at: number, magnitude: number, negative: boolean, wide: boolean): void {
  if (!wide) {
    writeInt64(words, at, magnitude, negative);
    return;
  }
  writeInt64(words, 2 * at, magnitude, negative);
  const extension = negative && magnitude !== 0 ? -1 : 0;
  words[4 * at + 2] = extension;
  words[4 * at + 3] = extension;
}

/** Any length and exponent: the digits are walked once more from the first that is not zero. */
function parseLong(
  bytes: Uint8Array,
  first: number,
  point: number,
  digitsEnd: number,
  exponent: number,
  precision: number,
  scale: number,
  negative: boolean,
  words: Int32Array,
  at: number,
): ParseOutcome {
  const wide = precision > decimalWordDigits;
  let i = first;
  while (i < digitsEnd && (bytes[i] === 48 || i === point)) i++;
  if (i === digitsEnd) {
    writeDecimal(words, at, 0, false, wide);
    return parsed;
  }
  // `kept` digits from here on belong to the scaled integer; what follows is excess.
  const kept = (i < point ? point - i : point + 1 - i) + exponent + scale;
  if (kept > precision) return outOfRange;
  let nines = kept === precision;
  let head = 0;
  let tail = 0;
  let chunk = 0;
  let chunkDigits = 0;
  if (wide) words.fill(0, 4 * at, 4 * at + 4);
  for (let taken = 0; taken < kept; taken++) {
    if (i === point) i++;
    const digit = i < digitsEnd ? bytes[i++]! - 48 : 0;
    if (digit !== 9) nines = false;
    if (!wide) {
      if (taken < kept - 9) head = head * 10 + digit;
      else tail = tail * 10 + digit;
      continue;
    }
    chunk = chunk * 10 + digit;
    if (++chunkDigits === 6) {
      multiplyAdd(words, 4 * at, 1000000, chunk);
      chunk = 0;
      chunkDigits = 0;
    }
  }
  if (wide && chunkDigits > 0) multiplyAdd(words, 4 * at, powersOfTen[chunkDigits]!, chunk);
  let outcome: ParseOutcome = parsed;
  let roundUp = 0;
  for (let excess = 0; i < digitsEnd; i++) {
    if (i === point) continue;
    if (bytes[i] !== 48) outcome = inexact;
    if (excess++ === 0 && kept >= 0 && bytes[i]! >= 53) roundUp = 1;
  }
  if (roundUp === 1 && nines) return outOfRange;
  if (!wide) return writeInt64Sum(words, at, head, 1000000000, tail + roundUp, negative) ? outcome : outOfRange;
  if (roundUp === 1) multiplyAdd(words, 4 * at, 1, 1);
  if (negative) negate(words, 4 * at);
  return outcome;
}

/** words := words * factor + addend over four unsigned words; factor <= 10^6 keeps each product below 2^53. */
function multiplyAdd(words: Int32Array, from: number, factor: number, addend: number): void {
  let carry = addend;
  for (let i = from; i < from + 4; i++) {
    const product = (words[i]! >>> 0) * factor + carry;
    words[i] = product | 0;
    carry = Math.floor(product / 4294967296);
  }
}

function negate(words: Int32Array, from: number): void {
  let carry = 1;
  for (let i = from; i < from + 4; i++) {
    const value = ~words[i]! + carry;
    words[i] = value;
    carry = carry === 1 && words[i] === 0 ? 1 : 0;
  }
}

/** Prints entry `index` of an i64 column with `scale` fraction digits. At most 21 bytes. Returns the position behind it. */
export function printDecimal(words: Int32Array, index: number, scale: number, out: Uint8Array, at: number): number {
  let low = words[2 * index]!;
  let high = words[2 * index + 1]!;
  let to = at;
  if (high < 0) {
    out[to++] = 0x2d;
    low = -low | 0;
    high = low === 0 ? -high | 0 : ~high;
  }
  if (high >= 0 && high < 0x200000 && scale <= 9) {
    if (scale === 2 && high === 0 && low >= 0) {
      // Money: constant divisors.
      const units = (low / 100) | 0;
      to = printDigits(units, out, to);
      out[to] = 0x2e;
      return printPair(low - units * 100, out, to + 1);
    }
    const magnitude = high * 4294967296 + (low >>> 0);
    if (scale === 0) return printDigits(magnitude, out, to);
    const factor = powersOfTen[scale]!;
    const whole = Math.floor(magnitude / factor);
    to = printDigits(whole, out, to);
    out[to++] = 0x2e;
    return printPadded(magnitude - whole * factor, scale, out, to);
  }
  // 24 digits with leading zeros behind the room for the point, then moved to the front.
  const digits = at + 2;
  const quotient = millionQuotient(low, high);
  const upper = Math.floor(quotient / 1000000);
  const top = Math.floor(upper / 1000000);
  printPadded(top, 6, out, digits);
  printPadded(upper - top * 1000000, 6, out, digits + 6);
  printPadded(quotient - upper * 1000000, 6, out, digits + 12);
  printPadded(millionRemainder(low, quotient), 6, out, digits + 18);
  return placePoint(out, digits, digits + 24, scale, to);
}

/** Prints entry `index` of an i128 column with `scale` fraction digits. At most 45 bytes. Returns the position behind it. */
export function printDecimalWide(words: Int32Array, index: number, scale: number, out: Uint8Array, at: number): number {
  const sign = words[4 * index + 1]! >> 31;
  if (words[4 * index + 2] === sign && words[4 * index + 3] === sign && scale <= 18) {
    // Most sums fit one word: its kernel is four times as fast.
    return printDecimal(words, 2 * index, scale, out, at);
  }
  let w0 = words[4 * index]! >>> 0;
  let w1 = words[4 * index + 1]! >>> 0;
  let w2 = words[4 * index + 2]! >>> 0;
  let w3 = words[4 * index + 3]! >>> 0;
  let to = at;
  if (w3 >= 0x80000000) {
    out[to++] = 0x2d;
    w0 = -w0 >>> 0;
    w1 = (~w1 + (w0 === 0 ? 1 : 0)) >>> 0;
    w2 = (~w2 + (w0 === 0 && w1 === 0 ? 1 : 0)) >>> 0;
    w3 = (~w3 + (w0 === 0 && w1 === 0 && w2 === 0 ? 1 : 0)) >>> 0;
  }
  const digits = at + 2;
  for (let chunk = 6; chunk >= 0; chunk--) {
    // Long division by 10^6: a remainder below 2^20 in front of a word stays below 2^53.
    const q3 = Math.floor(w3 / 1000000);
    const n2 = (w3 - q3 * 1000000) * 4294967296 + w2;
    const q2 = Math.floor(n2 / 1000000);
    const n1 = (n2 - q2 * 1000000) * 4294967296 + w1;
    const q1 = Math.floor(n1 / 1000000);
    const n0 = (n1 - q1 * 1000000) * 4294967296 + w0;
    const q0 = Math.floor(n0 / 1000000);
    printPadded(n0 - q0 * 1000000, 6, out, digits + chunk * 6);
    w3 = q3;
    w2 = q2;
    w1 = q1;
    w0 = q0;
  }
  return placePoint(out, digits, digits + 42, scale, to);
}

/** Moves the digits out[from .. end) to `to` without leading zeros, with a point before the last `scale` of them. */
function placePoint(out: Uint8Array, from: number, end: number, scale: number, to: number): number {
  const point = end - scale;
  let i = from;
  while (i < point - 1 && out[i] === 48) i++;
  let position = to;
  for (; i < end; i++) {
    if (i === point) out[position++] = 0x2e;
    out[position++] = out[i]!;
  }
  return position;
}
