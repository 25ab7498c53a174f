// DATE, TIME and TIMESTAMP, from and to text.
//
//   DATE       YYYY-MM-DD, years 1 to 9999, leading zeros optional
//   TIME       HH:MM:SS[.f], up to nine fraction digits; no leap second, no 24:00
//   TIMESTAMP  a date, a space or T, a time, and optionally a zone (Z, UTC, GMT, +HH:MM, +HHMM or +HH), converted to UTC,
//              cut to microseconds;
//              a date alone is its midnight
// White space around the value is skipped. Fractions are printed only when they are not zero, with as few digits as they
// need. Calendar arithmetic is the proleptic Gregorian one (Hinnant, "chrono-compatible low-level date algorithms").

import { printDigits, printPadded, printPair } from './text-digits.ts';
import { malformed, outOfRange, type ParseOutcome, parsed, trimEnd, trimStart } from './text-outcome.ts';
import { millionQuotient, millionRemainder, writeInt64, writeInt64Sum } from './text-words.ts';

const secondsMin = -62135596800; // 0001-01-01 00:00:00
const secondsMax = 253402300799; // 9999-12-31 23:59:59

// ── data plane ── Inner functions return a value or one of two impossible ones, because a pair would be an object.

const dateMalformed = 0x7fffffff;
const dateOutOfRange = 0x7ffffffe;
const timeMalformed = -1;
const timeOutOfRange = -2;

/** Parses a date into days since 1970-01-01. */
export function parseDate(bytes: Uint8Array, start: number, end: number, into: Int32Array, at: number): ParseOutcome {
  const days = readDate(bytes, trimStart(bytes, start, end), trimEnd(bytes, start, end));
  if (days >= dateOutOfRange) return days === dateMalformed ? malformed : outOfRange;
  into[at] = days;
  return parsed;
}

/** Parses a time of day into nanoseconds since midnight. */
export function parseTime(bytes: Uint8Array, start: number, end: number, words: Int32Array, at: number): ParseOutcome {
  const nanos = readTime(bytes, trimStart(bytes, start, end), trimEnd(bytes, start, end));
  if (nanos < 0) return nanos === timeMalformed ? malformed : outOfRange;
  writeInt64(words, at, nanos, false);
  return parsed;
}

/** Parses a timestamp into microseconds since 1970-01-01 00:00:00 UTC. */
export function parseTimestamp(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Int32Array,
  at: number,
): ParseOutcome {
  const from = trimStart(bytes, start, end);
  let to = trimEnd(bytes, from, end);
  let border = from + 10;
  if (border > to || !isSeparator(bytes[border] ?? 0)) {
    border = from;
    while (border < to && !isSeparator(bytes[border]!)) border++;
  }
  const days = readDate(bytes, from, border);
  if (days >= dateOutOfRange) return days === dateMalformed ? malformed : outOfRange;
  let nanos = 0;
  let offsetMinutes = 0;
  if (border < to) {
    const zone = findZone(bytes, border + 1, to);
    if (zone < to) {
      offsetMinutes = readZone(bytes, zone, to);
      if (offsetMinutes === dateMalformed) return malformed;
      to = trimEnd(bytes, border + 1, zone);
    }
    nanos = readTime(bytes, border + 1, to);
    if (nanos < 0) return nanos === timeMalformed ? malformed : outOfRange;
  }
  const secondsOfDay = Math.floor(nanos / 1000000000);
  const seconds = days * 86400 + secondsOfDay - offsetMinutes * 60;
  if (seconds < secondsMin || seconds > secondsMax) return outOfRange;
  writeTimestamp(words, at, seconds, Math.floor((nanos - secondsOfDay * 1000000000) / 1000));
  return parsed;
}

/** Writes seconds since the epoch (possibly negative) and 0 to 999,999 microseconds. */
function writeTimestamp(words: Int32Array, at: number, seconds: number, micros: number): void {
  const total = seconds * 1000000 + micros;
  if (total >= 0 && total < 9007199254740992) writeInt64(words, at, total, false);
  else if (seconds >= 0) writeInt64Sum(words, at, seconds, 1000000, micros, false);
  else writeInt64Sum(words, at, -seconds, 1000000, -micros, true);
}

function isSeparator(byte: number): boolean {
  return byte === 0x20 || byte === 0x54 || byte === 0x74;
}

/** `scanTimestampFixed` and `scanTimeFixed` may look at this many bytes from the start of the value, all of which have to be there. */
export const temporalScanBytes = 28;

/** What a fraction of so many digits is multiplied with to be microseconds. */
const fractionUnits: Int32Array = Int32Array.of(0, 100000, 10000, 1000, 100, 10, 1);

/** The same for nanoseconds. */
const nanoUnits: Int32Array = Int32Array.of(0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1);

/**
 * Reads `YYYY-MM-DD HH:MM:SS` (or with T), a fraction of one to six digits if there is one, and a Z if there is one; the fixed part is read
 * four bytes at a time. Returns the position behind it. Says -1 of every other spelling, and of what is out of range: `parseTimestamp` knows
 * about those. What follows is up to the caller: more digits or a zone mean that the value was another one.
 */
export function scanTimestampFixed(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  words: Int32Array,
  at: number,
): number {
  const days = readDateFixed(view, start);
  const separator = bytes[start + 10]!;
  const secondsOfDay = readClockFixed(view, start + 11);
  if (days >= dateOutOfRange || secondsOfDay < 0 || (separator !== 0x20 && separator !== 0x54)) return -1;
  let i = start + 19;
  let next = bytes[i]!;
  let micros = 0;
  if (next === 0x2e) {
    const first = ++i;
    for (let digit = 0; i < first + 6; i++) {
      digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) break;
      micros = (micros * 10 + digit) | 0;
    }
    if (i === first) return -1;
    micros = (micros * fractionUnits[i - first]!) | 0;
    next = bytes[i]!;
  }
  if (next === 0x5a) i++;
  writeTimestamp(words, at, days * 86400 + secondsOfDay, micros);
  return i;
}

/** Reads `HH:MM:SS` with a fraction of one to nine digits if there is one, as `scanTimestampFixed` does. */
export function scanTimeFixed(bytes: Uint8Array, view: DataView, start: number, words: Int32Array, at: number): number {
  const seconds = readClockFixed(view, start);
  if (seconds < 0) return -1;
  let i = start + 8;
  let nanos = 0;
  if (bytes[i] === 0x2e) {
    const first = ++i;
    for (let digit = 0; i < first + 9; i++) {
      digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) break;
      nanos = (nanos * 10 + digit) | 0;
    }
    if (i === first) return -1;
    nanos = (nanos * nanoUnits[i - first]!) | 0;
  }
  writeInt64(words, at, seconds * 1000000000 + nanos, false);
  return i;
}

/** Parses the 10 bytes `YYYY-MM-DD` at `start`, which have to be there. Says `malformed` also of spellings that `parseDate` takes. */
export function parseDateFixed(view: DataView, start: number, into: Int32Array, at: number): ParseOutcome {
  const days = readDateFixed(view, start);
  if (days >= dateOutOfRange) return days === dateMalformed ? malformed : outOfRange;
  into[at] = days;
  return parsed;
}

// Words are little-endian, the first byte lowest. After the exclusive or with the pattern a byte is the value of its digit, or zero where a
// separator is due. Adding 0x76, or 0x7f, then sets the top bit of each byte that is more than 9, or more than 0; a byte that would carry
// into the next has its own top bit set already.

function readDateFixed(view: DataView, start: number): number {
  // "0000", "-00-", "0-00".
  const years = view.getInt32(start, true) ^ 0x30303030;
  const months = view.getInt32(start + 4, true) ^ 0x2d30302d;
  const rest = view.getInt32(start + 6, true) ^ 0x30302d30;
  const flags = years | (years + 0x76767676) | months | (months + 0x7f76767f) | rest | (rest + 0x76767f76);
  if ((flags & 0x80808080) !== 0) return dateMalformed;
  const year = (years & 15) * 1000 + ((years >> 8) & 15) * 100 + ((years >> 16) & 15) * 10 + (years >> 24);
  const month = ((months >> 8) & 15) * 10 + (months >> 16);
  const day = ((rest >> 16) & 15) * 10 + (rest >> 24);
  if (year < 1 || month < 1 || month > 12 || day < 1) return dateOutOfRange;
  if (day > 28 && day > daysInMonth(year, month)) return dateOutOfRange;
  return daysFromCivil(year, month, day);
}

/** Seconds since midnight of the 8 bytes `HH:MM:SS`; -1 when they are anything else. */
function readClockFixed(view: DataView, start: number): number {
  // "00:0", "0:00".
  const upper = view.getInt32(start, true) ^ 0x303a3030;
  const lower = view.getInt32(start + 4, true) ^ 0x30303a30;
  const flags = upper | (upper + 0x767f7676) | lower | (lower + 0x76767f76);
  if ((flags & 0x80808080) !== 0) return -1;
  const hour = (upper & 15) * 10 + ((upper >> 8) & 15);
  const minuteTens = upper >> 24;
  const secondTens = (lower >> 16) & 15;
  if (hour > 23 || minuteTens > 5 || secondTens > 5) return -1;
  return hour * 3600 + (minuteTens * 10 + (lower & 15)) * 60 + secondTens * 10 + (lower >> 24);
}

function readDate(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  let year = 0;
  for (; i < end && i < start + 4; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    year = year * 10 + digit;
  }
  if (i === start || i >= end || bytes[i] !== 0x2d) return dateMalformed;
  const monthStart = ++i;
  let month = 0;
  for (; i < end && i < monthStart + 2; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    month = month * 10 + digit;
  }
  if (i === monthStart || i >= end || bytes[i] !== 0x2d) return dateMalformed;
  const dayStart = ++i;
  let day = 0;
  for (; i < end && i < dayStart + 2; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    day = day * 10 + digit;
  }
  if (i === dayStart || i !== end) return dateMalformed;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return dateOutOfRange;
  return daysFromCivil(year, month, day);
}

/** Days of a month from 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 of a valid date. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Years begin in March, so that the leap day is the last of its year.
  const shifted = month <= 2 ? year - 1 : year;
  const era = shifted >= 0 ? (shifted / 400) | 0 : Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1;
  return era * 146097 + yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear - 719468;
}

/** Nanoseconds since midnight, `timeMalformed` or `timeOutOfRange`. */
function readTime(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  let seconds = 0;
  for (let part = 0; part < 3; part++) {
    if (i >= end) return timeMalformed;
    let value = bytes[i++]! - 48;
    if (value < 0 || value > 9) return timeMalformed;
    if (i < end) {
      const digit = bytes[i]! - 48;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        i++;
      }
    }
    if (value > (part === 0 ? 23 : 59)) return timeOutOfRange;
    seconds = seconds * 60 + value;
    if (part < 2 && (i >= end || bytes[i++] !== 0x3a)) return timeMalformed;
  }
  if (i === end) return seconds * 1000000000;
  if (bytes[i++] !== 0x2e || i === end || end - i > 9) return timeMalformed;
  let fraction = 0;
  let digits = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return timeMalformed;
    fraction = fraction * 10 + digit;
    digits++;
  }
  for (; digits < 9; digits++) fraction *= 10;
  return seconds * 1000000000 + fraction;
}

/** Where the zone begins; `end` when there is none. */
function findZone(bytes: Uint8Array, start: number, end: number): number {
  if (end > start && (bytes[end - 1]! | 0x20) === 0x7a) return end - 1;
  if (isUtc(bytes, Math.max(start, end - 3), end)) return end - 3;
  const earliest = Math.max(start, end - 6);
  for (let i = end - 1; i >= earliest; i--) if (bytes[i] === 0x2b || bytes[i] === 0x2d) return i;
  return end;
}

/** Whether three bytes are the letters UTC or GMT. */
function isUtc(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 3) return false;
  const letters = ((bytes[start]! | 0x20) << 16) | ((bytes[start + 1]! | 0x20) << 8) | (bytes[start + 2]! | 0x20);
  return letters === 0x757463 || letters === 0x676d74;
}

/** Minutes east of UTC, or `dateMalformed`. */
function readZone(bytes: Uint8Array, start: number, end: number): number {
  if (end - start === 1) return (bytes[start]! | 0x20) === 0x7a ? 0 : dateMalformed;
  if (isUtc(bytes, start, end)) return 0;
  const colon = end - start === 6 ? 1 : 0;
  if (end - start !== 3 && end - start !== 5 + colon) return dateMalformed;
  if (colon === 1 && bytes[start + 3] !== 0x3a) return dateMalformed;
  let digits = 0;
  for (let i = start + 1; i < end; i++) {
    if (colon === 1 && i === start + 3) continue;
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return dateMalformed;
    digits = digits * 10 + digit;
  }
  const hours = end - start === 3 ? digits : (digits / 100) | 0;
  const minutes = end - start === 3 ? 0 : digits % 100;
  if (hours > 23 || minutes > 59) return dateMalformed;
  return (bytes[start] === 0x2d ? -1 : 1) * (hours * 60 + minutes);
}

/** Prints days since 1970-01-01. At most 14 bytes. Returns the position behind it. */
export function printDate(days: number, out: Uint8Array, at: number): number {
  const shifted = (days + 719468) | 0;
  const era = shifted >= 0 ? (shifted / 146097) | 0 : Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const leapDays = ((dayOfEra / 1460) | 0) - ((dayOfEra / 36524) | 0) + ((dayOfEra / 146096) | 0);
  const yearOfEra = ((dayOfEra - leapDays) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const shiftedMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * shiftedMonth + 2) / 5) | 0) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  let to = at;
  if (year < 0) {
    out[to++] = 0x2d;
    year = -year;
  }
  to = year < 10000 ? printPadded(year, 4, out, to) : printDigits(year, out, to);
  out[to] = 0x2d;
  printPair(month, out, to + 1);
  out[to + 3] = 0x2d;
  return printPair(day, out, to + 4);
}

/** Prints entry `index` of a TIME column. At most 18 bytes. Returns the position behind it. */
export function printTime(words: Int32Array, index: number, out: Uint8Array, at: number): number {
  const nanos = words[2 * index + 1]! * 4294967296 + (words[2 * index]! >>> 0);
  const seconds = Math.floor(nanos / 1000000000);
  return printFraction(nanos - seconds * 1000000000, 9, out, printClock(seconds, out, at));
}

/** Prints entry `index` of a TIMESTAMP column as `YYYY-MM-DD HH:MM:SS[.f]`. At most 31 bytes. Returns the position behind it. */
export function printTimestamp(words: Int32Array, index: number, out: Uint8Array, at: number): number {
  let low = words[2 * index]!;
  let high = words[2 * index + 1]!;
  const negative = high < 0;
  if (!negative && high < 0x200000) {
    const value = high * 4294967296 + (low >>> 0);
    const whole = Math.floor(value / 1000000);
    return printInstant(whole, value - whole * 1000000, out, at);
  }
  if (negative) {
    low = -low | 0;
    high = low === 0 ? -high | 0 : ~high;
  }
  let seconds = millionQuotient(low, high);
  let micros = millionRemainder(low, seconds);
  if (negative) {
    seconds = -seconds;
    if (micros > 0) {
      seconds--;
      micros = 1000000 - micros;
    }
  }
  return printInstant(seconds, micros, out, at);
}

function printInstant(seconds: number, micros: number, out: Uint8Array, at: number): number {
  const days = Math.floor(seconds / 86400);
  const to = printDate(days, out, at);
  out[to] = 0x20;
  const clockEnd = printClock((seconds - days * 86400) | 0, out, to + 1);
  return micros === 0 ? clockEnd : printFraction(micros, 6, out, clockEnd);
}

function printClock(seconds: number, out: Uint8Array, at: number): number {
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  printPair(hours, out, at);
  out[at + 2] = 0x3a;
  printPair(minutes - hours * 60, out, at + 3);
  out[at + 5] = 0x3a;
  return printPair(seconds - minutes * 60, out, at + 6);
}

/** Prints a fraction of a second that has been given in units of 10^-digits. */
function printFraction(units: number, digits: number, out: Uint8Array, at: number): number {
  if (units === 0) return at;
  let fraction = units | 0;
  let width = digits;
  while (fraction % 10 === 0) {
    fraction = (fraction / 10) | 0;
    width--;
  }
  out[at] = 0x2e;
  return printPadded(fraction, width, out, at + 1);
}
