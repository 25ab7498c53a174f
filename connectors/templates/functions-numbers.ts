// sprig's arithmetic: integers of 64 bits that wrap, and decimals for the functions that end in f. What is no number counts as 0.
import { randomInt } from 'node:crypto';
import { GoDuration, type GoValue } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, integerAt, many, sizeMax } from './template-function.ts';

export const numberFunctions: FunctionTable = {
  int: fn(1, ([value]) => toInteger(value)),
  int64: fn(1, ([value]) => toInteger(value)),
  float64: fn(1, ([value]) => toFloat(value)),
  atoi: fn(1, ([value]) => (typeof value === 'string' && /^[+-]?\d+$/.test(value) ? wrapped(BigInt(value)) : 0n)),
  toDecimal: fn(1, ([value]) => octal(value)),
  add1: fn(1, ([value]) => wrapped(toInteger(value) + 1n)),
  add: fn(0, (values) => wrapped(values.reduce<bigint>((sum, value) => sum + toInteger(value), 0n)), many),
  sub: fn(2, ([a, b]) => wrapped(toInteger(a) - toInteger(b))),
  div: fn(2, ([a, b]) => wrapped(toInteger(a) / divisor(b))),
  mod: fn(2, ([a, b]) => toInteger(a) % divisor(b)),
  mul: fn(
    1,
    ([first, ...rest]) =>
      rest.reduce<bigint>((product, value) => wrapped(product * toInteger(value)), toInteger(first)),
    many,
  ),
  add1f: fn(1, ([value]) => decimals([value, 1n], (a, b) => a.plus(b))),
  addf: fn(0, (values) => decimals([0n, ...values], (a, b) => a.plus(b)), many),
  subf: fn(1, (values) => decimals(values, (a, b) => a.plus(b.negated())), many),
  mulf: fn(1, (values) => decimals(values, (a, b) => a.times(b)), many),
  divf: fn(1, (values) => decimals(values, (a, b) => a.over(b)), many),
  max: fn(
    1,
    extreme((a, b) => a > b),
    many,
  ),
  biggest: fn(
    1,
    extreme((a, b) => a > b),
    many,
  ),
  min: fn(
    1,
    extreme((a, b) => a < b),
    many,
  ),
  maxf: fn(1, (values) => Math.max(...values.map(toFloat)), many),
  minf: fn(1, (values) => Math.min(...values.map(toFloat)), many),
  ceil: fn(1, ([value]) => Math.ceil(toFloat(value))),
  floor: fn(1, ([value]) => Math.floor(toFloat(value))),
  round: fn(2, (o) => round(toFloat(o[0]), integerAt(o, 1), o[2] === undefined ? 0.5 : toFloat(o[2])), 3),
  until: fn(1, (o) => sequence(0, integerAt(o, 0), integerAt(o, 0) < 0 ? -1 : 1)),
  untilStep: fn(3, (o) => sequence(integerAt(o, 0), integerAt(o, 1), integerAt(o, 2))),
  seq: fn(0, (o) => seq(o.map((_, i) => integerAt(o, i))), many),
  randInt: fn(2, (o) => {
    const [low, high] = [integerAt(o, 0), integerAt(o, 1)];
    if (high <= low) throw new FunctionFailure('randInt needs a range that is not empty');
    return BigInt(randomInt(low, high));
  }),
};

function wrapped(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** cast.ToInt64 */
export function toInteger(value: GoValue): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? wrapped(BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return integerOfText(value);
  }
  return value instanceof GoDuration ? value.nanoseconds : 0n;
}

function integerOfText(text: string): bigint {
  const plain = text.replace(/\.0*$/, '');
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(plain);
  if (match === null) return 0n;
  const value = BigInt((match[2] ?? '0').replace(/^0[oO]?(?=[0-7]+$)/, '0o'));
  const signed = match[1] === '-' ? -value : value;
  return wrapped(signed) === signed ? signed : 0n;
}

/** cast.ToFloat64 */
export function toFloat(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : 0;
  return Number(toInteger(value));
}

function divisor(value: GoValue): bigint {
  const number = toInteger(value);
  if (number === 0n) throw new FunctionFailure('runtime error: integer divide by zero');
  return number;
}

function octal(value: GoValue): bigint {
  const text = String(typeof value === 'string' || typeof value === 'bigint' ? value : '');
  return /^[+-]?[0-7]+$/.test(text) ? BigInt(Number.parseInt(text, 8)) : 0n;
}

function extreme(better: (a: bigint, b: bigint) => boolean): (values: readonly GoValue[]) => GoValue {
  return (values) => values.map(toInteger).reduce((best, value) => (better(value, best) ? value : best));
}

function round(value: number, places: number, on: number): number {
  const power = 10 ** places;
  const scaled = power * value;
  const fraction = scaled - Math.trunc(scaled);
  return (fraction >= on ? Math.ceil(scaled) : Math.floor(scaled)) / power;
}

function sequence(start: number, stop: number, step: number): bigint[] {
  if (step === 0 || (stop - start) * step <= 0) return [];
  const count = Math.ceil((stop - start) / step);
  if (count > sizeMax / 16) throw new FunctionFailure(`a list of ${count} numbers is too long`);
  return Array.from({ length: count }, (_, i) => BigInt(start + i * step));
}

/** As the command line tool: last, first last, first step last; the texts joined by spaces. */
function seq(numbers: readonly number[]): string {
  const [a = 1, b = 1, c] = numbers;
  if (numbers.length === 0 || numbers.length > 3) return '';
  const [start, step, end] =
    numbers.length === 1 ? [1, a < 1 ? -1 : 1, a] : c === undefined ? [a, b < a ? -1 : 1, b] : [a, b, c];
  if (step === 0 || (end - start) * step < 0) return '';
  return sequence(start, end + Math.sign(step), step).join(' ');
}

/** A decimal of any length: value x 10^-scale. */
class Decimal {
  readonly value: bigint;
  readonly scale: number;

  constructor(value: bigint, scale: number) {
    this.value = value;
    this.scale = scale;
  }

  static of(number: number): Decimal {
    const [, sign = '', whole = '0', fraction = '', power = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number)) ?? [];
    const scale = fraction.length - Number(power);
    const value = BigInt(`${sign}${whole}${fraction}`);
    return scale >= 0 ? new Decimal(value, scale) : new Decimal(value * 10n ** BigInt(-scale), 0);
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.at(scale) + other.at(scale), scale);
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.value * other.value, this.scale + other.scale);
  }

  negated(): Decimal {
    return new Decimal(-this.value, this.scale);
  }

  /** 16 digits behind the point, rounded half away from zero. */
  over(other: Decimal): Decimal {
    if (other.value === 0n) throw new FunctionFailure('decimal division by 0');
    const dividend = this.at(this.scale + other.scale + 17);
    const quotient = dividend / other.value;
    const digits = this.scale + 17;
    const extra = 10n ** BigInt(digits - 16);
    const half = quotient < 0n ? -(extra / 2n) : extra / 2n;
    return new Decimal((quotient + half) / extra, 16);
  }

  at(scale: number): bigint {
    return this.value * 10n ** BigInt(scale - this.scale);
  }

  toNumber(): number {
    return Number(`${this.value}e-${this.scale}`);
  }
}

function decimals(values: readonly GoValue[], combine: (a: Decimal, b: Decimal) => Decimal): number {
  return values
    .map((value) => Decimal.of(toFloat(value)))
    .reduce(combine)
    .toNumber();
}
