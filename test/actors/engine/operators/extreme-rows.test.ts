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
