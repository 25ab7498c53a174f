// Errors that a connector goes on after (a server that is away, a connection that was cut): counted and listed by its ledger, and told
// to the log of the pipeline, so that whoever waits sees why. One a second at most: retries may follow one another quickly.
//
// Made by the actors of sources and destinations for each connector that they open.
import type { Clock } from '../runtime/clock.ts';
import { errorToData } from '../runtime/errors.ts';

type Say = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const toldEveryMs = 1_000;

export function toldErrors(
  ledger: { transportError(error: unknown): unknown },
  clock: Clock,
  say: Say,
): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    ledger.transportError(error);
    const now = clock.monotonic();
    if (now - toldAt < toldEveryMs) return;
    toldAt = now;
    const { code, message } = errorToData(error);
    say(message, { level: 'warn', code });
  };
}
