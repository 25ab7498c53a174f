// The latest few of many: what an actor keeps of errors that it counts but cannot keep all of.
//
// Holds at most `limit` items, the oldest goes first. The owner counts how many there were in all.

export class LatestList<T> {
  readonly #limit: number;
  readonly #items: T[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(item: T): void {
    if (this.#items.length === this.#limit) this.#items.shift();
    this.#items.push(item);
  }

  /** Oldest first. A copy: later additions do not show. */
  toArray(): readonly T[] {
    return [...this.#items];
  }
}
