// When a failed connector is opened again: exponential back-off with jitter, a bounded number of times. Pure.
//
// Only a failure that says of itself that it may pass (`retry` is `later` or `reconnect`) is tried again, and not when rows were
// sent that nobody could tell from those that would come again. Connectors of a pipeline without SQL go on from where they were acknowledged: they are
// opened again whatever they failed with, until more failures lie in a window than its user allows.
import type { Retry } from '../../runtime/errors.ts';
import type { ErrorRecovery } from '../relay-definition.ts';

export interface RestartPolicy {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  readonly factor: number;
  /** Restarts in a row that bring nothing. */
  readonly restartsMax: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  delayMsMin: 1_000,
  delayMsMax: 600_000,
  factor: 2,
  restartsMax: 3,
};

export interface Failure {
  readonly retry: Retry;
  /** How many times it has been started again since it last brought a row. */
  readonly restarts: number;
  /** Rows have been sent behind which it cannot go on. */
  readonly isLost: boolean;
}

/**
 * Milliseconds to wait before the next attempt, or null: it has failed for good. `random` is in [0, 1): the delay is
 * spread over its upper half, so that many connectors to one server do not come back in step.
 */
export function restartDelay(
  failure: Failure,
  random: number,
  policy: RestartPolicy = defaultRestartPolicy,
): number | null {
  if (failure.retry === 'never' || failure.isLost || failure.restarts >= policy.restartsMax) return null;
  const full = Math.min(policy.delayMsMax, policy.delayMsMin * policy.factor ** failure.restarts);
  return full / 2 + (full / 2) * random;
}

/** The failures of one connector that are not forgotten: each is, one window after the restart that followed it. */
export class FailureWindow {
  readonly #recovery: ErrorRecovery;
  #forgottenAt: number[] = [];

  constructor(recovery: ErrorRecovery) {
    this.#recovery = recovery;
  }

  /** As `restartDelay`, for a failure at `now` (monotonic milliseconds). */
  failed(now: number, random: number): number | null {
    const { minDelayMs, maxDelayMs, backoffFactor, maxRetries, maxRetriesWindowMs } = this.#recovery;
    this.#forgottenAt = this.#forgottenAt.filter((at) => at > now);
    const before = this.#forgottenAt.length;
    if (maxRetries >= 0 && before >= maxRetries) return null;
    const full = Math.min(maxDelayMs, minDelayMs * backoffFactor ** before);
    const delay = full / 2 + (full / 2) * random;
    this.#forgottenAt.push(now + delay + maxRetriesWindowMs);
    return delay;
  }
}
