// SIGINT and SIGTERM as a command hears them: the first one asks it to drain, a second one to end at once.
//
// One wish often comes twice: `timeout` signals the process and its group, npx passes on the Ctrl-C that the terminal has given to
// the whole group. What comes within `sameWishMs` of the first is that wish and no second one; a person is slower.
import type { Clock } from '../../../runtime/clock.ts';

const sameWishMs = 50;
const signals = ['SIGINT', 'SIGTERM'] as const;

export interface EndWishes {
  drain(signal: NodeJS.Signals): void;
  endAtOnce(): void;
}

/** Listens until the function that it gives back is called. */
export function onEndSignals(clock: Clock, wishes: EndWishes): () => void {
  let firstAt: number | null = null;
  const heard = (signal: NodeJS.Signals): void => {
    const now = clock.monotonic();
    if (firstAt === null) {
      firstAt = now;
      wishes.drain(signal);
    } else if (now - firstAt >= sameWishMs) wishes.endAtOnce();
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}
