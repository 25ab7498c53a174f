// Time, as it is given to everything that needs it. No other file reads a clock or starts a timer of its own accord.

/** A running timer. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Monotonic milliseconds with fraction, for durations. */
  monotonic(): number;
  /** Calls once after `ms`. Does not keep the process alive. */
  after(ms: number, call: () => void): Timer;
  /** Calls every `ms`. Does not keep the process alive. */
  every(ms: number, call: () => void): Timer;
}

/** Milliseconds with fraction that every thread of this process counts from the same moment: for durations between threads. */
export function processMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    const handle = setTimeout(call, ms).unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every: (ms, call) => {
    const handle = setInterval(call, ms).unref();
    return { cancel: () => clearInterval(handle) };
  },
};
