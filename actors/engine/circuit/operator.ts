// What every operator of a circuit is: a node that turns the changes of its inputs into the changes of its output.
//
// Within a step the circuit pushes every batch of every input, in any order between inputs, and calls `flush` once,
// inputs before consumers. The sum of everything emitted in a step is ∆out. Linear and bilinear operators emit while
// they are pushed to; the others (aggregate, top, keyed table) only note what was touched and emit the difference in
// `flush`, so that a row that comes and goes within a step is never seen.
// An operator knows ordinals of columns, never an expression or a name: row programs stand in front of it.
// No operator keeps a batch, or one of its arrays, when `push` returns: what has to stay is copied into its state. So a
// producer may be told that its batches are only lent (`lend`) when nobody else keeps them either.
// Emitted batches are immutable and may share arrays; a consumer is called while the producer is inside `push`, so an
// operator must not rely on its own scratch across `emit` unless it says so.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

export type Emit = (batch: ChangeBatch) => void;

export interface Operator {
  /** What it is, such as `join`; for statistics and explain. */
  readonly name: string;
  /** A few words on keys and columns, for explain. */
  readonly detail: string;
  /** Whether what it emits may share arrays with what it was pushed. */
  readonly passesOn: boolean;
  /** Says whether the arrays of an emitted batch may be written again as soon as `emit` returns. Between two steps. */
  lend?(may: boolean): void;
  push(port: number, batch: ChangeBatch, emit: Emit): void;
  flush(emit: Emit): void;
  /** Emits the whole content of the output as +weights, where the state holds it; else null. */
  readonly contents: ((emit: Emit) => void) | null;
  /** The columns that it looks at itself where it passes on what it is pushed; absent: none. */
  readonly reads?: readonly number[];
  /** Rows that a table dropped because they came too late; absent where none can. */
  lateRows?(): number;
  stateRows(): number;
  stateBytes(): number;
  snapshot(writer: SnapshotWriter): void;
  restore(reader: SnapshotReader): void;
}
