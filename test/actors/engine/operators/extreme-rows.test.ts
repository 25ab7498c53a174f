// A relation joined with the maximum of each of its groups: the rows that a join and an aggregation give.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, seeded, type WeightedRow } from '../zset-rows.ts';

type Running = { circuit: ReturnType<typeof planProgram>; schema: Parameters<typeof batchOf>[0] };

const table = 'CREATE TABLE t (g BIGINT, h INT, v DECIMAL(20, 2), s VARCHAR);';
function running(views: string): Running {
  const { program, problems } = compileProgram(`${table}${views}`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  for (const view of program.views) circuit.observe(view.relation.name);
  return { circuit, schema: program.tables[0]!.relation.schema };
}
const select = 'SELECT t.g, t.s, m.v AS top, m.h';
/** The same query for the planner, and in a form that it does not know. */
const queries = (extreme: string, compared: string): readonly [string, string] => [
  `${select} FROM t JOIN (SELECT ${extreme}(v) AS v, h, g FROM t GROUP BY g, h) m ON t.g = m.g AND t.h = m.h AND ${compared}`,
  `${select} FROM t JOIN (SELECT ${extreme}(v) AS v, h, g FROM t GROUP BY g, h) m ON t.g = m.g AND t.h = m.h WHERE ${compared} AND t.v - m.v = 0`,
];

function sum(weights: Map<string, number>, lines: readonly string[]): readonly string[] {
  for (const line of lines) {
    const row = line.slice(line.indexOf(':'));
    const weight = (weights.get(row) ?? 0) + Number.parseInt(line, 10);
    if (weight === 0) weights.delete(row);
    else weights.set(row, weight);
  }
  return [...weights].map(([row, weight]) => `${weight}${row}`).sort();
}

for (const [extreme, compared] of [
  ['MAX', 't.v >= m.v'],
  ['MAX', 'm.v = t.v'],
  ['MIN', 'm.v >= t.v'],
] as const) {
  test(`${extreme} and ${compared}: rows come and go, NULLs are in no group, a snapshot lies between`, () => {
    const [known, unknown] = queries(extreme, compared);
    const views = `CREATE VIEW a AS ${known}; CREATE VIEW b AS ${unknown};`;
    let { circuit, schema } = running(views);
    assert.match(circuit.explain(), `extreme rows [${extreme.toLowerCase()} #`);
    const below = seeded(23);
    const present: WeightedRow[] = [];
    const [a, b] = [new Map<string, number>(), new Map<string, number>()];
    for (let step = 0; step < 60; step++) {
      const rows: WeightedRow[] = [];
      for (let i = below(10); i > 0; i--) {
        if (present.length > 0 && below(5) < 2) {
          const [, ...values] = present.splice(below(present.length), 1)[0]!;
          rows.push([-1, ...values]);
          continue;
        }
        const group = [below(9) === 0 ? null : BigInt(below(2)), below(9) === 0 ? null : below(2)] as const;
        const row: WeightedRow = [1, ...group, below(8) === 0 ? null : BigInt(below(5)), `s${below(3)}`];
        rows.push(row);
        present.push(row);
      }
      const changes = circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
      const [quick, sure] = [a, b].map((weights, i) =>
        sum(weights, linesOf([changes.get(i === 0 ? 'a' : 'b')].filter((each) => each !== undefined))),
      );
      assert.equal(quick, sure, `step ${step}`);
      if (step !== 30) continue;
      const next = running(views);
      next.circuit.restore(circuit.snapshot());
      circuit = next.circuit;
    }
  });
}

const timed = 'CREATE TABLE t (k INT, at TIMESTAMP NOT NULL LATENESS INTERVAL 3 SECOND);';
const windows = {
  TUMBLE: 'FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL 4 SECOND))',
  HOP: 'FROM TABLE(HOP(TABLE t, DESCRIPTOR(at), INTERVAL 2 SECOND, INTERVAL 4 SECOND))',
};

for (const [name, from] of Object.entries(windows)) {
  test(`${name}: the most frequent of each window, where windows begin and end within a step and rows go again`, () => {
    const counts = `WITH counts AS (SELECT k, COUNT(*) AS n, window_start AS b, window_end AS e ${from} GROUP BY k, window_start, window_end),
      tops AS (SELECT MAX(n) AS m, b, e FROM counts GROUP BY b, e)
      SELECT c.k, c.n, c.e FROM counts c JOIN tops t ON c.b = t.b AND c.e = t.e AND`;
    const sql = `${timed} CREATE VIEW a AS ${counts} c.n >= t.m; CREATE VIEW b AS ${counts} c.n - t.m = 0;`;
    const planned = (): Running => {
      const { program, problems } = compileProgram(sql);
      if (program === null) throw problems[0] ?? new Error('the program has problems');
      const circuit = planProgram(program, { onError: 'stop' });
      for (const view of program.views) circuit.observe(view.relation.name);
      return { circuit, schema: program.tables[0]!.relation.schema };
    };
    let { circuit, schema } = planned();
    assert.match(circuit.explain(), 'extreme candidates [max #');
    const below = seeded(31);
    const present: WeightedRow[] = [];
    const [a, b] = [new Map<string, number>(), new Map<string, number>()];
    for (let step = 0; step < 50; step++) {
      const rows: WeightedRow[] = [];
      for (let i = below(40); i > 0; i--) {
        if (present.length > 0 && below(6) === 0) {
          const [, ...values] = present.splice(Math.max(0, present.length - 1 - below(9)), 1)[0]!;
          rows.push([-1, ...values]);
          continue;
        }
        const second = BigInt(step * 9 + below(14));
        const row: WeightedRow = [1, below(9) === 0 ? null : below(4), second * 1_000_000n];
        rows.push(row);
        present.push(row);
      }
      const changes = circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
      const lines = (view: string): readonly string[] =>
        linesOf([changes.get(view)].filter((each) => each !== undefined));
      assert.equal(sum(a, lines('a')), sum(b, lines('b')), `step ${step}`);
      if (step !== 25) continue;
      const next = planned();
      next.circuit.restore(circuit.snapshot());
      circuit = next.circuit;
    }
    assert.ok(a.size > 50, 'there are rows to compare');
  });
}

test('a group that follows from another one but may be NULL where that is not stays a group', () => {
  const derived = '(SELECT g, NULLIF(g, 1) AS h, v FROM t)';
  const query = `SELECT d.g, d.v FROM ${derived} d JOIN (SELECT MAX(v) AS v, h, g FROM ${derived} GROUP BY g, h) m ON d.g = m.g AND d.h = m.h AND d.v = m.v`;
  const { circuit, schema } = running(`CREATE VIEW a AS ${query};`);
  const rows: WeightedRow[] = [1n, 2n].map((g) => [1, g, 0, 5n, 's']);
  const change = circuit.step(new Map([['t', [batchOf(schema, rows)]]])).get('a');
  assert.equal(linesOf(change === undefined ? [] : [change]), ['+1: 2, 5']);
});

test('what compares less than all groups, or other values, stays a join', () => {
  for (const on of [
    't.g = m.g AND t.v >= m.v',
    't.g = m.g AND t.h = m.h AND t.v <= m.v',
    't.g = m.g AND t.h = m.h AND t.g = m.v',
    't.g = m.g AND t.h = m.h',
    't.g IS NOT DISTINCT FROM m.g AND t.h = m.h AND t.v = m.v',
  ]) {
    const query = `${select} FROM t JOIN (SELECT MAX(v) AS v, h, g FROM t GROUP BY g, h) m ON ${on}`;
    assert.not.match(running(`CREATE VIEW a AS ${query};`).circuit.explain(), 'extreme rows');
  }
  const part = `${select} FROM t JOIN (SELECT MAX(v) AS v, h, g FROM t WHERE s <> 'x' GROUP BY g, h) m ON t.g = m.g AND t.h = m.h AND t.v = m.v`;
  assert.not.match(running(`CREATE VIEW a AS ${part};`).circuit.explain(), 'extreme rows');
});

test.run();
