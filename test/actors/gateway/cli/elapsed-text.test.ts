// Spans of time as a person says them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { durationText, elapsedText } from '../../../../actors/gateway/cli/elapsed-text.ts';

test('the two largest units are said', () => {
  assert.is(durationText(0), '0s');
  assert.is(durationText(59_999), '59s');
  assert.is(durationText(200_000), '3m 20s');
  assert.is(durationText(3_600_000), '1h');
  assert.is(durationText(86_400_000 * 2 + 3_600_000 * 4 + 59_000), '2d 4h');
});

test('what is no time has no span, and what lies ahead has none yet', () => {
  assert.is(elapsedText('', 0), '');
  assert.is(elapsedText('1970-01-01T00:00:10Z', 0), '0s');
  assert.is(elapsedText('1970-01-01T00:00:10Z', 70_000), '1m');
});

test.run();
