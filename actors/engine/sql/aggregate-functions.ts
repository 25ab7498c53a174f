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
  /** bits: integers or bytes; deviation: a number; text: texts, and what stands between them. */
  readonly takes: 'anything' | 'number' | 'boolean' | 'condition' | 'value and order' | 'bits' | 'deviation' | 'text';
}

export const aggregateFunctions: readonly AggregateDefinition[] = [
  row('count', 'COUNT(*), COUNT([DISTINCT] x)', 'Number of rows, or of values that are not NULL.', 'count', 'anything'),
  row('countif', 'COUNTIF(condition)', 'Number of rows for which the condition is true.', 'count', 'condition'),
  row('sum', 'SUM([DISTINCT] x)', 'Sum of the values.', 'sum', 'number'),
  row('avg', 'AVG([DISTINCT] x)', 'Mean of the values, in the type of the argument.', 'avg', 'number'),
  row('min', 'MIN(x)', 'Smallest value.', 'min', 'anything'),
  row('max', 'MAX(x)', 'Largest value.', 'max', 'anything'),
  row(
    'arg_max',
    'ARG_MAX(x, y)',
    'The x of the row with the greatest y, of several the greatest.',
    'max',
    'value and order',
  ),
  row(
    'arg_min',
    'ARG_MIN(x, y)',
    'The x of the row with the smallest y, of several the smallest.',
    'min',
    'value and order',
  ),
  row(
    'array_agg',
    'ARRAY_AGG([DISTINCT] x)',
    'Array of all values, NULLs too, in no order that may be relied on.',
    'array_agg',
    'anything',
  ),
  row('bit_and', 'BIT_AND([DISTINCT] x)', 'AND of the bits of integers or bytes.', 'array_agg', 'bits'),
  row('bit_or', 'BIT_OR([DISTINCT] x)', 'OR of the bits of integers or bytes.', 'array_agg', 'bits'),
  row('bit_xor', 'BIT_XOR([DISTINCT] x)', 'Exclusive OR of the bits of integers or bytes.', 'array_agg', 'bits'),
  row(
    'stddev_samp',
    'STDDEV_SAMP([DISTINCT] x)',
    'Standard deviation of a sample; NULL of fewer than two values.',
    'sum',
    'deviation',
  ),
  row('stddev', 'STDDEV([DISTINCT] x)', 'The same as STDDEV_SAMP.', 'sum', 'deviation'),
  row('stddev_pop', 'STDDEV_POP([DISTINCT] x)', 'Standard deviation of a whole population.', 'sum', 'deviation'),
  row('var_samp', 'VAR_SAMP([DISTINCT] x)', 'Variance of a sample; NULL of fewer than two values.', 'sum', 'deviation'),
  row('variance', 'VARIANCE([DISTINCT] x)', 'The same as VAR_SAMP.', 'sum', 'deviation'),
  row('var_pop', 'VAR_POP([DISTINCT] x)', 'Variance of a whole population.', 'sum', 'deviation'),
  row(
    'string_agg',
    'STRING_AGG([DISTINCT] x [, separator])',
    'The texts one behind the other, with a comma or another separator between them, in no order that may be relied on.',
    'array_agg',
    'text',
  ),
  row('listagg', 'LISTAGG([DISTINCT] x [, separator])', 'The same as STRING_AGG.', 'array_agg', 'text'),
  row('every', 'EVERY(condition)', 'Whether the condition is true for all rows.', 'min', 'boolean'),
  row('bool_and', 'BOOL_AND(condition)', 'The same as EVERY.', 'min', 'boolean'),
  row('logical_and', 'LOGICAL_AND(condition)', 'The same as EVERY.', 'min', 'boolean'),
  row('some', 'SOME(condition)', 'Whether the condition is true for at least one row.', 'max', 'boolean'),
  row('bool_or', 'BOOL_OR(condition)', 'The same as SOME.', 'max', 'boolean'),
  row('logical_or', 'LOGICAL_OR(condition)', 'The same as SOME.', 'max', 'boolean'),
];

function row(
  name: string,
  synopsis: string,
  summary: string,
  implementation: AggregateFunction,
  takes: AggregateDefinition['takes'],
): AggregateDefinition {
  return { name, synopsis, summary, function: implementation, takes };
}

const byName: ReadonlyMap<string, AggregateDefinition> = new Map(aggregateFunctions.map((each) => [each.name, each]));

export function findAggregate(name: string): AggregateDefinition | undefined {
  return byName.get(name);
}

/** Aggregates of other engines, and what can be written here. */
export const refusedAggregates: Readonly<Record<string, string>> = {
  any_value: 'use MIN or MAX',
  row_number: 'use ORDER BY with LIMIT',
  rank: 'use ORDER BY with LIMIT',
  dense_rank: 'use ORDER BY with LIMIT',
  lag: 'join the table with itself',
  lead: 'join the table with itself',
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
