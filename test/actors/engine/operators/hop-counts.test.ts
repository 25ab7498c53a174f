// Counts over overlapping windows as sums of panes, beside sums of ones, for which each row is put in its windows.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, seeded, type WeightedRow } from '../zset-rows.ts';

type Running = { circuit: ReturnType<typeof planProgram>; schema: Parameters<typeof batchOf>[0] };

const counts = 'COUNT(*) AS c, COUNT(v) AS d, COUNT(v) FILTER (WHERE v > 1) AS f';
const sums = `SUM(CAST(1 AS BIGINT)) AS c, SUM(CASE WHEN v IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END) AS d,
  SUM(CASE WHEN v > 1 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS f`;

function running(sql: string): Running {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  for (const view of program.views) circuit.observe(view.relation.name);
  return { circuit, schema: program.tables[0]!.relation.schema };
}

const views = (columns: string, from: string, by: string): string => `
  CREATE TABLE t (id INT, ts TIMESTAMP NOT NULL, v INT, s VARCHAR);
  CREATE MATERIALIZED VIEW a AS SELECT ${columns}, ${counts} FROM ${from} GROUP BY ${by};
  CREATE MATERIALIZED VIEW b AS SELECT ${columns}, ${sums} FROM ${from} GROUP BY ${by};`;
const hop = (slide: number, size: number, offset = ''): string =>
  `TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL ${slide} SECOND, INTERVAL ${size} SECOND${offset}))`;

const start = 'window_start AS w';
const sizes = 'ts, INTERVAL 2 SECOND, INTERVAL 6 SECOND';
const second = 1_000_000n;
for (const [title, columns, from, by, origin, spread] of [
  ['a few panes', `id, ${start}`, hop(2, 10), 'id, window_start', 0n, 60],
  ['more panes than a chunk has', `id, ${start}`, hop(1, 20), 'id, window_start', 0n, 90],
  [
    'two panes, an offset, and times before 1970',
    `s, ${start}`,
    hop(3, 6, ', INTERVAL 1 SECOND'),
    's, window_start',
    -(10n ** 13n),
    60,
  ],
  ['the end of a window alone, and two keys', 's, id, window_end AS w', hop(2, 8), 'id, window_end, s', 0n, 40],
  [
    'a key that is computed',
    `id + v AS k, ${start}, window_end AS e`,
    hop(2, 10),
    'id + v, window_start, window_end',
    0n,
    60,
  ],
  ['years that doubles do not count exactly', `id, ${start}`, hop(2, 10), 'id, window_start', 9n ** 18n + 3n, 60],
  ['HOP in GROUP BY', `id, HOP_START(${sizes}) AS w`, 't', `id, HOP(${sizes})`, 0n, 60],
] as const) {
  test(`${title}: counts are what sums of ones are, while rows come and go, with a snapshot between`, () => {
    const sql = views(columns, from, by);
    let { circuit, schema } = running(sql);
    assert.is(
      circuit
        .explain()
        .split('\n')
        .filter((line) => line.includes(' hop counts [')).length,
      1,
    );
    const below = seeded(31);
    const present: WeightedRow[] = [];
    for (let step = 0; step < 40; step++) {
      const rows: WeightedRow[] = [];
      for (let i = below(20); i > 0; i--) {
        if (present.length > 0 && below(3) === 0) {
          const [, ...values] = present.splice(below(present.length), 1)[0]!;
          rows.push([-1, ...values]);
          continue;
        }
        const at = origin * (origin > 10n ** 15n ? 1n : second) + (BigInt(below(spread)) * second) / 2n;
        const key = below(6) === 0 ? null : below(3);
        const row: WeightedRow = [1, key, at, below(4) === 0 ? null : below(4), below(4) === 0 ? null : `s${below(2)}`];
        rows.push(row);
        present.push(row);
      }
      const changes = circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
      const [a, b] = ['a', 'b'].map((view) => linesOf([changes.get(view)].filter((each) => each !== undefined)).sort());
      assert.equal(a, b, `step ${step}`);
      const [all, sure] = ['a', 'b'].map((view) => linesOf(circuit.contents(view)).sort());
      assert.equal(all, sure, `contents after step ${step}`);
      if (step !== 20) continue;
      const next = running(sql);
      next.circuit.restore(circuit.snapshot());
      circuit = next.circuit;
    }
    const gone = present.map(([, ...values]): WeightedRow => [-1, ...values]);
    circuit.step(new Map([['t', [batchOf(schema, gone)]]]));
    assert.equal(linesOf(circuit.contents('a')), []);
    const hops = circuit.statistics().filter(({ operator }) => operator === 'hop counts');
    assert.equal(
      hops.map(({ stateRows }) => stateRows),
      [0],
      'nothing is kept of rows that are gone',
    );
  });
}

test('groups that do not tell windows apart, or mix them with keys, are put together from all their rows', () => {
  for (const [from, by] of [
    [hop(2, 10), 'window_start'],
    [hop(2, 9), 'id, window_start'],
    [hop(1, 65), 'id, window_start'],
    [hop(2, 10), 'id, FLOOR(window_start TO MINUTE)'],
    [hop(2, 10), 'id'],
  ] as const) {
    const { circuit } = running(`CREATE TABLE t (id INT, ts TIMESTAMP NOT NULL, v INT);
      CREATE VIEW a AS SELECT COUNT(*) AS c FROM ${from} GROUP BY ${by};`);
    assert.not.match(circuit.explain(), 'hop counts', `${from} by ${by}`);
  }
});

test.run();
