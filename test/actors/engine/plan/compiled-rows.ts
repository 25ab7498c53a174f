// A scalar, or a predicate and its outputs, compiled as the engine does it and run over the rows of a test. Used by the tests of the
// expression compiler.
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { compileRowProgram, type RowProgram } from '../../../../actors/engine/plan/expression-compiler.ts';
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { assertBatch, type ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { readCell } from '../../../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { batchOf, schemaOf } from './scalar-nodes.ts';

/** Texts whose order by bytes is not that of their UTF-16, among others. */
export const words: readonly string[] = ['', 'a', 'ab', 'b', 'zürich', '\u{ff5e}', '\u{1f600}', 'A', 'a b', '€'];

export function compile(
  types: readonly SqlType[],
  predicate: Scalar | null,
  outputs: readonly Scalar[] | null,
): RowProgram {
  const inputSchema = schemaOf(types);
  const outputSchema = outputs === null ? inputSchema : schemaOf(outputs.map((output) => output.type));
  return compileRowProgram({ inputSchema, predicate, outputs, outputSchema, view: 'v' });
}

export function rowsOf(batch: ChangeBatch | null): ScalarValue[][] {
  if (batch === null) return [];
  assertBatch(batch);
  return Array.from({ length: batch.rows }, (_, row) => batch.columns.map((source) => readCell(source, row)));
}

/** The value of one scalar over one row, through a compiled program; 'failed' where it fails. */
export function computed(
  scalar: Scalar,
  types: readonly SqlType[],
  row: readonly ScalarValue[],
): ScalarValue | 'failed' {
  const failures = new EvaluationFailures('skip');
  const rows = rowsOf(compile(types, null, [scalar]).run(batchOf(schemaOf(types), [row]), failures));
  return rows.length === 0 ? 'failed' : rows[0]![0]!;
}
