// Arrays made of others: as `map` makes them, of one kind whoever makes them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packed } from '../../../runtime/batch/packed-array.ts';

test('an array is made of what a function gives for each element and its place', () => {
  assert.equal(
    packed(['a', 'b'], (each, at) => `${each}${at}`),
    ['a0', 'b1'],
  );
  assert.equal(
    packed([], () => 1),
    [],
  );
});

test.run();
