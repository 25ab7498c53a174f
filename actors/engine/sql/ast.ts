// Syntax of SQL: what the grammar makes of tokens, before any name is resolved.
//
// Nodes are immutable plain data with a span into the text. Sugar is kept as it was written (BETWEEN, IN, COALESCE …);
// the binder gives it meaning. What is recognised only to be refused is one node: `unsupported`.
import type { Span } from './span.ts';

/** A name as written: unquoted ones are folded to lower case. */
export interface Identifier {
  readonly name: string;
  readonly quoted: boolean;
  readonly span: Span;
}

/** A column that a star leaves out: a, or t.a. */
export interface ExcludedColumn extends Identifier {
  readonly table: string | null;
}

/** The name of a type with its parameters, such as DECIMAL(10, 2). */
export interface TypeName {
  /** Lower case, words joined by one blank. */
  readonly name: string;
  readonly parameters: readonly number[];
  /** MAP<key, value>: both; ROW(name type, …): the fields with their names. */
  readonly parts: readonly TypePart[];
  /** How often ARRAY stands behind it. */
  readonly arrays: number;
  readonly span: Span;
}

export interface TypePart {
  readonly name: Identifier | null;
  readonly type: TypeName;
  /** Fields: NULL or NOT NULL behind the type; in ROW(…) the second goes without saying, in CREATE TYPE the first. */
  readonly nullable?: boolean;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | '<=>'
  | 'and'
  | 'or';

export type TruthTest = 'null' | 'true' | 'false' | 'unknown';

/** Another spelling of a function call keeps its grammar here; `arguments` are in the order of the function's parameters. */
export type Expression =
  | { readonly kind: 'name'; readonly path: readonly Identifier[]; readonly span: Span }
  | { readonly kind: 'number'; readonly text: string; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'binary literal'; readonly hex: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'null'; readonly span: Span }
  | {
      readonly kind: 'typed literal';
      readonly type: TemporalKeyword;
      /** TIMESTAMP WITH TIME ZONE. */
      readonly zoned: boolean;
      readonly text: string;
      readonly span: Span;
    }
  /** (start, end) OVERLAPS (start, end) and its like. */
  | {
      readonly kind: 'period';
      readonly operator: PeriodOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'interval';
      readonly negative: boolean;
      readonly text: string;
      readonly from: Identifier;
      readonly to: Identifier | null;
      readonly span: Span;
    }
  | { readonly kind: 'negate'; readonly operand: Expression; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Expression; readonly span: Span }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'is';
      readonly operand: Expression;
      readonly test: TruthTest;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'is distinct';
      readonly left: Expression;
      readonly right: Expression;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly symmetric: boolean;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly values: readonly Expression[];
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'in query';
      readonly operand: Expression;
      readonly query: Query;
      readonly negated: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'exists'; readonly query: Query; readonly span: Span }
  /** operand < ANY (query), operand < ALL (query). */
  | {
      readonly kind: 'quantified';
      readonly operand: Expression;
      readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>=';
      readonly all: boolean;
      readonly query: Query;
      readonly span: Span;
    }
  | WindowExpression
  /** A query in parentheses, as a value. */
  | { readonly kind: 'scalar query'; readonly query: Query; readonly span: Span }
  /** ARRAY(SELECT …), MAP(SELECT key, value …). */
  | {
      readonly kind: 'collection query';
      readonly collection: 'array' | 'map';
      readonly query: Query;
      readonly span: Span;
    }
  /** ORDER BY ALL. */
  | { readonly kind: 'every column'; readonly span: Span }
  | {
      readonly kind: 'like';
      readonly function: 'like' | 'ilike' | 'rlike' | 'similar_to';
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | null;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'case';
      readonly operand: Expression | null;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: TypeName;
      readonly safe: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'extract'; readonly unit: Identifier; readonly operand: Expression; readonly span: Span }
  | { readonly kind: 'element'; readonly operand: Expression; readonly index: Expression; readonly span: Span }
  /** INTERVAL x UNIT of something that is no literal: a text or a number of units. */
  | {
      readonly kind: 'interval value';
      readonly operand: Expression;
      readonly negative: boolean;
      readonly from: Identifier;
      readonly to: Identifier | null;
      readonly span: Span;
    }
  /** (a - b) UNIT: the difference as an interval of months or of microseconds. */
  | {
      readonly kind: 'difference';
      readonly operand: Expression;
      readonly from: Identifier;
      readonly to: Identifier | null;
      readonly span: Span;
    }
  | {
      /** t.* or * EXCLUDE (a), as an argument of ROW. */
      readonly kind: 'columns';
      readonly table: Identifier | null;
      readonly exclude: readonly ExcludedColumn[];
      readonly span: Span;
    }
  | {
      /** x -> body, (x, y) -> body, as an argument of a call. */
      readonly kind: 'lambda';
      readonly parameters: readonly Identifier[];
      readonly body: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'call';
      readonly name: Identifier;
      readonly arguments: readonly Expression[];
      /** f(*), as in COUNT(*). */
      readonly star: boolean;
      readonly distinct: boolean;
      /** FLOOR(x TO unit). */
      readonly unit: Identifier | null;
      /** f(x IGNORE NULLS). */
      readonly ignoreNulls?: boolean;
      /** f(x ORDER BY …), f(x) WITHIN GROUP (ORDER BY …). */
      readonly orderBy?: readonly OrderItem[];
      readonly filter: Expression | null;
      readonly span: Span;
    }
  | UnsupportedExpression;

export interface FrameBoundary {
  readonly kind: 'unbounded preceding' | 'preceding' | 'current row' | 'following' | 'unbounded following';
  readonly offset: Expression | null;
  readonly span: Span;
}

export interface FrameClause {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBoundary;
  readonly end: FrameBoundary | null;
  readonly span: Span;
}

export interface WindowSpecification {
  /** The window of WINDOW that this one goes on from. */
  readonly base?: Identifier;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: FrameClause | null;
  readonly span: Span;
}

/** call OVER (…), call OVER name. */
export interface WindowExpression {
  readonly kind: 'window';
  readonly call: Extract<Expression, { kind: 'call' }>;
  readonly ignoreNulls: boolean;
  readonly over: WindowSpecification | Identifier;
  readonly span: Span;
}

export interface UnsupportedExpression {
  readonly kind: 'unsupported';
  readonly construct: string;
  readonly instead: string;
  readonly span: Span;
}

export type PeriodOperator =
  | 'contains'
  | 'equals'
  | 'overlaps'
  | 'precedes'
  | 'succeeds'
  | 'immediately precedes'
  | 'immediately succeeds';

export type TemporalKeyword = 'DATE' | 'TIME' | 'TIMESTAMP';

// ── queries ──

export type SelectItem =
  | {
      readonly kind: 'star';
      readonly table: Identifier | null;
      /** * EXCLUDE (a, b), which is also spelled EXCEPT. */
      readonly exclude?: readonly ExcludedColumn[];
      /** * REPLACE (x AS a). */
      readonly replace?: readonly { readonly name: Identifier; readonly expression: Expression }[];
      readonly span: Span;
    }
  | { readonly kind: 'item'; readonly expression: Expression; readonly alias: Identifier | null; readonly span: Span };

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'cross' | 'semi' | 'anti';

export type TableExpression =
  | {
      readonly kind: 'table';
      readonly name: Identifier;
      readonly alias: TableAlias | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'subquery';
      readonly query: Query;
      readonly lateral: boolean;
      readonly alias: TableAlias | null;
      readonly span: Span;
    }
  /** UNNEST(array, …) [WITH ORDINALITY]. */
  | {
      readonly kind: 'unnest';
      readonly operands: readonly Expression[];
      readonly ordinality: boolean;
      readonly alias: TableAlias | null;
      readonly span: Span;
    }
  /** TABLE(TUMBLE(…)), TABLE(HOP(…)). */
  | {
      readonly kind: 'window table';
      readonly function: Identifier;
      readonly table: TableExpression;
      /** DESCRIPTOR(time); null: there is none. */
      readonly column: Identifier | null;
      /** SESSION: DESCRIPTOR(key, …). */
      readonly keys: readonly Identifier[];
      readonly sizes: readonly Expression[];
      readonly alias: TableAlias | null;
      readonly span: Span;
    }
  | Pivot
  | Unpivot
  | {
      readonly kind: 'join';
      readonly type: JoinKind;
      readonly natural: boolean;
      /** ASOF JOIN … MATCH_CONDITION (…). */
      readonly match: Expression | null;
      /** The word ASOF stands before JOIN. */
      readonly asof: boolean;
      readonly left: TableExpression;
      readonly right: TableExpression;
      readonly on: Expression | null;
      readonly using: readonly Identifier[] | null;
      /** The words of the join itself, such as `RIGHT JOIN`. */
      readonly wordsSpan: Span;
      readonly span: Span;
    };

/** PIVOT (SUM(x) AS a, … FOR (c, …) IN ((1, …) AS b, …)). */
export interface Pivot {
  readonly kind: 'pivot';
  readonly table: TableExpression;
  readonly aggregates: readonly { readonly call: Expression; readonly alias: Identifier | null }[];
  readonly axes: readonly Identifier[];
  readonly values: readonly {
    readonly parts: readonly Expression[];
    readonly alias: Identifier | null;
    readonly span: Span;
  }[];
  readonly alias: TableAlias | null;
  readonly span: Span;
}

/** UNPIVOT [INCLUDING NULLS] ((m, …) FOR (a, …) IN ((c, …) AS (1, …), …)). */
export interface Unpivot {
  readonly kind: 'unpivot';
  readonly table: TableExpression;
  readonly keepsNulls: boolean;
  readonly measures: readonly Identifier[];
  readonly axes: readonly Identifier[];
  readonly values: readonly {
    readonly columns: readonly Identifier[];
    readonly labels: readonly Expression[] | null;
  }[];
  readonly alias: TableAlias | null;
  readonly span: Span;
}

export interface TableAlias {
  readonly name: Identifier;
  readonly columns: readonly Identifier[] | null;
}

export interface Select {
  readonly kind: 'select';
  readonly distinct: boolean;
  /** DISTINCT ON (x, …). */
  readonly distinctOn?: readonly Expression[];
  readonly items: readonly SelectItem[];
  readonly from: TableExpression | null;
  readonly where: Expression | null;
  /** GROUP BY ALL: by every item of the list that has no aggregate; `groupBy` is empty. */
  readonly groupAll?: boolean;
  /** null: no GROUP BY. Empty: GROUP BY (). */
  readonly groupBy: readonly Expression[] | null;
  /** GROUPING SETS, ROLLUP and CUBE: which of the groups each set has; null: one set of all. */
  readonly groupingSets: readonly (readonly number[])[] | null;
  readonly having: Expression | null;
  readonly qualify: Expression | null;
  /** WINDOW name AS (…). */
  readonly windows: readonly { readonly name: Identifier; readonly window: WindowSpecification }[];
  readonly span: Span;
}

export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
  readonly span: Span;
}

/** EXCEPT and INTERSECT. */
export interface Difference {
  readonly kind: 'except' | 'intersect';
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
  readonly operatorSpan: Span;
  readonly span: Span;
}

export interface Union {
  readonly kind: 'union';
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
  readonly operatorSpan: Span;
  readonly span: Span;
}

/** A query in parentheses may have an ORDER BY and a LIMIT of its own. */
export type QueryBody = Select | Values | Union | Difference | Query;

export interface OrderItem {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean | null;
}

export interface CommonTable {
  readonly name: Identifier;
  readonly columns: readonly Identifier[] | null;
  readonly query: Query;
}

export interface Query {
  readonly kind: 'query';
  /** WITH RECURSIVE. */
  readonly recursive?: boolean;
  readonly with: readonly CommonTable[];
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expression | null;
  readonly offset: Expression | null;
  readonly span: Span;
}
