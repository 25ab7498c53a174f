// Batches for tests of operators, written and read as rows with weights.

import type { Operator } from '../../../actors/engine/circuit/operator.ts';
import { SnapshotReader, SnapshotWriter } from '../../../actors/engine/state/snapshot-codec.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type CellValue, readCell, writeCell } from '../../../runtime/batch/scalar-values.ts';
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';

export const bigint: SqlType = { kind: 'BIGINT' };
export const text: SqlType = { kind: 'VARCHAR', length: null };
export const double: SqlType = { kind: 'DOUBLE' };

/** Weight, then the values. */
export type WeightedRow = readonly [number, ...CellValue[]];

export function schemaOf(fields: Readonly<Record<string, SqlType>>, notNull: readonly string[] = []): Schema {
  return makeSchema(
    Object.entries(fields).map(([name, type]): Field => ({ name, type, nullable: !notNull.includes(name) })),
  );
}

export function batchOf(schema: Schema, rows: readonly WeightedRow[]): ChangeBatch {
  const builder = new BatchBuilder(schema);
  for (const [weight, ...values] of rows) {
    builder.reserve(1);
    values.forEach((value, c) => {
      writeCell(builder.columns[c]!, builder.rows, value);
    });
    builder.commitRow(weight);
  }
  return builder.finish();
}

/** `weight: value, value` for each row. */
export function linesOf(batches: readonly ChangeBatch[]): string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) => {
      const weight = batch.weights === null ? 1 : batch.weights[row]!;
      return `${weight > 0 ? '+' : ''}${weight}: ${batch.columns.map((column) => readCell(column, row)).join(', ')}`;
    }),
  );
}

/** Pushes a batch, flushes, and returns the lines that came out. */
export function step(
  operator: Operator,
  ...pushes: readonly (readonly [port: number, batch: ChangeBatch])[]
): string[] {
  const out: ChangeBatch[] = [];
  const emit = (batch: ChangeBatch): void => {
    out.push(batch);
  };
  for (const [port, batch] of pushes) operator.push(port, batch, emit);
  operator.flush(emit);
  return linesOf(out);
}

/** The operator's state, put into another one. */
export function transplant(from: Operator, to: Operator): void {
  const writer = new SnapshotWriter();
  from.snapshot(writer);
  const reader = new SnapshotReader(writer.finish());
  to.restore(reader);
  reader.end();
}

/** A small generator of its own, so that a test is the same each time. */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
