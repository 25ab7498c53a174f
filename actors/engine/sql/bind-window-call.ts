// Binder of one call with OVER: what it becomes of the few functions that are computed over sorted partitions.
//
//   PERCENT_RANK   (RANK - 1) / (rows - 1)        CUME_DIST   rows up to the equals of this one / rows
//   NTILE(k)       of ROW_NUMBER and rows: the first rows % k tiles have one row more
//   aggregates     as over groups (bind-aggregate.ts), each COUNT, SUM, AVG, MIN and MAX in it being a call over the same frame
// `rows` is the number of rows of the partition. What needs all values at once, ARRAY_AGG and what is made of it, and DISTINCT is joined to
// the rows (partition-aggregates.ts, framed-aggregates.ts).
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type AggregateDefinition, findAggregate } from './aggregate-functions.ts';
import type { Expression, WindowExpression } from './ast.ts';
import { bindAggregate } from './bind-aggregate.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { makeCase } from './bind-case.ts';
import { bindComparison } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import type { AggregateCall, ExpressionSource, Scalar, WindowCall } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import type { AggregateSink, ExpressionContext } from './expression-context.ts';
import { SqlInvalidArguments, SqlTypeMismatch, SqlUnknownFunction, SqlUnsupported } from './sql-errors.ts';
import { coerce, commonType, literal } from './type-coercion.ts';
import {
  edges,
  ranks,
  shares,
  skipping,
  type WindowFrame,
  type WindowFunction,
  windowOnly,
} from './window-function.ts';

const bigint: SqlType = { kind: 'BIGINT' };
const double: SqlType = { kind: 'DOUBLE' };

const wholePartition: WindowFrame = { unit: 'range', start: { kind: 'unbounded' }, end: { kind: 'unbounded' } };
const upToEquals: WindowFrame = { unit: 'range', start: { kind: 'unbounded' }, end: { kind: 'current' } };

type Call = WindowExpression['call'];

/** A call before its arguments have places. */
export interface GatheredCall extends Omit<WindowCall, 'operand' | 'filter' | 'fallback'> {
  readonly operand: Scalar | null;
  readonly filter: Scalar | null;
  readonly fallback: Scalar | null;
}

type Base = Omit<GatheredCall, 'function' | 'type' | 'nullable'>;

/** Where calls go: each gives the column of its result. */
export interface WindowCallSink {
  readonly add: (call: GatheredCall) => Scalar;
  /** Of the whole partition, in no order. */
  readonly aggregate: (call: AggregateCall) => Scalar;
  /** Over the frame, for what is not computed row by row. */
  readonly framed: (call: AggregateCall, frame: WindowFrame) => Scalar;
}

/** Binds a call over the window. @throws SqlInvalidArguments, SqlUnsupported, SqlUnknownFunction */
export function bindWindowCall(
  context: ExpressionContext,
  expression: WindowExpression,
  frame: WindowFrame,
  isOrdered: boolean,
  source: ExpressionSource,
  sink: WindowCallSink,
): Scalar {
  const { add } = sink;
  const { call } = expression;
  const { name } = call.name;
  const ignoreNulls = expression.ignoreNulls || call.ignoreNulls === true;
  const refuse = (detail: string): Error =>
    new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  const base = { offset: 0, operand: null, filter: null, fallback: null, ignoreNulls, frame, source };
  const aggregate = findAggregate(name);
  if (!windowOnly.includes(name) && aggregate === undefined) {
    const known = [...windowOnly, 'count', 'sum', 'avg', 'min', 'max'];
    throw new SqlUnknownFunction({ name }, { place: source.place, suggestion: nearestName(name, known) });
  }
  if (ignoreNulls && !skipping.includes(name)) throw refuse('takes no IGNORE NULLS');
  if (aggregate !== undefined) return bindAggregateOver(context, call, aggregate, { ...base, isOrdered }, source, sink);
  if (call.distinct) throw refuse('takes no DISTINCT');
  if (call.filter !== null) throw refuse('takes no FILTER');
  if (call.star) throw refuse('takes no *');
  if ((call.orderBy?.length ?? 0) > 0) throw refuse('takes its ORDER BY in OVER');
  const rank = ranks.find((each) => each === name);
  const share = shares.find((each) => each === name);
  if (!isOrdered && ((rank !== undefined && rank !== 'row_number') || share !== undefined)) {
    throw refuse('needs an ORDER BY in OVER');
  }
  if (rank !== undefined) {
    if (call.arguments.length > 0) throw refuse('takes no arguments');
    return add({ ...base, function: rank, type: bigint, nullable: false });
  }
  if (share === 'ntile') return tiles(context, call, base, refuse, add);
  if (share !== undefined) {
    if (call.arguments.length > 0) throw refuse('takes no arguments');
    return share === 'percent_rank' ? percentRank(base, add) : cumulativeShare(base, add);
  }
  if (name === 'lag' || name === 'lead')
    return add(bindShift(context, call, { ...base, function: name }, refuse, source));
  const [argument, second, more] = call.arguments;
  const edge = edges.find((each) => each === name);
  if (edge !== undefined) {
    if (argument === undefined || second !== undefined) throw refuse('takes one argument');
    const operand = bindExpression(context, argument);
    return add({ ...base, function: edge, operand, type: operand.type, nullable: true });
  }
  const offset = second === undefined || more !== undefined ? null : constantCount(context, second);
  if (argument === undefined || offset === null || offset < 1) {
    throw refuse('takes an expression and the number of a row, a constant from 1');
  }
  const operand = bindExpression(context, argument);
  return add({ ...base, function: 'nth_value', operand, offset, type: operand.type, nullable: true });
}

// ── ranks as parts of the partition ──

function rowsOf(base: Base, add: (call: GatheredCall) => Scalar): Scalar {
  return add({ ...base, function: 'count', frame: wholePartition, type: bigint, nullable: false });
}

function percentRank(base: Base, add: (call: GatheredCall) => Scalar): Scalar {
  const { source } = base;
  const one = literal(1n, bigint, source);
  const rank = add({ ...base, function: 'rank', type: bigint, nullable: false });
  const rows = rowsOf(base, add);
  const asDouble = (scalar: Scalar): Scalar => coerce(bindBinary('-', scalar, one, source), double);
  const alone = caseBranch(bindComparison('<=', rows, one, source), literal(0, double, source));
  return { ...makeCase([alone], bindBinary('/', asDouble(rank), asDouble(rows), source), source), source };
}

function cumulativeShare(base: Base, add: (call: GatheredCall) => Scalar): Scalar {
  const { source } = base;
  const before = add({ ...base, function: 'count', frame: upToEquals, type: bigint, nullable: false });
  return bindBinary('/', coerce(before, double), coerce(rowsOf(base, add), double), source);
}

function tiles(
  context: ExpressionContext,
  call: Call,
  base: Base,
  refuse: (detail: string) => Error,
  add: (call: GatheredCall) => Scalar,
): Scalar {
  const { source } = base;
  const [argument, second] = call.arguments;
  const count = argument === undefined || second !== undefined ? null : constantCount(context, argument);
  if (count === null || count < 1) throw refuse('takes the number of tiles, a constant from 1');
  const number = (value: number): Scalar => literal(BigInt(value), bigint, source);
  const compute = (operator: '+' | '-' | '*' | '/' | '%', a: Scalar, b: Scalar): Scalar =>
    bindBinary(operator, a, b, source);
  const before = compute('-', add({ ...base, function: 'row_number', type: bigint, nullable: false }), number(1));
  const rows = rowsOf(base, add);
  const height = compute('/', rows, number(count));
  const higher = compute('%', rows, number(count));
  const more = compute('+', height, number(1));
  const inHigher = compute('*', higher, more);
  const first = caseBranch(bindComparison('<', before, inHigher, source), compute('/', before, more));
  // Where there are more tiles than rows every row is in one of the higher ones.
  const divisor = makeCase([caseBranch(bindComparison('<', height, number(1), source), number(1))], height, source);
  const rest = compute('+', higher, compute('/', compute('-', before, inHigher), divisor));
  return { ...compute('+', makeCase([first], rest, source), number(1)), source };
}

// ── values of other rows ──

function bindShift(
  context: ExpressionContext,
  call: Call,
  base: Base & { readonly function: 'lag' | 'lead' },
  refuse: (detail: string) => Error,
  source: ExpressionSource,
): GatheredCall {
  const [argument, distance, otherwise, more] = call.arguments;
  if (argument === undefined || more !== undefined) {
    throw refuse('takes an expression, how many rows away, and what stands in where there is none');
  }
  const operand = bindExpression(context, argument);
  const offset = distance === undefined ? 1 : constantCount(context, distance);
  if (offset === null) throw refuse('takes a constant number of rows');
  const given = otherwise === undefined ? null : bindExpression(context, otherwise);
  const type = given === null ? operand.type : commonType(operand.type, given.type);
  if (type === null) {
    const shown = `${formatSqlType(operand.type)} and ${formatSqlType(given?.type ?? operand.type)}`;
    throw new SqlTypeMismatch({ detail: `${source.text}: ${shown} have no common type` }, { place: source.place });
  }
  const fallback = given === null ? null : coerce(given, type);
  const nullable = operand.nullable || fallback === null || fallback.nullable;
  return { ...base, operand: coerce(operand, type), offset, fallback, type, nullable };
}

function constantCount(context: ExpressionContext, expression: Expression): number | null {
  const scalar = bindExpression(context, expression);
  if (scalar.kind !== 'literal') return null;
  const count = Number(scalar.value);
  return scalar.value !== null && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

// ── aggregates ──

function bindAggregateOver(
  context: ExpressionContext,
  call: Call,
  definition: AggregateDefinition,
  { isOrdered, ...base }: Base & { readonly isOrdered: boolean },
  source: ExpressionSource,
  sink: WindowCallSink,
): Scalar {
  const { start, end, unit } = base.frame;
  const isWhole =
    start.kind === 'unbounded' &&
    (end.kind === 'unbounded' || (!isOrdered && end.kind === 'current' && unit !== 'rows'));
  const refuse = (construct: string, instead: string): Error =>
    new SqlUnsupported({ construct, instead }, { place: source.place });
  const name = definition.name.toUpperCase();
  const over: AggregateSink = {
    add: (aggregate: Omit<AggregateCall, 'nullable'>) => {
      const { function: implementation, operand, distinct, filter, type } = aggregate;
      const isGathered = implementation === 'array_agg';
      if (operand?.type.kind === 'NULL') {
        const detail = 'an argument NULL has no type: write CAST(NULL AS INTEGER)';
        throw new SqlInvalidArguments({ function: name, detail }, { place: source.place });
      }
      const isCounted = implementation === 'count' || isGathered;
      if (distinct || isGathered) {
        const whole = { ...aggregate, nullable: !isCounted };
        // In the order of the window, unless it is gathered in that of its values.
        if (isWhole && (distinct || !isOrdered)) return sink.aggregate(whole);
        const isDistance = unit === 'range' && [start, end].some((bound) => bound.kind === 'offset');
        if (!isDistance) return sink.framed(whole, base.frame);
        const construct = `${distinct ? 'DISTINCT in ' : ''}${name} OVER a RANGE with an offset`;
        throw refuse(construct, 'write ROWS or GROUPS, or join the rows with those of the range and group them');
      }
      // SAFETY: the other aggregates are window functions too.
      const function_ = implementation as WindowFunction;
      return sink.add({ ...base, function: function_, operand, filter, type, nullable: implementation !== 'count' });
    },
    grouping: () => {
      throw refuse('GROUPING OVER', 'compute it in a subquery in FROM');
    },
    groupId: () => {
      throw refuse('GROUP_ID OVER', 'compute it in a subquery in FROM');
    },
  };
  // Arguments are those of the rows that the window is over, which may be groups with aggregates of their own.
  return bindAggregate({ ...context, aggregates: over }, call, definition, source, (_, expression) =>
    bindExpression(context, expression),
  );
}
