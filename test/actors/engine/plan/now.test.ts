// NOW(): views over random changes and ticks show what the same query shows with the time written in its place.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { problemOf } from '../sql/program-rows.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

const table =
  'CREATE TABLE t (id INT, ts TIMESTAMP, n INT NOT NULL); CREATE TABLE u (id INT, since TIMESTAMP NOT NULL);';

/** What may be asked; `ts` and ticks are a few seconds around the epoch. */
const queries: readonly string[] = [
  "SELECT id, ts FROM t WHERE ts >= NOW() - INTERVAL '5' SECOND",
  'SELECT id FROM t WHERE ts > NOW() AND n <> 3',
  'SELECT id, n FROM t WHERE NOW() >= ts',
  'SELECT id, n FROM t WHERE ts < NOW()',
  "SELECT id FROM t WHERE ts BETWEEN NOW() - INTERVAL '4' SECOND AND NOW() - INTERVAL '1' SECOND",
  "SELECT id FROM t WHERE ts + INTERVAL '2' SECOND = TIMESTAMP_TRUNC(NOW(), SECOND)",
  'SELECT id FROM t WHERE TIMESTAMP_TRUNC(NOW(), MINUTE) <= ts',
  'SELECT id, COUNT(*) AS c, MAX(ts) AS m FROM t WHERE ts > NOW() GROUP BY id',
  'SELECT id, NOW() AS now FROM t',
  'SELECT NOW() AS now',
  "SELECT COUNT(*) AS c, MAX(NOW()) AS m FROM t WHERE n > 2 OR ts > NOW() - INTERVAL '1' SECOND",
  'SELECT t.id, u.since FROM t JOIN u ON t.id = u.id AND t.ts <= NOW() WHERE u.since > NOW()',
  'SELECT t.id, t.n, u.since FROM t LEFT JOIN u ON t.id = u.id AND u.since <= NOW()',
  'SELECT id FROM t WHERE EXTRACT(SECOND FROM NOW()) = n',
  'SELECT id FROM t WHERE id IN (SELECT id FROM u WHERE since > NOW())',
  'SELECT id, CASE WHEN ts < NOW() THEN 1 ELSE 0 END AS old, COUNT(*) AS c FROM t GROUP BY id, CASE WHEN ts < NOW() THEN 1 ELSE 0 END',
];

function made(views: readonly string[]): { circuit: Circuit; schemas: Map<string, ChangeBatch['schema']> } {
  const declared = views.map((query, i) => `CREATE MATERIALIZED VIEW v${i} AS ${query};`);
  const { program, problems } = compileProgram(`${table}${declared.join('')}`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const relations = [...program.tables.map(({ relation }) => relation), ...(program.clock ? [program.clock] : [])];
  const circuit = planProgram(program, { onError: 'stop' });
  return { circuit, schemas: new Map(relations.map(({ name, schema }) => [name, schema])) };
}

const second = 1_000_000n;

function textAt(query: string, seconds: bigint): string {
  return query.replaceAll(
    'NOW()',
    `TIMESTAMP '${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')}'`,
  );
}

function shown(batches: readonly ChangeBatch[]): string[] {
  return batches
    .flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, row): string[] => {
        const weight = batch.weights === null ? 1 : batch.weights[row]!;
        assert.ok(weight > 0, 'a view has no row less than never');
        return Array.from({ length: weight }, () => JSON.stringify(rowFromBatch(batch, row)));
      }),
    )
    .flat()
    .sort();
}

interface Step {
  /** Seconds that pass; null: no tick. */
  readonly ticks: readonly number[];
  /** Rows to insert, and which of the rows that there are (by position) to delete. */
  readonly t: readonly (readonly [number | null, number | null, number])[];
  readonly u: readonly (readonly [number, number])[];
  readonly gone: readonly number[];
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    ticks: fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 2 }),
    t: fc.array(
      fc.tuple<[number | null, number | null, number]>(
        fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
        fc.option(fc.integer({ min: -3, max: 25 }), { nil: null }),
        fc.integer({ min: 0, max: 5 }),
      ),
      { maxLength: 5 },
    ),
    u: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 20 })), { maxLength: 2 }),
    gone: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);

test('every view shows what the query shows with the time of the step in the place of NOW()', () => {
  const property = fc.property(steps, fc.nat({ max: 12 }), (history, restoreAt) => {
    let { circuit, schemas } = made(queries);
    let now: bigint | null = null;
    const rows = { t: [] as WeightedRow[], u: [] as WeightedRow[] };
    history.forEach((step, at) => {
      if (at === restoreAt) {
        const parts = circuit.snapshot();
        ({ circuit, schemas } = made(queries));
        circuit.restore(parts);
      }
      const inputs = new Map<string, ChangeBatch[]>();
      const ticks: bigint[] = [];
      for (const tick of step.ticks) {
        const time: bigint = (now ?? 0n) + BigInt(tick);
        if (now === null || time > now) now = time;
        ticks.push(time);
      }
      if (ticks.length > 0)
        inputs.set('now', [
          batchOf(
            schemas.get('now')!,
            ticks.map((time) => [1, time * second]),
          ),
        ]);
      const changes: WeightedRow[] = step.t.map(([id, ts, n]) => [1, id, ts === null ? null : BigInt(ts) * second, n]);
      rows.t.push(...changes);
      for (const position of new Set(step.gone)) {
        const row = rows.t[position];
        if (row === undefined) continue;
        changes.push([-1, ...row.slice(1)] as WeightedRow);
        rows.t[position] = [0];
      }
      rows.t = rows.t.filter(([weight]) => weight !== 0);
      const others: WeightedRow[] = step.u.map(([id, since]) => [1, id, BigInt(since) * second]);
      rows.u.push(...others);
      inputs.set('t', [batchOf(schemas.get('t')!, changes)]);
      inputs.set('u', [batchOf(schemas.get('u')!, others)]);
      circuit.step(inputs);
      if (now === null || at !== history.length - 1) return;
      const time = now;
      const written = made(queries.map((query) => textAt(query, time)));
      const whole = new Map([
        ['t', [batchOf(schemas.get('t')!, rows.t)]],
        ['u', [batchOf(schemas.get('u')!, rows.u)]],
      ]);
      written.circuit.step(whole);
      queries.forEach((query, i) => {
        assert.equal(shown(circuit.contents(`v${i}`)), shown(written.circuit.contents(`v${i}`)), query);
      });
    });
  });
  fc.assert(property, { numRuns: 12 });
});

test('a temporal filter keeps only what the clock has not passed, and a tick costs what it changes', () => {
  const { circuit, schemas } = made([queries[0]!, queries[3]!]);
  const tick = (seconds: bigint): void => {
    circuit.step(new Map([['now', [batchOf(schemas.get('now')!, [[1, seconds * second]])]]]));
  };
  tick(0n);
  const rows = Array.from({ length: 1000 }, (_, i): WeightedRow => [1, i, BigInt(i) * second, 0]);
  circuit.step(new Map([['t', [batchOf(schemas.get('t')!, rows)]]]));
  const filters = (): readonly (readonly [number, number])[] =>
    circuit
      .statistics()
      .filter(({ operator }) => operator === 'temporal filter')
      .map(({ stateRows, rowsOut }) => [stateRows, rowsOut]);
  assert.equal(filters(), [
    [1000, 1000],
    [1000, 0],
  ]);
  tick(500n);
  assert.equal(filters(), [
    [505, 1495],
    [500, 500],
  ]);
  tick(501n);
  assert.equal(filters(), [
    [504, 1496],
    [499, 501],
  ]);
});

test('a query of the moment sees the time of the program, a program without NOW() that of the day', () => {
  const { circuit, schemas } = made(['SELECT NOW() AS x']);
  circuit.step(new Map([['now', [batchOf(schemas.get('now')!, [[1, 42n * second]])]]]));
  const ask = (asked: Circuit, sql: string): string[] => {
    const { query, displayOrder } = compileQuery(sql, []);
    return shown(asked.query(query, displayOrder));
  };
  assert.equal(ask(circuit, 'SELECT NOW() AS y'), ['{"y":"1970-01-01 00:00:42"}']);
  assert.equal(ask(made([]).circuit, "SELECT 1 AS y WHERE NOW() > TIMESTAMP '2020-01-01 00:00:00'"), ['{"y":1}']);
});

test('NOW() is refused where a constant is wanted, and so is a relation with the name of the clock', () => {
  assert.match(problemOf('CREATE TABLE t (x TIMESTAMP DEFAULT NOW());'), 'NOW() in DEFAULT is not supported');
  const named = 'CREATE TABLE now (x INT); CREATE VIEW v AS SELECT NOW() AS y FROM now;';
  assert.match(problemOf(named), '"now" is the clock of a program that says NOW()');
  assert.is(problemOf('CREATE TABLE now (x INT); CREATE VIEW v AS SELECT x FROM now;'), 'no problem');
});

test.run();
