// Several workers give what one gives: every operator and random programs on random histories. MILLRACE_LONG=1 runs many more.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../runtime/batch/row-objects.ts';
import { batchOf as rowsBatch } from '../actors/engine/zset-rows.ts';
import { batchOf, type History, histories } from './change-history.ts';
import { dialectViews } from './dialect-views.ts';
import { programOf, type ViewCase } from './incremental-view.ts';
import { operatorViews } from './operator-views.ts';
import { relationalViews } from './relational-views.ts';
import { ShardedCircuit } from './sharded-circuit.ts';

const long = process.env['MILLRACE_LONG'] === '1';

type Inputs = ReadonlyMap<string, readonly ChangeBatch[]>;
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

const isMaterialized = ({ kind }: BoundProgram['views'][number]): boolean => kind === 'materialized';

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
function run(program: BoundProgram, history: readonly Inputs[], workers: number): readonly string[] {
  const views = program.views.map(({ relation }) => relation.name);
  const make = (): ShardedCircuit | OneCircuit => {
    const made = workers === 1 ? new OneCircuit(program) : new ShardedCircuit(program, workers);
    for (const view of views) made.observe(view);
    return made;
  };
  let circuit = make();
  const said: string[] = [];
  history.forEach((inputs, at) => {
    if (at === history.length >> 1) {
      const parts = circuit.snapshot();
      circuit = make();
      circuit.restore(parts);
    }
    const changes = circuit.step(inputs);
    for (const view of views) {
      const sums: Sum = new Map();
      const change = changes.get(view);
      if (change !== undefined) add(sums, change);
      said.push(`step ${at} ${view}: ${sorted(sums).join('; ')}`);
    }
  });
  const relations = [...program.tables.filter((table) => table.materialized), ...program.views.filter(isMaterialized)];
  for (const { relation } of relations) {
    const view = relation.name;
    const sums: Sum = new Map();
    for (const batch of circuit.contents(view)) add(sums, batch);
    said.push(`${view}: ${sorted(sums).join('; ')}`);
  }
  return said;
}

function inputsOf(program: BoundProgram, step: History[number], at: number): Inputs {
  const inputs = new Map<string, ChangeBatch[]>();
  for (const [b, commands] of step.entries()) {
    const { table } = commands[0]!;
    const { schema } = program.tables.find(({ relation }) => relation.name === table)!.relation;
    inputs.set(table, [...(inputs.get(table) ?? []), batchOf(schema, commands, (at + b) % 2 === 1)]);
  }
  return inputs;
}

const groups = [operatorViews, relationalViews, dialectViews].flatMap((each) => Object.values(each));
const views: readonly ViewCase[] = groups.flat();
const programs = fc.uniqueArray(fc.constantFrom(...views), { minLength: 1, maxLength: 3 });
/** Groups that workers compute in parts. */
const inParts: readonly ViewCase[] = [
  'SELECT COUNT(*) AS c, MAX(s) AS m, COUNT(DISTINCT k) AS d FROM facts',
  'SELECT COUNT(DISTINCT s) AS a, COUNT(DISTINCT i) FILTER (WHERE b) AS e, MIN(n) AS m, COUNT(n) AS c FROM facts',
  'SELECT k > 0 AS p, COUNT(DISTINCT s) AS a, MAX(i) AS m, COUNT(DISTINCT i) AS e, COUNT(*) AS c FROM facts GROUP BY k > 0',
  'SELECT b AND i > 0 AS p, MIN(s) AS m, COUNT(d) AS c, MAX(d) AS x FROM facts WHERE k > 0 GROUP BY b AND i > 0',
  'SELECT COUNT(*) AS c, COUNT(DISTINCT u.name) AS n FROM facts f JOIN users u ON f.k = u.id',
  'SELECT COUNT(*) AS c FROM facts HAVING COUNT(*) > 1',
].map((sql) => ({ title: sql, sql }));

test('groups in parts are the groups', () => {
  const program = programOf(inParts);
  fc.assert(
    fc.property(histories(14), fc.constantFrom(2, 3, 8), (history, workers) => {
      const steps = history.map((step, at) => inputsOf(program, step, at));
      assert.equal(run(program, steps, workers), run(program, steps, 1));
    }),
    { numRuns: long ? 3000 : 16 },
  );
});

test('several workers give what one gives, in every step', () => {
  fc.assert(
    fc.property(programs, histories(14), fc.constantFrom(2, 3, 8), (chosen, history, workers) => {
      const program = programOf(chosen);
      const steps = history.map((step, at) => inputsOf(program, step, at));
      assert.equal(run(program, steps, workers), run(program, steps, 1));
    }),
    { numRuns: long ? 9000 : 24 },
  );
});

const timely = `
CREATE TABLE a (k INT NOT NULL, x INT NOT NULL LATENESS 4, n INT) WITH ('materialized' = 'true', 'append_only' = 'true');
CREATE TABLE w (k INT NOT NULL, x INT NOT NULL WATERMARK 2, n INT) WITH ('materialized' = 'true');
CREATE TABLE p (k INT NOT NULL PRIMARY KEY, x INT LATENESS 4, n INT);
CREATE TABLE t (k INT NOT NULL, ts TIMESTAMP NOT NULL, n INT);
CREATE TABLE e (k INT NOT NULL, x BIGINT NOT NULL LATENESS 4, n INT) WITH ('append_only' = 'true');
CREATE VIEW greatest AS SELECT e.k, e.x, e.n FROM e JOIN (SELECT x, MAX(n) AS m FROM e GROUP BY x) g ON e.x = g.x AND e.n = g.m;
CREATE LOCAL VIEW counts AS SELECT k, x, COUNT(*) AS c FROM e GROUP BY k, x;
CREATE VIEW most AS SELECT c.k, c.x, c.c FROM counts c JOIN (SELECT x, MAX(c) AS m FROM counts GROUP BY x) g ON c.x = g.x AND c.c = g.m;
CREATE MATERIALIZED VIEW groups AS SELECT x, COUNT(*) AS c, MAX(n) AS m FROM a GROUP BY x;
CREATE VIEW final WITH ('emit_final' = 'x') AS SELECT x, COUNT(*) AS c FROM a GROUP BY x;
CREATE VIEW plain WITH ('emit_final' = 'x') AS SELECT k, x FROM a;
CREATE MATERIALIZED VIEW held AS SELECT k, SUM(n) AS n FROM w GROUP BY k;
CREATE MATERIALIZED VIEW joined AS SELECT a.k, a.x, p.n FROM a JOIN p ON a.k = p.k;
CREATE MATERIALIZED VIEW paired AS SELECT a.x, w.n FROM a JOIN w ON a.x = w.x;
LATENESS late.x 3;
CREATE VIEW late AS SELECT k, x FROM w;
CREATE MATERIALIZED VIEW behind AS SELECT x, COUNT(*) AS c FROM late GROUP BY x;
CREATE MATERIALIZED VIEW recent AS SELECT k, n FROM t WHERE ts > NOW() - INTERVAL 3 SECONDS;
CREATE MATERIALIZED VIEW ages AS SELECT k, COUNT(*) AS c FROM t WHERE ts < NOW() GROUP BY k;
CREATE MATERIALIZED VIEW stamped AS SELECT k, NOW() AS at FROM p;`;

test('tables and views with LATENESS, WATERMARK, emit_final and NOW() are the same on several workers', () => {
  const { program, problems } = compileProgram(timely);
  if (program === null) throw problems[0];
  const clock = program.clock!;
  const cell = fc.tuple(fc.constantFrom('a', 'w', 'p', 't', 'e'), fc.nat(6), fc.nat(12), fc.option(fc.nat(9)));
  const steps = fc.array(fc.array(cell, { maxLength: 12 }), { minLength: 2, maxLength: 8 });
  const inputs = (rows: readonly (readonly [string, number, number, number | null])[], at: number): Inputs => {
    const made = new Map<string, ChangeBatch[]>();
    for (const { relation } of program.tables) {
      const own = rows.filter(([table]) => table === relation.name);
      const timeOf = (x: number): number | bigint =>
        relation.name === 't' ? BigInt(x) * 1_000_000n : relation.name === 'e' ? BigInt(x + at) : x + at;
      const cells = own.map(([, k, x, n]) => [1, k, timeOf(x), n] as const);
      if (cells.length > 0) made.set(relation.name, [rowsBatch(relation.schema, cells)]);
    }
    made.set(clock.name, [rowsBatch(clock.schema, [[1, BigInt(at) * 2_000_000n]])]);
    return made;
  };
  fc.assert(
    fc.property(steps, fc.constantFrom(2, 3, 8), (made, workers) => {
      const history = made.map(inputs);
      assert.equal(run(program, history, workers), run(program, history, 1));
    }),
    { numRuns: long ? 2000 : 20 },
  );
});

test.run();
