// Several workers give what one gives where few keys have most of the rows, and where distinct values of a few groups are counted; also
// when they go on from a snapshot, for whose rows are whose is part of it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import { batchOf, linesOf, type WeightedRow } from '../actors/engine/zset-rows.ts';
import { ShardedCircuit } from './sharded-circuit.ts';

function compiled(sql: string): BoundProgram {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('it does not compile');
  return program;
}

const program = compiled(`CREATE TABLE visits (page VARCHAR NOT NULL, visitor BIGINT NOT NULL, at TIMESTAMP NOT NULL);
  CREATE MATERIALIZED VIEW pages AS SELECT page, COUNT(*) AS visits, COUNT(DISTINCT visitor) AS visitors FROM visits GROUP BY page;
  CREATE MATERIALIZED VIEW days AS SELECT CAST(at AS DATE) AS d, COUNT(*) AS visits, MAX(visitor) AS latest,
    COUNT(DISTINCT visitor) AS visitors, COUNT(DISTINCT page) AS pages FROM visits GROUP BY CAST(at AS DATE);`);
const views = ['pages', 'days'];

const dayMicros = 86_400_000_000n;
const firstDay = 20_000n * dayMicros;

/** Most visits are of four pages. */
function visit(step: number, at: number): readonly CellValue[] {
  const n = at * 7919 + step * 31;
  const page = at % 64 === 0 ? `page ${n % 97}` : ['Apple', 'Google', 'Facebook', 'Baidu'][at % 4]!;
  return [page, BigInt(n % 1000), firstDay + BigInt(n % 3) * dayMicros];
}

/** Some visits of the step before are taken back. */
function visits(step: number): ChangeBatch {
  const come = Array.from({ length: 6000 }, (_, at): WeightedRow => [1, ...visit(step, at)]);
  const go = Array.from({ length: step === 0 ? 0 : 500 }, (_, at): WeightedRow => [-1, ...visit(step - 1, at * 3)]);
  return batchOf(program.tables[0]!.relation.schema, [...come, ...go]);
}

const sortedLines = (batches: readonly ChangeBatch[]): readonly string[] => linesOf(batches).sort();

for (const workers of [2, 3, 4, 8]) {
  test(`${workers} workers give what one gives, however many rows a key has`, () => {
    const one = planProgram(program, { onError: 'stop' });
    let many = new ShardedCircuit(program, workers);
    for (let step = 0; step < 4; step++) {
      if (step === 2) {
        const parts = many.snapshot();
        many = new ShardedCircuit(program, workers);
        many.restore(parts);
      }
      const inputs = new Map([['visits', [visits(step)]]]);
      one.step(inputs);
      many.step(inputs);
      for (const view of views) {
        assert.equal(sortedLines(many.contents(view)), sortedLines(one.contents(view)), `${view}, step ${step}`);
      }
    }
  });
}

test('pages with most of the visits are divided among the workers, and each branch of distinct counts has its own', () => {
  const [first, second] = new ShardedCircuit(program, 2).circuits;
  assert.match(first!.explain(), /own rows \[by column 0, balanced\] for visits/);
  assert.match(first!.explain(), /own rows \[by column 1 among workers 0, 2, ...\] for visits/);
  assert.is(first!.explain(), second!.explain());
});

test('rows that cannot be at the extreme of their group stay where they are, and the others alone are sent', () => {
  const bids =
    compiled(`CREATE TABLE bids (item BIGINT NOT NULL, price BIGINT NOT NULL, at TIMESTAMP NOT NULL) WITH ('append_only' = 'true');
    CREATE LOCAL VIEW dated AS SELECT item, price, CAST(at AS DATE) AS d FROM bids;
    CREATE VIEW highest AS SELECT b.item, b.price FROM dated b JOIN (SELECT d, MAX(price) AS m FROM dated GROUP BY d) g ON b.d = g.d AND b.price = g.m;`);
  const one = planProgram(bids, { onError: 'stop' });
  const many = new ShardedCircuit(bids, 2);
  const [first] = many.circuits;
  const nodes = first!.explain().split('\n');
  const at = (operator: string): number => nodes.findIndex((line) => line.includes(operator));
  assert.ok(at('extreme candidates') > 0 && at('extreme candidates') < at(' send '), nodes.join('\n'));
  one.observe('highest');
  many.observe('highest');
  for (let step = 0; step < 4; step++) {
    const rows = Array.from({ length: 400 }, (_, i): WeightedRow => {
      const price = BigInt((i * 7919 + step * 31) % 997);
      return [1, BigInt(i), price, firstDay + BigInt(i % 5) * dayMicros];
    });
    const inputs = new Map([['bids', [batchOf(bids.tables[0]!.relation.schema, rows)]]]);
    const [expected, change] = [one.step(inputs).get('highest'), many.step(inputs).get('highest')];
    assert.equal(
      sortedLines(change === undefined ? [] : [change]),
      sortedLines(expected === undefined ? [] : [expected]),
    );
    const sent = first!.statistics().find(({ operator }) => operator === 'send')!;
    assert.ok(sent.rowsIn < 100, `${sent.rowsIn} rows sent`);
  }
});

test.run();
