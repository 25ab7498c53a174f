// A program made ready for the engine actor: planned, and spoken to in the actor's words.
//
// SQL text does not come here: programs and ad-hoc queries are compiled on the control thread, so that the engine's thread
// neither loads the compiler nor waits for it. How many workers a circuit really gets is decided here and nowhere else.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Log } from '../../runtime/log.ts';
import type { OperatorStatistics, RelationContents } from './circuit/circuit.ts';
import type { EngineCircuit, StepChanges } from './engine-circuit.ts';
import type { EngineArguments, WorkerShare } from './messages.ts';
import { explainProgram, explainQuery } from './plan/explain.ts';
import { planProgram } from './plan/planner.ts';
import { sharingOf } from './program-sharing.ts';
import type { Rel, SortKey } from './sql/bound.ts';
import { byTable } from './table-input.ts';
import { workersOfImage } from './workers/worker-image.ts';

/** A circuit of one or of several workers. */
interface ProgramCircuit extends RelationContents {
  observe(relation: string): void;
  unobserve(relation: string): void;
  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): StepChanges;
  query(query: Rel, displayOrder: readonly SortKey[]): readonly ChangeBatch[];
  snapshot(): readonly Uint8Array[];
  restore(parts: readonly Uint8Array[]): void;
  statistics(): readonly OperatorStatistics[];
  evaluationErrors(): number;
  stop(): Promise<void>;
}

/** On one worker. @throws a coded error when the program cannot be planned. */
export function compileCircuit({ program, onError }: Pick<EngineArguments, 'program' | 'onError'>): EngineCircuit {
  const circuit = planProgram(program, { onError });
  return engineCircuit({
    observe: (relation) => circuit.observe(relation),
    unobserve: (relation) => circuit.unobserve(relation),
    step: (inputs) => new Map([...circuit.step(inputs)].map(([relation, change]) => [relation, [change]])),
    isMaterialized: (relation) => circuit.isMaterialized(relation),
    contents: (relation) => circuit.contents(relation),
    query: (query, displayOrder) => circuit.query(query, displayOrder),
    snapshot: () => circuit.snapshot(),
    restore: (parts) => circuit.restore(parts),
    statistics: () => circuit.statistics(),
    evaluationErrors: () => circuit.failures.count,
    stop: async () => {},
  });
}

export function engineCircuit(circuit: ProgramCircuit): EngineCircuit {
  return {
    observe: (relation) => circuit.observe(relation),
    unobserve: (relation) => circuit.unobserve(relation),
    step: (batches) => circuit.step(byTable(batches, (table) => circuit.contents(table))),
    contents: (relation) => circuit.contents(relation),
    query: ({ query, displayOrder, explains }) => {
      if (explains === 'program') return explainProgram(circuit.statistics());
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
      return { stateRows, stateBytes, evaluationErrors: circuit.evaluationErrors() };
    },
    stop: () => circuit.stop(),
  };
}

/**
 * How many workers the circuit gets: as many as are asked for, unless it goes on from a checkpoint, whose state lies by the number
 * of workers that took it, or nothing in it can be shared. What is not done as asked is said in the log.
 */
export function workersFor(args: EngineArguments, log: Log): WorkerShare {
  const { program, onError, restore, workers: asked = 1 } = args;
  if (restore !== null) {
    const workers = workersOfImage(restore.parts.map((part) => new Uint8Array(part)));
    if (workers !== asked) {
      const message = `the checkpoint was taken by ${workers} workers, which go on; start without it to have ${asked}`;
      log.warn(message, { workers, asked });
    }
    return { asked, workers, alone: workers === 1 ? [] : sharingOf(program, workers, onError).alone };
  }
  if (asked === 1) return { asked, workers: 1, alone: [] };
  const { isShared, alone } = sharingOf(program, asked, onError);
  if (isShared) {
    if (alone.length > 0) {
      const message = `one worker computes a part of this program: ${alone.join('; ')}`;
      log.info(message, { workers: asked, alone });
    }
    return { asked, workers: asked, alone };
  }
  const because = alone.length === 0 ? '' : ` (${alone.join('; ')})`;
  const message = `nothing in this program can be shared among workers: one computes it${because}`;
  log.warn(message, { workers: 1, asked, alone });
  return { asked, workers: 1, alone };
}
