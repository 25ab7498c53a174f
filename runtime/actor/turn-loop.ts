// Turns of an actor that has something to do whenever something may have become possible: each is one synchronous call, and between two of
// them the event loop delivers messages. Who waits for a quiet moment is told in one.
//
// One turn is scheduled at a time, however often it is woken. A condition has to hold in two turns in a row before it counts, so that
// frames on their way arrive. A turn that throws is a defect of its owner's.

/** In how many turns a condition has to hold. */
const quietTurnsMin = 2;

export interface TurnLoopParts {
  /** Calls later, after the event loop has had its turn. */
  readonly schedule: (call: () => void) => void;
  readonly turn: () => void;
  /** The actor dies. */
  readonly defect: (error: unknown) => void;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly done: () => void;
  quietTurns: number;
}

export class TurnLoop {
  readonly #parts: TurnLoopParts;
  #waiters: Waiter[] = [];
  #isScheduled = false;
  #isStopped = false;

  constructor(parts: TurnLoopParts) {
    this.#parts = parts;
  }

  /** Something may have become possible. */
  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#parts.schedule(() => {
      this.#isScheduled = false;
      if (this.#isStopped) return;
      try {
        this.#parts.turn();
      } catch (error) {
        this.#parts.defect(error);
      }
    });
  }

  /** There are no more turns. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when `isDone` holds and nothing on its way can change that. */
  whenQuiet(isDone: () => boolean): Promise<void> {
    return new Promise((done) => {
      this.#waiters.push({ isDone, done, quietTurns: 0 });
      this.wake();
    });
  }

  /** To be called at the end of a turn. */
  tellWaiters(): void {
    if (this.#waiters.length === 0) return;
    const settled: Waiter[] = [];
    for (const waiter of this.#waiters) {
      waiter.quietTurns = waiter.isDone() ? waiter.quietTurns + 1 : 0;
      if (waiter.quietTurns > 0) this.wake();
      if (waiter.quietTurns >= quietTurnsMin) settled.push(waiter);
    }
    this.#waiters = this.#waiters.filter((waiter) => !settled.includes(waiter));
    for (const waiter of settled) waiter.done();
  }

  /** Resolves when frames that were sent before a call came by another port have arrived. */
  async arrivals(): Promise<void> {
    for (let turn = 0; turn < quietTurnsMin; turn++) await new Promise<void>((done) => this.#parts.schedule(done));
  }
}
