// A table that was declared append-only: what is inserted passes, a deletion is refused.
//
//   ∆out = the rows of ∆in with positive weight        linear as long as the promise is kept        no state
// Operators behind it keep less (an extreme instead of all values), so a deletion that slipped through would falsify
// views; each one is reported, and left out if reporting does not throw.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

export class AppendOnlyTable implements Operator {
  readonly name = 'append-only table';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #refuse: (batch: ChangeBatch, row: number) => void;

  constructor(detail: string, refuse: (batch: ChangeBatch, row: number) => void) {
    this.detail = detail;
    this.#refuse = refuse;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const { weights, rows } = batch;
    if (rows === 0) return;
    if (weights === null) {
      emit(batch);
      return;
    }
    const kept = new Int32Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++) {
      if (weights[row]! > 0) kept[count++] = row;
      else this.#refuse(batch, row);
    }
    if (count === rows) emit(batch);
    if (count === rows || count === 0) return;
    const keptWeights = new Int32Array(count);
    for (let i = 0; i < count; i++) keptWeights[i] = weights[kept[i]!]!;
    emit(gatherRows(batch, kept, count, keptWeights));
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
}
