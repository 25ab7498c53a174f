// Gathers changes so that those that undo one another never leave: the output buffer of a connector.
//
// Holds batches until they have so many rows, or until the first of them has waited so long, or until it is asked for them.
// What leaves is consolidated: each distinct row once, with the sum of its weights, none with 0. Of insertions alone none undoes another: they
// leave as they came, as those of a step do. What it holds counts as not written: marks behind it wait. Pure: time is a parameter.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../runtime/batch/concat-batches.ts';
import { consolidate } from '../../runtime/batch/consolidate.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import { batchBytes } from '../../runtime/mailbox/batch-bytes.ts';

export class OutputBuffer {
  readonly #rowsMax: number;
  readonly #timeMsMax: number | null;
  #batches: ChangeBatch[] = [];
  #rows = 0;
  #bytes = 0;
  #since = 0;

  constructor(options: { readonly rowsMax: number; readonly timeMsMax: number | null }) {
    this.#rowsMax = options.rowsMax;
    this.#timeMsMax = options.timeMsMax;
  }

  get rows(): number {
    return this.#rows;
  }

  get batches(): number {
    return this.#batches.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `now`: monotonic milliseconds. */
  add(batch: ChangeBatch, now: number): void {
    if (batch.rows === 0) return;
    if (this.#batches.length === 0) this.#since = now;
    this.#batches.push(batch);
    this.#rows += batch.rows;
    this.#bytes += batchBytes(batch);
  }

  isDue(now: number): boolean {
    if (this.#batches.length === 0) return false;
    return this.#rows >= this.#rowsMax || (this.#timeMsMax !== null && now - this.#since >= this.#timeMsMax);
  }

  /** Milliseconds from `now` until it is due by time; null: never. */
  dueIn(now: number): number | null {
    if (this.#batches.length === 0 || this.#timeMsMax === null) return null;
    return Math.max(0, this.#since + this.#timeMsMax - now);
  }

  /** Everything that it holds, in one batch unless it may be `divided`; it is empty then. */
  take(schema: Schema, divided: boolean): readonly ChangeBatch[] {
    const batches = this.#batches;
    this.#batches = [];
    this.#rows = 0;
    this.#bytes = 0;
    if (!batches.some(deletes)) return divided || batches.length === 0 ? batches : [concatBatches(batches, schema)];
    const change = consolidate(batches, schema);
    return change === null ? [] : [change];
  }
}

// ── data plane ──

function deletes({ weights, rows }: ChangeBatch): boolean {
  if (weights === null) return false;
  for (let row = 0; row < rows; row++) if (weights[row]! < 0) return true;
  return false;
}
