// In which order the works on one pipeline are done: one after the other, with one exception. A work may say that only a wait is left of it (a
// checkpoint that outputs are to prepare): then works that steer the pipeline, pause and resume, need not wait for its end.
//
//   exclusively(a) ─ exclusively(b) ─ …       each when the one before is over
//   steer(p)                                  when each of those before it is over, or waits only; what comes behind waits for it too

export class WorkOrder {
  /** All that was begun is over. */
  #over: Promise<unknown> = Promise.resolve();
  /** All that was begun is over, or waits only. */
  #steerable: Promise<unknown> = Promise.resolve();

  /** Runs when what was begun before is over. */
  exclusively<R>(work: (onlyWaits: () => void) => Promise<R>): Promise<R> {
    let onlyWaits: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      onlyWaits = resolve;
    });
    const run = this.#over.then(() => work(onlyWaits));
    const over = run.catch(() => {});
    this.#over = over;
    this.#steerable = this.#steerable.then(() => Promise.race([over, waiting]));
    return run;
  }

  steer<R>(work: () => Promise<R>): Promise<R> {
    const run = this.#steerable.then(work);
    const over = run.catch(() => {});
    this.#steerable = over;
    this.#over = Promise.all([this.#over, over]);
    return run;
  }
}
