// Binder of expressions: names to ordinals, types, NULLs, coercions, functions.
//
// Sugar ends here: BETWEEN, IN, COALESCE, NULLIF, simple CASE become operators and CASE. An aggregate becomes a reference to a
// column behind those of the input; group-aggregation.ts moves it to its place. Errors are thrown, one for each
// expression; who binds several expressions collects them (problem-list.ts).

import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression, Identifier } from './ast.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindCall } from './bind-call.ts';
import { bindCast, makeCase } from './bind-case.ts';
import { bindChain } from './bind-chain.ts';
import { bindBetween, bindComparison, bindIn, not, operator } from './bind-comparison.ts';
import { findOwnName } from './bind-name.ts';
import { bindElement } from './bind-nested.ts';
import { bindPeriod } from './bind-period.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { type ExpressionContext, requireBoolean, type SubquerySink, type WindowSink } from './expression-context.ts';
import { foreignName } from './foreign-functions.ts';
import { type IntervalType, intervalType } from './interval-units.ts';
import { intervalLiteral, intervalUnits, normalizeUnit, numberLiteral, parseTypedText } from './literals.ts';
import { bindNamedFunction, unitLiteral } from './named-function.ts';
import { isNumeric } from './numeric-types.ts';
import { rowInQuery } from './row-in-query.ts';
import { requireTableColumn, type ScopeColumn, unknownColumn } from './scope.ts';
import { SqlInvalidLiteral, SqlTypeMismatch, SqlUnknownUnit, SqlUnsupported } from './sql-errors.ts';
import { boolean, isInterval, isText, literal, numberOfText, varchar } from './type-coercion.ts';
import { resolveTypeName } from './type-names.ts';

/** @throws MillraceError: sql.unknown_column, sql.type_mismatch and the like. */
export function bindExpression(context: ExpressionContext, expression: Expression): Scalar {
  const source = context.source.source(expression.span);
  const bind = (inner: Expression): Scalar => bindExpression(context, inner);
  switch (expression.kind) {
    case 'name':
      return bindName(context, expression.path, source);
    case 'number':
      return bindNumber(expression.text, false, source);
    case 'string':
      return literal(expression.value, varchar, source);
    case 'binary literal':
      return bindBinaryLiteral(expression.hex, source);
    case 'boolean':
      return literal(expression.value, boolean, source);
    case 'null':
      return literal(null, { kind: 'NULL' }, source);
    case 'typed literal': {
      const type: SqlType =
        expression.type === 'TIMESTAMP' && expression.zoned
          ? { kind: 'TIMESTAMP', zoned: true }
          : { kind: expression.type };
      const value = parseTypedText(expression.text, type);
      if (value === undefined) throw invalidLiteral(expression.text, expression.type, source);
      return literal(value, type, source);
    }
    case 'interval':
      return bindInterval(context, expression, source);
    case 'interval value':
      return bindIntervalValue(context, expression, source);
    case 'negate':
      return bindNegate(context, expression.operand, source);
    case 'not':
      return not(requireBoolean(bind(expression.operand), 'NOT'), source);
    case 'binary':
      return bindChain(expression, bind, (span) => context.source.source(span));
    case 'is': {
      const operand = bind(expression.operand);
      const test = expression.test === 'unknown' ? 'null' : expression.test;
      if (expression.test !== 'null') requireBoolean(operand, 'IS');
      return operator(expression.negated ? `is not ${test}` : `is ${test}`, [operand], source, false);
    }
    case 'is distinct': {
      const name = expression.negated ? 'is not distinct from' : 'is distinct from';
      return bindComparison(name, bind(expression.left), bind(expression.right), source);
    }
    case 'between':
      return bindBetween(expression, bind(expression.operand), bind(expression.low), bind(expression.high), source);
    case 'in':
      return bindIn(bind(expression.operand), expression.values.map(bind), expression.negated, source);
    case 'in query': {
      const parts = rowInQuery(expression, 'value');
      if (parts !== null) return { ...bind(parts), source };
      return subqueries(context, source).contains(
        context,
        bind(expression.operand),
        expression.query,
        expression.negated,
        source,
      );
    }
    case 'collection query':
      return subqueries(context, source).collection(context, expression.query, expression.collection, source);
    case 'every column': {
      const instead = 'name the columns';
      throw new SqlUnsupported(
        { construct: 'ALL in an ORDER BY that is not of a query', instead },
        { place: source.place },
      );
    }
    case 'scalar query':
      return subqueries(context, source).scalar(context, expression.query, source);
    case 'exists':
      return subqueries(context, source).exists(context, expression.query, source);
    case 'quantified': {
      const { operator: comparison, all, query } = expression;
      const quantified = { operand: bind(expression.operand), operator: comparison, all, query };
      return subqueries(context, source).compares(context, quantified, source);
    }
    case 'window':
      return windows(context, source).add(context, expression, source);
    case 'like': {
      const parts = [expression.operand, expression.pattern, expression.escape].filter((part) => part !== null);
      const call = bindNamedFunction(expression.function, parts.map(bind), source);
      return expression.negated ? not(call, source) : call;
    }
    case 'case':
      return bindCase(context, expression, source);
    case 'cast':
      return bindCast(
        bind(expression.operand),
        resolveTypeName(context.source, expression.type),
        expression.safe,
        source,
      );
    case 'extract':
      return bindNamedFunction(
        'date_part',
        [unitLiteral(context.source, expression.unit), bind(expression.operand)],
        source,
      );
    case 'element':
      return bindElement(bind(expression.operand), bindIndex(context, expression.index), source);
    case 'difference':
      return bindDifference(context, expression, source);
    case 'period':
      return bindPeriod(expression, source, bind);
    case 'columns':
      throw new SqlUnsupported({ construct: '* here', instead: 'only ROW takes it' }, { place: source.place });
    case 'lambda':
      throw new SqlUnsupported(
        { construct: 'a lambda here', instead: 'write it as an argument of TRANSFORM, ARRAY_EXISTS or VARIANT_MAP' },
        { place: source.place },
      );
    case 'call':
      return bindCall(context, expression, source, bindExpression);
    case 'unsupported':
      throw new SqlUnsupported(
        { construct: expression.construct, instead: expression.instead },
        { place: source.place },
      );
  }
}

// ── names and literals ──

function bindName(context: ExpressionContext, path: readonly Identifier[], source: ExpressionSource): Scalar {
  const [first, second] = path;
  if (first === undefined) return unknownColumn(context.scope, '', source.place);
  const own = findOwnName(context, path, source);
  if (own !== null) return own;
  const alias = context.aliases?.get(first.name);
  if (second === undefined && alias !== undefined && context.aliases !== null) {
    // An alias does not see itself, so that `x + 1 AS x` cannot turn in circles.
    const others = new Map(context.aliases);
    others.delete(first.name);
    return { ...bindExpression({ ...context, aliases: others }, alias), source };
  }
  const outer = context.outer?.resolve(path, source) ?? null;
  if (outer !== null) return outer;
  if (second !== undefined) requireTableColumn(context.scope, first.name, second.name, source.place);
  if (first.name === 'pi' && !first.quoted) return literal(Math.PI, { kind: 'DOUBLE' }, source);
  if (first.name === 'unknown' && !first.quoted) return literal(null, { kind: 'BOOLEAN' }, source);
  const other = first.quoted ? undefined : foreignName(first.name);
  if (other !== undefined) {
    throw new SqlUnsupported({ construct: first.name.toUpperCase(), instead: other }, { place: source.place });
  }
  const names = context.aliases === null ? [] : [...context.aliases.keys()];
  return unknownColumn([...context.scope, ...names.map(aliasColumn)], first.name, source.place, first.quoted);
}

/** An alias in the list of known names. */
function aliasColumn(name: string): ScopeColumn {
  return { table: null, name, ordinal: 0, type: { kind: 'NULL' }, nullable: true, quoted: false, hidden: false };
}

function bindNumber(text: string, negative: boolean, source: ExpressionSource): Scalar {
  const number = numberLiteral(text, negative);
  if (number === undefined) {
    throw new SqlInvalidLiteral(
      { text, type: 'number', expected: 'at most 38 digits, or an exponent within that of DOUBLE' },
      { place: source.place },
    );
  }
  return literal(number.value, number.type, source);
}

function bindBinaryLiteral(hex: string, source: ExpressionSource): Scalar {
  if (hex.length % 2 === 1) {
    const fields = { text: hex, type: 'binary', expected: 'an even number of hexadecimal digits' };
    throw new SqlInvalidLiteral(fields, { place: source.place });
  }
  return literal(new Uint8Array(Buffer.from(hex, 'hex')), { kind: 'VARBINARY', length: null }, source);
}

function bindInterval(
  context: ExpressionContext,
  expression: Extract<Expression, { kind: 'interval' }>,
  source: ExpressionSource,
): Scalar {
  const units = [expression.from, expression.to].filter((unit) => unit !== null);
  for (const unit of units) {
    if (intervalUnits.includes(normalizeUnit(unit.name))) continue;
    const fields = { name: unit.name, known: intervalUnits };
    throw new SqlUnknownUnit(fields, { place: context.source.span(unit.span) });
  }
  const [from = '', to = null] = units.map((unit) => normalizeUnit(unit.name));
  const value = intervalLiteral(expression.text, from, to, expression.negative);
  if (value === undefined) {
    const type = `INTERVAL ${from.toUpperCase()}${to === null ? '' : ` TO ${to.toUpperCase()}`}`;
    throw new SqlInvalidLiteral({ text: expression.text, type, expected: '' }, { place: source.place });
  }
  return literal(value.value, value.type, source);
}

/** The type of INTERVAL from TO to, and an error at the unit that there is none of. */
function typeOfUnits(
  context: ExpressionContext,
  units: { readonly from: Identifier; readonly to: Identifier | null },
): IntervalType {
  const last = units.to ?? units.from;
  const type = intervalType(normalizeUnit(units.from.name), normalizeUnit(last.name));
  if (type !== undefined) return type;
  throw new SqlUnknownUnit({ name: last.name, known: intervalUnits }, { place: context.source.span(last.span) });
}

function bindIntervalValue(
  context: ExpressionContext,
  expression: Extract<Expression, { kind: 'interval value' }>,
  source: ExpressionSource,
): Scalar {
  const type = typeOfUnits(context, expression);
  const operand = bindExpression(context, expression.operand);
  if (isNumeric(operand.type)) {
    const one = intervalLiteral('1', normalizeUnit(expression.from.name), null, expression.negative);
    if (one !== undefined && expression.to === null) {
      return bindNamedFunction('*', [operand, literal(one.value, one.type, source)], source);
    }
  }
  const value = bindCast(operand, type, false, source);
  return expression.negative
    ? { kind: 'operator', operator: 'negate', operands: [value], type, nullable: value.nullable, source }
    : value;
}

function invalidLiteral(text: string, type: 'DATE' | 'TIME' | 'TIMESTAMP', source: ExpressionSource): Error {
  const expected = {
    DATE: "such as '2001-12-31'",
    TIME: "such as '23:59:59.5'",
    TIMESTAMP: "such as '2001-12-31 23:59:59'",
  };
  return new SqlInvalidLiteral({ text, type, expected: expected[type] }, { place: source.place });
}

function subqueries(context: ExpressionContext, source: ExpressionSource): SubquerySink {
  if (context.subqueries !== undefined) return context.subqueries;
  throw new SqlUnsupported(
    { construct: `a subquery inside ${context.clause}`, instead: 'join with the subquery in FROM' },
    { place: source.place },
  );
}

function windows(context: ExpressionContext, source: ExpressionSource): WindowSink {
  if (context.windows !== undefined) return context.windows;
  throw new SqlUnsupported(
    {
      construct: `a window function inside ${context.clause}`,
      instead: 'compute it in a subquery in FROM, or filter with QUALIFY',
    },
    { place: source.place },
  );
}

// ── operators ──

/** Functions that say from where an index counts. */
const offsets: Readonly<Record<string, 0 | 1>> = { offset: 1, safe_offset: 1, ordinal: 0, safe_ordinal: 0 };

function bindIndex(context: ExpressionContext, index: Expression): Scalar {
  const [argument] = index.kind === 'call' ? index.arguments : [];
  const shift = index.kind === 'call' ? offsets[index.name.name] : undefined;
  if (argument === undefined || shift === undefined) return bindExpression(context, index);
  const scalar = bindExpression(context, argument);
  return shift === 0 ? scalar : bindBinary('+', scalar, literal(1, { kind: 'INTEGER' }, scalar.source), scalar.source);
}

function bindNegate(context: ExpressionContext, operand: Expression, source: ExpressionSource): Scalar {
  if (operand.kind === 'number') return bindNumber(operand.text, true, source);
  const bound = bindExpression(context, operand);
  if (bound.type.kind === 'NULL') return bound;
  const scalar = isText(bound.type) ? bindCast(bound, numberOfText, false, source) : bound;
  if (!isNumeric(scalar.type) && !isInterval(scalar.type)) {
    const detail = `- takes a number, ${scalar.source.text} is ${formatSqlType(scalar.type)}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  return {
    kind: 'operator',
    operator: 'negate',
    operands: [scalar],
    type: scalar.type,
    nullable: scalar.nullable,
    source,
  };
}

function bindDifference(
  context: ExpressionContext,
  expression: Extract<Expression, { kind: 'difference' }>,
  source: ExpressionSource,
): Scalar {
  const { operand } = expression;
  const type = typeOfUnits(context, expression);
  if (operand.kind !== 'binary') return bindExpression(context, operand);
  const sides = [bindExpression(context, operand.left), bindExpression(context, operand.right)];
  const difference = bindNamedFunction(type.kind === 'INTERVAL_MONTHS' ? 'months_between' : '-', sides, source);
  return bindCast(difference, type, false, source);
}

// ── CASE and CAST ──

function bindCase(
  context: ExpressionContext,
  expression: Extract<Expression, { kind: 'case' }>,
  source: ExpressionSource,
): Scalar {
  const subject = expression.operand === null ? null : bindExpression(context, expression.operand);
  const branches = expression.branches.map(({ when, result }) => {
    const condition = bindExpression(context, when);
    const test =
      subject === null ? requireBoolean(condition, 'WHEN') : bindComparison('=', subject, condition, condition.source);
    return caseBranch(test, bindExpression(context, result));
  });
  const otherwise =
    expression.otherwise === null
      ? literal(null, { kind: 'NULL' }, source)
      : bindExpression(context, expression.otherwise);
  return makeCase(branches, otherwise, source);
}
