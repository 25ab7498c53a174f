// The rows of a view over one table, for tests of what expressions and aggregates mean: compiled, planned and stepped for real.
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

/** Each step is a list of rows of the first table; the rows of view `v` afterwards, as JSON, sorted. */
export function rowsOf(program: string, ...steps: readonly (readonly WeightedRow[])[]): string[] {
  const compiled = compileProgram(program);
  if (compiled.program === null) throw compiled.problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(compiled.program, { onError: 'stop' });
  const [table] = compiled.program.tables;
  for (const rows of steps) {
    if (table !== undefined) circuit.step(new Map([[table.relation.name, [batchOf(table.relation.schema, rows)]]]));
  }
  return circuit
    .contents('v')
    .flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, row) => {
        const shown = JSON.stringify(rowFromBatch(batch, row));
        const weight = batch.weights === null ? 1 : batch.weights[row]!;
        return weight === 1 ? shown : `${weight} times ${shown}`;
      }),
    )
    .sort();
}

/** The value of an expression without columns. */
export function constantOf(expression: string): unknown {
  const [row = '{}'] = rowsOf(
    `CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT ${expression} AS a FROM t;`,
    [[1, 1]],
  );
  return Reflect.get(JSON.parse(row), 'a');
}

/** The message of the first problem of a program. */
export function problemOf(program: string): string {
  return compileProgram(program).problems[0]?.message ?? 'no problem';
}
