// A program made ready for the engine actor: planned, and spoken to in the actor's words.
//
// The one file of the engine that knows the planner and the SQL compiler at once: an ad-hoc query is compiled against the
// relations of the program by the same compiler, and run over the same circuit.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { EngineCircuit, TableBatch } from './engine-circuit.ts';
import type { EngineArguments } from './messages.ts';
import { planProgram } from './plan/planner.ts';
import { compileQuery } from './sql/compile-program.ts';

/** @throws a coded error when the program cannot be planned. */
export function compileCircuit({ program, onError }: Pick<EngineArguments, 'program' | 'onError'>): EngineCircuit {
  const circuit = planProgram(program, { onError });
  const relations = [...program.tables, ...program.views].map((definition) => definition.relation);
  return {
    observe: (relation) => circuit.observe(relation),
    unobserve: (relation) => circuit.unobserve(relation),
    step: (batches) => circuit.step(byTable(batches)),
    contents: (relation) => circuit.contents(relation),
    query: (sql) => {
      const { query, displayOrder } = compileQuery(sql, relations);
      return { schema: query.schema, batches: circuit.query(query, displayOrder) };
    },
    statistics: () => {
      let stateRows = 0;
      let stateBytes = 0;
      for (const operator of circuit.statistics()) {
        stateRows += operator.stateRows;
        stateBytes += operator.stateBytes;
      }
      return { stateRows, stateBytes, evaluationErrors: circuit.failures.count };
    },
  };
}

/** The batches of each table in the order in which they were taken. */
function byTable(batches: readonly TableBatch[]): ReadonlyMap<string, readonly ChangeBatch[]> {
  const tables = new Map<string, ChangeBatch[]>();
  for (const { relation, batch } of batches) {
    const known = tables.get(relation);
    if (known === undefined) tables.set(relation, [batch]);
    else known.push(batch);
  }
  return tables;
}
