// Each row as often as its last column says: what EXCEPT ALL and INTERSECT ALL make of counted rows.
//
//   ∆out = Σ (w · n) row for every (row, n) with weight w in ∆in        linear        no state
// The count is a BIGINT that is never NULL and fits 31 bits: it is a number of equal rows.
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

export class Repeat implements Operator {
  readonly name = 'repeat';
  readonly detail = '';
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #schema: Schema;

  /** `schema` is that of the input without its last column. */
  constructor(schema: Schema) {
    this.#schema = schema;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const counts = batch.columns[this.#schema.fields.length];
    assert(counts?.layout === 'fixed', 'the last column is a count');
    const weights = new Int32Array(batch.rows);
    for (let row = 0; row < batch.rows; row++) {
      weights[row] = Number(counts.values[row]!) * (batch.weights === null ? 1 : batch.weights[row]!);
    }
    emit({ ...batch, schema: this.#schema, columns: batch.columns.slice(0, this.#schema.fields.length), weights });
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
