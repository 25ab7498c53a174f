// The memory of fresh rows from step to step; what they hold is tested with the operators that have them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FreshRows } from '../../../../actors/engine/state/fresh-rows.ts';

function step(rows: FreshRows, count: number): void {
  rows.reserve(count);
  for (let i = 0; i < count; i++) rows.append(Int32Array.of(i, -i), 0, 1, 0, i);
  for (let i = 0; i < count; i += 1_000) assert.is(rows.words[i * rows.width], i);
  rows.clear();
}

test('steps of one size use the same memory, and what a great one needed is given up after small ones', () => {
  const rows = new FreshRows(2);
  step(rows, 500_000);
  const { buffer } = rows.words;
  for (let i = 0; i < 5; i++) step(rows, 400_000);
  assert.is(rows.words.buffer, buffer);
  let steps = 0;
  while (rows.stateBytes > 1_000_000 && steps < 100) {
    step(rows, 10);
    steps++;
  }
  assert.ok(steps > 5 && steps < 100, `given up after ${steps} steps`);
});

test.run();
