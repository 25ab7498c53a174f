// Several workers give what one gives: every operator and random programs on random histories. MILLRACE_LONG=1 runs many more.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../runtime/batch/row-objects.ts';
import { batchOf, type History, histories } from './change-history.ts';
import { programOf, type ViewCase } from './incremental-view.ts';
import { operatorViews } from './operator-views.ts';
import { relationalViews } from './relational-views.ts';
import { ShardedCircuit } from './sharded-circuit.ts';

const long = process.env['MILLRACE_LONG'] === '1';

type Sum = Map<string, number>;

function add(sums: Sum, batch: ChangeBatch): void {
  for (let row = 0; row < batch.rows; row++) {
    const key = Object.values(rowFromBatch(batch, row)).map(String).join(' | ');
    const weight = (sums.get(key) ?? 0) + (batch.weights?.[row] ?? 1);
    if (weight === 0) sums.delete(key);
    else sums.set(key, weight);
  }
}

const sorted = (sums: Sum): readonly string[] => [...sums].map(([row, weight]) => `${weight} x ${row}`).sort();

/** The circuit that a pipeline of one worker has. */
class OneCircuit {
  readonly #circuit: Circuit;

  constructor(program: BoundProgram) {
    this.#circuit = planProgram(program, { onError: 'stop' });
  }

  observe(relation: string): void {
    this.#circuit.observe(relation);
  }

  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ReadonlyMap<string, ChangeBatch> {
    return this.#circuit.step(inputs);
  }

  contents(relation: string): readonly ChangeBatch[] {
    return this.#circuit.contents(relation);
  }

  snapshot(): readonly (readonly Uint8Array[])[] {
    return [this.#circuit.snapshot()];
  }

  restore([parts]: readonly (readonly Uint8Array[])[]): void {
    this.#circuit.restore(parts!);
  }
}

/** The change of each view in each step, then the contents; in the middle all circuits go on from their snapshots. */
function run(program: BoundProgram, history: History, workers: number): readonly string[] {
  const views = program.views.map(({ relation }) => relation.name);
  const make = (): ShardedCircuit | OneCircuit => {
    const made = workers === 1 ? new OneCircuit(program) : new ShardedCircuit(program, workers);
    for (const view of views) made.observe(view);
    return made;
  };
  let circuit = make();
  const said: string[] = [];
  history.forEach((step, at) => {
    if (at === history.length >> 1) {
      const parts = circuit.snapshot();
      circuit = make();
      circuit.restore(parts);
    }
    const inputs = new Map<string, ChangeBatch[]>();
    for (const [b, commands] of step.entries()) {
      const { table } = commands[0]!;
      const { schema } = program.tables.find(({ relation }) => relation.name === table)!.relation;
      inputs.set(table, [...(inputs.get(table) ?? []), batchOf(schema, commands, (at + b) % 2 === 1)]);
    }
    const changes = circuit.step(inputs);
    for (const view of views) {
      const sums: Sum = new Map();
      const change = changes.get(view);
      if (change !== undefined) add(sums, change);
      said.push(`step ${at} ${view}: ${sorted(sums).join('; ')}`);
    }
  });
  for (const view of views) {
    const sums: Sum = new Map();
    for (const batch of circuit.contents(view)) add(sums, batch);
    said.push(`${view}: ${sorted(sums).join('; ')}`);
  }
  return said;
}

const views: readonly ViewCase[] = [...Object.values(operatorViews), ...Object.values(relationalViews)].flat();
const programs = fc.uniqueArray(fc.constantFrom(...views), { minLength: 1, maxLength: 3 });

for (const workers of [2, 3, 8]) {
  test(`${workers} workers give what one gives, in every step`, () => {
    fc.assert(
      fc.property(programs, histories(14), (chosen, history) => {
        const program = programOf(chosen);
        assert.equal(run(program, history, workers), run(program, history, 1));
      }),
      { numRuns: long ? 3000 : 24 },
    );
  });
}

test.run();
