// The wish to end a command, and what of the signals behind it is a second one.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onEndSignals } from '../../../../actors/gateway/cli/end-signals.ts';
import { systemClock } from '../../../../runtime/clock.ts';

test('signals that come at once, as from timeout and npx, are one wish to drain; a later one ends', () => {
  let now = 1_000;
  const told: string[] = [];
  const off = onEndSignals(
    { ...systemClock, monotonic: () => now },
    { drain: (signal) => void told.push(`drain ${signal}`), endAtOnce: () => void told.push('end') },
  );
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGTERM', 'SIGTERM');
  now += 49;
  process.emit('SIGINT', 'SIGINT');
  assert.equal(told, ['drain SIGTERM']);
  now += 1;
  process.emit('SIGINT', 'SIGINT');
  assert.equal(told, ['drain SIGTERM', 'end']);
  off();
  assert.is(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM'), 0);
});

test.run();
