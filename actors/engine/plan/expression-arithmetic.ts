// Source of arithmetic on operands that are not NULL.
//
//   TINYINT SMALLINT INTEGER   doubles hold every product; the result is checked against the type's range
//   BIGINT                     the exact result is compared with BigInt.asIntN(64, …) of itself
//   REAL DOUBLE                IEEE 754; REAL results go through Math.fround; a zero divisor gives an infinity or NaN
//   DECIMAL(p, s)              integers value · 10^s; operands are brought to one scale, the exact result is rounded to
//                              the scale of the result, half away from zero, and compared with 10^p - 1
// The magnitude of a DECIMAL is bounded by its precision, so the compiler knows which results fit 64 bits: those are
// wrapped in BigInt.asIntN(64, …), which V8 turns into machine arithmetic. Integer and DECIMAL division by zero fails.
// Not here: NULL (expression-emitter.ts), dates (functions).
import { assert } from '../../../runtime/assert.ts';
import { decimalRange, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { OperatorCall } from '../sql/bound.ts';
import type { CodeWriter } from './expression-code.ts';

type DecimalType = Extract<SqlType, { kind: 'DECIMAL' }>;

/** An exact integer in generated code: |value| <= bound. */
interface Exact {
  readonly code: string;
  readonly bound: bigint;
}

const int64Bound = 2n ** 63n - 1n;

const integerRanges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  TINYINT: [-128, 127],
  SMALLINT: [-32768, 32767],
};

/** The expression for an arithmetic operator over `codes`, of more than two from left to right; statements that it needs are written first. */
export function arithmeticChain(writer: CodeWriter, call: OperatorCall, codes: readonly string[]): string {
  let made = arithmeticCode(writer, call, codes);
  for (let i = 2; i < codes.length; i++) {
    // What has been computed so far has the type of the whole.
    const step = { ...call, operands: [call, call.operands[i]!] };
    made = arithmeticCode(writer, step, [writer.define('x', made), codes[i]!]);
  }
  return made;
}

function arithmeticCode(writer: CodeWriter, call: OperatorCall, codes: readonly string[]): string {
  const [a = '', b = ''] = codes;
  const operator = call.operator;
  switch (call.type.kind) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'INTERVAL_MONTHS':
    case 'DATE':
      return integer(writer, call, a, b);
    case 'BIGINT':
    case 'INTERVAL_MICROS':
    case 'TIME':
    case 'TIMESTAMP':
      return long(writer, call, a, b);
    case 'DOUBLE':
      return operator === 'negate' ? `-${a}` : `${a} ${operator} ${b}`;
    case 'REAL':
      return `Math.fround(${operator === 'negate' ? `-${a}` : `${a} ${operator} ${b}`})`;
    case 'DECIMAL':
      return decimal(writer, call, call.type, a, b);
    default:
      assert(false, `${operator} is not defined on ${call.type.kind}`);
  }
}

/** Writes the check that `name`, a number, lies in the range of an integer type. */
export function checkInteger(writer: CodeWriter, type: SqlType, name: string, fail: string): void {
  const range = integerRanges[type.kind];
  if (range === undefined) writer.line(`if (${name} !== (${name} | 0)) ${fail}`);
  else writer.line(`if (!(${name} >= ${range[0]} && ${name} <= ${range[1]})) ${fail}`);
}

/** The statement that gives up on a row because the value of `scalar` does not fit its type. */
export function overflowStatement(writer: CodeWriter, scalar: Pick<OperatorCall, 'source' | 'type'>): string {
  const site = writer.site(scalar);
  return `{ site = ${site}; throw overflow(sites[${site}]); }`;
}

function checkDivisor(writer: CodeWriter, call: OperatorCall, divisor: string, zero: string): void {
  writer.line(`if (${divisor} === ${zero}) { site = ${writer.site(call)}; throw divisionByZero(); }`);
}

function integer(writer: CodeWriter, call: OperatorCall, a: string, b: string): string {
  const operator = call.operator;
  if (operator === '%') {
    checkDivisor(writer, call, b, '0');
    return `(${a} % ${b}) | 0`;
  }
  if (operator === '/') checkDivisor(writer, call, b, '0');
  const exact =
    operator === 'negate' ? `-${a}` : operator === '/' ? `Math.trunc(${a} / ${b})` : `${a} ${operator} ${b}`;
  const result = writer.define('x', exact);
  checkInteger(writer, call.type, result, overflowStatement(writer, call));
  // A negative zero would show in later double arithmetic.
  return `${result} | 0`;
}

function long(writer: CodeWriter, call: OperatorCall, a: string, b: string): string {
  const operator = call.operator;
  if (operator === '%' || operator === '/') checkDivisor(writer, call, b, '0n');
  if (operator === '%') return `BigInt.asIntN(64, ${a} % ${b})`;
  const result = writer.define('x', operator === 'negate' ? `-${a}` : `${a} ${operator} ${b}`);
  writer.line(`if (BigInt.asIntN(64, ${result}) !== ${result}) ${overflowStatement(writer, call)}`);
  return result;
}

function decimal(writer: CodeWriter, call: OperatorCall, type: DecimalType, a: string, b: string): string {
  const left = decimalOperand(call, 0, a);
  if (call.operator === 'negate') {
    const negated = { code: wrapped(`-${left.code}`, left.bound), bound: left.bound };
    return fitDecimal(writer, negated, left.scale, type, call).code;
  }
  const right = decimalOperand(call, 1, b);
  switch (call.operator) {
    case '+':
    case '-': {
      const scale = Math.max(left.scale, right.scale);
      const x = scaledUp(writer, left, scale - left.scale);
      const y = scaledUp(writer, right, scale - right.scale);
      const bound = x.bound + y.bound;
      return fitDecimal(
        writer,
        { code: wrapped(`${x.code} ${call.operator} ${y.code}`, bound), bound },
        scale,
        type,
        call,
      ).code;
    }
    case '*': {
      const bound = left.bound * right.bound;
      const product = { code: wrapped(`${left.code} * ${right.code}`, bound), bound };
      return fitDecimal(writer, product, left.scale + right.scale, type, call).code;
    }
    case '/': {
      checkDivisor(writer, call, right.code, '0n');
      const shift = type.scale - left.scale + right.scale;
      const dividend = scaledUp(writer, left, Math.max(0, shift));
      const divisor = scaledUp(writer, right, Math.max(0, -shift));
      const quotient = { code: `divideRounded(${dividend.code}, ${divisor.code})`, bound: dividend.bound };
      return fitDecimal(writer, quotient, type.scale, type, call).code;
    }
    case '%': {
      checkDivisor(writer, call, right.code, '0n');
      const scale = Math.max(left.scale, right.scale);
      const x = scaledUp(writer, left, scale - left.scale);
      const y = scaledUp(writer, right, scale - right.scale);
      // |x % y| is at most |x| and less than |y|.
      const bound = leastBound(x.bound, y.bound);
      return fitDecimal(writer, { code: wrapped(`${x.code} % ${y.code}`, bound), bound }, scale, type, call).code;
    }
    default:
      assert(false, `${call.operator} is not defined on DECIMAL`);
  }
}

function decimalOperand(call: OperatorCall, index: number, code: string): Exact & { readonly scale: number } {
  const operand = call.operands[index];
  assert(operand?.type.kind === 'DECIMAL', `operands of ${call.operator} are of one type`);
  const { precision, scale } = operand.type;
  return { code, bound: 10n ** BigInt(precision) - 1n, scale };
}

/** `value`, whose scale is `scale`, as a value of `type`: rescaled, rounded half away from zero, range checked. */
export function fitDecimal(
  writer: CodeWriter,
  value: Exact,
  scale: number,
  type: DecimalType,
  scalar: Pick<OperatorCall, 'source' | 'type'>,
): Exact {
  let fitted = { code: writer.define('x', value.code), bound: value.bound };
  if (type.scale > scale) fitted = scaledUp(writer, fitted, type.scale - scale);
  else if (type.scale < scale) fitted = roundedOff(writer, fitted, scale - type.scale);
  const [min, max] = decimalRange(type);
  if (fitted.bound > max || type.unsigned !== undefined) {
    writer.line(`if (${fitted.code} > ${max}n || ${fitted.code} < ${min}n) ${overflowStatement(writer, scalar)}`);
  }
  return fitted;
}

function scaledUp(writer: CodeWriter, value: Exact, digits: number): Exact {
  if (digits === 0) return value;
  const factor = 10n ** BigInt(digits);
  const bound = value.bound * factor;
  return { code: writer.define('x', wrapped(`${value.code} * ${factor}n`, bound)), bound };
}

/** Division by a power of ten after a half of it has been added away from zero: truncation then rounds. */
function roundedOff(writer: CodeWriter, value: Exact, digits: number): Exact {
  const factor = 10n ** BigInt(digits);
  const half = factor / 2n;
  const sum = wrapped(`${value.code} + (${value.code} < 0n ? -${half}n : ${half}n)`, value.bound + half);
  const bound = (value.bound + half) / factor;
  return { code: writer.define('x', wrapped(`(${sum}) / ${factor}n`, value.bound)), bound };
}

function leastBound(a: bigint, b: bigint): bigint {
  return [a, b].reduce((least, bound) => (bound < least ? bound : least));
}

function wrapped(code: string, bound: bigint): string {
  return bound <= int64Bound ? `BigInt.asIntN(64, ${code})` : code;
}
