// Chains of AND and OR, which programs that are written by programs make thousands of operands long.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flattened } from '../../../../actors/engine/plan/expression-logic.ts';
import { boolean, column, operator } from './scalar-nodes.ts';

const at = (ordinal: number): ReturnType<typeof column> => column(ordinal, boolean);

test('operands keep their order from left to right, and another operator is one of them', () => {
  const inner = operator('and', boolean, at(2), at(3));
  const halves = [operator('or', boolean, at(0), at(1)), operator('or', boolean, inner, at(4))];
  assert.equal(flattened(operator('or', boolean, ...halves)), [at(0), at(1), inner, at(4)]);
});

test('a chain may be as long as a program makes it', () => {
  let chain = operator('or', boolean, at(0), at(1));
  for (let ordinal = 2; ordinal < 100_000; ordinal++) chain = operator('or', boolean, chain, at(ordinal));
  const operands = flattened(chain);
  assert.is(operands.length, 100_000);
  assert.equal(operands.at(-1), at(99_999));
});

test.run();
