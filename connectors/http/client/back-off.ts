// Waiting between attempts: exponential, bounded, with jitter so that the listeners of a server that comes back do not
// all arrive at once. No clock is read: the bound is a number of attempts.

export interface RetryOptions {
  /** The first wait. Default 200 ms. */
  readonly initialMs?: number | undefined;
  /** The longest wait. Default 10 s. */
  readonly maxMs?: number | undefined;
  /** Default 2. */
  readonly factor?: number | undefined;
  /** Attempts in a row that fail before it is given up. */
  readonly attemptsMax?: number | undefined;
}

export class BackOff {
  readonly #options: Required<{ [K in keyof RetryOptions]: number }>;
  #attempts = 0;

  constructor(options: RetryOptions, attemptsMax: number) {
    this.#options = {
      initialMs: options.initialMs ?? 200,
      maxMs: options.maxMs ?? 10_000,
      factor: options.factor ?? 2,
      attemptsMax: options.attemptsMax ?? attemptsMax,
    };
  }

  /** Attempts that have failed since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** How long to wait before the next attempt, between half of the step and all of it; null: give up. */
  next(): number | null {
    const { initialMs, maxMs, factor, attemptsMax } = this.#options;
    this.#attempts++;
    if (this.#attempts >= attemptsMax) return null;
    const step = Math.min(maxMs, initialMs * factor ** (this.#attempts - 1));
    return step * (0.5 + chance() / 2);
  }

  succeeded(): void {
    this.#attempts = 0;
  }
}

/** From 0 to 1. */
function chance(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
