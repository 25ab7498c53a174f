// What the sender of a destination's rows hears of them: how many are settled, which are refused, which marks are reached.
//
//   answers of the destination, or its flush ─► [Settlement] ─► settle(rows), refuse(row), confirm(mark) ─► port
//
// A mark is confirmed when everything before it is safe: by a destination that acknowledges when all rows before it are settled, by any
// other when a flush has covered it. Settled rows are told once for everything that happens in a turn. Owned by the actor.
import type { ChainedBatch } from '../../connectors/sdk/processor-chain.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { FrameReceiver } from '../../runtime/mailbox/channel.ts';
import { Settlement } from './settlement.ts';

export class SettledRows {
  /** The destination says itself what is safe. */
  acknowledges = false;
  readonly #receiver: FrameReceiver;
  readonly #settlement: Settlement;
  /** Marks that wait for the rows before them, for a destination that acknowledges. */
  #waitingMarks: { readonly mark: number; readonly rows: number }[] = [];
  #toldRows = 0;
  #isTellingDue = false;
  #confirmedMark = 0;
  #onSettled: (() => void) | null = null;
  /** Who waits for so many rows to be settled, in their order. */
  readonly #waiting: { readonly rows: number; readonly call: () => void }[] = [];

  /** `describe` is called with each refusal, and the processor that refused it, if one did. */
  constructor(
    connector: string,
    receiver: FrameReceiver,
    describe: (error: Error, processor: string | null) => ErrorData,
  ) {
    this.#receiver = receiver;
    this.#settlement = new Settlement(connector, (row, error, processor) =>
      receiver.refuse(row, describe(error, processor)),
    );
  }

  get areAllSettled(): boolean {
    return this.#settlement.settledRows === this.#settlement.rows;
  }

  marked(mark: number): void {
    if (this.acknowledges) this.#waitingMarks.push({ mark, rows: this.#settlement.rows });
  }

  /** So many rows came in, of which this was made and is about to be written. */
  written(rows: number, chained: ChainedBatch): void {
    this.#settlement.written(rows, chained);
  }

  /** The next `count` written rows are safe. @throws AcknowledgedTooMuch */
  acknowledged(count: number): void {
    this.#settlement.acknowledged(count);
    this.tellSoon();
  }

  /** The next written row is refused. @throws AcknowledgedTooMuch */
  refused(error: Error): void {
    this.#settlement.refused(error);
    this.tellSoon();
  }

  /** It has flushed everything that was written up to this mark. */
  flushed(mark: number): void {
    if (this.acknowledges) {
      this.tell();
      return;
    }
    // What was written before it flushed is safe.
    if (this.#settlement.outstanding > 0) this.#settlement.acknowledged(this.#settlement.outstanding);
    this.tell();
    this.#confirm(mark);
  }

  tellSoon(): void {
    if (this.#isTellingDue) return;
    this.#isTellingDue = true;
    setImmediate(() => this.tell());
  }

  tell(): void {
    this.#isTellingDue = false;
    const rows = this.#settlement.settledRows;
    if (rows > this.#toldRows) {
      this.#toldRows = rows;
      this.#receiver.settle(rows);
    }
    let mark = this.#confirmedMark;
    while (this.#waitingMarks[0] !== undefined && this.#waitingMarks[0].rows <= rows) {
      mark = this.#waitingMarks.shift()?.mark ?? mark;
    }
    this.#confirm(mark);
    while (this.#waiting[0] !== undefined && this.#waiting[0].rows <= rows) this.#waiting.shift()?.call();
    if (this.areAllSettled) this.#onSettled?.();
  }

  /** Calls when everything that came in so far is settled, which may be at once. */
  whenPresentSettled(call: () => void): void {
    if (this.areAllSettled) call();
    else this.#waiting.push({ rows: this.#settlement.rows, call });
  }

  /** Resolves when the destination has answered for everything. */
  async whenAllSettled(): Promise<void> {
    if (this.areAllSettled) return;
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
  }

  #confirm(mark: number): void {
    if (mark <= this.#confirmedMark) return;
    this.#confirmedMark = mark;
    this.#receiver.confirm(mark);
  }
}
