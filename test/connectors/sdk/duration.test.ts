// Durations as Go writes them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDuration } from '../../../connectors/sdk/duration.ts';

test('durations of every unit are read, alone and together', () => {
  const read = ['0', '1s', '2m30s', '100ms', '1.5h', '-1s', '+3us', '1h0m0.5s', '.5s'].map(parseDuration);
  assert.equal(read, [0, 1_000, 150_000, 100, 5_400_000, -1_000, 0.003, 3_600_500, 500]);
});

test('what is no duration is refused', () => {
  assert.equal(['', '1', 's', '1 s', '1d', '1s2', 'one', '-'].map(parseDuration), Array(8).fill(null));
});

test.run();
