// Of rows that every worker is pushed those that are this worker's: by the hash of some columns, an even share of each batch, or
// all of them on one worker.
//
//   out = σ[owner(columns) = worker](in)        linear        no state        cost O(rows pushed) to hash, O(own rows) to copy;
// strings are not copied but pointed at
// The shares of all workers together are the input, each row once. Presence bits stay with their rows.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { pickRows, rowsOf, unreadColumn } from '../../../runtime/batch/partition-rows.ts';
import { ScratchRoom } from '../../../runtime/batch/scratch-room.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';

/** Columns to hash; `share`: as many rows of each batch for every worker; `first`: all rows for worker 0. */
export type Ownership = readonly number[] | 'share' | 'first';

export class OwnRows implements Operator {
  readonly name = 'own rows';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #by: Ownership;
  readonly #reads: ReadonlySet<number> | null;
  readonly #link: ShardLink;
  /** For batches that are only lent; null while somebody keeps them. */
  #scratch: ScratchRoom | null = null;

  /** `reads`: the columns that anybody behind reads; null: all. */
  constructor(by: Ownership, reads: ReadonlySet<number> | null, link: ShardLink) {
    this.#by = by;
    this.#reads = reads;
    this.#link = link;
    this.detail = typeof by === 'string' ? by : `by column ${by.join(', ')}`;
  }

  lend(may: boolean): void {
    this.#scratch = may ? new ScratchRoom() : null;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const { worker, workers } = this.#link;
    const by = this.#by;
    if (by === 'first') {
      if (worker === 0) emit(batch);
      return;
    }
    if (by === 'share') {
      // Multiples of 8 share validity bitmaps instead of copying them.
      const cut = (at: number): number => Math.min(batch.rows, Math.ceil((batch.rows * at) / workers / 8) * 8);
      const [start, end] = [cut(worker), worker === workers - 1 ? batch.rows : cut(worker + 1)];
      if (end > start) emit(sliceBatch(this.#pruned(batch), start, end));
      return;
    }
    this.#scratch?.clear();
    const rows = rowsOf(batch, by, workers, worker, this.#scratch?.room);
    if (rows.length > 0) emit(pickRows(batch, rows, this.#reads, true, this.#scratch?.room));
  }

  flush(_emit: Emit): void {}

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(): void {}

  restore(): void {}

  /** Nothing is done for columns that nobody reads. */
  #pruned(batch: ChangeBatch): ChangeBatch {
    const reads = this.#reads;
    if (reads === null) return batch;
    return { ...batch, columns: batch.columns.map((column, c) => (reads.has(c) ? column : unreadColumn(column))) };
  }
}
