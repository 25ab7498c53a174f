// How many of the latest results were refusals, and whether one more may go to the dead-letter queue. Pure.
//
// The window holds the latest `size` results, at first all deliveries. More refusals in it than `threshold` are too many; from then on
// it stands still. Size 0: any number may be refused. Threshold 0: none.

export class DeadLetterWindow {
  readonly #threshold: number;
  /** 1 where a result was a refusal; null: there is no window. */
  readonly #results: Uint8Array | null;
  #next = 0;
  #refused = 0;
  #isOver = false;

  constructor(options: { readonly windowSize: number; readonly windowNackThreshold: number }) {
    this.#threshold = options.windowNackThreshold;
    this.#results = options.windowSize === 0 ? null : new Uint8Array(options.windowSize);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  delivered(count: number): void {
    const results = this.#results;
    if (results === null || this.#isOver) return;
    // A whole window of deliveries leaves no refusal in it, wherever it begins.
    for (let n = Math.min(count, results.length); n > 0; n--) this.#put(results, 0);
  }

  /** Whether it may be written to the queue. */
  refused(): boolean {
    const results = this.#results;
    if (results === null) return true;
    if (this.#isOver) return false;
    this.#put(results, 1);
    this.#isOver = this.#refused > this.#threshold;
    return !this.#isOver;
  }

  #put(results: Uint8Array, result: 0 | 1): void {
    this.#refused += result - (results[this.#next] ?? 0);
    results[this.#next] = result;
    this.#next = (this.#next + 1) % results.length;
  }
}
