// Counts over overlapping windows, computed in two steps, beside sums of ones, which are computed in one.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, seeded, type WeightedRow } from '../zset-rows.ts';

const second = 1_000_000n;
const hop = (size: number, options = ''): string =>
  `TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 2 SECOND, INTERVAL ${size} SECOND${options}))`;
const groups = 'SELECT id, window_start AS s, window_end AS e';
const counts = 'COUNT(*) AS c, COUNT(v) AS d, COUNT(*) FILTER (WHERE v > 1) AS f';
const sums = `SUM(CAST(1 AS BIGINT)) AS c, SUM(CASE WHEN v IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END) AS d,
  SUM(CASE WHEN v > 1 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS f`;

function planned(time: string, from: string): ReturnType<typeof running> {
  const by = 'GROUP BY id, window_start, window_end';
  return running(`CREATE TABLE t (id INT, ts ${time}, v INT);
    CREATE VIEW a AS ${groups}, ${counts} FROM ${from} ${by}; CREATE VIEW b AS ${groups}, ${sums} FROM ${from} ${by};`);
}

function running(sql: string): { circuit: ReturnType<typeof planProgram>; schema: Parameters<typeof batchOf>[0] } {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  for (const view of ['a', 'b']) circuit.observe(view);
  return { circuit, schema: program.tables[0]!.relation.schema };
}

for (const [title, time, from] of [
  ['more windows a row than are summed of panes', 'TIMESTAMP NOT NULL', hop(130)],
  ['windows that are no whole number of slides, with an offset', 'TIMESTAMP NOT NULL', hop(9, ', INTERVAL 1 SECOND')],
  ['a time that may be NULL', 'TIMESTAMP', hop(10)],
] as const) {
  test(`${title}: counts are what sums of ones are, while rows come and go`, () => {
    const { circuit, schema } = planned(time, from);
    const below = seeded(17);
    const present: WeightedRow[] = [];
    for (let step = 0; step < 30; step++) {
      const rows: WeightedRow[] = [];
      for (let i = below(12); i > 0; i--) {
        if (present.length > 0 && below(3) === 0) {
          const [, ...values] = present.splice(below(present.length), 1)[0]!;
          rows.push([-1, ...values]);
          continue;
        }
        const at = time === 'TIMESTAMP' && below(5) === 0 ? null : BigInt(below(40)) * (second / 2n) - 5n * second;
        const row: WeightedRow = [1, below(3), at, below(4) === 0 ? null : below(4)];
        rows.push(row);
        present.push(row);
      }
      const changes = circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
      const [a, b] = ['a', 'b'].map((view) => linesOf([changes.get(view)].filter((each) => each !== undefined)).sort());
      assert.equal(a, b, `step ${step}`);
    }
  });
}

test('rows are counted before they are put in their windows where there are very many windows', () => {
  const operators = (from: string): number =>
    planned('TIMESTAMP NOT NULL', from)
      .circuit.explain()
      .split('\n')
      .filter((line) => line.includes(' aggregate [')).length;
  assert.is(operators(hop(130)), 3);
  assert.is(operators(hop(9)), 2);
});

test.run();
