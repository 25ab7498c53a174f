// Decimal digits of non-negative numbers, as ASCII, from numbers to bytes.
//
// The caller has made room. The functions return the position behind the last byte that they wrote.

/** More bytes than any scalar of fixed width takes as text (a DECIMAL(38, 38) with sign, point and zero takes 41). */
export const scalarTextBytesMax = 48;

/** 00 to 99. */
const pairs: Uint8Array = Uint8Array.from(
  { length: 200 },
  (_, i) => 48 + (i % 2 === 0 ? Math.floor(i / 20) : (i >> 1) % 10),
);

// ── data plane ── division by a constant of an int32 is a multiplication in V8; a division of a double is not.

/** Writes an integer below 2^53 without leading zeros. */
export function printDigits(value: number, out: Uint8Array, at: number): number {
  if (value < 1000000000) return printSmall(value | 0, out, at);
  const head = Math.floor(value / 100000000);
  const tail = value - head * 100000000;
  return printPadded(tail, 8, out, printSmall(head | 0, out, at));
}

/** Writes an integer below 10^9 as exactly `width` digits. */
export function printPadded(value: number, width: number, out: Uint8Array, at: number): number {
  let rest = value | 0;
  let i = at + width;
  while (i > at + 1) {
    const quotient = (rest / 100) | 0;
    const pair = 2 * (rest - quotient * 100);
    rest = quotient;
    i -= 2;
    out[i] = pairs[pair]!;
    out[i + 1] = pairs[pair + 1]!;
  }
  if (i > at) out[at] = 48 + (rest % 10);
  return at + width;
}

/** Writes an integer below 100 as two digits. */
export function printPair(value: number, out: Uint8Array, at: number): number {
  out[at] = pairs[2 * value]!;
  out[at + 1] = pairs[2 * value + 1]!;
  return at + 2;
}

function printSmall(value: number, out: Uint8Array, at: number): number {
  if (value < 10) {
    out[at] = 48 + value;
    return at + 1;
  }
  return printPadded(value, digitsOf(value), out, at);
}

/** Digits of an integer from 10 to 10^9 - 1. */
function digitsOf(value: number): number {
  if (value < 10000) return value < 100 ? 2 : value < 1000 ? 3 : 4;
  if (value < 1000000) return value < 100000 ? 5 : 6;
  return value < 10000000 ? 7 : value < 100000000 ? 8 : 9;
}
