// How far a destination has come, in marks of its sender: which have come, which are covered by what was written, which somebody waits for.
// Between the first two stands what an output buffer holds. Pure; owned by the actor.

export class WrittenMarks {
  #seen = 0;
  #written = 0;
  #awaited = 0;

  /** The latest mark that is covered by what was written. */
  get written(): number {
    return this.#written;
  }

  /** Something that came is waited for and was not written. */
  get isAwaited(): boolean {
    // A step that changed nothing here sends no mark: the one that is waited for may itself never come.
    return this.#written < this.#awaited && this.#written < this.#seen;
  }

  seen(mark: number): void {
    this.#seen = mark;
  }

  /** Everything that came was written. */
  wrote(): void {
    this.#written = this.#seen;
  }

  /** Steps up to this one may not be kept back. */
  awaited(mark: number): void {
    this.#awaited = Math.max(this.#awaited, mark);
  }
}
