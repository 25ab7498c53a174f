// Aggregate functions: which there are, and the types of their results.
//
//   COUNT   BIGINT, never NULL
//   SUM     of integers the type of the argument, with a sign or without; of DECIMAL(p, s) DECIMAL(38, s); of REAL and DOUBLE their own type.
//           Overflow is an error
//   AVG     the type of the argument, cut toward zero for integers and DECIMAL
//   MIN MAX the type of the argument
// NULL arguments are skipped; without any other the result is NULL (COUNT: 0). EVERY and SOME are MIN and MAX of BOOLEAN,
// COUNTIF(c) is COUNT(*) FILTER (WHERE c).
import { decimalPrecisionMax, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { AggregateFunction } from './bound.ts';
import { isInteger, isNumeric, isUnsigned } from './numeric-types.ts';

export interface AggregateDefinition {
  /** Lower case. */
  readonly name: string;
  readonly synopsis: string;
  readonly summary: string;
  readonly function: AggregateFunction;
  readonly takes: AggregateArguments;
}

/** bits: integers or bytes; deviation: a number; pair: two of them; text: texts, and what stands between them. */
export type AggregateArguments =
  | 'anything'
  | 'number'
  | 'boolean'
  | 'condition'
  | 'value and order'
  | 'bits'
  | 'deviation'
  | 'pair'
  | 'mode'
  | 'text';

type Row = readonly [
  synopsis: string,
  summary: string,
  implementation: AggregateFunction,
  takes: AggregateArguments,
  /** Other names; the first of the synopsis is the name itself. */
  ...aliases: string[],
];

const rows: readonly Row[] = [
  ['COUNT(*), COUNT([DISTINCT] x, …)', 'Number of rows, or of those in which no x is NULL.', 'count', 'anything'],
  ['COUNTIF([DISTINCT] condition)', 'Number of rows for which the condition is true.', 'count', 'condition'],
  ['SUM([DISTINCT] x)', 'Sum of the values.', 'sum', 'number'],
  ['AVG([DISTINCT] x)', 'Mean of the values, in the type of the argument.', 'avg', 'number'],
  ['MIN(x)', 'Smallest value.', 'min', 'anything'],
  ['MAX(x)', 'Largest value.', 'max', 'anything'],
  ['ARG_MAX(x, y)', 'The x of the row with the greatest y, of several the greatest.', 'max', 'value and order'],
  ['ARG_MIN(x, y)', 'The x of the row with the smallest y, of several the smallest.', 'min', 'value and order'],
  [
    'ARRAY_AGG([DISTINCT] x [ORDER BY …])',
    'Array of all values, NULLs too; without ORDER BY in no order that may be relied on.',
    'array_agg',
    'anything',
  ],
  ['MODE(x)', 'The most frequent value, of several the smallest.', 'array_agg', 'mode'],
  ['BIT_AND([DISTINCT] x)', 'AND of the bits of integers or bytes.', 'array_agg', 'bits'],
  ['BIT_OR([DISTINCT] x)', 'OR of the bits of integers or bytes.', 'array_agg', 'bits'],
  ['BIT_XOR([DISTINCT] x)', 'Exclusive OR of the bits of integers or bytes.', 'array_agg', 'bits'],
  [
    'STDDEV_SAMP([DISTINCT] x)',
    'Standard deviation of a sample; NULL of fewer than two values.',
    'sum',
    'deviation',
    'stddev',
  ],
  ['STDDEV_POP([DISTINCT] x)', 'Standard deviation of a whole population.', 'sum', 'deviation'],
  ['VAR_SAMP([DISTINCT] x)', 'Variance of a sample; NULL of fewer than two values.', 'sum', 'deviation', 'variance'],
  ['VAR_POP([DISTINCT] x)', 'Variance of a whole population.', 'sum', 'deviation'],
  ['COVAR_SAMP(y, x)', 'Covariance of a sample of pairs; NULL of fewer than two.', 'sum', 'pair'],
  ['COVAR_POP(y, x)', 'Covariance of a whole population of pairs.', 'sum', 'pair'],
  ['REGR_COUNT(y, x)', 'Number of pairs in which nothing is NULL.', 'count', 'pair'],
  ['REGR_SXX(y, x)', 'Sum of the squares by which x differs from its mean, over such pairs.', 'sum', 'pair'],
  ['REGR_SYY(y, x)', 'Sum of the squares by which y differs from its mean, over such pairs.', 'sum', 'pair'],
  [
    'STRING_AGG([DISTINCT] x [, separator] [ORDER BY …])',
    'The texts one behind the other, with a comma or another separator between them; without ORDER BY in no order that may be relied on.',
    'array_agg',
    'text',
    'listagg',
  ],
  ['EVERY(condition)', 'Whether the condition is true for all rows.', 'min', 'boolean', 'bool_and', 'logical_and'],
  ['SOME(condition)', 'Whether it is true for at least one row.', 'max', 'boolean', 'bool_or', 'logical_or'],
];

export const aggregateFunctions: readonly AggregateDefinition[] = rows.flatMap(
  ([synopsis, summary, implementation, takes, ...aliases]) => {
    const name = synopsis.slice(0, synopsis.indexOf('('));
    const definition = { name: name.toLowerCase(), synopsis, summary, function: implementation, takes };
    const others = aliases.map((alias) => ({
      ...definition,
      name: alias,
      synopsis: synopsis.replaceAll(name, alias.toUpperCase()),
      summary: `The same as ${name}.`,
    }));
    return [definition, ...others];
  },
);

const byName: ReadonlyMap<string, AggregateDefinition> = new Map(aggregateFunctions.map((each) => [each.name, each]));

export function findAggregate(name: string): AggregateDefinition | undefined {
  return byName.get(name);
}

/** Aggregates of other engines, and what can be written here. */
export const refusedAggregates: Readonly<Record<string, string>> = {
  any_value: 'use MIN or MAX',
  median: 'take the middle of ARRAY_AGG(x ORDER BY x)',
  percentile_cont: 'take an element of ARRAY_AGG(x ORDER BY x)',
  percentile_disc: 'take an element of ARRAY_AGG(x ORDER BY x)',
  group_concat: 'use STRING_AGG',
  approx_count_distinct: 'use COUNT(DISTINCT x)',
  corr: 'divide COVAR_POP by the deviations',
  collect: 'use ARRAY_AGG',
};

/** The type of an aggregate over an argument of this type, or null when it takes no such argument. */
export function aggregateType(definition: AggregateDefinition, argument: SqlType): SqlType | null {
  if (definition.function === 'count') return { kind: 'BIGINT' };
  if (definition.takes === 'boolean') return argument.kind === 'BOOLEAN' ? argument : null;
  if (definition.takes === 'anything' || definition.takes === 'value and order') return argument;
  if (argument.kind === 'NULL') return { kind: 'BIGINT' };
  if (!isNumeric(argument)) return null;
  if (isInteger(argument) || isUnsigned(argument)) return argument;
  if (argument.kind === 'DECIMAL' && definition.function === 'sum') {
    return { kind: 'DECIMAL', precision: decimalPrecisionMax, scale: argument.scale };
  }
  return argument;
}
