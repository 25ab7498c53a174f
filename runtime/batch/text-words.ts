// 64-bit integers as pairs of 32-bit words, in double arithmetic that stays exact.
//
// `words` is always the Int32Array over the buffer of a BigInt64Array: entry i of an i64 column is words[2i] (low) and
// words[2i + 1] (high), entry i of an i128 column is words[4i .. 4i + 4), lowest first. Every platform that Node runs on is
// little-endian. Doubles are exact below 2^53, so bigger values go through two pieces; BigInt() per row would cost ten
// times as much. Not here: arithmetic on columns (the engine does that with BigInt.asIntN).

// ── data plane ── plain numbers in and out, so that V8 keeps them in registers.

const word = 4294967296;

/** The Int32Array over the same bytes as `values`. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Writes ±`magnitude`, an integer below 2^53, to entry `at`. */
export function writeInt64(words: Int32Array, at: number, magnitude: number, negative: boolean): void {
  // `| 0` of a double takes it modulo 2^32, so the low word needs no remainder.
  const low = magnitude | 0;
  const high = (magnitude / word) | 0;
  if (negative) {
    words[2 * at] = -low;
    words[2 * at + 1] = low === 0 ? -high : ~high;
  } else {
    words[2 * at] = low;
    words[2 * at + 1] = high;
  }
}

/**
 * Writes ±(head * factor + tail) to entry `at`: head < 2^37, factor <= 10^9, tail < 2^47, the sum below 2^64.
 * Returns false when it does not fit an int64.
 */
export function writeInt64Sum(
  words: Int32Array,
  at: number,
  head: number,
  factor: number,
  tail: number,
  negative: boolean,
): boolean {
  // head = upper * 2^16 + lower keeps both partial products below 2^53.
  const lower = head % 65536;
  const upper = (head - lower) / 65536;
  const product = upper * factor;
  const productLow = product % 65536;
  const bottom = lower * factor + tail + productLow * 65536;
  const high = (product - productLow) / 65536 + Math.floor(bottom / word);
  const low = bottom | 0;
  if (high >= 0x80000000 && !(negative && high === 0x80000000 && low === 0)) return false;
  if (negative) {
    words[2 * at] = -low;
    words[2 * at + 1] = low === 0 ? -high : ~high;
  } else {
    words[2 * at] = low;
    words[2 * at + 1] = high;
  }
  return true;
}

/** floor(magnitude / 10^6) of an unsigned 64-bit magnitude; below 2^45. The remainder is `millionRemainder`. */
export function millionQuotient(low: number, high: number): number {
  const upper = high >>> 0;
  const upperQuotient = Math.floor(upper / 1000000);
  const rest = (upper - upperQuotient * 1000000) * word + (low >>> 0);
  return upperQuotient * word + Math.floor(rest / 1000000);
}

/** What `millionQuotient` left over. It is below 2^20, so the low words alone decide. */
export function millionRemainder(low: number, quotient: number): number {
  return (low - Math.imul(quotient, 1000000)) | 0;
}
