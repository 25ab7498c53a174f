// Rows on their way between workers, in two nodes: one sends what it is pushed when a step's inputs are through, the other emits
// what all workers have sent to this one.
//
//   by columns   a row goes to the worker that owns the hash of its columns        linear, no state between two steps
//   one          all rows go to worker 0
//   everywhere   every worker gets every row
// Rows that one worker pushed stay in their order; those of different workers come worker by worker. What is pushed is copied,
// so that a producer may lend its batches. Two nodes, because whatever stands between them runs while the rows are under way.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { ownBatch } from '../../../runtime/batch/own-batch.ts';
import { ownersOf, pickRows } from '../../../runtime/batch/partition-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { ScratchRoom } from '../../../runtime/batch/scratch-room.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';

/** Columns to hash; `one`: worker 0; `everywhere`: all workers. */
export type Destination = readonly number[] | 'one' | 'everywhere';

export interface ExchangeShape {
  readonly number: number;
  readonly to: Destination;
  readonly schema: Schema;
  /** The columns that anybody behind reads; null: all. */
  readonly reads: ReadonlySet<number> | null;
  readonly link: ShardLink;
}

export class ExchangeSend implements Operator {
  readonly name = 'send';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: ExchangeShape;
  #parcels: ChangeBatch[][];
  /** For whose rows are whose, until they are copied. */
  readonly #scratch: ScratchRoom = new ScratchRoom();

  constructor(shape: ExchangeShape) {
    this.#shape = shape;
    const { to } = shape;
    this.detail = typeof to === 'string' ? `to ${to}` : `by column ${to.join(', ')}`;
    this.#parcels = this.#empty();
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    if (batch.rows === 0) return;
    const { to, link, reads } = this.#shape;
    if (typeof to !== 'string') {
      this.#scratch.clear();
      const { rows, starts } = ownersOf(batch, to, link.workers, this.#scratch.room);
      for (let worker = 0; worker < link.workers; worker++) {
        const own = rows.subarray(starts[worker]!, starts[worker + 1]!);
        const room = worker === link.worker ? undefined : link.room;
        if (own.length > 0) this.#parcels[worker]!.push(pickRows(batch, own, reads, false, room));
      }
      return;
    }
    const all = Int32Array.from({ length: batch.rows }, (_, row) => row);
    const workers = to === 'one' ? 1 : link.workers;
    for (let worker = 0; worker < workers; worker++) this.#parcels[worker]!.push(pickRows(batch, all, reads));
  }

  flush(_emit: Emit): void {
    const parcels = this.#parcels;
    this.#parcels = this.#empty();
    this.#shape.link.send(this.#shape.number, parcels);
  }

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(): void {}

  restore(): void {}

  #empty(): ChangeBatch[][] {
    return Array.from({ length: this.#shape.link.workers }, () => []);
  }
}

export class ExchangeReceive implements Operator {
  readonly name = 'receive';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: ExchangeShape;
  #lends = false;

  constructor(shape: ExchangeShape) {
    this.#shape = shape;
    this.detail = `exchange ${shape.number}`;
  }

  /** What others have sent lies in memory that is used anew for the next step: a copy goes to those who keep it. */
  lend(may: boolean): void {
    this.#lends = may;
  }

  /** What is sent comes by the link, not by the circuit. */
  push(): void {}

  flush(emit: Emit): void {
    const { link, number, schema } = this.#shape;
    for (const parcel of link.receive(number, schema)) {
      for (const batch of parcel) emit(this.#lends ? batch : ownBatch(batch));
    }
  }

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(): void {}

  restore(): void {}
}
