// Coercion: the type that two expressions have in common, and how an expression becomes one of it.
//
// Numbers widen (numeric-types.ts), DATE becomes TIMESTAMP, CHAR becomes VARCHAR, and a string beside a date, time,
// timestamp, number, boolean or UUID is read as one, as in Calcite. Everything else needs a CAST. A literal is
// converted here and now, so that `price > 5` compares a DECIMAL(10, 2) column with 5.00 and casts no column.
import {
  decimalRange,
  formatSqlType,
  isNested,
  type SqlType,
  type SqlTypeKind,
  sameSqlType,
} from '../../../runtime/batch/sql-type.ts';
import type { ExpressionSource, Literal, Scalar } from './bound.ts';
import { commonIntervalType, type IntervalType, sizeOfUnit } from './interval-units.ts';
import { parseTypedText } from './literals.ts';
import { asDecimal, commonNumericType, isInteger, isNumeric, isUnsigned, isWhole } from './numeric-types.ts';
import type { ScalarValue } from './scalar-value.ts';
import { SqlInvalidLiteral } from './sql-errors.ts';

export const varchar: SqlType = { kind: 'VARCHAR', length: null };
export const boolean: SqlType = { kind: 'BOOLEAN' };
/** What a text is read as where a number is wanted. */
export const numberOfText: SqlType = { kind: 'DECIMAL', precision: 38, scale: 19 };

export function isText(type: SqlType): boolean {
  return type.kind === 'CHAR' || type.kind === 'VARCHAR';
}

export function isBinary(type: SqlType): boolean {
  return type.kind === 'BINARY' || type.kind === 'VARBINARY';
}

export function isInterval(type: SqlType): type is IntervalType {
  return type.kind === 'INTERVAL_MONTHS' || type.kind === 'INTERVAL_MICROS';
}

export function isDatetime(type: SqlType): boolean {
  return type.kind === 'DATE' || type.kind === 'TIME' || type.kind === 'TIMESTAMP';
}

/** Types that a string beside them is read as. */
const readFromText: readonly SqlTypeKind[] = ['DATE', 'TIME', 'TIMESTAMP', 'BOOLEAN', 'UUID'];

/** The type that both sides can be cast to without being asked, or null. */
export function commonType(left: SqlType, right: SqlType): SqlType | null {
  if (sameSqlType(left, right) || right.kind === 'NULL') return left;
  if (left.kind === 'NULL') return right;
  if (isNumeric(left) && isNumeric(right)) return commonNumericType(left, right);
  if (isText(left) && isText(right)) return varchar;
  if (left.kind === 'TIMESTAMP' && right.kind === 'TIMESTAMP') return { kind: 'TIMESTAMP', zoned: true };
  if (isInterval(left) && isInterval(right)) return left.kind === right.kind ? commonIntervalType(left, right) : null;
  if (isBinary(left) && isBinary(right)) return { kind: 'VARBINARY', length: null };
  if (left.kind === 'ARRAY' && right.kind === 'ARRAY') {
    const element = commonType(left.element, right.element);
    return element === null ? null : { kind: 'ARRAY', element };
  }
  if (left.kind === 'ROW' && right.kind === 'ROW' && left.fields.length === right.fields.length) {
    const fields: { readonly name: string; readonly type: SqlType }[] = [];
    for (const [i, field] of left.fields.entries()) {
      const type = commonType(field.type, right.fields[i]?.type ?? field.type);
      if (type === null) return null;
      fields.push({ name: field.name, type });
    }
    return { kind: 'ROW', fields };
  }
  if (left.kind === 'MAP' && right.kind === 'MAP') {
    const [key, value] = [commonType(left.key, right.key), commonType(left.value, right.value)];
    return key === null || value === null ? null : { kind: 'MAP', key, value };
  }
  if (left.kind === 'VARIANT' || right.kind === 'VARIANT') return { kind: 'VARIANT' };
  if (isText(left) || isText(right)) {
    const other = isText(left) ? right : left;
    if (other.kind === 'REAL') return other;
    if (isNumeric(other)) return isInteger(other) ? { kind: 'BIGINT' } : { kind: 'DOUBLE' };
    if (isBinary(other)) return varchar;
    return readFromText.includes(other.kind) ? other : null;
  }
  const kinds = [left.kind, right.kind];
  if (kinds.includes('DATE') && kinds.includes('TIMESTAMP')) return left.kind === 'TIMESTAMP' ? left : right;
  return null;
}

/** The common type of several, or the two that have none. */
export function commonTypeOf(types: readonly SqlType[]): SqlType | readonly [SqlType, SqlType] {
  let common: SqlType = { kind: 'NULL' };
  for (const type of types) {
    const next = commonType(common, type);
    if (next === null) return [common, type];
    common = next;
  }
  return common;
}

/**
 * The type of a column, or of a CASE, that is made of several expressions, or the two types that have nothing in common. Text
 * beside another type is read as it only where it is a literal: a column of text would fail at run time.
 */
export function mergedType(scalars: readonly Scalar[]): SqlType | readonly [SqlType, SqlType] {
  const literals = scalars.filter((scalar) => scalar.kind === 'literal' && isText(scalar.type));
  const others = scalars.filter((scalar) => !literals.includes(scalar)).map((scalar) => scalar.type);
  const [firstLiteral] = literals;
  const known = others.filter((type) => type.kind !== 'NULL');
  const text = known.find(isText);
  const apart = known.find((type) => !isText(type) && type.kind !== 'VARIANT');
  if (text !== undefined && apart !== undefined) return [text, apart];
  if (firstLiteral !== undefined && apart !== undefined && !readFromText.includes(apart.kind)) {
    return [firstLiteral.type, apart];
  }
  return commonTypeOf([...others, ...(apart === undefined ? literals.map((scalar) => scalar.type) : [])]);
}

/** The common type for a comparison: a literal takes the type of the other side where it fits that exactly. */
export function comparisonType(left: Scalar, right: Scalar): SqlType | null {
  // A REAL is as exact as the literal beside it, not more.
  if (left.type.kind === 'REAL' && isNumberLiteral(right)) return left.type;
  if (right.type.kind === 'REAL' && isNumberLiteral(left)) return right.type;
  if (fitsExactly(right, left.type)) return left.type;
  if (fitsExactly(left, right.type)) return right.type;
  // The bytes of a UUID.
  const [a, b] = [left.type, right.type];
  if ((a.kind === 'UUID' && isBinary(b)) || (b.kind === 'UUID' && isBinary(a))) return { kind: 'UUID' };
  return commonType(a, b);
}

function isNumberLiteral(scalar: Scalar): boolean {
  return scalar.kind === 'literal' && scalar.type.kind === 'DECIMAL';
}

/** Whether a numeric literal is a value of an exact numeric type. */
export function fitsExactly(scalar: Scalar, type: SqlType): boolean {
  const exact = isInteger(type) || type.kind === 'DECIMAL';
  if (scalar.kind !== 'literal' || scalar.value === null || !exact) return false;
  if (!isInteger(scalar.type) && scalar.type.kind !== 'DECIMAL') return false;
  return foldLiteral(scalar.value, scalar.type, type, true) !== undefined;
}

/** The expression as one of `type`: itself, a converted literal, or a cast. */
export function coerce(scalar: Scalar, type: SqlType): Scalar {
  if (sameSqlType(scalar.type, type)) return scalar;
  if (scalar.kind === 'literal') {
    const value = foldLiteral(scalar.value, scalar.type, type, false);
    if (value !== undefined) return { ...scalar, type, value, nullable: value === null };
    if (isText(scalar.type) && isDatetime(type)) throw notALiteral(scalar, type);
  }
  // A column of VARCHAR(10) is a VARCHAR as it stands.
  if (scalar.type.kind === 'VARCHAR' && type.kind === 'VARCHAR' && type.length === null) return { ...scalar, type };
  const nullable = scalar.nullable || scalar.type.kind === 'VARIANT';
  return { kind: 'cast', operand: scalar, safe: false, type, nullable, source: scalar.source };
}

function notALiteral(literal: Literal, type: SqlType): Error {
  const expected = { DATE: "such as '2001-12-31'", TIME: "such as '23:59:59'" }[type.kind as string];
  return new SqlInvalidLiteral(
    { text: String(literal.value), type: type.kind, expected: expected ?? "such as '2001-12-31 23:59:59'" },
    { place: literal.source.place },
  );
}

/** Whether CAST between two types is defined. */
export function isCastable(from: SqlType, to: SqlType): boolean {
  if (from.kind === 'NULL' || from.kind === 'VARIANT' || to.kind === 'VARIANT') return true;
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') return isCastable(from.element, to.element);
  if (from.kind === 'MAP' && to.kind === 'MAP') return isCastable(from.key, to.key) && isCastable(from.value, to.value);
  if (from.kind === 'ROW' && to.kind === 'ROW') {
    if (from.fields.length !== to.fields.length) return false;
    return from.fields.every((field, i) => isCastable(field.type, to.fields[i]?.type ?? field.type));
  }
  if (from.kind === to.kind) return true;
  if (isText(to)) return true;
  if (isNested(from) || isNested(to)) return false;
  if (isText(from)) return to.kind !== 'NULL';
  if (isBinary(to)) return isBinary(from) || from.kind === 'UUID' || isWhole(from);
  if (isBinary(from)) return to.kind === 'UUID';
  if (to.kind === 'TIMESTAMP' && (isNumeric(from) || from.kind === 'TIME')) return true;
  if (from.kind === 'TIMESTAMP' && isNumeric(to)) return true;
  // A number counts the one unit of an interval; several units have no number.
  const exact = (type: SqlType): boolean => isInteger(type) || type.kind === 'DECIMAL';
  if (isInterval(from)) return exact(to) && sizeOfUnit(from) !== undefined;
  if (isInterval(to)) return exact(from) && sizeOfUnit(to) !== undefined;
  const numbers = (type: SqlType): boolean => isNumeric(type) || type.kind === 'BOOLEAN';
  if (numbers(from) && numbers(to)) return true;
  const pair = `${from.kind} ${to.kind}`;
  return pair === 'DATE TIMESTAMP' || pair === 'TIMESTAMP DATE' || pair === 'TIMESTAMP TIME';
}

const integerBits: Readonly<Record<string, number>> = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 };

/** A literal's value in another type, or undefined when it must be cast at run time (or does not fit). */
export function foldLiteral(value: ScalarValue, from: SqlType, to: SqlType, exact: boolean): ScalarValue | undefined {
  if (value === null) return null;
  if (isText(from)) return typeof value === 'string' ? parseTypedText(value, to) : undefined;
  if ((isInterval(from) || from.kind === 'TIMESTAMP') && from.kind === to.kind) return value;
  if (from.kind === 'DATE' && to.kind === 'TIMESTAMP') return BigInt(Number(value)) * 86_400_000_000n;
  if (!isInteger(from) && from.kind !== 'DECIMAL') return undefined;
  // Exact numbers, as value · 10^-scale.
  const scale = asDecimal(from).scale;
  const unscaled = BigInt(value as number | bigint);
  if (to.kind === 'DOUBLE' || to.kind === 'REAL') {
    const double = Number(`${unscaled}e-${scale}`);
    return to.kind === 'REAL' ? Math.fround(double) : double;
  }
  const bits = integerBits[to.kind];
  if (bits === undefined && to.kind !== 'DECIMAL') return undefined;
  const scaled = cutOff(unscaled, scale, asDecimal(to).scale);
  if (scaled.inexact && (exact || bits !== undefined)) return undefined;
  if (bits !== undefined) {
    if (BigInt.asIntN(bits, scaled.value) !== scaled.value) return undefined;
    return bits === 64 ? scaled.value : Number(scaled.value);
  }
  if (isUnsigned(to) && scaled.inexact) return undefined;
  const [min, max] = decimalRange(to.kind === 'DECIMAL' ? to : asDecimal(to));
  return scaled.value >= min && scaled.value <= max ? scaled.value : undefined;
}

/** value · 10^-from as an integer · 10^-to, without the digits behind that. */
function cutOff(value: bigint, from: number, to: number): { readonly value: bigint; readonly inexact: boolean } {
  if (to >= from) return { value: value * 10n ** BigInt(to - from), inexact: false };
  const divisor = 10n ** BigInt(from - to);
  return { value: value / divisor, inexact: value % divisor !== 0n };
}

/** A literal node. */
export function literal(value: ScalarValue, type: SqlType, source: ExpressionSource): Literal {
  return { kind: 'literal', value, type, nullable: value === null, source };
}

/** `BIGINT and VARCHAR`, for messages. */
export function describePair(left: SqlType, right: SqlType): string {
  return `${formatSqlType(left)} and ${formatSqlType(right)}`;
}
