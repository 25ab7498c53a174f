// Decimal digits of non-negative numbers, as ASCII, from numbers to bytes.
//
// The caller has made room. Both functions return the position behind the last byte that they wrote.

/** More bytes than any scalar of fixed width takes as text (a DECIMAL(38, 38) with sign, point and zero takes 41). */
export const scalarTextBytesMax = 48;

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
  for (let i = at + width - 1; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    out[i] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return at + width;
}

function printSmall(value: number, out: Uint8Array, at: number): number {
  if (value < 10) {
    out[at] = 48 + value;
    return at + 1;
  }
  let width = 2;
  if (value >= 100000) {
    width = 6;
    for (let bound = 1000000; width < 9 && value >= bound; bound *= 10) width++;
  } else {
    for (let bound = 100; value >= bound; bound *= 10) width++;
  }
  return printPadded(value, width, out, at);
}
