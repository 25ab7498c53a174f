// What a source has to be told once its positions are safe: position reached ─► stored by the supervisor ─► ack.
//
// A position is stored when no other has been reached for a moment, after a second at the latest, and at once when many records stand
// behind it or somebody waits: a write for each record would cost more than the record. One is on its way at a time; those that are
// reached meanwhile are one, the latest. Acks come in the order of the positions, one call at a time. Nothing is acknowledged that is
// not stored.
import type { Position } from '../../connectors/sdk/source.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';

/** Nothing more for this long: it is stored. */
const quietMs = 100;
/** The first of those that wait is stored by then. */
const holdMs = 1_000;
/** Records behind positions that wait. */
const recordsMax = 10_000;

export interface AcknowledgementParts {
  readonly clock: Clock;
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
  /** Since when a position has waited, and how many records stand behind those that do. */
  #since = 0;
  #records = 0;
  #timer: Timer | null = null;
  /** The timer has run out. */
  #isQuiet = false;

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
  }

  /** Nothing is on its way. */
  get isIdle(): boolean {
    return this.#reached === null && this.#storing === null && !this.#isAcking;
  }

  /** Everything up to `position` is delivered, `records` more than before. */
  reached(position: Position, records: number): void {
    if (this.#reached === null) this.#since = this.#parts.clock.monotonic();
    this.#reached = position;
    this.#records += records;
    this.#next();
  }

  stored(sequence: number): void {
    const storing = this.#storing;
    if (storing === null || storing.sequence !== sequence) return;
    this.#storing = null;
    this.#tell(storing.position);
  }

  /** It is known to be stored without having been asked for. */
  durable(position: Position): void {
    this.#tell(position);
  }

  #tell(position: Position): void {
    this.#isAcking = true;
    this.#acking = this.#acking.then(async () => {
      try {
        await this.#parts.ack(position);
      } catch (error) {
        this.#parts.onError(error);
      }
      this.#isAcking = false;
      this.#next();
    });
  }

  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#next();
    });
  }

  /** How long the position that was reached may still wait for a later one. */
  #waitMs(): number {
    const isQuiet = this.#isQuiet;
    this.#isQuiet = false;
    if (isQuiet || this.#waiters.length > 0 || this.#records >= recordsMax) return 0;
    return Math.min(quietMs, this.#since + holdMs - this.#parts.clock.monotonic());
  }

  #next(): void {
    const position = this.#reached;
    if (position !== null && this.#storing === null && !this.#isAcking) {
      const waitMs = this.#waitMs();
      this.#timer?.cancel();
      this.#timer = null;
      if (waitMs > 0) {
        this.#timer = this.#parts.clock.after(waitMs, () => {
          this.#isQuiet = true;
          this.#next();
        });
        return;
      }
      this.#reached = null;
      this.#records = 0;
      this.#storing = { sequence: ++this.#sequence, position };
      this.#parts.store(this.#sequence, position);
    }
    if (!this.isIdle) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
