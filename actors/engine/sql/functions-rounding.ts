// Rounding and signs of numbers, for every numeric type.
//
// DECIMAL keeps its scale and rounds half away from zero; ROUND may need one digit more before the point. ROUND(x) of REAL and
// DOUBLE rounds halves to the even neighbour, as Feldera does, ROUND(x, n) away from zero. FLOOR and CEIL of
// DECIMAL(p, s) are DECIMAL(p, 0).
import { decimalPrecisionMax, formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { NumericOverflow } from './evaluation-errors.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { firstType, strictRow, typed } from './function-rows.ts';
import { asDecimal } from './numeric-types.ts';
import type { ScalarValue } from './scalar-value.ts';

export const roundingFunctions: readonly FunctionDefinition[] = [
  define(
    'abs',
    [],
    'ABS(x)',
    'Absolute value.',
    ['ABS(-1.5)', '1.5'],
    [
      strictRow(
        ['integer'],
        firstType,
        typed((x: number | bigint) => (x < 0 ? -x : x)),
        { canFail: true, prepare: absInteger },
      ),
      strictRow(
        ['decimal'],
        firstType,
        typed((x: bigint) => (x < 0n ? -x : x)),
      ),
      ...floating((x) => Math.abs(x)),
      strictRow(
        ['months'],
        firstType,
        typed((x: number) => Math.abs(x)),
      ),
      strictRow(
        ['micros'],
        firstType,
        typed((x: bigint) => (x < 0n ? -x : x)),
      ),
    ],
  ),
  define(
    'sign',
    [],
    'SIGN(x)',
    '-1, 0 or 1, in the type of x.',
    ['SIGN(-7)', '-1'],
    [
      strictRow(
        ['integer'],
        firstType,
        typed((x: number | bigint) => (typeof x === 'bigint' ? BigInt(Number(x > 0n) - Number(x < 0n)) : Math.sign(x))),
      ),
      strictRow(
        ['decimal'],
        firstType,
        typed((x: bigint) => x),
        { prepare: signDecimal },
      ),
      ...floating((x) => Math.sign(x)),
    ],
  ),
  define(
    'floor',
    [],
    'FLOOR(x)',
    'The largest integer that is not larger.',
    ['FLOOR(-1.5)', '-2'],
    [
      strictRow(['integer'], firstType, identity),
      strictRow(['decimal'], withoutScale, identity, { prepare: wholeDecimal((q, rest) => (rest < 0n ? q - 1n : q)) }),
      ...floating((x) => Math.floor(x)),
    ],
  ),
  define(
    'ceil',
    ['ceiling'],
    'CEIL(x)',
    'The smallest integer that is not smaller.',
    ['CEIL(1.2)', '2'],
    [
      strictRow(['integer'], firstType, identity),
      strictRow(['decimal'], withoutScale, identity, { prepare: wholeDecimal((q, rest) => (rest > 0n ? q + 1n : q)) }),
      ...floating((x) => Math.ceil(x)),
    ],
  ),
  define(
    'round',
    [],
    'ROUND(x [, digits])',
    'Rounds to a number of digits behind the point (0), before it when negative.',
    ['ROUND(2.345, 2)', '2.350'],
    [
      strictRow(['integer', 'INT'], firstType, identity, { optional: 1, canFail: true, prepare: roundExact(roundTo) }),
      strictRow(['decimal', 'INT'], oneDigitMore, identity, {
        optional: 1,
        canFail: true,
        prepare: roundExact(roundTo),
      }),
      ...floatingDigits(
        (x) => roundEven(x),
        (x, digits) => shift(x, digits, (y) => Math.sign(y) * Math.round(Math.abs(y))),
      ),
    ],
  ),
  define(
    'bround',
    [],
    'BROUND(x [, digits])',
    'Rounds to a number of digits behind the point (0), halves to the even neighbour.',
    ['BROUND(2.5)', '2.0'],
    [
      strictRow(['integer', 'INT'], firstType, identity, {
        optional: 1,
        canFail: true,
        prepare: roundExact(roundToEven),
      }),
      strictRow(['exact', 'INT'], firstType, identity, {
        optional: 1,
        canFail: true,
        prepare: roundExact(roundToEven),
      }),
      strictRow(
        ['real', 'INT'],
        firstType,
        typed((x: number, n?: number) => Math.fround(evenDigits(x, n))),
        { optional: 1 },
      ),
      strictRow(['float', 'INT'], firstType, typed(evenDigits), { optional: 1 }),
    ],
  ),
  define(
    'truncate',
    ['trunc'],
    'TRUNCATE(x [, digits])',
    'Cuts off behind a number of digits (0).',
    ['TRUNCATE(2.349, 2)', '2.340'],
    [
      strictRow(['integer', 'INT'], firstType, identity, { optional: 1, prepare: roundExact(truncateTo) }),
      strictRow(['decimal', 'INT'], firstType, identity, { optional: 1, prepare: roundExact(truncateTo) }),
      ...floatingDigits(
        (x) => Math.trunc(x),
        (x, digits) => shift(x, digits, Math.trunc),
      ),
    ],
  ),
];

function define(
  name: string,
  aliases: readonly string[],
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: FunctionDefinition['overloads'],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'numeric', summary, example, deterministic: true, overloads };
}

function identity(x: ScalarValue): ScalarValue {
  return x;
}

/** The same function for REAL (rounded to it) and for DOUBLE. */
function floating(compute: (x: number) => number): FunctionOverload[] {
  return [
    strictRow(
      ['real'],
      firstType,
      typed((x: number) => Math.fround(compute(x))),
    ),
    strictRow(['double'], firstType, typed(compute)),
  ];
}

function floatingDigits(whole: (x: number) => number, digits: (x: number, n: number) => number): FunctionOverload[] {
  const compute = (x: number, n?: number): number => (n === undefined ? whole(x) : digits(x, n));
  return [
    strictRow(
      ['real', 'INT'],
      firstType,
      typed((x: number, n?: number) => Math.fround(compute(x, n))),
      { optional: 1 },
    ),
    strictRow(['double', 'INT'], firstType, typed(compute), { optional: 1 }),
  ];
}

function evenDigits(x: number, digits = 0): number {
  return shift(x, digits, roundEven);
}

function withoutScale([type]: readonly SqlType[]): SqlType {
  return { kind: 'DECIMAL', precision: asDecimal(type ?? { kind: 'NULL' }).precision, scale: 0 };
}

function oneDigitMore([type]: readonly SqlType[]): SqlType {
  const { precision, scale } = asDecimal(type ?? { kind: 'NULL' });
  return { kind: 'DECIMAL', precision: Math.min(decimalPrecisionMax, precision + 1), scale };
}

function scaleOf(shape: CallShape): number {
  return asDecimal(firstType(shape.argumentTypes)).scale;
}

function absInteger({ resultType }: CallShape): Evaluator {
  return typed((x: number | bigint) => fit(x < 0 ? -x : x, resultType));
}

function signDecimal(shape: CallShape): Evaluator {
  const one = 10n ** BigInt(scaleOf(shape));
  return typed((x: bigint) => (x === 0n ? 0n : x < 0n ? -one : one));
}

function wholeDecimal(adjust: (quotient: bigint, rest: bigint) => bigint): (shape: CallShape) => Evaluator {
  return (shape) => {
    const one = 10n ** BigInt(scaleOf(shape));
    return typed((x: bigint) => adjust(x / one, x % one));
  };
}

/** Rounding of integers and DECIMAL: `compute` gets value · 10^scale and the digits to keep behind the point. */
function roundExact(
  compute: (unscaled: bigint, scale: number, digits: number) => bigint,
): (shape: CallShape) => Evaluator {
  return (shape) => {
    const scale = shape.resultType.kind === 'DECIMAL' ? scaleOf(shape) : 0;
    const { resultType } = shape;
    return typed((x: number | bigint, digits?: number) => {
      const kept = digits ?? 0;
      if (kept >= scale) return x;
      const rounded = compute(BigInt(x), scale, Math.max(kept, -2 * decimalPrecisionMax));
      return fit(typeof x === 'number' ? Number(rounded) : rounded, resultType);
    });
  };
}

/** To the nearest value, a half away from zero. */
function roundTo(unscaled: bigint, scale: number, digits: number): bigint {
  const unit = 10n ** BigInt(scale - digits);
  const rest = unscaled % unit;
  const magnitude = rest < 0n ? -rest : rest;
  const away = magnitude * 2n >= unit ? (unscaled < 0n ? -unit : unit) : 0n;
  return unscaled - rest + away;
}

function roundToEven(unscaled: bigint, scale: number, digits: number): bigint {
  const unit = 10n ** BigInt(scale - digits);
  const rest = ((unscaled % unit) + unit) % unit;
  const floor = (unscaled - rest) / unit;
  const up = rest * 2n > unit || (rest * 2n === unit && floor % 2n !== 0n);
  return (up ? floor + 1n : floor) * unit;
}

function truncateTo(unscaled: bigint, scale: number, digits: number): bigint {
  const unit = 10n ** BigInt(scale - digits);
  return (unscaled / unit) * unit;
}

const bits: Readonly<Record<string, number>> = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 };

function fit(x: number | bigint, type: SqlType): number | bigint {
  const whole = BigInt(x);
  const width = bits[type.kind];
  const limit = 10n ** BigInt(asDecimal(type).precision);
  const fits = width === undefined ? whole < limit && whole > -limit : BigInt.asIntN(width, whole) === whole;
  if (fits) return x;
  throw new NumericOverflow({ type: formatSqlType(type), detail: 'the result' });
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `compute` on x · 10^digits, in decimal notation so that 1.005 stays 1.005. */
function shift(x: number, digits: number, compute: (x: number) => number): number {
  if (!Number.isFinite(x) || digits > 300) return x;
  const shifted = Number(move(x, digits));
  return Number.isFinite(shifted) ? Number(move(compute(shifted), -digits)) : x;
}

function move(x: number, digits: number): string {
  const [mantissa = '0', exponent = '0'] = String(x).split('e');
  return `${mantissa}e${Number(exponent) + digits}`;
}
