// Waiting, for connectors: for a time on the given clock, or until the connector is stopped, whichever comes first.
// Every polling loop and every back-off of a connector waits here, so that a stop never has to wait for a timer.
import type { Clock } from '../../runtime/clock.ts';

/** Resolves after `ms` or at once when `signal` is or becomes aborted. Never rejects: look at the signal afterwards. */
export function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(ms, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
