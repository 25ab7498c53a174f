// What one worker's circuit knows of the others: how many there are, and a way to hand them rows within a step.
//
// Every worker runs the same nodes in the same order, so an exchange is known by its number, and what it is sent in a step is
// one parcel from each worker to each other, empty ones included. `send` never waits; `receive` waits until the parcels of this
// step are there. A worker that fails makes every `receive` of the others throw, so that no step ends with a part of its rows.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Room } from '../../../runtime/batch/gather-column.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';

/** What one worker sends another through one exchange in one step. */
export type Parcel = readonly ChangeBatch[];

export interface ShardLink {
  /** 0 is the worker that the engine itself runs on. */
  readonly worker: number;
  readonly workers: number;
  /** Where the arrays of what others are sent had better be made; absent: anywhere. */
  readonly room?: Room;
  /** A parcel for each worker; its own is not sent but comes out of `receive`. The batches are given away. */
  send(exchange: number, parcels: readonly Parcel[]): void;
  /** The parcels for this worker, in the order of the workers. */
  receive(exchange: number, schema: Schema): readonly Parcel[];
}
