// A rate limit: a bucket that fills evenly and from which each request takes one token.
import type { Clock } from '../../../runtime/clock.ts';

export interface Rate {
  readonly perSecond: number;
  /** How many requests may come at once after a rest. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledAt = clock.monotonic();
  }

  /** 0: taken. More: nothing is taken, and so many seconds later there will be one. */
  take(): number {
    const now = this.#clock.monotonic();
    const gained = ((now - this.#filledAt) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#rate.perSecond;
    this.#tokens--;
    return 0;
  }
}
