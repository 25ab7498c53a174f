// Whole numbers as decimal digits in a buffer, for columns of numbers that are printed by the million. No strings are made.
// Four digits come from a table at a time: a division costs as much as printing them.

const fours: Uint8Array = new Uint8Array(40_000);
for (let i = 0; i < 10_000; i++) {
  fours[i * 4] = 48 + Math.floor(i / 1000);
  fours[i * 4 + 1] = 48 + (Math.floor(i / 100) % 10);
  fours[i * 4 + 2] = 48 + (Math.floor(i / 10) % 10);
  fours[i * 4 + 3] = 48 + (i % 10);
}

// ── data plane ──

/** A safe integer from 0. Answers with where the next byte goes. */
export function printDigits(value: number, out: Uint8Array, at: number): number {
  if (value < 1_000_000_000) return printShort(value, out, at);
  const high = Math.floor(value / 1_000_000_000);
  return printNine(value - high * 1_000_000_000, out, printDigits(high, out, at));
}

/** Below 10^9, with zeros in front. */
export function printNine(value: number, out: Uint8Array, at: number): number {
  const left = value | 0;
  const high = (left / 100_000_000) | 0;
  const rest = left - high * 100_000_000;
  const middle = (rest / 10_000) | 0;
  out[at] = 48 + high;
  printFour(middle, out, at + 1);
  printFour(rest - middle * 10_000, out, at + 5);
  return at + 9;
}

/** Below 10^9. */
export function printShort(value: number, out: Uint8Array, at: number): number {
  const left = value | 0;
  if (left < 10_000) return printLast(left, out, at);
  const high = (left / 10_000) | 0;
  const low = left - high * 10_000;
  if (high < 10_000) {
    const to = printLast(high, out, at);
    printFour(low, out, to);
    return to + 4;
  }
  const top = (high / 10_000) | 0;
  out[at] = 48 + top;
  printFour(high - top * 10_000, out, at + 1);
  printFour(low, out, at + 5);
  return at + 9;
}

/** Below 10 000, without zeros in front. */
function printLast(value: number, out: Uint8Array, at: number): number {
  const from = value * 4;
  let skip = value < 10 ? 3 : value < 100 ? 2 : value < 1000 ? 1 : 0;
  let to = at;
  for (; skip < 4; skip++) out[to++] = fours[from + skip]!;
  return to;
}

function printFour(value: number, out: Uint8Array, at: number): void {
  const from = value * 4;
  out[at] = fours[from]!;
  out[at + 1] = fours[from + 1]!;
  out[at + 2] = fours[from + 2]!;
  out[at + 3] = fours[from + 3]!;
}
