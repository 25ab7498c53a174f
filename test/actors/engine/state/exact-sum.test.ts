// Exact sums against bigint arithmetic.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addFourWords,
  addTwoWords,
  limbsOfDecimal,
  limbsOfTwoWords,
  readSum,
} from '../../../../actors/engine/state/exact-sum.ts';

function read(doubles: Float64Array, limbs: number): bigint | null {
  const words = new Int32Array(4);
  if (!readSum(doubles, 0, limbs, words, 0)) return null;
  return words.reduceRight((sum, word, k) => sum + (BigInt(k === 3 ? word : word >>> 0) << BigInt(32 * k)), 0n);
}
function wordsOf(values: readonly bigint[], each: number): Int32Array {
  return Int32Array.from(
    values.flatMap((value) =>
      Array.from({ length: each }, (_, k) => Number(BigInt.asIntN(32, value >> BigInt(32 * k)))),
    ),
  );
}
const weights = fc.oneof(
  fc.constantFrom(1, -1),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((w) => w !== 0),
);

test('sums of 64-bit values are exact, whatever the weights', () => {
  const row = fc.tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), weights);
  fc.assert(
    fc.property(fc.array(row, { maxLength: 50 }), (rows) => {
      const doubles = new Float64Array(limbsOfTwoWords);
      const words = wordsOf(
        rows.map(([value]) => value),
        2,
      );
      addTwoWords(
        words,
        2,
        0,
        new Int32Array(rows.length),
        Int32Array.from(rows, ([, w]) => w),
        rows.length,
        doubles,
        3,
        0,
      );
      assert.is(
        read(doubles, limbsOfTwoWords),
        rows.reduce((sum, [value, w]) => sum + value * BigInt(w), 0n),
      );
    }),
  );
});

test('sums of 128-bit values are exact while they fit 128 bits', () => {
  const row = fc.tuple(fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }), weights);
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const doubles = new Float64Array(limbsOfDecimal);
      const words = wordsOf(
        rows.map(([value]) => value),
        4,
      );
      addFourWords(
        words,
        4,
        0,
        new Int32Array(rows.length),
        Int32Array.from(rows, ([, w]) => w),
        rows.length,
        doubles,
        4,
        0,
      );
      assert.is(
        read(doubles, limbsOfDecimal),
        rows.reduce((sum, [value, w]) => sum + value * BigInt(w), 0n),
      );
    }),
  );
});

test('many values of one sign keep the carry', () => {
  const count = 3_000_000;
  const doubles = new Float64Array(limbsOfTwoWords);
  const words = wordsOf([-1n], 2);
  const ones = new Int32Array(count).fill(1);
  addTwoWords(words, 0, 0, new Int32Array(count), ones, count, doubles, 3, 0);
  assert.is(read(doubles, limbsOfTwoWords), BigInt(-count));
});

test.run();
