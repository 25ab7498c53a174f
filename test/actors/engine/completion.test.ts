// Completion: what every output has confirmed, and no more.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Completion } from '../../../actors/engine/completion.ts';

test('a step without outputs, or with nothing for them, is complete at once', () => {
  const completion = new Completion();
  completion.stepped(1, 10);
  assert.equal([completion.completedStep, completion.completedRecords], [1, 10]);
  completion.attach('out');
  completion.stepped(2, 25);
  assert.equal([completion.completedStep, completion.completedRecords], [2, 25]);
});

test('an output that is behind holds completion back until it confirms or goes', () => {
  const completion = new Completion();
  completion.attach('slow');
  completion.attach('gone');
  completion.sent('slow', 1);
  completion.sent('gone', 1);
  completion.stepped(1, 5);
  completion.sent('slow', 2);
  completion.stepped(2, 9);
  assert.is(completion.completedStep, 0);
  completion.confirmed('slow', 1);
  assert.is(completion.completedStep, 0);
  completion.detach('gone');
  assert.equal([completion.completedStep, completion.completedRecords], [1, 5]);
  completion.confirmed('slow', 2);
  assert.equal([completion.completedStep, completion.completedRecords], [2, 9]);
});

test('completion never runs ahead of the slowest output and gets to the end, over thousands of open steps', () => {
  const script = fc.array(fc.record({ a: fc.boolean(), b: fc.boolean(), lag: fc.nat({ max: 3 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(script, fc.integer({ min: 1, max: 200 }), (steps, repeat) => {
      const completion = new Completion();
      completion.attach('a');
      completion.attach('b');
      const waiting: { readonly name: string; readonly step: number }[] = [];
      let step = 0;
      for (let i = 0; i < repeat; i++) {
        for (const { a, b, lag } of steps) {
          step++;
          for (const [name, sends] of [
            ['a', a],
            ['b', b],
          ] as const) {
            if (!sends) continue;
            completion.sent(name, step);
            waiting.push({ name, step });
          }
          completion.stepped(step, step * 10);
          for (let k = 0; k < lag && waiting.length > 0; k++) {
            const { name, step: mark } = waiting.shift()!;
            completion.confirmed(name, mark);
          }
          const behind = waiting[0]?.step ?? step + 1;
          assert.ok(completion.completedStep < behind);
          assert.ok(completion.completedRecords <= completion.completedStep * 10);
        }
      }
      for (const { name, step: mark } of waiting) completion.confirmed(name, mark);
      assert.is(completion.completedStep, step);
      assert.is(completion.completedRecords, step * 10);
    }),
    { numRuns: 30 },
  );
});

test.run();
