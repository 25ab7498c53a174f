// What a text-parsing kernel says about the bytes that it was given.
//
// All `parse…` kernels of this folder share one shape: `parse…(bytes, start, end, …, into, at)` reads exactly
// bytes[start .. end), writes the value to entry `at` of a column's array and returns one of these numbers. They never
// throw and allocate nothing per row. Unless a kernel says otherwise it does not trim: use `trimStart` and `trimEnd`.
// 64-bit and 128-bit values are written to the Int32Array view of a BigInt64Array (see text-words.ts), so that no BigInt
// is made per row. After any outcome but `parsed` and `inexact` the entry is undefined.

/** The value is in its column. */
export const parsed = 0;
/** The bytes do not spell a value of the type. */
export const malformed = 1;
/** They spell a number or a time that the type cannot hold. */
export const outOfRange = 2;
/** DECIMAL only: digits beyond the scale were not all zero; the value written is rounded half away from zero. */
export const inexact = 3;

export type ParseOutcome = 0 | 1 | 2 | 3;

// ── data plane ──

/** The first position at or after `start` that is not a space, tab, line feed or carriage return. */
export function trimStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(bytes[at]!)) at++;
  return at;
}

/** The position behind the last byte before `end` that is not white space; at least `start`. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(bytes[at - 1]!)) at--;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte <= 0x0d && byte >= 0x09 && byte !== 0x0b && byte !== 0x0c);
}
