// UNION ALL, and the place where a relation begins: what comes in goes out under one schema.
//
//   ∆out = Σ ∆in        linear        no state        cost O(1) a batch: columns are passed on as they are
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

export class UnionAll implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #schema: Schema;

  constructor(schema: Schema, name = 'union all', detail = '') {
    this.#schema = schema;
    this.name = name;
    this.detail = detail;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    if (batch.rows > 0) emit(batch.schema === this.#schema ? batch : { ...batch, schema: this.#schema });
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
