// How long an answer waits for what it has set going: a client that asks at once then sees the end of it.
import { systemClock } from '../../../runtime/clock.ts';
import type { Hosting } from './hosting.ts';

const momentMsDefault = 250;

/** Resolves when the work is over or the moment is. What fails later is logged. */
export async function withinMoment(
  hosting: Hosting,
  work: Promise<unknown>,
  momentMs: number = momentMsDefault,
): Promise<void> {
  const logged = work.then(
    () => {},
    (error: unknown) => hosting.log.error('work on a pipeline has failed', { error: String(error) }),
  );
  await new Promise<void>((resolve) => {
    const timer = systemClock.after(momentMs, resolve);
    logged.then(() => {
      timer.cancel();
      resolve();
    });
  });
}
