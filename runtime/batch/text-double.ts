// REAL and DOUBLE, from and to text.
//
// Parsing is correctly rounded: up to 15 digits with a power of ten up to 22 are one exact division or multiplication
// (Clinger 1990), everything else goes to the runtime's own `Number`. Printing is the shortest text that parses back to
// the same value, as JavaScript prints it, which is legal JSON for finite values; -0 prints as 0.

import { printDigits, printPadded } from './text-digits.ts';
import { malformed, outOfRange, type ParseOutcome, parsed } from './text-outcome.ts';

const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

// ── data plane ──

/**
 * Parses a number with optional sign, fraction and exponent, or `NaN`, `inf`, `infinity` in any case. Finite text whose
 * value is beyond the column's type is out of range; text that is too small becomes 0.
 */
export function parseDouble(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Float64Array | Float32Array,
  at: number,
): ParseOutcome {
  let i = start;
  const sign = i < end ? bytes[i]! : 0;
  if (sign === 0x2d || sign === 0x2b) i++;
  let mantissa = 0;
  let digits = 0;
  let fraction = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    mantissa = mantissa * 10 + digit;
    digits++;
  }
  if (i < end && bytes[i] === 0x2e) {
    const point = i++;
    for (; i < end; i++) {
      const digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
      digits++;
    }
    fraction = i - point - 1;
  }
  if (digits === 0) return parseName(bytes, start, end, into, at);
  if (i < end) {
    const exponentEnd = skipExponent(bytes, i, end);
    if (exponentEnd !== end) return malformed;
    return parseByRuntime(bytes, start, end, into, at);
  }
  if (digits > 15 || fraction > 22) return parseByRuntime(bytes, start, end, into, at);
  const value = mantissa / powersOfTen[fraction]!;
  into[at] = sign === 0x2d ? -value : value;
  return parsed;
}

function skipExponent(bytes: Uint8Array, start: number, end: number): number {
  if ((bytes[start]! | 0x20) !== 0x65) return -1;
  let i = start + 1;
  if (i < end && (bytes[i] === 0x2d || bytes[i] === 0x2b)) i++;
  const first = i;
  while (i < end && bytes[i]! >= 48 && bytes[i]! <= 57) i++;
  return i === first ? -1 : i;
}

function parseByRuntime(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Float64Array | Float32Array,
  at: number,
): ParseOutcome {
  const value = Number(asciiText(bytes, start, end));
  into[at] = value;
  const stored = into[at]!;
  return stored === Infinity || stored === -Infinity ? outOfRange : parsed;
}

function parseName(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Float64Array | Float32Array,
  at: number,
): ParseOutcome {
  if (end - start > 9) return malformed;
  switch (asciiText(bytes, start, end).toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      into[at] = Number.NaN;
      return parsed;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      into[at] = Infinity;
      return parsed;
    case '-inf':
    case '-infinity':
      into[at] = -Infinity;
      return parsed;
    default:
      return malformed;
  }
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Prints a double; NaN and infinities as `NaN`, `Infinity`, `-Infinity`. At most 25 bytes. Returns the position behind it. */
export function printDouble(value: number, out: Uint8Array, at: number): number {
  let magnitude = value;
  let to = at;
  if (value < 0) {
    magnitude = -value;
    out[to++] = 0x2d;
  }
  if (magnitude < 9007199254740992) {
    const whole = Math.floor(magnitude);
    if (whole === magnitude) return printDigits(whole, out, to);
    // Up to 15 digits a decimal and its nearest double determine each other, so the first scale that fits is the shortest.
    if (magnitude >= 0.001 && magnitude < 100000000) {
      for (let scale = 1; scale <= 6; scale++) {
        const factor = powersOfTen[scale]!;
        const scaled = Math.round(magnitude * factor);
        if (scaled / factor === magnitude) {
          const head = Math.floor(scaled / factor);
          to = printDigits(head, out, to);
          out[to++] = 0x2e;
          return printPadded(scaled - head * factor, scale, out, to);
        }
      }
    }
  }
  return printAscii(String(value), out, at);
}

/** Prints the shortest text that parses back to the same 32-bit float. At most 25 bytes. Returns the position behind it. */
export function printReal(value: number, out: Uint8Array, at: number): number {
  if (value === Math.floor(value) && Math.abs(value) < 16777216) return printDouble(value, out, at);
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return printDouble(shorter, out, at);
  }
  return printDouble(Number.isFinite(value) ? Number(value.toPrecision(9)) : value, out, at);
}

function printAscii(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}
