// Medians, percentiles, noise and ratios of the harness.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noisePercent, pairedRatios, percentile, spread } from '../../../../actors/gateway/bench/statistics.ts';

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(spread([4, 1, 3, 2]), { min: 1, median: 2.5, max: 4 });
  assert.equal(spread([9, 1, 5]), { min: 1, median: 5, max: 9 });
  assert.equal(spread([7]), { min: 7, median: 7, max: 7 });
  assert.ok(Number.isNaN(spread([]).median));
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(
    [0.5, 0.99, 1].map((share) => percentile(values, share)),
    [51, 100, 100],
  );
});

test('noise is the distance of the medians of interleaved halves; of one run it is not known', () => {
  assert.is(noisePercent([100, 110, 100, 110]), 10);
  assert.is(noisePercent([5, 5, 5]), 0);
  assert.ok(Number.isNaN(noisePercent([5])));
});

test('ratios are of pairs: what slows both of a pair down does not show', () => {
  assert.equal(pairedRatios([10, 100, 20], [5, 50, 10]), { min: 2, median: 2, max: 2 });
});

test.run();
