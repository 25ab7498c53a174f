// GREATEST and LEAST, on everything that has an order.
//
// FALSE before TRUE, NaN after every number, strings by code point, bytes from the first to the last; VARIANT, ARRAY, MAP and ROW as
// nested-order.ts has them.
import { compareCells } from '../../../runtime/batch/nested-order.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { firstType, strictRow } from './function-rows.ts';
import type { ScalarValue } from './scalar-value.ts';
import { compareText } from './text-characters.ts';

export const comparisonFunctions: readonly FunctionDefinition[] = [
  define(
    'greatest',
    'GREATEST(x, …)',
    'The largest of the arguments; NULL when one is NULL.',
    ['GREATEST(1, 3, 2)', '3'],
    pick(1, true),
  ),
  define(
    'least',
    'LEAST(x, …)',
    'The smallest of the arguments; NULL when one is NULL.',
    ['LEAST(1, 3, 2)', '1'],
    pick(-1, true),
  ),
  define(
    'greatest_ignore_nulls',
    'GREATEST_IGNORE_NULLS(x, …)',
    'The largest of the arguments that are not NULL.',
    ['GREATEST_IGNORE_NULLS(1, NULL, 2)', '2'],
    pick(1, false),
  ),
  define(
    'least_ignore_nulls',
    'LEAST_IGNORE_NULLS(x, …)',
    'The smallest of the arguments that are not NULL.',
    ['LEAST_IGNORE_NULLS(3, NULL, 2)', '2'],
    pick(-1, false),
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overload: FunctionOverload,
): FunctionDefinition {
  return { name, synopsis, category: 'comparison', summary, example, deterministic: true, overloads: [overload] };
}

function pick(direction: 1 | -1, strict: boolean): FunctionOverload {
  const by =
    (order: (a: ScalarValue, b: ScalarValue) => number): Evaluator =>
    (...values) => {
      let best: ScalarValue = null;
      for (const value of values) {
        if (value !== null && (best === null || order(value, best) * direction > 0)) best = value;
      }
      return best;
    };
  const evaluate = by(compareScalars);
  const row = strictRow(['common'], (argumentTypes: readonly SqlType[]) => firstType(argumentTypes), evaluate, {
    variadic: true,
    prepare: ({ resultType: type }) =>
      isNested(type) || type.kind === 'VARIANT' ? by((a, b) => compareCells(a, b, type)) : evaluate,
  });
  return strict ? row : { ...row, strict: false, nullable: true };
}

/** The order of two values of one type, neither of them NULL. */
export function compareScalars(a: ScalarValue, b: ScalarValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  if (a === null || b === null || a === b) return 0;
  return a < b ? -1 : 1;
}
