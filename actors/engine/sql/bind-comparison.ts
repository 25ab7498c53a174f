// Comparisons: both sides cast to one type; BETWEEN and IN.
import { formatSqlType, isNested, sameSqlType } from '../../../runtime/batch/sql-type.ts';
import type { BinaryOperator, Expression } from './ast.ts';
import type { ExpressionSource, FunctionCall, OperatorCall, Scalar, ScalarOperator } from './bound.ts';
import { bindNamedFunction } from './named-function.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import { boolean, coerce, commonType, comparisonType, describePair, fitsExactly, literal } from './type-coercion.ts';
import { byValue } from './variant-equality.ts';

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'is distinct from' | 'is not distinct from';

const comparisons: readonly string[] = ['=', '<>', '<', '<=', '>', '>='];

/** A list of at least so many literals is looked up, a shorter one is compared one by one. */
const inListMin = 4;

export function isComparison(name: BinaryOperator): name is Extract<BinaryOperator, ComparisonOperator> {
  return comparisons.includes(name);
}

/** A BOOLEAN operator; NULL when an operand is, unless `nullable` says otherwise. */
export function operator(
  name: ScalarOperator,
  operands: readonly Scalar[],
  source: ExpressionSource,
  nullable: boolean = operands.some((operand) => operand.nullable),
): OperatorCall {
  return { kind: 'operator', operator: name, operands, type: boolean, nullable, source };
}

export function not(operand: Scalar, source: ExpressionSource): OperatorCall {
  return operator('not', [operand], source);
}

/** @throws SqlTypeMismatch when the two have no common type. */
export function bindComparison(
  name: ComparisonOperator,
  left: Scalar,
  right: Scalar,
  source: ExpressionSource,
): Scalar {
  if (name === '=' || name === '<>') {
    const rows = compareRows(name, left, right, source);
    if (rows !== null) return rows;
  }
  const type = comparisonType(left, right);
  if (type === null) {
    const detail = `${describePair(left.type, right.type)} cannot be compared, in ${source.text}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  const hasOwnOrder = isNested(type) || type.kind === 'VARIANT';
  if (hasOwnOrder && !name.startsWith('is') && name !== '=' && name !== '<>') {
    const order = bindNamedFunction('compare_nested', [coerce(left, type), coerce(right, type)].map(byValue), source);
    return operator(name, [order, literal(0, order.type, source)], source);
  }
  const operands = [coerce(left, type), coerce(right, type)].map(byValue);
  return name.startsWith('is') ? operator(name, operands, source, false) : operator(name, operands, source);
}

/** Rows that are written down are equal when their fields are; rows as values have no = (IS NOT DISTINCT FROM compares them). */
function compareRows(name: '=' | '<>', left: Scalar, right: Scalar, source: ExpressionSource): Scalar | null {
  if (left.type.kind !== 'ROW' && right.type.kind !== 'ROW') return null;
  const written = (row: Scalar): row is FunctionCall => row.kind === 'function' && row.name === 'row';
  if (written(left) && written(right) && left.operands.length === right.operands.length) {
    const [first, ...rest] = left.operands.map((field, i) =>
      bindComparison('=', field, right.operands[i] ?? field, source),
    );
    if (first === undefined) return null;
    const all = rest.reduce((both, next) => operator('and', [both, next], source), first);
    return name === '=' ? all : not(all, source);
  }
  if (left.type.kind !== 'ROW' || right.type.kind !== 'ROW') return null;
  const detail = `ROW values cannot be compared using '${name}', in ${source.text}; IS NOT DISTINCT FROM can`;
  throw new SqlTypeMismatch({ detail }, { place: source.place });
}

export function bindBetween(
  expression: Extract<Expression, { kind: 'between' }>,
  operand: Scalar,
  low: Scalar,
  high: Scalar,
  source: ExpressionSource,
): Scalar {
  const within = (from: Scalar, to: Scalar): Scalar =>
    operator('and', [bindComparison('>=', operand, from, source), bindComparison('<=', operand, to, source)], source);
  const inside = expression.symmetric
    ? operator('or', [within(low, high), within(high, low)], source)
    : within(low, high);
  return expression.negated ? not(inside, source) : inside;
}

export function bindIn(operand: Scalar, values: readonly Scalar[], negated: boolean, source: ExpressionSource): Scalar {
  if (values.length === 0) return literal(negated, boolean, source);
  const found = inList(operand, values, source) ?? anyOf(operand, values, source);
  return negated ? not(found, source) : found;
}

function anyOf(operand: Scalar, values: readonly Scalar[], source: ExpressionSource): Scalar {
  const tests = values.map((value) => bindComparison('=', operand, value, source));
  // The grammar has read at least one value.
  return tests.length === 1 ? (tests[0] ?? operand) : operator('or', tests, source);
}

function inList(operand: Scalar, values: readonly Scalar[], source: ExpressionSource): Scalar | null {
  if (values.length < inListMin || values.some((value) => value.kind !== 'literal')) return null;
  let type = operand.type;
  for (const value of values) {
    const common = fitsExactly(value, type) ? type : commonType(type, value.type);
    if (common === null) {
      const detail = `${value.source.text} is ${formatSqlType(value.type)}, ${operand.source.text} is ${formatSqlType(operand.type)}`;
      throw new SqlTypeMismatch({ detail }, { place: value.source.place });
    }
    type = common;
  }
  const converted = values.map((value) => coerce(value, type));
  const literals = converted.filter((value) => value.kind === 'literal' && sameSqlType(value.type, type));
  if (literals.length < converted.length) return null;
  const list = literals.map((value) => (value.kind === 'literal' ? value.value : null));
  const nullable = operand.nullable || list.includes(null);
  return { kind: 'in list', operand: coerce(operand, type), values: list, type: boolean, nullable, source };
}
