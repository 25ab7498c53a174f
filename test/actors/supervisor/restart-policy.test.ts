// Back-off: doubled, bounded, jittered, and only where a restart cannot repeat rows.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultRestartPolicy, restartDelay } from '../../../actors/supervisor/restart-policy.ts';

const patient = { ...defaultRestartPolicy, restartsMax: 100 };

test('delays double from one second up to ten minutes', () => {
  const delays = [0, 1, 2, 3, 9, 10, 50].map((restarts) =>
    restartDelay({ retry: 'later', restarts, isLost: false }, 1, patient),
  );
  assert.equal(delays, [1_000, 2_000, 4_000, 8_000, 512_000, 600_000, 600_000]);
});

test('jitter stays within the upper half of the delay', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 90 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (restarts, random) => {
      const failure = { retry: 'reconnect', restarts, isLost: false } as const;
      const delay = restartDelay(failure, random, patient)!;
      const full = restartDelay(failure, 1, patient)!;
      assert.ok(delay >= full / 2 && delay <= full);
    }),
  );
});

test('a failure that will not pass, or that came after rows, or too often, is final', () => {
  assert.is(restartDelay({ retry: 'never', restarts: 0, isLost: false }, 0), null);
  assert.is(restartDelay({ retry: 'later', restarts: 0, isLost: true }, 0), null);
  assert.is(restartDelay({ retry: 'later', restarts: 3, isLost: false }, 0), null);
});

test.run();
