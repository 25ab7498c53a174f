// TRANSFORM and ARRAY_EXISTS. Their bodies are expressions, so they are computed by the code that is made for the row
// (plan/expression-emitter.ts) and bound by bind-lambda.ts; the rows here name and explain them.
import { assert } from '../../../runtime/assert.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { firstType, strictRow, types } from './function-rows.ts';

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
];
