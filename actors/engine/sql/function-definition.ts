// What a SQL function is: a row of data.
//
// A row has one or more overloads; the binder picks the cheapest one that takes the arguments (function-resolution.ts)
// and casts them to its parameters. The expression compiler asks `evaluatorOf` (functions.ts) for the JavaScript function
// and calls it with scalar values (see ScalarValue in bound.ts). Rows are pure: no clock, no random source, no state.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { ScalarValue } from './scalar-value.ts';

export type Evaluator = (...values: ScalarValue[]) => ScalarValue;

/**
 * What a parameter takes.
 *   string text   CHAR or VARCHAR; scalars of other types are cast to VARCHAR
 *   characters CHAR or VARCHAR, nothing else is cast to it
 *   integer    TINYINT to BIGINT, as it is        INT BIGINT cast from any integer
 *   exact      DECIMAL, nothing else is cast to it    float DOUBLE, nothing else is cast to it
 *   decimal    DECIMAL, as it is; a text that spells a number                  real double  REAL, or DOUBLE cast from any number
 *   day        DATE; a text that spells one
 *   boolean date time timestamp months micros uuid variant binary   that type (months, micros: the two INTERVALs)
 *   array map         an ARRAY or MAP, as it is
 *   arrays     ARRAY; all `arrays` arguments are cast to their common type    texts  an ARRAY of what is cast to VARCHAR
 *   maps       MAP; all `maps` arguments are cast to their common type
 *   element    cast to the type of the elements of the ARRAY, or of the keys of the MAP, that is the first argument
 *   common     any type; all `common` arguments are cast to their common type
 *   any        any type, as it is                 unit       a time unit, given as a VARCHAR literal such as 'month'
 */
export type ParameterClass =
  | 'string'
  | 'characters'
  | 'text'
  | 'integer'
  | 'INT'
  | 'BIGINT'
  | 'decimal'
  | 'exact'
  | 'float'
  | 'real'
  | 'double'
  | 'boolean'
  | 'date'
  | 'day'
  | 'time'
  | 'timestamp'
  | 'months'
  | 'micros'
  | 'uuid'
  | 'variant'
  | 'binary'
  | 'array'
  | 'map'
  | 'arrays'
  | 'maps'
  | 'texts'
  | 'element'
  | 'common'
  | 'any'
  | 'unit';

/** What is known of a call before any row is seen. */
export interface CallShape {
  readonly argumentTypes: readonly SqlType[];
  readonly resultType: SqlType;
  /** The value of each argument that is a literal, undefined for the others. */
  readonly constants: readonly (ScalarValue | undefined)[];
}

export interface FunctionOverload {
  readonly parameters: readonly ParameterClass[];
  /** How many of the last parameters may be left out. */
  readonly optional?: number;
  /** The last parameter may be repeated. */
  readonly variadic?: boolean;
  /** The type of the result for the (cast) argument types. */
  readonly result: (argumentTypes: readonly SqlType[]) => SqlType;
  /** A NULL argument gives NULL, and `evaluate` is never called with one. */
  readonly strict: boolean;
  /** The result may be NULL although no argument is. */
  readonly nullable?: boolean;
  /** `evaluate` may throw an evaluation error. */
  readonly canFail: boolean;
  readonly evaluate: Evaluator;
  /** Makes an evaluator that knows types and constants (scales, compiled patterns). Goes before `evaluate`. */
  readonly prepare?: (shape: CallShape) => Evaluator;
}

export type FunctionCategory =
  | 'string'
  | 'numeric'
  | 'temporal'
  | 'binary'
  | 'comparison'
  | 'json'
  | 'array'
  | 'operator';

export interface FunctionDefinition {
  /** Lower case. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly synopsis: string;
  readonly category: FunctionCategory;
  readonly summary: string;
  /** An expression and its value as SQL text. */
  readonly example: readonly [expression: string, result: string];
  readonly deterministic: boolean;
  readonly overloads: readonly FunctionOverload[];
}
