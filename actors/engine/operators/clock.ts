// The clock of a program: a table of one row, whose only column is what NOW() is in this step.
//
//   ∆out = -(the time of the step before) +(the time of this one), when it has moved
// Of the ticks of a step the latest counts. Time never goes back: a tick that is not later than the time is ignored, so that
// what a temporal filter has let go may be forgotten. State: one value. Operators that follow read it in `flush`.
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { readCell, writeCell } from '../../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

export class Clock implements Operator {
  readonly name = 'clock';
  readonly detail = '';
  readonly passesOn: boolean = false;
  /** One column, TIMESTAMP. */
  readonly #schema: Schema;
  #time: bigint | null = null;
  #latest: bigint | null = null;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Microseconds since 1970; null before the first tick. Moves in `flush`. */
  get time(): bigint | null {
    return this.#time;
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const [column] = batch.columns;
    for (let row = 0; row < batch.rows && column !== undefined; row++) {
      const tick = readCell(column, row);
      if (typeof tick === 'bigint' && (this.#latest === null || tick > this.#latest)) this.#latest = tick;
    }
  }

  flush(emit: Emit): void {
    const before = this.#time;
    if (this.#latest === before) return;
    this.#time = this.#latest;
    emit(rows(this.#schema, before, this.#time));
  }

  readonly contents = (emit: Emit): void => {
    if (this.#time !== null) emit(rows(this.#schema, null, this.#time));
  };

  stateRows(): number {
    return this.#time === null ? 0 : 1;
  }

  stateBytes(): number {
    return 8;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.text(this.#time === null ? '' : String(this.#time));
  }

  restore(reader: SnapshotReader): void {
    const text = reader.text();
    this.#time = text === '' ? null : BigInt(text);
    this.#latest = this.#time;
  }
}

function rows(schema: Schema, before: bigint | null, after: bigint | null): ChangeBatch {
  const builder = new BatchBuilder(schema, 2);
  for (const [time, weight] of [[before, -1] as const, [after, 1] as const]) {
    if (time === null) continue;
    builder.reserve(1);
    writeCell(builder.columns[0]!, builder.rows, time);
    builder.commitRow(weight);
  }
  return builder.finish();
}
