// TRANSFORM, ARRAY_EXISTS and the lambdas over a VARIANT. Their bodies are expressions, so they are computed by the code that is made for the row
// (plan/expression-emitter.ts) and bound by bind-lambda.ts; the rows here name and explain them.
import { assert } from '../../../runtime/assert.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { firstType, strictRow, types } from './function-rows.ts';
import type { LambdaFunction } from './lambda-names.ts';

const computedInline = (): null => {
  assert(false, 'a lambda is computed by the code of its row');
};

export const lambdaFunctions: readonly FunctionDefinition[] = [
  {
    name: 'transform',
    synopsis: 'TRANSFORM(array, x -> expression)',
    category: 'array',
    summary: 'The array of what an expression gives for each element.',
    example: ['TRANSFORM(ARRAY[1, 2], x -> x * 10)', '[10,20]'],
    deterministic: true,
    overloads: [strictRow(['array', 'any'], firstType, computedInline)],
  },
  {
    name: 'array_exists',
    synopsis: 'ARRAY_EXISTS(array, x -> condition)',
    category: 'array',
    summary: 'Whether a condition is true for an element; NULL when it is not, but is NULL for one.',
    example: ['ARRAY_EXISTS(ARRAY[1, 2], x -> x > 1)', 'TRUE'],
    deterministic: true,
    overloads: [strictRow(['array', 'any'], types.boolean, computedInline, { nullable: true })],
  },
  ofVariant(
    'variant_map',
    'VARIANT_MAP(x, (key, value) -> expression)',
    'The JSON object with what an expression gives for each of its fields; anything else is one value whose key is NULL.',
    ['TO_JSON(VARIANT_MAP(PARSE_JSON(\'{"a": 1}\'), (k, v) -> k))', '\'{"a":"a"}\''],
  ),
  ofVariant(
    'variant_deep_map',
    'VARIANT_DEEP_MAP(x, (path, value) -> expression)',
    'The JSON value with what an expression gives for everything in it that is neither an object nor an array.',
    ['TO_JSON(VARIANT_DEEP_MAP(PARSE_JSON(\'{"a": [1]}\'), (p, v) -> p))', '\'{"a":["a[1]"]}\''],
  ),
  ofVariant(
    'variant_filter',
    'VARIANT_FILTER(x, (key, value) -> condition)',
    'The JSON object with the fields for which a condition is true; anything else as it is, or NULL.',
    ['TO_JSON(VARIANT_FILTER(PARSE_JSON(\'{"a": 1, "b": 2}\'), (k, v) -> CAST(v AS INT) > 1))', '\'{"b":2}\''],
  ),
  ofVariant(
    'variant_deep_filter',
    'VARIANT_DEEP_FILTER(x, (path, value) -> condition)',
    'The JSON value with the fields and elements, at any depth, for which a condition is true, and which lie in nothing that is left out.',
    ["TO_JSON(VARIANT_DEEP_FILTER(PARSE_JSON('{\"a\": [1, 2]}'), (p, v) -> p <> 'a[1]'))", '\'{"a":[2]}\''],
  ),
];

function ofVariant(
  name: LambdaFunction,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
): FunctionDefinition {
  const overloads = [strictRow(['variant', 'any'], { kind: 'VARIANT' }, computedInline, { nullable: true })];
  return { name, synopsis, category: 'json', summary, example, deterministic: true, overloads };
}
