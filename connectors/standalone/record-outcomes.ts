// What became of the records that were written to a plugin, told in the order in which they were written.
//
// The official SDK hands a whole message to its destination, and answers with one error for the record that was refused and for
// everything behind it in that message, tried or not. So of several refusals in a row with one error only the first is believed; the
// others are written once more, each in a message of its own, and what is said of them then holds. Meanwhile nothing else is written,
// and what is safe behind them waits to be told.
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { RetainedRecords } from './retained-records.ts';

/** A refusal may end the pipeline: then nothing behind it is to be written. It has this long to say so. */
const verdictMs = 250;
/** A plugin that gathers batches may answer only when more is written. */
const patienceMs = 5_000;

export interface OutcomeListener {
  acknowledged(count: number): void;
  /** With what the plugin has said, or with why a record was not sent at all. */
  refused(reason: string | Error): void;
  /** Each record in a message of its own; `answered` is called for them in this order. */
  /** Records may be written again. */
  freed(): void;
  resend(records: readonly { readonly message: Uint8Array; readonly position: Uint8Array }[]): void;
}

interface Held {
  /** null: not known yet; empty: it is safe; else why it was refused. */
  outcome: string | Error | null;
}

interface Retried extends Held {
  readonly refusal: string;
  readonly message: Uint8Array;
  readonly position: Uint8Array;
}

export class RecordOutcomes {
  readonly #clock: Clock;
  readonly #retained: RetainedRecords;
  readonly #listener: OutcomeListener;
  #safe = 0;
  #latest = '';
  /** Everything from the first record on that will be written again; null: there is none. */
  #held: Held[] | null = null;
  #retried: Retried[] = [];
  #resent: Retried[] | null = null;
  #timer: Timer | null = null;
  #patience: Timer | null = null;
  #isPatient = true;
  #isStopped = false;

  constructor(clock: Clock, retained: RetainedRecords, listener: OutcomeListener) {
    this.#clock = clock;
    this.#retained = retained;
    this.#listener = listener;
  }

  /** Nothing may be written now. */
  get isMending(): boolean {
    return this.#held !== null && this.#isPatient;
  }

  /** The answers are to records that were written for a second time. */
  get isResending(): boolean {
    return this.#resent !== null && this.#resent.length > 0;
  }

  /** The next record has been taken, at the first time. */
  safe(): void {
    this.#latest = '';
    if (this.#held !== null) this.#held.push({ outcome: '' });
    else this.#safe++;
  }

  /** Record `number` has its answer; `refusal` is empty when it is safe. Call `told` when all answers at hand were given. */
  answered(number: number, position: Uint8Array, refusal: string): void {
    const resent = this.#resent?.shift();
    if (resent !== undefined) {
      resent.outcome = refusal;
      return;
    }
    const isRepeated = refusal !== '' && refusal === this.#latest;
    this.#latest = refusal;
    const message = isRepeated && !this.#isStopped ? this.#retained.message(number) : null;
    if (message !== null) {
      const retried: Retried = { outcome: null, refusal, message, position: position.slice() };
      this.#tellSafe();
      if (this.#held === null) this.#begin();
      this.#held?.push(retried);
      this.#retried.push(retried);
    } else if (this.#held !== null) this.#held.push({ outcome: refusal });
    else this.#tell(refusal);
  }

  /** The next record was not sent. */
  leftOut(error: Error): void {
    if (this.#held === null) this.#tell(error);
    else this.#held.push({ outcome: error });
  }

  /** `isIdle`: nothing that was written waits for its answer. */
  told(isIdle: boolean): void {
    this.#tellSafe();
    this.#tellHeld();
    if (!isIdle || this.#held === null || this.#timer !== null || this.#resent !== null) return;
    this.#timer = this.#clock.after(verdictMs, () => {
      this.#timer = null;
      const records = this.#retried.splice(0);
      this.#resent = [...records];
      this.#listener.resend(records);
    });
  }

  /** Nothing is written a second time any more: the first answers hold. */
  stop(): void {
    this.#isStopped = true;
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.#resent !== null) return;
    this.#timer?.cancel();
    this.#timer = null;
    for (const retried of this.#retried.splice(0)) retried.outcome = retried.refusal;
    this.#tellHeld();
  }

  /** The plugin has failed: what has not been told has not been answered. */
  abandon(): void {
    this.#timer?.cancel();
    this.#patience?.cancel();
  }

  #begin(): void {
    this.#held = [];
    this.#isPatient = true;
    this.#patience = this.#clock.after(patienceMs, () => {
      this.#giveUp();
      this.#isPatient = false;
      this.#listener.freed();
    });
  }

  #tell(refusal: string | Error): void {
    if (refusal === '') {
      this.#safe++;
      return;
    }
    this.#tellSafe();
    this.#listener.refused(refusal);
  }

  #tellSafe(): void {
    if (this.#safe > 0) this.#listener.acknowledged(this.#safe);
    this.#safe = 0;
  }

  #tellHeld(): void {
    const held = this.#held;
    if (held === null) return;
    let known = 0;
    for (const { outcome } of held) {
      if (outcome === null) break;
      known++;
      this.#tell(outcome);
    }
    this.#tellSafe();
    held.splice(0, known);
    if (held.length > 0) return;
    this.#patience?.cancel();
    this.#held = null;
    this.#resent = null;
    this.#latest = '';
  }
}
