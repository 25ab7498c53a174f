// VALUES: constant rows, inserted once, in the first step.
//
//   ∆out = rows in the first step, nothing afterwards        state: whether the first step has been
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

export class ConstantRows implements Operator {
  readonly name = 'values';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #batches: () => readonly ChangeBatch[];
  #emitted = false;

  /** `batches` is called in the first step, so that an error of an expression belongs to that step. */
  constructor(batches: () => readonly ChangeBatch[], rows: number) {
    this.#batches = batches;
    this.detail = `${rows} rows`;
  }

  push(): void {}

  flush(emit: Emit): void {
    if (this.#emitted) return;
    this.#emitted = true;
    for (const batch of this.#batches()) emit(batch);
  }

  readonly contents = (emit: Emit): void => {
    if (this.#emitted) for (const batch of this.#batches()) emit(batch);
  };

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#emitted ? 1 : 0);
  }

  restore(reader: SnapshotReader): void {
    this.#emitted = reader.number() === 1;
  }
}
