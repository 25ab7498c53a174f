// A row-at-a-time interpreter of bound scalars, written for clarity: the expression compiler has to agree with it.
//
// It shares nothing with the compiler but the tables of casts and of functions, which have tests of their own. DECIMAL arithmetic is done on
// exact fractions and rounded once. A failing operation throws `Failure`.
import { castValue } from '../../../../actors/engine/plan/cast-table.ts';
import type { OperatorCall, Scalar } from '../../../../actors/engine/sql/bound.ts';
import { resolveFunction } from '../../../../actors/engine/sql/functions.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../../runtime/errors.ts';

export class Failure extends Error {}

export function evaluate(scalar: Scalar, row: readonly ScalarValue[]): ScalarValue {
  switch (scalar.kind) {
    case 'column':
      return row[scalar.ordinal] ?? null;
    case 'literal':
      return scalar.value;
    case 'case': {
      const branch = scalar.branches.find((candidate) => evaluate(candidate.when, row) === true);
      return evaluate(branch === undefined ? scalar.otherwise : branch.then, row);
    }
    case 'cast':
      try {
        return castValue(evaluate(scalar.operand, row), scalar.operand.type, scalar.type, scalar.safe);
      } catch (error) {
        if (error instanceof MillraceError) throw new Failure();
        throw error;
      }
    case 'in list': {
      const value = evaluate(scalar.operand, row);
      if (value === null) return null;
      const type = scalar.operand.type;
      if (scalar.values.some((member) => member !== null && compare(value, member, type) === 0)) return true;
      return scalar.values.includes(null) ? null : false;
    }
    case 'operator':
      return operate(scalar, row);
    case 'function': {
      const values = scalar.operands.map((operand) => evaluate(operand, row));
      const { evaluate: call, strict } = resolveFunction(scalar);
      return strict && values.includes(null) ? null : call(...values);
    }
  }
}

function operate(call: OperatorCall, row: readonly ScalarValue[]): ScalarValue {
  if (call.operator === 'and' || call.operator === 'or') {
    const decisive = call.operator === 'or';
    let sawNull = false;
    for (const operand of call.operands) {
      const value = evaluate(operand, row);
      if (value === decisive) return decisive;
      if (value === null) sawNull = true;
    }
    return sawNull ? null : !decisive;
  }
  const values = call.operands.map((operand) => evaluate(operand, row));
  const [a = null, b = null] = values;
  const type = call.operands[0]!.type;
  switch (call.operator) {
    case 'is null':
      return a === null;
    case 'is not null':
      return a !== null;
    case 'is true':
      return a === true;
    case 'is not true':
      return a !== true;
    case 'is false':
      return a === false;
    case 'is not false':
      return a !== false;
    case 'is distinct from':
    case 'is not distinct from': {
      const same = a === null || b === null ? a === b : compare(a, b, type) === 0;
      return call.operator === 'is distinct from' ? !same : same;
    }
  }
  if (values.includes(null)) return null;
  switch (call.operator) {
    case 'not':
      return a !== true;
    case '=':
      return compare(a, b, type) === 0;
    case '<>':
      return compare(a, b, type) !== 0;
    case '<':
      return compare(a, b, type) < 0;
    case '<=':
      return compare(a, b, type) <= 0;
    case '>':
      return compare(a, b, type) > 0;
    case '>=':
      return compare(a, b, type) >= 0;
    default:
      return arithmetic(call, a, b);
  }
}

/** The order of values that are not NULL; NaN is the greatest number and equals itself. */
export function compare(a: ScalarValue, b: ScalarValue, type: SqlType): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === 'string' && typeof b === 'string') {
    return type.kind === 'UUID' ? (a < b ? -1 : a > b ? 1 : 0) : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function arithmetic(call: OperatorCall, a: ScalarValue, b: ScalarValue): ScalarValue {
  const type = call.type;
  if (type.kind === 'DOUBLE' || type.kind === 'REAL') {
    const x = Number(a);
    const y = Number(b);
    const results: Record<string, number> = { '+': x + y, '-': x - y, '*': x * y, '/': x / y, '%': x % y, negate: -x };
    const result = results[call.operator]!;
    return type.kind === 'REAL' ? Math.fround(result) : result;
  }
  const [left, right] = call.operands.map((operand) => operand.type);
  const x = fraction(a, left);
  const y = call.operator === 'negate' ? { numerator: 1n, denominator: 1n } : fraction(b, right);
  if ((call.operator === '/' || call.operator === '%') && y.numerator === 0n) throw new Failure();
  const exact = exactly(call.operator, x, y);
  if (type.kind === 'DECIMAL') {
    const value = rounded(exact.numerator * 10n ** BigInt(type.scale), exact.denominator);
    if (value >= 10n ** BigInt(type.precision) || value <= -(10n ** BigInt(type.precision))) throw new Failure();
    return value;
  }
  const whole = exact.numerator / exact.denominator;
  const bits = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, DATE: 32, INTERVAL_MONTHS: 32 }[type.kind as string] ?? 64;
  if (BigInt.asIntN(bits, whole) !== whole) throw new Failure();
  return bits === 64 ? whole : Number(whole);
}

interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

function fraction(value: ScalarValue, type: SqlType | undefined): Fraction {
  const scale = type?.kind === 'DECIMAL' ? type.scale : 0;
  return { numerator: BigInt(value as bigint), denominator: 10n ** BigInt(scale) };
}

function exactly(operator: string, x: Fraction, y: Fraction): Fraction {
  const common = x.denominator * y.denominator;
  const a = x.numerator * y.denominator;
  const b = y.numerator * x.denominator;
  switch (operator) {
    case '+':
      return { numerator: a + b, denominator: common };
    case '-':
      return { numerator: a - b, denominator: common };
    case '*':
      return { numerator: x.numerator * y.numerator, denominator: common };
    case '/':
      return b < 0n ? { numerator: -a, denominator: -b } : { numerator: a, denominator: b };
    case '%':
      return { numerator: a % b, denominator: common };
    default:
      return { numerator: -x.numerator, denominator: x.denominator };
  }
}

/** The nearest integer to n / d, d positive; a half goes away from zero. */
export function rounded(n: bigint, d: bigint): bigint {
  const magnitude = (2n * (n < 0n ? -n : n) + d) / (2n * d);
  return n < 0n ? -magnitude : magnitude;
}
