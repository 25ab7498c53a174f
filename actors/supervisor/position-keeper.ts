// Where each source stands, durably: positions that were reached are stored together, and who waits for one is told when it is.
//
// Something that is reached while nothing was stored for a while is stored at once; under load there is a write every `gapMs`, and one at
// a time. The latest position of a connector counts. A write that fails is tried again: until then nobody is told.
import type { Position } from '../../connectors/sdk/source.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { LifecycleJournal } from '../lifecycle-journal.ts';

const gapMs = 50;
const retryMs = 1_000;

interface Waiting {
  readonly position: Position;
  readonly stored: (() => void)[];
}

export class PositionKeeper {
  readonly #journal: LifecycleJournal;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stored = new Map<string, Position>();
  #waiting = new Map<string, Waiting>();
  #isWriting = false;
  #isTimed = false;
  #wroteAt = Number.NEGATIVE_INFINITY;

  constructor(journal: LifecycleJournal, clock: Clock, log: Log) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads what an earlier run has stored. Before anything else. */
  async load(): Promise<void> {
    for (const { connector, position } of await this.#journal.positions()) {
      // SAFETY: what was put there is a Position.
      this.#stored.set(connector, position as Position);
    }
  }

  /** The latest that is stored; null: none is. */
  position(connector: string): Position | null {
    return this.#stored.get(connector) ?? null;
  }

  /** Every position that is stored, by connector. */
  get all(): ReadonlyMap<string, Position> {
    return this.#stored;
  }

  /** Calls `stored` when this position, or a later one of the connector, is durable. */
  reached(connector: string, position: Position, stored: () => void): void {
    const before = this.#waiting.get(connector)?.stored ?? [];
    this.#waiting.set(connector, { position, stored: [...before, stored] });
    this.#writeSoon(this.#wroteAt + gapMs - this.#clock.monotonic());
  }

  #writeSoon(ms: number): void {
    if (this.#isWriting || this.#isTimed) return;
    if (ms <= 0) {
      void this.#write();
      return;
    }
    this.#isTimed = true;
    this.#clock.after(ms, () => {
      this.#isTimed = false;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    if (this.#isWriting || this.#waiting.size === 0) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#isWriting = true;
    let delayMs = gapMs;
    try {
      await this.#journal.putPositions([...batch].map(([connector, { position }]) => ({ connector, position })));
      for (const [connector, { position }] of batch) this.#stored.set(connector, position);
      for (const { stored } of batch.values()) for (const call of stored) call();
    } catch (error) {
      this.#log.error('positions could not be stored and are tried again', { error: errorToData(error) });
      this.#putBack(batch);
      delayMs = retryMs;
    }
    this.#isWriting = false;
    this.#wroteAt = this.#clock.monotonic();
    if (this.#waiting.size > 0) this.#writeSoon(delayMs);
  }

  /** What has been reached meanwhile is later. */
  #putBack(batch: ReadonlyMap<string, Waiting>): void {
    for (const [connector, { position, stored }] of batch) {
      const later = this.#waiting.get(connector);
      const waiting = later === undefined ? { position, stored } : { ...later, stored: [...stored, ...later.stored] };
      this.#waiting.set(connector, waiting);
    }
  }
}
