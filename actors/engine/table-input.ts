// What a step brings into each table, from the batches in the order in which they were taken.
//
//   b1 b2 CLEAR b3      becomes      -contents b3        contents: what the table held when the step began
//
// Whatever came before a clear in the same step goes with the rest, so it need not enter. For a table with a primary key the contents
// with negative weights are deletions by key, for one without their own opposite: both empty it. Cost of a clear: the rows of the table.
// Which tables can be cleared is decided before (supervisor/table-clearing.ts); one that keeps no rows is a coded error here as well.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { TableBatch } from './engine-circuit.ts';

/** @throws what `contents` throws of a table that keeps no rows */
export function byTable(
  batches: readonly TableBatch[],
  contents: (table: string) => readonly ChangeBatch[],
): ReadonlyMap<string, readonly ChangeBatch[]> {
  const tables = new Map<string, ChangeBatch[]>();
  for (const { relation, batch } of batches) {
    const known = tables.get(relation);
    if (batch === null) tables.set(relation, contents(relation).map(negated));
    else if (known === undefined) tables.set(relation, [batch]);
    else known.push(batch);
  }
  return tables;
}

function negated(batch: ChangeBatch): ChangeBatch {
  const weights = new Int32Array(batch.rows);
  negate(batch.weights, weights, batch.rows);
  return { ...batch, weights };
}

// ── data plane ──

function negate(weights: Int32Array | null, into: Int32Array, rows: number): void {
  if (weights === null) into.fill(-1, 0, rows);
  else for (let i = 0; i < rows; i++) into[i] = -weights[i]!;
}
