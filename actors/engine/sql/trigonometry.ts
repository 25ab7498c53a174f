// Sine, cosine and tangent of any double, rounded to the nearest double but for the rarest cases: the last digit of what views show is
// that of engines that use a good library, where the functions of JavaScript are one off for one value in ten.
//
// The argument is reduced by multiples of π/2, with as many digits of π as its size asks for, to a sum of two doubles of at most π/4; the
// series of Taylor is summed as such sums ("double-double": Dekker 1971).

/** high + low, |low| at most half of a unit in the last place of high. */
type Pair = readonly [high: number, low: number];

export function accurateSin(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  if (Math.abs(x) < 2 ** -27) return x;
  const { quadrant, rest } = reduced(x);
  const [high] = quadrant % 2 === 0 ? sinOf(rest) : cosOf(rest);
  return quadrant < 2 ? high : -high;
}

export function accurateCos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { quadrant, rest } = reduced(x);
  const [high] = quadrant % 2 === 0 ? cosOf(rest) : sinOf(rest);
  return quadrant === 1 || quadrant === 2 ? -high : high;
}

export function accurateTan(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  if (Math.abs(x) < 2 ** -27) return x;
  const { quadrant, rest } = reduced(x);
  const [sin, cos] = [sinOf(rest), cosOf(rest)];
  return quadrant % 2 === 0 ? quotient(sin, cos)[0] : -quotient(cos, sin)[0];
}

// ── reduction ──

const bits = 1200n;
let digitsOfPi: bigint | null = null;

/** π · 2^1200, by Machin's formula. Made when an argument first asks for it. */
function pi(): bigint {
  digitsOfPi ??= (16n * arctangentOfInverse(5n) - 4n * arctangentOfInverse(239n)) >> 64n;
  return digitsOfPi;
}

function arctangentOfInverse(n: bigint): bigint {
  let power = (1n << (bits + 64n)) / n;
  let sum = power;
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power /= n * n;
    sum += (sign * power) / k;
  }
  return sum;
}

interface Reduced {
  /** 0 to 3. */
  readonly quadrant: number;
  /** At most π/4. */
  readonly rest: Pair;
}

/** π/2 in parts of 33 digits, whose products with whole numbers below 2^20 are exact, and what is left of it. */
const halfParts = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32] as const;
const partTurnsMax = 2 ** 20;

function reduced(x: number): Reduced {
  if (Math.abs(x) <= Math.PI / 4) return { quadrant: 0, rest: [x, 0] };
  const turns = Math.round(x * (2 / Math.PI));
  if (Math.abs(turns) >= partTurnsMax) return reducedExactly(x);
  const [first, second, third, last] = halfParts;
  let rest = plus([x - turns * first, 0], [-turns * second, 0]);
  rest = plus(rest, [-turns * third, 0]);
  rest = plus(rest, [-turns * last, 0]);
  return { quadrant: turns & 3, rest };
}

/** With as many digits of π as the size of the argument asks for. */
function reducedExactly(x: number): Reduced {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const word = view.getBigUint64(0);
  const exponent = ((word >> 52n) & 0x7ffn) - 1075n;
  const mantissa = (word & 0xfffffffffffffn) | (1n << 52n);
  // Everything in units of 2^-digits; x is a whole number of them.
  const digits = restDigits + (exponent > 0n ? exponent : 0n);
  const magnitude = mantissa << (digits + exponent);
  const whole = pi() >> (bits - digits);
  // The nearest multiple of π/2.
  const turns = (4n * magnitude + whole) / (2n * whole);
  const signed = x < 0 ? -1n : 1n;
  const left = 2n * magnitude - turns * whole;
  return { quadrant: Number(BigInt.asUintN(2, signed * turns)), rest: pairOf(signed * left, Number(digits) + 1) };
}

/** Digits of what is left, behind the point: it may begin with some sixty zeros. */
const restDigits = 192n;

/** A number in units of 2^-digits as a sum of two doubles. */
function pairOf(value: bigint, digits: number): Pair {
  const size = (value < 0n ? -value : value).toString(16).length * 4;
  const shift = BigInt(Math.max(0, size - 104));
  const top = value >> shift;
  const high = Number(top);
  const low = Number(top - BigInt(high));
  // In two steps, because 2^-digits alone may be no double.
  const scale = 2 ** (Number(shift) - Math.ceil(digits / 2));
  const more = 2 ** -Math.floor(digits / 2);
  return [high * scale * more, low * scale * more];
}

// ── series ──

/** 1 / n! for n from 0. */
const inverses: readonly Pair[] = inverseFactorials(24);

function inverseFactorials(count: number): readonly Pair[] {
  const found: Pair[] = [[1, 0]];
  for (let n = 1; n < count; n++) found.push(quotient(found[n - 1]!, [n, 0]));
  return found;
}

function sinOf(x: Pair): Pair {
  return product(x, series(product(x, x), 1));
}

function cosOf(x: Pair): Pair {
  return series(product(x, x), 0);
}

/** 1 / n! - z / (n + 2)! + z² / (n + 4)! - …, where the terms from the fifth on are so small that a double is enough for them. */
function series(z: Pair, n: number): Pair {
  let small = 0;
  for (let k = n + 20; k >= n + 8; k -= 2) small = inverses[k]![0] - z[0] * small;
  let sum: Pair = [small, 0];
  for (let k = n + 6; k >= n; k -= 2) {
    const [high, low] = product(z, sum);
    sum = plus(inverses[k]!, [-high, -low]);
  }
  return sum;
}

function plus([a, b]: Pair, [c, d]: Pair): Pair {
  const sum = a + c;
  const other = sum - a;
  const error = a - (sum - other) + (c - other) + b + d;
  return normal(sum, error);
}

function product([a, b]: Pair, [c, d]: Pair): Pair {
  const whole = a * c;
  const [a1, a0] = split(a);
  const [c1, c0] = split(c);
  const error = a1 * c1 - whole + a1 * c0 + a0 * c1 + a0 * c0 + (a * d + b * c);
  return normal(whole, error);
}

function quotient(x: Pair, y: Pair): Pair {
  const first = x[0] / y[0];
  const [taken, more] = product([first, 0], y);
  const rest = x[0] - taken + (x[1] - more);
  return normal(first, rest / y[0]);
}

function normal(high: number, low: number): Pair {
  const sum = high + low;
  return [sum, low - (sum - high)];
}

/** The upper and the lower half of the digits. */
function split(x: number): Pair {
  const scaled = 134217729 * x;
  const high = scaled - (scaled - x);
  return [high, x - high];
}
