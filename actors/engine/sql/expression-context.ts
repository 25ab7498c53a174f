// What an expression is bound in: columns in scope, aliases, and whether aggregates may stand here.
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression, Query, WindowExpression } from './ast.ts';
import type { AggregateCall, ExpressionSource, Scalar } from './bound.ts';
import type { OuterColumns } from './outer-columns.ts';
import type { Scope } from './scope.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { boolean } from './type-coercion.ts';

/** Gathers the aggregates of one SELECT; equal ones are computed once. */
export interface AggregateSink {
  /** The column that stands for the aggregate. */
  add(call: Omit<AggregateCall, 'nullable'>): Scalar;
  /** GROUPING(x, …): which of the groups are left out of the row's grouping set, one bit each. */
  grouping(groups: readonly Scalar[], source: ExpressionSource): Scalar;
  /** GROUP_ID(): how many equal grouping sets stand before that of the row. */
  groupId(source: ExpressionSource): Scalar;
}

/** Joins subqueries to the rows that an expression is computed over. */
export interface SubquerySink {
  /** The column that stands for the value of a query. */
  scalar(context: ExpressionContext, query: Query, source: ExpressionSource): Scalar;
  /** operand [NOT] IN (query). */
  contains(
    context: ExpressionContext,
    operand: Scalar,
    query: Query,
    negated: boolean,
    source: ExpressionSource,
  ): Scalar;
  /** ARRAY(query), MAP(query). */
  collection(context: ExpressionContext, query: Query, collection: 'array' | 'map', source: ExpressionSource): Scalar;
  exists(context: ExpressionContext, query: Query, source: ExpressionSource): Scalar;
  /** operand < ANY (query), operand < ALL (query). */
  compares(context: ExpressionContext, comparison: QuantifiedComparison, source: ExpressionSource): Scalar;
}

export interface QuantifiedComparison {
  readonly operand: Scalar;
  readonly operator: ComparisonOperator;
  readonly all: boolean;
  readonly query: Query;
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** Gathers the window functions of one SELECT. */
export interface WindowSink {
  /** The column that stands for the result. */
  add(context: ExpressionContext, expression: WindowExpression, source: ExpressionSource): Scalar;
}

export interface HopColumn {
  readonly start: Scalar;
  readonly size: Scalar;
}

export interface ExpressionContext {
  readonly source: SqlText;
  readonly scope: Scope;
  /** null: an aggregate may not stand here. */
  readonly aggregates: AggregateSink | null;
  /** The clause, for messages: `WHERE`. */
  readonly clause: string;
  /** Expressions by the names that SELECT gives them; they are tried after columns. */
  readonly aliases: ReadonlyMap<string, Expression> | null;
  /** Absent: a subquery may not stand here. */
  readonly subqueries?: SubquerySink | undefined;
  /** The same for what stands inside an aggregate, which is computed over other rows. */
  readonly innerSubqueries?: SubquerySink | undefined;
  /** Absent: a window function may not stand here. */
  readonly windows?: WindowSink | undefined;
  /** Where GROUP BY HOP(…) has put the start of the windows; absent: there is none. */
  readonly hop?: HopColumn | undefined;
  /** Columns of the query around; absent: there is none. */
  readonly outer?: OuterColumns | undefined;
}

/** The context of what stands inside an aggregate. */
export function insideAggregate(context: ExpressionContext): ExpressionContext {
  const { innerSubqueries } = context;
  return { ...context, aggregates: null, clause: 'an aggregate', windows: undefined, subqueries: innerSubqueries };
}

/** The binder of any expression, handed to the binders of its parts. */
export type Bind = (context: ExpressionContext, expression: Expression) => Scalar;

/** A condition: BOOLEAN, or NULL. @throws SqlTypeMismatch */
export function requireBoolean(scalar: Scalar, clause: string): Scalar {
  if (scalar.type.kind === 'BOOLEAN') return scalar;
  if (scalar.type.kind === 'NULL') return { ...scalar, type: boolean };
  const detail = `${clause} takes a BOOLEAN, ${scalar.source.text} is ${formatSqlType(scalar.type)}`;
  throw new SqlTypeMismatch({ detail }, { place: scalar.source.place });
}
