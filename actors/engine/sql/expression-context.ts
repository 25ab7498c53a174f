// What an expression is bound in: columns in scope, aliases, and whether aggregates may stand here.
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression, Query } from './ast.ts';
import type { AggregateCall, ExpressionSource, Scalar } from './bound.ts';
import type { Scope } from './scope.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { boolean } from './type-coercion.ts';

/** Gathers the aggregates of one SELECT; equal ones are computed once. */
export interface AggregateSink {
  /** The column that stands for the aggregate. */
  add(call: Omit<AggregateCall, 'nullable'>): Scalar;
}

/** Joins subqueries to the rows that an expression is computed over. */
export interface SubquerySink {
  /** The column that stands for the value of a query. */
  scalar(query: Query, source: ExpressionSource): Scalar;
  /** operand [NOT] IN (query). */
  contains(operand: Scalar, query: Query, negated: boolean, source: ExpressionSource): Scalar;
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
  readonly subqueries?: SubquerySink;
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
