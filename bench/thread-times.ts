// CPU time of each thread of this process, as Linux counts it: what a thread computed, whatever else the machine had to do.
//
// A thread that ends takes its figure with it, so the figures are read again and again; what it did after the last reading, a
// few milliseconds at most, is not counted.
import { readdirSync, readFileSync } from 'node:fs';

const readEveryMs = 10;

export class ThreadTimes {
  readonly #before: ReadonlyMap<string, number>;
  readonly #latest: Map<string, number> = new Map();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#before = threadSeconds();
    this.#timer = setInterval(() => this.#read(), readEveryMs);
  }

  /** Seconds of each thread since the beginning, the busiest first. */
  finish(): readonly number[] {
    clearInterval(this.#timer);
    this.#read();
    return [...this.#latest]
      .map(([thread, seconds]) => seconds - (this.#before.get(thread) ?? 0))
      .sort((a, b) => b - a);
  }

  #read(): void {
    for (const [thread, seconds] of threadSeconds()) this.#latest.set(thread, seconds);
  }
}

function threadSeconds(): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const [nanos] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
      seconds.set(thread, Number(nanos) / 1e9);
    } catch {
      // It ended in between.
    }
  }
  return seconds;
}
