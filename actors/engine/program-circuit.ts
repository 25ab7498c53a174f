// A program made ready for the engine actor: planned, and spoken to in the actor's words.
//
// SQL text does not come here: programs and ad-hoc queries are compiled on the control thread, so that the engine's thread
// neither loads the compiler nor waits for it.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { EngineCircuit, TableBatch } from './engine-circuit.ts';
import type { EngineArguments } from './messages.ts';
import { explainProgram, explainQuery } from './plan/explain.ts';
import { planProgram } from './plan/planner.ts';

/** @throws a coded error when the program cannot be planned. */
export function compileCircuit({ program, onError }: Pick<EngineArguments, 'program' | 'onError'>): EngineCircuit {
  const circuit = planProgram(program, { onError });
  return {
    observe: (relation) => circuit.observe(relation),
    unobserve: (relation) => circuit.unobserve(relation),
    step: (batches) => circuit.step(byTable(batches)),
    contents: (relation) => circuit.contents(relation),
    query: ({ query, displayOrder, explains }) => {
      if (explains === 'program') return explainProgram(circuit);
      if (explains === 'query') return explainQuery(circuit, query);
      return { schema: query.schema, batches: circuit.query(query, displayOrder) };
    },
    snapshot: () => circuit.snapshot(),
    restore: (parts) => circuit.restore(parts),
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
