// CPU time of each thread of this process, as Linux counts it: what a thread computed, whatever else the machine had to do.
//
// A thread that ends takes its figure with it, so the figures are read again and again; what it did after the last reading is not
// counted. Reading costs about a millisecond of a core.
import { taskMillis } from '../actors/gateway/bench/process-watch.ts';

const readEveryMs = 50;

export class ThreadTimes {
  readonly #before: ReadonlyMap<number, number>;
  readonly #latest: Map<number, number> = new Map();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#before = new Map(taskMillis());
    this.#timer = setInterval(() => this.#read(), readEveryMs);
  }

  /** Seconds of each thread since the beginning, the busiest first. */
  finish(): readonly number[] {
    clearInterval(this.#timer);
    this.#read();
    return [...this.#latest]
      .map(([thread, millis]) => (millis - (this.#before.get(thread) ?? 0)) / 1000)
      .sort((a, b) => b - a);
  }

  #read(): void {
    for (const [thread, millis] of taskMillis()) this.#latest.set(thread, millis);
  }
}
