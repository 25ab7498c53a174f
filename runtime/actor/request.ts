// Requests to actors: what can come of them besides an answer, and a deadline for each.
//
// An ask ends in exactly one way: the actor's answer, the actor's coded error, ActorTimeout, ActorGone, or the reason of
// the caller's signal. The answer to a request that has ended otherwise is dropped.
import type { Clock } from '../clock.ts';
import { type CodedErrorClass, defineError } from '../errors.ts';
import type { ActorId } from './actor.ts';

export const askDeadlineMs = 10_000;

export const ActorTimeout: CodedErrorClass<{ readonly actor: ActorId; readonly deadlineMs: number }> = defineError(
  'actor.timeout',
  { help: 'The actor is busy or waits for something outside. Try again, or allow more time.', retry: 'later' },
  (f) => `${f.actor} has not answered within ${f.deadlineMs} ms`,
);

export const ActorGone: CodedErrorClass<{ readonly actor: ActorId }> = defineError(
  'actor.gone',
  { help: 'The actor has stopped or failed; the cause says why. Its supervisor decides whether it comes back.' },
  (f) => `${f.actor} is gone`,
);

/** What may end a request early. */
export interface Limits {
  readonly clock: Clock;
  /** Infinity: none. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The error when the deadline passes. */
  readonly timeout: () => unknown;
}

/** Settles as `promise` does, unless the deadline or the signal comes first. */
export function settleWithin<R>(promise: Promise<R>, limits: Limits): Promise<R> {
  const { clock, deadlineMs, signal, timeout } = limits;
  if (signal?.aborted === true) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const timer = Number.isFinite(deadlineMs) ? clock.after(deadlineMs, () => end(() => reject(timeout()))) : null;
    const abort = (): void => end(() => reject(signal?.reason));
    const end = (settle: () => void): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    signal?.addEventListener('abort', abort, { once: true });
    promise.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
