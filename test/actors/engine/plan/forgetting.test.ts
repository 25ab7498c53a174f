// State behind watermarks is forgotten: what comes out is what came out without, and what is kept stays bounded.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

const lateness = 'LATENESS INTERVAL 5 SECOND';
const queries: string[] = [
  'SELECT TUMBLE_START(ts, INTERVAL 10 SECOND) AS s, COUNT(*) AS c, SUM(n) AS n, MIN(n) AS least, COUNT(DISTINCT n) AS d FROM t GROUP BY TUMBLE(ts, INTERVAL 10 SECOND)',
  'SELECT DISTINCT id, ts FROM t',
  'SELECT t.id, t.n, u.n AS m, t.ts FROM t JOIN u ON t.ts = u.ts AND t.id = u.id',
  'SELECT t.id, t.n, u.n AS m FROM t LEFT JOIN u ON t.ts = u.ts',
  'SELECT t.ts, COUNT(*) AS c FROM t JOIN u ON t.ts = u.ts GROUP BY t.ts',
  'SELECT ts, SUM(n) AS n FROM (SELECT ts, n FROM t UNION ALL SELECT ts, n FROM u) GROUP BY ts',
  'SELECT window_start AS s, id, COUNT(*) AS c FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 10 SECOND)) GROUP BY window_start, id',
  'SELECT window_start AS s, id, COUNT(*) AS c FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 2 SECOND, INTERVAL 10 SECOND)) GROUP BY window_start, id',
];
queries.push(
  'SELECT t.id, t.n, u.n AS m, t.ts FROM t JOIN u ON t.id = u.id AND t.ts BETWEEN u.ts AND u.ts + INTERVAL 3 SECOND',
  // The sides' rows come and go, and are settled.
  `SELECT a.c, u.n FROM (SELECT ts, id, COUNT(*) AS c FROM t GROUP BY ts, id) a JOIN u ON a.id = u.id AND a.ts >= u.ts - INTERVAL 1 SECOND`,
);
queries.push(
  `WITH c AS (${queries.at(-3)}) SELECT c.id, c.s, c.c FROM c JOIN (SELECT s, MAX(c) AS c FROM c GROUP BY s) m ON c.s = m.s AND c.c = m.c`,
);
/** What may not be forgotten: the other side goes on bringing rows for old ones, or rows are replaced. */
const kept: readonly string[] = [
  'SELECT t.ts, COUNT(*) AS c FROM t JOIN w ON t.id = w.id GROUP BY t.ts',
  'SELECT ts, COUNT(*) AS c FROM k GROUP BY ts',
];

function tables(late: string): string {
  return `CREATE TABLE t (id INT, ts TIMESTAMP NOT NULL ${late}, n INT); CREATE TABLE u (id INT, ts TIMESTAMP NOT NULL ${late}, n INT);
    CREATE TABLE w (id INT); CREATE TABLE k (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP ${late});
    CREATE TABLE p (id INT NOT NULL, ts TIMESTAMP NOT NULL ${late}, PRIMARY KEY (id, ts));`;
}

interface Running {
  readonly circuit: Circuit;
  readonly schemas: ReadonlyMap<string, ChangeBatch['schema']>;
}

const views = [...queries, ...kept];

function running(late: string, parts?: Uint8Array[]): Running {
  const { program, problems } = compileProgram(
    `${tables(late)}${views.map((query, i) => `CREATE VIEW v${i} AS ${query};`).join('')} CREATE VIEW keyed AS SELECT id FROM p;`,
  );
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  if (parts !== undefined) circuit.restore(parts);
  views.forEach((_, i) => {
    circuit.observe(`v${i}`);
  });
  return { circuit, schemas: new Map(program.tables.map(({ relation }) => [relation.name, relation.schema])) };
}

function stepped(
  { circuit, schemas }: Running,
  rows: ReadonlyMap<string, readonly WeightedRow[]>,
): readonly string[][] {
  const changes = circuit.step(new Map([...rows].map(([name, each]) => [name, [batchOf(schemas.get(name)!, each)]])));
  return views.map((_, i) => {
    const change = changes.get(`v${i}`);
    if (change === undefined) return [];
    // Equal rows may come as one change or as several.
    const sums = new Map<string, number>();
    for (let row = 0; row < change.rows; row++) {
      const text = JSON.stringify(rowFromBatch(change, row));
      sums.set(text, (sums.get(text) ?? 0) + (change.weights?.[row] ?? 1));
    }
    return [...sums].map(([text, weight]) => `${weight} ${text}`).sort();
  });
}

test('with rows that are never late every change is the same with LATENESS and without', () => {
  let late = running(lateness);
  const plain = running('');
  let random = 1;
  const next = (below: number): number => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return (random >>> 8) % below;
  };
  const live: WeightedRow[] = [];
  for (let step = 0; step < 120; step++) {
    const second = (): bigint => BigInt(step * 30 - next(50)) * 100_000n;
    const made = (): WeightedRow => [1, next(4), second(), next(30)];
    const t = Array.from({ length: 30 }, made);
    const u = Array.from({ length: 15 }, made);
    // Rows that are younger than the watermark are taken away again.
    const gone = live
      .splice(0)
      .filter(() => next(3) === 0)
      .map((row): WeightedRow => [-1, row[1]!, row[2]!, row[3]!]);
    live.push(...t.slice(0, 10).filter((row) => Number(row[2]) >= step * 3_000_000));
    const rows = new Map<string, readonly WeightedRow[]>([
      ['t', [...t, ...gone]],
      ['u', u],
      ['w', [[1, next(4)]]],
      ['k', [[1, next(6), second()]]],
      ['p', Array.from({ length: 30 }, (): WeightedRow => [1, next(1000), second()])],
    ]);
    if (step === 60) late = running(lateness, late.circuit.snapshot());
    const expected = stepped(plain, rows);
    stepped(late, rows).forEach((lines, i) => {
      assert.is(lines.join('\n'), expected[i]!.join('\n'), `step ${step}: ${views[i]}`);
    });
  }
  const rowsOf = ({ circuit }: Running): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const { view, stateRows } of circuit.statistics()) sums.set(view, (sums.get(view) ?? 0) + stateRows);
    return sums;
  };
  const [lateRows, plainRows] = [rowsOf(late), rowsOf(plain)];
  for (const i of [1, 2, 3, 8]) {
    assert.ok(
      lateRows.get(`v${i}`)! < plainRows.get(`v${i}`)! / 2 || plainRows.get(`v${i}`)! < 1024,
      `${queries[i]}: ${lateRows.get(`v${i}`)} of ${plainRows.get(`v${i}`)}`,
    );
  }
  assert.ok(lateRows.get('p')! < 2048 && plainRows.get('p')! > 3000, 'a keyed table forgets old keys');
});

test('state stays bounded while time goes on', () => {
  const late = running(lateness);
  let most = 0;
  for (let step = 0; step < 60; step++) {
    const rows = Array.from({ length: 400 }, (_, i): WeightedRow => [1, i, BigInt(step * 400 + i) * 1_000_000n, i]);
    stepped(
      late,
      new Map([
        ['t', rows],
        ['u', rows],
      ]),
    );
    const { stateRows } = late.circuit
      .statistics()
      .find(({ view, operator }) => view === 'v2' && operator === 'inner join')!;
    most = Math.max(most, stateRows);
  }
  assert.ok(most < 4000, `${most} rows of 48000`);
});

test('groups by what does not grow with the time are kept', () => {
  const { program, problems } = compileProgram(
    'CREATE TABLE t (x INT LATENESS 1, y INT); CREATE VIEW v AS SELECT CAST(CAST(x AS BOOLEAN) AS INT) AS b, y, COUNT(*) AS c FROM t GROUP BY CAST(CAST(x AS BOOLEAN) AS INT), y;',
  );
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('v');
  const { schema } = program.tables[0]!.relation;
  // -1 is TRUE, 0 is FALSE: the watermark of the second step stands above what the third one brings.
  const rows = (x: number): ChangeBatch =>
    batchOf(
      schema,
      Array.from({ length: 3000 }, (_, y): WeightedRow => [1, x, y]),
    );
  for (const x of [-2, 0]) circuit.step(new Map([['t', [rows(x)]]]));
  const change = circuit.step(new Map([['t', [rows(0)]]])).get('v')!;
  assert.is(change.weights?.filter((weight) => weight < 0).length, 3000);
});

test.run();
