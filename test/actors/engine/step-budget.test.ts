// The size of steps: large while they are fast, never beyond the bound, back to small when they are slow.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StepBudget, stepTargetMs } from '../../../actors/engine/step-budget.ts';

test('fast full steps grow to the bound and no further', () => {
  const budget = new StepBudget(1_000_000);
  for (let i = 0; i < 10; i++) budget.note(budget.rows, stepTargetMs / 10);
  assert.is(budget.rows, 1_000_000);
});

test('slow steps shrink by half at a time, down to a batch', () => {
  const budget = new StepBudget(1_000_000);
  const before = budget.rows;
  budget.note(before, stepTargetMs * 100);
  assert.is(budget.rows, before / 2);
  for (let i = 0; i < 10; i++) budget.note(budget.rows, stepTargetMs * 100);
  assert.is(budget.rows, 65_536);
});

test('a step that took little because little was there says nothing', () => {
  const budget = new StepBudget(1_000_000);
  const before = budget.rows;
  budget.note(10, 1);
  budget.note(10, 10_000);
  assert.is(budget.rows, before);
});

test('a bound below the usual floor is kept', () => {
  const budget = new StepBudget(100);
  assert.is(budget.rows, 100);
  for (let i = 0; i < 5; i++) budget.note(100, 1);
  assert.is(budget.rows, 100);
  for (let i = 0; i < 5; i++) budget.note(100, 1e6);
  assert.is(budget.rows, 100);
});

test.run();
