// What the log of a pipeline is told of errors that a connector goes on after.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toldErrors } from '../../actors/told-errors.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';

test('every error is counted, and one a second is told', () => {
  let now = 5;
  const clock: Clock = { ...systemClock, monotonic: () => now };
  let counted = 0;
  const told: unknown[] = [];
  const report = toldErrors({ transportError: () => counted++ }, clock, (message, fields) =>
    told.push([message, fields]),
  );
  for (now of [5, 6, 1_004, 1_005, 1_999, 9_000]) report(new Error(`away at ${now}`));
  assert.is(counted, 6);
  const fields = { level: 'warn', code: 'runtime.unexpected' };
  assert.equal(
    told,
    ['away at 5', 'away at 1005', 'away at 9000'].map((message) => [message, fields]),
  );
});

test.run();
