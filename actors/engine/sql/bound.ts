// The bound program: what the binder makes of SQL text, and the only thing that plan/ knows of SQL.
//
// Names are resolved to relations and ordinals, every expression has a type and says whether it can be NULL, every
// coercion is an explicit cast. Nodes are immutable plain data (they can be printed and compared).
// Not here: syntax (ast.ts), how anything is computed (plan/).

import type { Relation, Schema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Place } from '../../../runtime/errors.ts';
import type { Lateness } from './lateness.ts';
import type { ScalarValue } from './scalar-value.ts';
import type { UserFunction } from './user-function.ts';
import type { WindowFrame, WindowFunction } from './window-function.ts';

// ── scalar expressions ──

/** Where an expression stands in the SQL text (line and column count from 1) and how it reads. */
export interface ExpressionSource {
  readonly place: Place;
  readonly text: string;
}

interface ScalarBase {
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly source: ExpressionSource;
}

/** Operators that the expression compiler inlines. Operands have been cast to a common type by the binder. */
export type ScalarOperator =
  // Arithmetic on two operands of one type; for DECIMAL see `DecimalRule` in sql/numeric-types.ts.
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | 'negate'
  // Comparison of two operands of one type; BOOLEAN result.
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'is distinct from'
  | 'is not distinct from'
  // Three-valued logic.
  | 'and'
  | 'or'
  | 'not'
  | 'is null'
  | 'is not null'
  | 'is true'
  | 'is not true'
  | 'is false'
  | 'is not false';

export interface ColumnReference extends ScalarBase {
  readonly kind: 'column';
  readonly ordinal: number;
}
export interface Literal extends ScalarBase {
  readonly kind: 'literal';
  readonly value: ScalarValue;
}
export interface OperatorCall extends ScalarBase {
  readonly kind: 'operator';
  readonly operator: ScalarOperator;
  readonly operands: readonly Scalar[];
}
/** A row of sql/functions.ts; arguments have been cast to the types of the chosen overload. */
export interface FunctionCall extends ScalarBase {
  readonly kind: 'function';
  readonly name: string;
  /** Position of the chosen overload in the function's row. */
  readonly overload: number;
  readonly operands: readonly Scalar[];
  /** TRANSFORM and ARRAY_EXISTS: what is computed for each element, see bind-lambda.ts. */
  readonly lambda?: Scalar;
  /** A function or aggregate of the user's; the same object as in the list of the program. */
  readonly user?: UserFunction;
}
export interface CaseExpression extends ScalarBase {
  readonly kind: 'case';
  readonly branches: readonly { readonly when: Scalar; readonly then: Scalar }[];
  readonly otherwise: Scalar;
}
/** `safe`: NULL instead of an error. */
export interface CastExpression extends ScalarBase {
  readonly kind: 'cast';
  readonly operand: Scalar;
  readonly safe: boolean;
}
/** `operand IN (literal, …)` with more than a few literals of the operand's type; NULL literals are kept. */
export interface InList extends ScalarBase {
  readonly kind: 'in list';
  readonly operand: Scalar;
  readonly values: readonly ScalarValue[];
}
export type Scalar = ColumnReference | Literal | OperatorCall | FunctionCall | CaseExpression | CastExpression | InList;

// ── relational expressions ──

export type AggregateFunction = 'count' | 'sum' | 'min' | 'max' | 'avg' | 'array_agg';

export interface AggregateCall {
  readonly function: AggregateFunction;
  /** null: COUNT(*). */
  readonly operand: Scalar | null;
  readonly distinct: boolean;
  /** FILTER (WHERE …). */
  readonly filter: Scalar | null;
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly source: ExpressionSource;
}

export interface SortKey {
  readonly ordinal: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Operands are ordinals of the input. */
export interface WindowCall {
  readonly function: WindowFunction;
  readonly operand: number | null;
  /** BOOLEAN: only rows for which it is true count. */
  readonly filter: number | null;
  /** LAG and LEAD: how many rows away (LAG: before), and what stands in where there is no such row. NTH_VALUE: which row, from 1. */
  readonly offset: number;
  readonly fallback: number | null;
  readonly ignoreNulls: boolean;
  readonly frame: WindowFrame;
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly source: ExpressionSource;
}

/** Only rows are wanted whose number or rank, as the call gives it, is at most `most`. */
export interface RankLimit {
  readonly call: number;
  readonly most: number;
}

/** Every node carries the schema of its output. Expressions inside refer to the ordinals of the node's input(s). */
export type Rel =
  | { readonly kind: 'scan'; readonly relation: string; readonly schema: Schema }
  | { readonly kind: 'values'; readonly rows: readonly (readonly Scalar[])[]; readonly schema: Schema }
  | { readonly kind: 'filter'; readonly input: Rel; readonly predicate: Scalar; readonly schema: Schema }
  | { readonly kind: 'project'; readonly input: Rel; readonly columns: readonly Scalar[]; readonly schema: Schema }
  /** Output: left fields, then right fields. `condition` ordinals run over both. Keys are found by plan/. */
  | {
      readonly kind: 'join';
      readonly type: 'inner' | 'left';
      readonly left: Rel;
      readonly right: Rel;
      readonly condition: Scalar;
      readonly schema: Schema;
    }
  /** Output: the groups, then the aggregates. No groups: exactly one row, also over no input. */
  | {
      readonly kind: 'aggregate';
      readonly input: Rel;
      readonly groups: readonly Scalar[];
      readonly aggregates: readonly AggregateCall[];
      readonly schema: Schema;
    }
  | { readonly kind: 'distinct'; readonly input: Rel; readonly schema: Schema }
  /** Each row as often as its last column says (BIGINT, not NULL), without that column. */
  | { readonly kind: 'repeat'; readonly input: Rel; readonly schema: Schema }
  /** Output: the input, then a column for each call. Rows of a partition are sorted by `order`, ties by all columns. */
  | {
      readonly kind: 'window';
      readonly input: Rel;
      readonly partition: readonly number[];
      readonly order: readonly SortKey[];
      readonly calls: readonly WindowCall[];
      readonly limit: RankLimit | null;
      readonly schema: Schema;
    }
  /**
   * Each row as often as its last column says (INTEGER or BIGINT; NULL: never), with 1, 2, … in its place (BIGINT). `outer`: a
   * row that would vanish stands once, with NULL.
   */
  | { readonly kind: 'explode'; readonly input: Rel; readonly outer: boolean; readonly schema: Schema }
  /**
   * Output: left fields, then right fields. Each left row with the right row of equal keys that has the greatest `rightOrder` not
   * above its `leftOrder` (of several the last one by all columns), or with NULLs.
   */
  | {
      readonly kind: 'asof';
      readonly left: Rel;
      readonly right: Rel;
      readonly keys: readonly (readonly [left: number, right: number])[];
      readonly leftOrder: number;
      readonly rightOrder: number;
      readonly schema: Schema;
    }
  /**
   * The rows of body `main` when all bodies have reached a fixpoint. Bodies scan one another by their names, and relations of the
   * program; what they give counts once, however often. `all`: it counts as often as it is derived, and the one body is linear.
   */
  | {
      readonly kind: 'fixpoint';
      readonly all: boolean;
      readonly bodies: readonly { readonly name: string; readonly query: Rel }[];
      readonly main: string;
      readonly schema: Schema;
    }
  /** UNION ALL; UNION is a distinct over it. */
  | { readonly kind: 'union'; readonly inputs: readonly Rel[]; readonly schema: Schema }
  /** ORDER BY … LIMIT … OFFSET; ties are broken by the remaining columns. limit null: OFFSET alone. */
  | {
      readonly kind: 'top';
      readonly input: Rel;
      readonly keys: readonly SortKey[];
      readonly limit: number | null;
      readonly offset: number;
      readonly schema: Schema;
    };

// ── statements ──

/** A connector declared in `WITH ('connectors' = '[…]')`: its JSON, and where the literal stands. */
export interface DeclaredConnectors {
  readonly json: string;
  readonly place: Place;
}

export interface TableDefinition {
  readonly relation: Relation;
  /** One for each field; null: no DEFAULT. Constant expressions of the field's type. */
  readonly defaults: readonly (Scalar | null)[];
  /**
   * One for each field: the LATENESS of the column; null: none. Absent: no column has one. A row that lies further behind the greatest value
   * of earlier steps is dropped.
   */
  readonly lateness?: readonly (Lateness | null)[];
  /** A row counts when one has come whose column is greater by `delay`, in the units in which it is stored. Absent: at once. */
  readonly watermark?: { readonly ordinal: number; readonly delay: number | bigint };
  readonly connectors: DeclaredConnectors | null;
  readonly materialized: boolean;
  readonly appendOnly: boolean;
  readonly source: ExpressionSource;
}

/** What is below `value`, an expression of the columns of a table in which only its watermarks stand, will not change any more. */
export interface Watermark {
  readonly table: string;
  readonly value: Scalar;
}

/** Only rows are emitted whose column lies below all of the watermarks. */
export interface EmitFinal {
  readonly ordinal: number;
  readonly watermarks: readonly Watermark[];
}

export interface ViewDefinition {
  readonly relation: Relation;
  readonly kind: 'view' | 'materialized' | 'local';
  readonly query: Rel;
  /** ORDER BY without LIMIT at the top of the query: how a person wants it shown. Empty otherwise. */
  readonly displayOrder: readonly SortKey[];
  readonly connectors: DeclaredConnectors | null;
  /** As of tables: LATENESS view.column. Changes of rows that lie further behind are dropped. */
  readonly lateness?: readonly (Lateness | null)[];
  /** Absent: the view emits every change. */
  readonly emitFinal?: EmitFinal;
  readonly source: ExpressionSource;
}

/** Columns of a relation that connectors may take for its key. */
export interface IndexDefinition {
  readonly name: string;
  readonly relation: string;
  /** Ordinals. */
  readonly columns: readonly number[];
}

/** Views stand after everything that they read. */
export interface BoundProgram {
  readonly tables: readonly TableDefinition[];
  readonly views: readonly ViewDefinition[];
  /** Present when a view says NOW(): a table of one row that is fed with ticks (clock.ts). */
  readonly clock?: Relation;
  /** What CREATE INDEX names. */
  readonly indexes?: readonly IndexDefinition[];
  /** Those of the user's that there are, whether they are called or not. */
  readonly functions?: readonly UserFunction[];
  /** The statements that declare types and functions, which ad-hoc statements may name as well. Absent: there are none. */
  readonly declarations?: string;
}

/** An ad-hoc query over relations of a program, with the order in which its rows are to be shown. */
export interface BoundQuery {
  /** EXPLAIN: its plan is wanted, or (then there is no query) the circuit of the program with what it has cost. */
  readonly explains?: 'query' | 'program';
  readonly query: Rel;
  readonly displayOrder: readonly SortKey[];
  readonly functions?: readonly UserFunction[];
}
