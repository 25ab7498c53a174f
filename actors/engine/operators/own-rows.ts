// Of rows that every worker is pushed those that are this worker's: by the hash of some columns, an even share of each batch, or
// all of them on one worker.
//
//   out = σ[owner(columns) = worker](in)        linear        cost O(rows pushed) to hash, O(own rows) to copy; strings are not copied
// but pointed at
// The shares of all workers together are the input, each row once. Presence bits stay with their rows. No state, unless shares are to be
// balanced: then who owns which keys is decided by the first batch, and remembered (bucket-owners.ts).

import { bucketCount, bucketOwners, selectByBucket } from '../../../runtime/batch/bucket-owners.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { ownerHashes } from '../../../runtime/batch/owner-hash.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import { pickRows, rowsOf, unreadColumn } from '../../../runtime/batch/partition-rows.ts';
import { ScratchRoom } from '../../../runtime/batch/scratch-room.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';
import type { WorkerPart } from '../circuit/node-sharding.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

/** Columns to hash, maybe for some workers only; `share`: as many rows of each batch for every worker; `first`: all rows for worker 0. */
export type Ownership =
  | readonly number[]
  | 'share'
  | 'first'
  | { readonly columns: readonly number[]; readonly among: WorkerPart };

export interface OwnRowsShape {
  readonly by: Ownership;
  /** The columns that anybody behind reads; null: all. */
  readonly reads: ReadonlySet<number> | null;
  readonly link: ShardLink;
  /** Whether shares may follow from how many rows the keys of the first batch have: only where nobody else has to agree with them. */
  readonly balances: boolean;
}

/** The columns that are looked at. */
export function hashedColumns(by: Ownership): readonly number[] {
  if (typeof by === 'string') return [];
  return 'among' in by ? by.columns : by;
}

export class OwnRows implements Operator {
  readonly name = 'own rows';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #shape: OwnRowsShape;
  readonly #columns: readonly number[];
  /** The number of this worker among those who have rows at all, and how many these are; -1: it is none of them. */
  readonly #worker: number;
  readonly #workers: number;
  readonly #balances: boolean;
  /** Undefined until the first batch; null: even shares. */
  #owners: Uint8Array | null | undefined;
  /** For batches that are only lent; null while somebody keeps them. */
  #scratch: ScratchRoom | null = null;

  constructor(shape: OwnRowsShape) {
    const { by, link } = shape;
    this.#shape = shape;
    this.#columns = hashedColumns(by);
    const { part, parts } = typeof by !== 'string' && 'among' in by ? by.among : { part: 0, parts: 1 };
    this.#worker = link.worker % parts === part ? Math.floor(link.worker / parts) : -1;
    this.#workers = link.workers / parts;
    this.#balances = shape.balances && typeof by !== 'string' && parts === 1;
    const among = parts === 1 ? '' : ` among workers ${part}, ${part + parts}, ...`;
    const columns = `by column ${this.#columns.join(', ')}${among}${this.#balances ? ', balanced' : ''}`;
    this.detail = typeof by === 'string' ? by : columns;
  }

  lend(may: boolean): void {
    this.#scratch = may ? new ScratchRoom() : null;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const { by, link, reads } = this.#shape;
    if (by === 'first') {
      if (link.worker === 0) emit(batch);
      return;
    }
    if (by === 'share') {
      const { worker, workers } = link;
      // Multiples of 8 share validity bitmaps instead of copying them.
      const cut = (at: number): number => Math.min(batch.rows, Math.ceil((batch.rows * at) / workers / 8) * 8);
      const [start, end] = [cut(worker), worker === workers - 1 ? batch.rows : cut(worker + 1)];
      if (end > start) emit(sliceBatch(this.#pruned(batch), start, end));
      return;
    }
    if (this.#worker < 0 || batch.rows === 0) return;
    if (this.#workers === 1) {
      emit(this.#pruned(batch));
      return;
    }
    this.#scratch?.clear();
    const rows = this.#ownRows(batch);
    if (rows.length > 0) emit(pickRows(batch, rows, reads, true, this.#scratch?.room));
  }

  flush(_emit: Emit): void {}

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return this.#owners?.length ?? 0;
  }

  snapshot(writer: SnapshotWriter): void {
    if (!this.#balances) return;
    writer.number(this.#owners === undefined ? 0 : 1);
    writer.bytes(this.#owners ?? new Uint8Array(0));
  }

  restore(reader: SnapshotReader): void {
    if (!this.#balances) return;
    const isDecided = reader.number() === 1;
    const owners = reader.bytes();
    this.#owners = !isDecided ? undefined : owners.length === bucketCount ? owners.slice() : null;
  }

  #ownRows(batch: ChangeBatch): Int32Array {
    const room = this.#scratch?.room;
    if (!this.#balances || this.#owners === null)
      return rowsOf(batch, this.#columns, this.#workers, this.#worker, room);
    const keys = packed(this.#columns, (ordinal) => batch.columns[ordinal]!);
    const hashes = ownerHashes(keys, batch.rows);
    if (this.#owners === undefined) {
      this.#owners = bucketOwners(hashes, batch.rows, this.#workers);
      if (this.#owners === null) return this.#ownRows(batch);
    }
    const rows = room === undefined ? new Int32Array(batch.rows) : room(Int32Array, batch.rows);
    return rows.subarray(0, selectByBucket(hashes, batch.rows, this.#owners, this.#worker, rows));
  }

  /** Nothing is done for columns that nobody reads. */
  #pruned(batch: ChangeBatch): ChangeBatch {
    const { reads } = this.#shape;
    if (reads === null) return batch;
    return { ...batch, columns: packed(batch.columns, (column, c) => (reads.has(c) ? column : unreadColumn(column))) };
  }
}
