// A listener on the user's main thread: an async iterable over the changes of a relation, one item for each step that
// changed it.
//
// Frames wait as bytes until an item is asked for; rows are made then. It attaches at once, not when iteration begins:
// changes made between are kept (bounded, on the control thread). It ends with the pipeline; `return` or `close` end it
// before. One reader: calls of `next` are answered in order.
import type { PublicForms } from '../../../runtime/batch/public-values.ts';
import { rowsFromBatch } from '../../../runtime/batch/row-objects.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { decodeBatch } from '../../../runtime/wire/batch-codec.ts';
import type { PulledSteps, StepChanges } from './control-interface.ts';

/** What one step did to a relation. `weights[i]` > 0: that many of `rows[i]` came; < 0: that many went. */
export interface Changes<Row> {
  /** From 0 for each listener; a gap means that a slow listener without back-pressure has lost steps. */
  readonly sequenceNumber: number;
  /** Each row once. */
  readonly rows: readonly Row[];
  /** As long as `rows`; an update is a row with -1 and one with 1. */
  readonly weights: readonly number[];
}

/** The listener's way to the control thread. */
export interface ListenerCalls {
  readonly opened: Promise<number>;
  pull(listener: number): Promise<PulledSteps>;
  close(listener: number): Promise<void>;
}

export class ChangeListener<Row> implements AsyncIterableIterator<Changes<Row>> {
  readonly #calls: ListenerCalls;
  readonly #schema: () => Schema;
  readonly #forms: PublicForms;
  readonly #steps: StepChanges[] = [];
  #hasEnded = false;
  #isClosed = false;
  #fetching: Promise<void> | null = null;
  #droppedRecords = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(calls: ListenerCalls, schema: () => Schema, forms: PublicForms) {
    this.#calls = calls;
    this.#schema = schema;
    this.#forms = forms;
    // A failure to attach is told by the first `next`.
    calls.opened.catch(() => {});
  }

  /** Resolves once changes are being kept for this listener. */
  get ready(): Promise<void> {
    return this.#calls.opened.then(() => undefined);
  }

  /** Rows lost for want of room, with `backpressure: false`. */
  get droppedRecords(): number {
    return this.#droppedRecords;
  }

  next(): Promise<IteratorResult<Changes<Row>, undefined>> {
    const result = this.#last.then(
      () => this.#next(),
      () => this.#next(),
    );
    this.#last = result;
    return result;
  }

  async return(): Promise<IteratorResult<Changes<Row>, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Stops listening. What has not been read is dropped. Idempotent. */
  async close(): Promise<void> {
    this.#steps.length = 0;
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#isClosed = true;
    const listener = await this.#calls.opened.catch(() => null);
    if (listener !== null) await this.#calls.close(listener);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes what is left from the control thread, which is about to end: it can still be read here. */
  async drain(): Promise<void> {
    while (!this.#hasEnded) await this.#fetch();
  }

  async #next(): Promise<IteratorResult<Changes<Row>, undefined>> {
    while (this.#steps.length === 0 && !this.#hasEnded) await this.#fetch();
    const step = this.#steps.shift();
    return step === undefined ? { done: true, value: undefined } : { done: false, value: this.#decode(step) };
  }

  /** One pull at a time, whoever asks. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#pull().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #pull(): Promise<void> {
    try {
      const pulled = await this.#calls.pull(await this.#calls.opened);
      this.#droppedRecords = pulled.droppedRecords;
      if (pulled.steps.length === 0) this.#hasEnded = true;
      this.#steps.push(...pulled.steps);
    } catch (error) {
      if (this.#isClosed) return;
      // The next call finds the end: an iteration that has thrown is over.
      this.#hasEnded = true;
      throw error;
    }
  }

  #decode(step: StepChanges): Changes<Row> {
    const parts = step.frames.map((frame) => rowsFromBatch(decodeBatch(frame, this.#schema()).batch, this.#forms));
    // SAFETY: the user's own generic says what rows look like; the schema decides what they are.
    const rows = parts.flatMap((part) => part.rows) as Row[];
    return { sequenceNumber: step.sequenceNumber, rows, weights: parts.flatMap((part) => part.weights) };
  }
}
