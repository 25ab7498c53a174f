// Each row as often as its last column says, numbered: the rows behind UNNEST and HOP.
//
//   ∆out = Σ (w, row, 1) + … + (w, row, n) for every (row, n) with weight w in ∆in        linear        no state
// `outer`: a row with n = 0 or NULL comes once, with NULL for its number. The count is an INTEGER or BIGINT below 2^31.
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column, FixedColumn } from '../../../runtime/batch/column.ts';
import { gatherColumn } from '../../../runtime/batch/gather-column.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

/** Rows of an emitted batch. */
const batchRowsMax = 65_536;

export class Explode implements Operator {
  readonly name = 'explode';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #schema: Schema;
  readonly #outer: boolean;
  readonly #rows: Int32Array = new Int32Array(batchRowsMax);
  readonly #numbers: Int32Array = new Int32Array(batchRowsMax);

  /** `schema` is that of the output: as many columns as the input. */
  constructor(schema: Schema, outer: boolean) {
    this.#schema = schema;
    this.#outer = outer;
    this.detail = outer ? 'outer' : '';
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const counts = batch.columns[this.#schema.fields.length - 1];
    assert(counts?.layout === 'fixed', 'the last column is a count');
    let made = 0;
    for (let row = 0; row < batch.rows; row++) {
      const count = countAt(counts, row);
      if (count <= 0) {
        if (!this.#outer) continue;
        this.#rows[made] = row;
        this.#numbers[made++] = 0;
        if (made === batchRowsMax) made = this.#emit(batch, made, emit);
        continue;
      }
      for (let number = 1; number <= count; number++) {
        this.#rows[made] = row;
        this.#numbers[made++] = number;
        if (made === batchRowsMax) made = this.#emit(batch, made, emit);
      }
    }
    this.#emit(batch, made, emit);
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

  #emit(batch: ChangeBatch, count: number, emit: Emit): 0 {
    if (count === 0) return 0;
    const schema = this.#schema;
    const rows = this.#rows.slice(0, count);
    const last = schema.fields.length - 1;
    const columns: Column[] = batch.columns.slice(0, last).map((column) => gatherColumn(column, rows, count));
    columns.push(numberColumn(this.#numbers, count, schema.fields[last]!.type));
    const { weights } = batch;
    const chosen = weights === null ? null : rows.map((row) => weights[row]!);
    emit({ schema, rows: count, weights: chosen, columns, presence: null });
    return 0;
  }
}

// ── data plane ──

function countAt(counts: FixedColumn, row: number): number {
  const { validity, values } = counts;
  if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) return 0;
  return Number(values[row]!);
}

function numberColumn(numbers: Int32Array, count: number, type: Column['type']): Column {
  const values = new BigInt64Array(count);
  const words = new Int32Array(values.buffer);
  let validity: Uint8Array | null = null;
  for (let i = 0; i < count; i++) {
    words[2 * i] = numbers[i]!;
    if (numbers[i] !== 0) continue;
    validity ??= new Uint8Array((count + 7) >> 3).fill(255);
    validity[i >> 3]! &= ~(1 << (i & 7));
  }
  return { layout: 'fixed', type, validity, values };
}
