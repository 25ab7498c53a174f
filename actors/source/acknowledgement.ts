// What a source has to be told once its positions are safe: position reached ─► stored by the supervisor ─► ack.
//
// One position is on its way to be stored at a time; those that are reached meanwhile are one, the latest. Acks come in the order of the
// positions, one call at a time. Nothing is acknowledged that is not stored. `settle` resolves when all is said.
import type { Position } from '../../connectors/sdk/source.ts';

export interface AcknowledgementParts {
  readonly ack: (position: Position) => Promise<void>;
  /** Asks for this position to be stored; the answer is `stored`. */
  readonly store: (sequence: number, position: Position) => void;
  readonly onError: (error: unknown) => void;
}

export class Acknowledgement {
  readonly #parts: AcknowledgementParts;
  #reached: Position | null = null;
  #storing: { readonly sequence: number; readonly position: Position } | null = null;
  #sequence = 0;
  #acking: Promise<void> = Promise.resolve();
  #isAcking = false;
  #waiters: (() => void)[] = [];

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
  }

  /** Nothing is on its way. */
  get isIdle(): boolean {
    return this.#reached === null && this.#storing === null && !this.#isAcking;
  }

  /** Everything up to `position` is delivered. */
  reached(position: Position): void {
    this.#reached = position;
    this.#next();
  }

  stored(sequence: number): void {
    const storing = this.#storing;
    if (storing === null || storing.sequence !== sequence) return;
    this.#storing = null;
    this.#isAcking = true;
    this.#acking = this.#acking.then(async () => {
      try {
        await this.#parts.ack(storing.position);
      } catch (error) {
        this.#parts.onError(error);
      }
      this.#isAcking = false;
      this.#next();
    });
  }

  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #next(): void {
    const position = this.#reached;
    if (position !== null && this.#storing === null && !this.#isAcking) {
      this.#reached = null;
      this.#storing = { sequence: ++this.#sequence, position };
      this.#parts.store(this.#sequence, position);
    }
    if (!this.isIdle) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
