// Clears: a table that was emptied, in whatever step and order, is what a table is that had only the rows behind the last clear.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineCircuit, TableBatch } from '../../../actors/engine/engine-circuit.ts';
import { compileCircuit, engineCircuit } from '../../../actors/engine/program-circuit.ts';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { openShardedCircuit } from '../../../actors/engine/workers/sharded-circuit.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { batchOf, linesOf, type WeightedRow } from './zset-rows.ts';

const { program, problems } = compileProgram(`
  CREATE TABLE keyed (k BIGINT NOT NULL PRIMARY KEY, v VARCHAR);
  CREATE TABLE bag (k BIGINT NOT NULL, v VARCHAR) WITH ('materialized' = 'true');
  CREATE TABLE unkept (k BIGINT NOT NULL, v VARCHAR);
  CREATE MATERIALIZED VIEW joined AS SELECT keyed.k, keyed.v AS a, bag.v AS b FROM keyed LEFT JOIN bag ON keyed.k = bag.k;
  CREATE MATERIALIZED VIEW counts AS SELECT v, COUNT(*) AS c, MAX(k) AS m FROM bag GROUP BY v;
  CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS c, COUNT(DISTINCT v) AS d FROM keyed;
`);
assert.equal(problems, []);
const compiled = program!;
const relations = ['keyed', 'bag', 'joined', 'counts', 'total'];

type Table = 'keyed' | 'bag';
type Change = readonly [Table, 'clear'] | readonly [Table, 'insert' | 'delete', number, string];

const rowsOf = (table: string, rows: readonly WeightedRow[]): TableBatch => {
  const definition = compiled.tables.find(({ relation }) => relation.name === table)!;
  return { relation: table, batch: batchOf(definition.relation.schema, rows) };
};

/** What the tables hold, by the plainest means. */
class Model {
  readonly keyed: Map<number, string> = new Map();
  bag: (readonly [number, string])[] = [];

  /** The change as it goes to a circuit; null: there is nothing to delete. */
  apply([table, kind, k = 0, v = '']: Change): TableBatch | null {
    if (kind === 'clear') {
      if (table === 'keyed') this.keyed.clear();
      else this.bag = [];
      return { relation: table, batch: null };
    }
    const change = rowsOf(table, [[kind === 'insert' ? 1 : -1, BigInt(k), v]]);
    if (table === 'keyed') {
      if (kind === 'insert') this.keyed.set(k, v);
      else this.keyed.delete(k);
      return change;
    }
    if (kind === 'insert') this.bag.push([k, v]);
    else {
      const at = this.bag.findIndex((row) => row[0] === k && row[1] === v);
      if (at < 0) return null;
      this.bag.splice(at, 1);
    }
    return change;
  }

  /** A circuit that was given what there is now and nothing else. */
  fresh(): EngineCircuit {
    const circuit = compileCircuit({ program: compiled, onError: 'stop' });
    circuit.step([
      rowsOf(
        'keyed',
        [...this.keyed].map(([k, v]) => [1, BigInt(k), v]),
      ),
      rowsOf(
        'bag',
        this.bag.map(([k, v]) => [1, BigInt(k), v]),
      ),
    ]);
    return circuit;
  }
}

const contentsOf = (circuit: EngineCircuit): readonly (readonly string[])[] =>
  relations.map((relation) => linesOf(circuit.contents(relation)).sort());

const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constantFrom<Table>('keyed', 'bag'),
      fc.constantFrom('insert' as const, 'insert' as const, 'delete' as const),
      fc.nat({ max: 5 }),
      fc.constantFrom('a', 'b'),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom<Table>('keyed', 'bag'), fc.constant('clear' as const)) },
);
const arbitrarySteps = fc.array(fc.array(arbitraryChange, { maxLength: 8 }), { maxLength: 6 });

function follow(circuit: EngineCircuit, steps: readonly (readonly Change[])[]): void {
  const model = new Model();
  for (const step of steps) {
    circuit.step(step.flatMap((change) => model.apply(change) ?? []));
    assert.equal(contentsOf(circuit), contentsOf(model.fresh()));
  }
}

test('behind a clear a table is what comes behind it, anywhere in a step, and so is every view', () => {
  fc.assert(
    fc.property(arbitrarySteps, (steps) => follow(compileCircuit({ program: compiled, onError: 'stop' }), steps)),
    { numRuns: 40 },
  );
});

test('a clear empties the parts of all workers', async () => {
  const sharded = await openShardedCircuit({ program: compiled, onError: 'stop', workers: 2, onLost: () => {} });
  try {
    const circuit = engineCircuit(sharded);
    const inserted = (table: Table, from: number): Change[] =>
      Array.from({ length: 40 }, (_, i) => [table, 'insert', from + i, `v${i % 7}`]);
    follow(circuit, [
      [...inserted('keyed', 0), ...inserted('bag', 0), ...inserted('bag', 0)],
      [...inserted('keyed', 10), ['keyed', 'clear'], ...inserted('keyed', 5)],
      [
        ['bag', 'delete', 3, 'v3'],
        ['bag', 'clear'],
        ['keyed', 'clear'],
      ],
      [...inserted('bag', 20), ...inserted('keyed', 20)],
    ]);
  } finally {
    await sharded.stop();
  }
});

test('what a clear takes away comes out as deletions, once', () => {
  const circuit = compileCircuit({ program: compiled, onError: 'stop' });
  for (const relation of ['keyed', 'bag']) circuit.observe(relation);
  circuit.step([rowsOf('keyed', [[1, 1n, 'x']]), rowsOf('bag', [[2, 1n, 'x']])]);
  const changes = circuit.step([
    rowsOf('keyed', [[1, 2n, 'gone before it came']]),
    { relation: 'keyed', batch: null },
    { relation: 'bag', batch: null },
    { relation: 'bag', batch: null },
    rowsOf('keyed', [[1, 1n, 'y']]),
    rowsOf('bag', [[1, 1n, 'x']]),
  ]);
  assert.equal(linesOf(changes.get('keyed') ?? []), ['-1: 1, x', '+1: 1, y']);
  assert.equal(linesOf(changes.get('bag') ?? []), ['-1: 1, x']);
});

test('a table that keeps no rows cannot be cleared', () => {
  const circuit = compileCircuit({ program: compiled, onError: 'stop' });
  try {
    circuit.step([{ relation: 'unkept', batch: null }]);
    assert.unreachable();
  } catch (error) {
    assert.is(error instanceof MillraceError && error.code, 'query.not_materialized');
  }
});

test.run();
