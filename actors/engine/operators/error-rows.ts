// error_view: rows about rows that were dropped, in the step in which they were.
//
// Operators that drop rows hand them over while they are pushed to, and stand before this one, which emits in `flush`. A row comes once for
// each row that was dropped, whether that was an insertion or a deletion, and stays. No state: what is kept is kept by those who read it.
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../runtime/batch/row-objects.ts';
import { writeCell } from '../../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { formatVariant } from '../../../runtime/batch/variant-json.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

export class ErrorRows implements Operator {
  readonly name = 'errors';
  readonly detail = '';
  readonly passesOn: boolean = false;
  readonly contents: Operator['contents'] = null;
  readonly #schema: Schema;
  #rows: (readonly [relation: string, message: string, metadata: string])[] = [];

  /** Three columns of text: the relation, what happened, and the row. */
  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** The rows of a batch of `relation` whose mark is 1. */
  report(relation: string, message: string, batch: ChangeBatch, marked: Uint8Array): void {
    for (let row = 0; row < batch.rows; row++) {
      if (marked[row] === 0) continue;
      const metadata = formatVariant(rowFromBatch(batch, row)) ?? '';
      const times = batch.weights === null ? 1 : Math.abs(batch.weights[row]!);
      for (let i = 0; i < times; i++) this.#rows.push([relation, message, metadata]);
    }
  }

  push(): void {}

  flush(emit: Emit): void {
    if (this.#rows.length === 0) return;
    const builder = new BatchBuilder(this.#schema, this.#rows.length);
    for (const cells of this.#rows) {
      builder.reserve(1);
      for (const [c, cell] of cells.entries()) writeCell(builder.columns[c]!, builder.rows, cell);
      builder.commitRow(1);
    }
    this.#rows = [];
    emit(builder.finish());
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
