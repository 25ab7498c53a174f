// Binary operators: logic, comparison, concatenation and arithmetic.
//
// Arithmetic on numbers is an operator, with operands cast as numeric-types.ts says; arithmetic with dates, times and
// intervals is a function row of the same name (functions-interval.ts).
import { type SqlType, unsignedBitsOf } from '../../../runtime/batch/sql-type.ts';
import type { BinaryOperator } from './ast.ts';
import { bindComparison, isComparison, operator } from './bind-comparison.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { requireBoolean } from './expression-context.ts';
import { bindNamedFunction } from './named-function.ts';
import {
  type ArithmeticOperator,
  arithmeticType,
  asDecimal,
  commonWholeType,
  decimalRule,
  isApproximate,
  isNumeric,
  isUnsigned,
  isWhole,
} from './numeric-types.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import { coerce, commonType, comparisonType, describePair, isDatetime, isInterval, isText } from './type-coercion.ts';

export function bindBinary(name: BinaryOperator, left: Scalar, right: Scalar, source: ExpressionSource): Scalar {
  if (name === 'and' || name === 'or') {
    const operands = [requireBoolean(left, name.toUpperCase()), requireBoolean(right, name.toUpperCase())];
    return operator(name, operands, source);
  }
  if (name === '||') return bindNamedFunction('||', [left, right], source);
  if (name === '<=>') return bindComparison('is not distinct from', left, right, source);
  if (isComparison(name)) return bindComparison(name, left, right, source);
  return bindArithmetic(name, left, right, source);
}

function bindArithmetic(name: ArithmeticOperator, left: Scalar, right: Scalar, source: ExpressionSource): Scalar {
  if (isTemporal(left.type) || isTemporal(right.type)) {
    return bindNamedFunction(name, [left, right], source);
  }
  const [a, b] = readTexts(...untypedNulls(left, right));
  if (!isNumeric(a.type) || !isNumeric(b.type)) {
    const detail = `${name} is not defined on ${describePair(left.type, right.type)}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  if (isWhole(a.type) && isWhole(b.type) && (isUnsigned(a.type) || isUnsigned(b.type))) {
    return bindWhole(name, a, b, source);
  }
  const type = arithmeticType(name, a.type, b.type);
  const nullable = a.nullable || b.nullable;
  if (type.kind === 'DECIMAL' && !isApproximate(a.type) && !isApproximate(b.type)) {
    const rule = decimalRule(name, a.type, b.type);
    const operands = [coerce(a, rule.left), coerce(b, rule.right)];
    return { kind: 'operator', operator: name, operands, type, nullable, source };
  }
  return { kind: 'operator', operator: name, operands: [coerce(a, type), coerce(b, type)], type, nullable, source };
}

/**
 * Integers of which one has no sign at least. Those of up to 32 bits are computed as BIGINT, others as DECIMAL, and the
 * result is cast to the type that both have in common: what does not fit it is an overflow.
 */
function bindWhole(name: ArithmeticOperator, a: Scalar, b: Scalar, source: ExpressionSource): Scalar {
  const type = comparisonType(a, b) ?? commonWholeType(a.type, b.type);
  if (!isUnsigned(type) && type.kind !== 'DECIMAL')
    return bindArithmetic(name, coerce(a, type), coerce(b, type), source);
  const isWide = unsignedBitsOf(type) === 64 || type.kind !== 'DECIMAL' || type.unsigned === undefined;
  const inner: SqlType = isWide ? asDecimal(type) : { kind: 'BIGINT' };
  const [left, right] = [coerce(coerce(a, type), inner), coerce(coerce(b, type), inner)];
  // A quotient of DECIMALs has a fraction: that of a dividend without its rest has none.
  const dividend =
    isWide && name === '/' ? bindArithmetic('-', left, bindArithmetic('%', left, right, source), source) : left;
  return coerce(bindArithmetic(name, dividend, right, source), type);
}

function isTemporal(type: SqlType): boolean {
  return isDatetime(type) || isInterval(type);
}

/** A text beside a number is read as one. */
function readTexts(left: Scalar, right: Scalar): readonly [Scalar, Scalar] {
  const read = (scalar: Scalar, other: Scalar): Scalar => {
    const type = isText(scalar.type) && isNumeric(other.type) ? commonType(scalar.type, other.type) : null;
    return type === null ? scalar : coerce(scalar, type);
  };
  return [read(left, right), read(right, left)];
}

/** A bare NULL beside a number is a NULL of the number's type. */
function untypedNulls(left: Scalar, right: Scalar): readonly [Scalar, Scalar] {
  const integer: SqlType = { kind: 'INTEGER' };
  const a = left.type.kind === 'NULL' ? coerce(left, right.type.kind === 'NULL' ? integer : right.type) : left;
  const b = right.type.kind === 'NULL' ? coerce(right, a.type) : right;
  return [a, b];
}
