// UUID, from and to text: 8-4-4-4-12 hexadecimal digits in any case, or 32 without hyphens. Printed in lower case.
// In memory the first 8 bytes are the high word of an i128 entry, the last 8 the low word, both big-endian.
import { malformed, type ParseOutcome, parsed } from './text-outcome.ts';

// ── data plane ──

/** Parses a UUID into the words of an i128 column. */
export function parseUuid(bytes: Uint8Array, start: number, end: number, words: Int32Array, at: number): ParseOutcome {
  const hyphens = end - start === 36;
  if (!hyphens && end - start !== 32) return malformed;
  let position = start;
  let word = 0;
  for (let digit = 0; digit < 32; digit++) {
    if (hyphens && (digit === 8 || digit === 12 || digit === 16 || digit === 20)) {
      if (bytes[position++] !== 0x2d) return malformed;
    }
    const nibble = hexDigit(bytes[position++]!);
    if (nibble < 0) return malformed;
    word = (word << 4) | nibble;
    if ((digit & 7) === 7) words[4 * at + 3 - (digit >> 3)] = word;
  }
  return parsed;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Prints entry `index` of a UUID column: 36 bytes. Returns the position behind it. */
export function printUuid(words: Int32Array, index: number, out: Uint8Array, at: number): number {
  let to = at;
  for (let digit = 0; digit < 32; digit++) {
    if (digit === 8 || digit === 12 || digit === 16 || digit === 20) out[to++] = 0x2d;
    const nibble = (words[4 * index + 3 - (digit >> 3)]! >>> ((7 - (digit & 7)) * 4)) & 15;
    out[to++] = nibble < 10 ? 48 + nibble : 0x57 + nibble;
  }
  return to;
}
