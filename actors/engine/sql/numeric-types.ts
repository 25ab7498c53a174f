// Numeric types: which type the result of arithmetic has, and how DECIMAL is computed.
//
// Integers: the larger of the two types; overflow is an error. REAL or DOUBLE with any other type: DOUBLE (REAL with REAL: REAL).
// Unsigned integers: two of them give the wider one; beside a signed one both become the signed type that holds them
// (TINYINT UNSIGNED a SMALLINT … BIGINT UNSIGNED a DECIMAL(20, 0)), but a literal that fits takes the unsigned type.
// An integer beside a DECIMAL counts as DECIMAL(3 | 5 | 10 | 19, 0). DECIMAL follows the rules of Apache Calcite, capped
// at 38 digits:
//
//   + -   s = max(s1, s2)                p = max(p1 - s1, p2 - s2) + s + 1
//   *     s = s1 + s2                    p = p1 + p2
//   /     d = min(38, p1 - s1 + s2)      s = min(max(6, s1 + p2 + 1), 38 - d)      p = d + s
//   %     s = max(s1, s2)                p = min(p1 - s1, p2 - s2) + s
//
// What the operands of a bound DECIMAL operator look like is told by `DecimalRule`.
import {
  decimalPrecisionMax,
  type SqlType,
  type SqlTypeKind,
  unsignedBitsOf,
} from '../../../runtime/batch/sql-type.ts';

export type DecimalType = Extract<SqlType, { kind: 'DECIMAL' }>;

/**
 * How `operator` on two DECIMAL operands is computed from their integers a · 10^-leftScale and b · 10^-rightScale:
 *   `same scale`  (+ - % and negate) the binder has cast both operands to the result's scale: a + b, a - b, a % b.
 *   `multiply`    a · b has scale leftScale + rightScale; rounded to the result's scale when that was capped.
 *   `divide`      a · 10^(resultScale - leftScale + rightScale) / b.
 * Rounding is half away from zero, everywhere; % takes the sign of the dividend. A result beyond the type's precision is
 * `sql.numeric_overflow`, a zero divisor `sql.division_by_zero`.
 */
export interface DecimalRule {
  readonly kind: 'same scale' | 'multiply' | 'divide';
  readonly left: DecimalType;
  readonly right: DecimalType;
  readonly result: DecimalType;
}

/** Digits behind the point of a quotient of DECIMALs whose types leave no room for all that it might have. */
const quotientScale = 6;

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

const integerKinds: readonly SqlTypeKind[] = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];
const integerDigits: Readonly<Record<string, number>> = { TINYINT: 3, SMALLINT: 5, INTEGER: 10, BIGINT: 19 };

export function isInteger(type: SqlType): boolean {
  return integerKinds.includes(type.kind);
}

export function isApproximate(type: SqlType): boolean {
  return type.kind === 'REAL' || type.kind === 'DOUBLE';
}

export function isNumeric(type: SqlType): boolean {
  return isInteger(type) || type.kind === 'DECIMAL' || isApproximate(type);
}

export function isUnsigned(type: SqlType): boolean {
  return unsignedBitsOf(type) > 0;
}

/** Whether values are integers that divide as such, with or without a sign. */
export function isWhole(type: SqlType): boolean {
  return isInteger(type) || isUnsigned(type);
}

/** The type of two integers of which one has no sign at least: the wider one of two, else one with a sign that holds both. */
export function commonWholeType(left: SqlType, right: SqlType): SqlType {
  const [a, b] = [unsignedBitsOf(left), unsignedBitsOf(right)];
  if (a > 0 && b > 0) return a >= b ? left : right;
  const bits = Math.max(a, b);
  if (bits === 64) return { kind: 'DECIMAL', precision: 20, scale: 0 };
  const signed: SqlType = { kind: bits === 8 ? 'SMALLINT' : bits === 16 ? 'INTEGER' : 'BIGINT' };
  return commonNumericType(signed, a > 0 ? right : left);
}

/** The DECIMAL that holds every value of an integer type; a DECIMAL is returned as it is. */
export function asDecimal(type: SqlType): DecimalType {
  if (type.kind === 'DECIMAL') {
    return type.unsigned === undefined ? type : { kind: 'DECIMAL', precision: type.precision, scale: 0 };
  }
  return { kind: 'DECIMAL', precision: integerDigits[type.kind] ?? decimalPrecisionMax, scale: 0 };
}

/** The type to which both sides are cast to be compared, or united in one column. */
export function commonNumericType(left: SqlType, right: SqlType): SqlType {
  if (isApproximate(left) || isApproximate(right)) {
    return left.kind === 'REAL' && right.kind === 'REAL' ? left : { kind: 'DOUBLE' };
  }
  if (isWhole(left) && isWhole(right) && (isUnsigned(left) || isUnsigned(right))) return commonWholeType(left, right);
  if (left.kind === 'DECIMAL' || right.kind === 'DECIMAL') {
    const [a, b] = [asDecimal(left), asDecimal(right)];
    const scale = Math.max(a.scale, b.scale);
    return decimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale);
  }
  return integerKinds.indexOf(left.kind) >= integerKinds.indexOf(right.kind) ? left : right;
}

/** How an arithmetic operator on these two types is computed when at least one of them is DECIMAL and none REAL or DOUBLE. */
export function decimalRule(operator: ArithmeticOperator, left: SqlType, right: SqlType): DecimalRule {
  const [a, b] = [asDecimal(left), asDecimal(right)];
  switch (operator) {
    case '+':
    case '-': {
      const scale = Math.max(a.scale, b.scale);
      const result = decimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
      return { kind: 'same scale', left: result, right: result, result };
    }
    case '%': {
      const scale = Math.max(a.scale, b.scale);
      const result = decimal(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale);
      const operand = decimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale);
      return { kind: 'same scale', left: operand, right: operand, result };
    }
    case '*':
      return { kind: 'multiply', left: a, right: b, result: decimal(a.precision + b.precision, a.scale + b.scale) };
    case '/': {
      // Six digits behind the point are always there: the quotient of two sums has a fraction.
      const digits = a.precision - a.scale + b.scale;
      const wanted = Math.max(quotientScale, a.scale + b.precision + 1);
      const scale = digits + wanted <= decimalPrecisionMax - quotientScale ? wanted : quotientScale;
      return { kind: 'divide', left: a, right: b, result: decimal(digits + scale, scale) };
    }
  }
}

/** The result type of arithmetic on two numeric types. */
export function arithmeticType(operator: ArithmeticOperator, left: SqlType, right: SqlType): SqlType {
  const exactDecimal = left.kind === 'DECIMAL' || right.kind === 'DECIMAL';
  if (exactDecimal && !isApproximate(left) && !isApproximate(right)) return decimalRule(operator, left, right).result;
  return commonNumericType(left, right);
}

function decimal(precision: number, scale: number): DecimalType {
  const capped = Math.max(1, Math.min(precision, decimalPrecisionMax));
  return { kind: 'DECIMAL', precision: capped, scale: Math.min(scale, capped) };
}
