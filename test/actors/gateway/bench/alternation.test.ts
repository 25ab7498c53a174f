// The order in which contenders run, and which runs count.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alternate } from '../../../../actors/gateway/bench/alternation.ts';

test('contenders take turns, the order turns round by round, and the first round is not counted', async () => {
  const order: string[] = [];
  const contender = (name: string): { name: string; run(round: number): Promise<string> } => ({
    name,
    run: async (round) => `${name}${round}`,
  });
  const runs = await alternate([contender('a'), contender('b')], { counted: 3, warmsUp: true }, (name, round) =>
    order.push(`${name}${round}`),
  );
  assert.equal(order, ['a0', 'b0', 'b1', 'a1', 'a2', 'b2', 'b3', 'a3']);
  assert.equal(runs, [
    ['a1', 'a2', 'a3'],
    ['b1', 'b2', 'b3'],
  ]);
});

test('without a warm-up the first round counts', async () => {
  const runs = await alternate([{ name: 'a', run: async (round: number) => round }], { counted: 2, warmsUp: false });
  assert.equal(runs, [[1, 2]]);
});

test('a run that fails ends everything with its error', async () => {
  const failing = { name: 'x', run: async (): Promise<never> => Promise.reject(new Error('gone')) };
  try {
    await alternate([failing], { counted: 2, warmsUp: false });
    assert.unreachable();
  } catch (error) {
    assert.is(error instanceof Error && error.message, 'gone');
  }
});

test.run();
