// Exact sums of integers and decimals as limbs of 32 bits held in doubles, and compensated sums of floats.
//
// Integers: limb k counts units of 2^(32k). Words are added (times the weight) to their limbs as doubles, which is exact
// while a limb stays below 2^53; a limb that passes 2^52 hands its carry to the next one. So a sum is exact whatever comes
// and goes, and whether it fits its SQL type is asked only when it is read (`readSum`): an intermediate overflow is none.
// Two limbs serve values of 32 bits, three 64 bits, four 128 bits; the last limb has no successor, so sums beyond 2^84,
// 2^116 and 2^148 would no longer be exact, which no 2^53 rows of the first two kinds reach, and which is far beyond what a
// DECIMAL may hold.
//
// Floats: `hi + lo` is a double-double (about 106 bits), so that a retraction gives back what an insertion took up to
// values whose exponents lie more than 50 bits apart from the sum; NaN and infinities, which could not be taken back, are
// counted beside it. A group whose count of values returns to 0 starts again at exactly 0.
//   layout   [ hi | lo | NaNs | +infinities | -infinities ]

export const limbsOfWord = 2;
export const limbsOfTwoWords = 3;
export const limbsOfDecimal = 4;
export const doublesOfFloatSum = 5;

const unit = 4294967296;
const carryAt = 4503599627370496;
/** Weights beyond this are added in parts, so that a product stays exact. */
export const weightMax: number = 1 << 19;

// ── data plane ──

/** Adds weight · value for each row; the value is a signed word at row * stride + shift. */
export function addWords(
  words: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    const at = ids[i]! * width + cell;
    if (weight > weightMax || weight < -weightMax) {
      addHeavy(words, read, 1, weight, doubles, at, limbsOfWord);
      continue;
    }
    const word = words[read]!;
    const sum = doubles[at]! + word * weight;
    doubles[at] = sum;
    if (sum >= carryAt || sum <= -carryAt) carry(doubles, at, limbsOfWord);
  }
}

/** The same for 64-bit values: low word, high word. */
export function addTwoWords(
  words: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    const at = ids[i]! * width + cell;
    if (weight > weightMax || weight < -weightMax) {
      addHeavy(words, read, 2, weight, doubles, at, limbsOfTwoWords);
      continue;
    }
    const low = doubles[at]! + (words[read]! >>> 0) * weight;
    doubles[at] = low;
    const high = doubles[at + 1]! + words[read + 1]! * weight;
    doubles[at + 1] = high;
    if (low >= carryAt || low <= -carryAt || high >= carryAt || high <= -carryAt) carry(doubles, at, limbsOfTwoWords);
  }
}

/** The same for 128-bit values: four words. */
export function addFourWords(
  words: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    const at = ids[i]! * width + cell;
    if (weight > weightMax || weight < -weightMax) {
      addHeavy(words, read, 4, weight, doubles, at, limbsOfDecimal);
      continue;
    }
    const a = doubles[at]! + (words[read]! >>> 0) * weight;
    const b = doubles[at + 1]! + (words[read + 1]! >>> 0) * weight;
    const c = doubles[at + 2]! + (words[read + 2]! >>> 0) * weight;
    doubles[at] = a;
    doubles[at + 1] = b;
    doubles[at + 2] = c;
    doubles[at + 3]! += words[read + 3]! * weight;
    if (Math.abs(a) >= carryAt || Math.abs(b) >= carryAt || Math.abs(c) >= carryAt) carry(doubles, at, limbsOfDecimal);
  }
}

function addHeavy(
  words: Int32Array,
  read: number,
  size: number,
  weight: number,
  doubles: Float64Array,
  at: number,
  limbs: number,
): void {
  let left = weight;
  while (left !== 0) {
    const part = Math.max(-weightMax, Math.min(weightMax, left));
    left -= part;
    for (let k = 0; k < size - 1; k++) doubles[at + k]! += (words[read + k]! >>> 0) * part;
    doubles[at + size - 1]! += words[read + size - 1]! * part;
    carry(doubles, at, limbs);
  }
}

/** Makes every limb but the last one small, in [0, 2^32). */
export function carry(doubles: Float64Array, at: number, limbs: number): void {
  for (let k = 0; k < limbs - 1; k++) {
    const over = Math.floor(doubles[at + k]! / unit);
    doubles[at + k]! -= over * unit;
    doubles[at + k + 1]! += over;
  }
}

/**
 * Writes the sum as four words (two's complement, low first) to out[to ..]; false when it exceeds 128 bits.
 */
export function readSum(doubles: Float64Array, at: number, limbs: number, out: Int32Array, to: number): boolean {
  let carried = 0;
  for (let k = 0; k < 3; k++) {
    const limb = (k < limbs ? doubles[at + k]! : 0) + carried;
    carried = Math.floor(limb / unit);
    out[to + k] = limb - carried * unit;
  }
  const top = (limbs === limbsOfDecimal ? doubles[at + 3]! : 0) + carried;
  out[to + 3] = top;
  return top >= -2147483648 && top <= 2147483647;
}

/** Adds weight · value to the float sum at `at`. */
export function addFloat(doubles: Float64Array, at: number, value: number, weight: number): void {
  if (Number.isNaN(value)) {
    doubles[at + 2]! += weight;
    return;
  }
  if (value === Infinity || value === -Infinity) {
    doubles[at + (value > 0 ? 3 : 4)]! += weight;
    return;
  }
  const term = value * weight;
  const hi = doubles[at]!;
  const sum = hi + term;
  const back = sum - hi;
  const error = hi - (sum - back) + (term - back) + doubles[at + 1]!;
  const next = sum + error;
  doubles[at] = next;
  doubles[at + 1] = error - (next - sum);
}

/** The sum as a number. */
export function readFloat(doubles: Float64Array, at: number): number {
  const above = doubles[at + 3]!;
  const below = doubles[at + 4]!;
  if (doubles[at + 2] !== 0 || (above !== 0 && below !== 0)) return Number.NaN;
  if (above !== 0) return Number.POSITIVE_INFINITY;
  if (below !== 0) return Number.NEGATIVE_INFINITY;
  return doubles[at]! + doubles[at + 1]!;
}
