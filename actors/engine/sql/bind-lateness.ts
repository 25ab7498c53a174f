// LATENESS of a column: how far a value may lie behind the greatest one of earlier steps. WATERMARK: how far behind it rows wait.
//
// A constant: a number for a number, an interval of days to seconds for DATE, TIME and TIMESTAMP, LATENESS of a DATE or TIMESTAMP also one of
// months. It is kept in the units in which the column is stored, so that nothing is converted when rows are compared (operators/late-rows.ts).
import { formatSqlType, type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Expression } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import type { Scalar } from './bound.ts';
import type { Lateness } from './lateness.ts';
import { isInteger, isNumeric } from './numeric-types.ts';
import { SqlInvalidDefinition, SqlTypeMismatch, SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { coerce, isDatetime, literal } from './type-coercion.ts';

const microsOfDay = 86_400_000_000n;

/** @throws SqlTypeMismatch, SqlUnsupported, SqlInvalidDefinition */
export function bindLateness(source: SqlText, lateness: Expression, type: SqlType): Lateness {
  const scalar = constantOf(source, lateness, 'LATENESS');
  const hasMonths = type.kind === 'DATE' || type.kind === 'TIMESTAMP';
  if (!hasMonths || scalar.type.kind !== 'INTERVAL_MONTHS' || scalar.kind !== 'literal' || scalar.value === null) {
    return distanceOf(scalar, type, 'LATENESS');
  }
  const months = Number(scalar.value);
  if (months < 0) throw negative('LATENESS', scalar);
  return { months };
}

/** @throws SqlTypeMismatch, SqlUnsupported, SqlInvalidDefinition */
export function bindDelay(source: SqlText, delay: Expression, type: SqlType): number | bigint {
  return distanceOf(constantOf(source, delay, 'WATERMARK'), type, 'WATERMARK');
}

type Word = 'LATENESS' | 'WATERMARK';

function constantOf(source: SqlText, expression: Expression, word: Word): Scalar {
  return bindExpression({ source, scope: [], aggregates: null, clause: word, aliases: null }, expression);
}

function negative(word: Word, { source }: Scalar): Error {
  return new SqlInvalidDefinition({ detail: `${word} may not be negative` }, { place: source.place });
}

function distanceOf(scalar: Scalar, type: SqlType, word: Word): number | bigint {
  const { place } = scalar.source;
  const value = isDatetime(type) ? ofInterval(scalar, type) : ofNumber(scalar, type);
  if (value === undefined) {
    const wanted = isDatetime(type) ? 'a constant INTERVAL of days to seconds' : 'a constant number';
    const because = scalar.type.kind === 'INTERVAL_MONTHS' ? ': months differ in length, write days' : '';
    const detail = `${word} of a ${formatSqlType(type)} column is ${wanted}, ${scalar.source.text} is not${because}`;
    throw new SqlTypeMismatch({ detail }, { place });
  }
  if (storageOf(type) === 'i128') {
    const construct = `${word} of a ${formatSqlType(type)} column`;
    throw new SqlUnsupported({ construct, instead: 'declare the column with at most 18 digits' }, { place });
  }
  if (value < 0) throw negative(word, scalar);
  return value;
}

function ofInterval(scalar: Scalar, type: SqlType): number | bigint | undefined {
  if (scalar.kind !== 'literal' || scalar.type.kind !== 'INTERVAL_MICROS') return undefined;
  if (typeof scalar.value !== 'bigint') return undefined;
  // A part of a day leaves the whole day of a DATE in time.
  if (type.kind === 'DATE') return Number((scalar.value + microsOfDay - 1n) / microsOfDay);
  return type.kind === 'TIME' ? scalar.value * 1000n : scalar.value;
}

/** The value of integers that are cast, added, subtracted and multiplied: 24 * 3600. */
function wholeOf(scalar: Scalar): bigint | undefined {
  if (!isInteger(scalar.type)) return undefined;
  if (scalar.kind === 'cast') return wholeOf(scalar.operand);
  if (scalar.kind === 'literal') {
    return typeof scalar.value === 'number' || typeof scalar.value === 'bigint' ? BigInt(scalar.value) : undefined;
  }
  if (scalar.kind !== 'operator' || scalar.operands.length < 2) return undefined;
  return scalar.operands.map(wholeOf).reduce((left, right) => {
    if (left === undefined || right === undefined) return undefined;
    if (scalar.operator === '+') return left + right;
    if (scalar.operator === '-') return left - right;
    return scalar.operator === '*' ? left * right : undefined;
  });
}

function ofNumber(scalar: Scalar, type: SqlType): number | bigint | undefined {
  if (!isNumeric(type) || !isNumeric(scalar.type)) return undefined;
  const whole = wholeOf(scalar);
  const constant = whole === undefined ? scalar : literal(whole, { kind: 'BIGINT' }, scalar.source);
  const converted = coerce(constant, type);
  if (converted.kind !== 'literal') return undefined;
  const { value } = converted;
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
}
