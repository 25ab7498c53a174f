// WATERMARK: rows count when one has come that is later by as much, and not before.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { problemOf } from '../sql/program-rows.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

function programOf(columns: string, query: string): BoundProgram {
  const sql = `CREATE TABLE t (${columns}) WITH ('materialized' = 'true'); CREATE MATERIALIZED VIEW v AS ${query};`;
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program;
}

/** The rows of a relation, each as often as it stands there, sorted. */
function contentsOf(circuit: Circuit, relation: string): string[] {
  return circuit
    .contents(relation)
    .flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, row) =>
        new Array<string>(batch.weights === null ? 1 : batch.weights[row]!).fill(
          JSON.stringify(rowFromBatch(batch, row)),
        ),
      ),
    )
    .flat()
    .sort();
}

test('what is there is what lies far enough behind the greatest value, after any changes and across a restart', () => {
  const program = programOf('x INT WATERMARK 3, y INT', 'SELECT x, y FROM t');
  const { schema } = program.tables[0]!.relation;
  const row = fc.tuple(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 6 }), fc.integer({ min: 0, max: 1 }));
  const steps = fc.array(fc.array(fc.tuple(row, fc.boolean()), { maxLength: 6 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(steps, (history) => {
      let circuit = planProgram(program, { onError: 'stop' });
      const present: (readonly [number | null, number])[] = [];
      let greatest = Number.NEGATIVE_INFINITY;
      history.forEach((changes, at) => {
        if (at === history.length >> 1) {
          const parts = circuit.snapshot();
          circuit = planProgram(program, { onError: 'stop' });
          circuit.restore(parts);
        }
        const batch = changes.flatMap(([given, deletes]): WeightedRow[] => {
          const known = deletes ? present.findIndex(([x, y]) => x === given[0] && y === given[1]) : -1;
          if (known >= 0) present.splice(known, 1);
          else {
            present.push(given);
            greatest = Math.max(greatest, given[0] ?? greatest);
          }
          return [[known >= 0 ? -1 : 1, ...given]];
        });
        circuit.step(new Map([['t', [batchOf(schema, batch)]]]));
        const expected = present
          .filter(([x]) => x === null || x <= greatest - 3)
          .map(([x, y]) => JSON.stringify({ x, y }))
          .sort();
        assert.equal(contentsOf(circuit, 'v'), expected);
        assert.equal(contentsOf(circuit, 't'), expected);
      });
    }),
    { numRuns: process.env['MILLRACE_LONG'] === '1' ? 2000 : 100 },
  );
});

test('with the LATENESS of the column equal to its WATERMARK rows come in the order of time', () => {
  const program = programOf(
    "ts TIMESTAMP NOT NULL LATENESS INTERVAL '2' SECOND WATERMARK INTERVAL '2' SECOND",
    'SELECT ts FROM t',
  );
  const { schema } = program.tables[0]!.relation;
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('v');
  const step = (...seconds: readonly bigint[]): unknown[] => {
    const rows = seconds.map((second): WeightedRow => [1, second * 1_000_000n]);
    const change = circuit.step(new Map([['t', [batchOf(schema, rows)]]])).get('v');
    if (change === undefined) return [];
    return Array.from({ length: change.rows }, (_, row) => Reflect.get(rowFromBatch(change, row), 'ts'));
  };
  assert.equal(step(10n), []);
  assert.equal(step(9n, 11n), ['1970-01-01 00:00:09']);
  // 8 is late: it lies more than two seconds behind 11.
  assert.equal(step(8n, 13n), ['1970-01-01 00:00:10', '1970-01-01 00:00:11']);
});

test('groups of rows that waited for longer than LATENESS are whole', () => {
  const program = programOf('x INT NOT NULL LATENESS 1 WATERMARK 5', 'SELECT x, COUNT(*) AS c FROM t GROUP BY x');
  const { schema } = program.tables[0]!.relation;
  const circuit = planProgram(program, { onError: 'stop' });
  for (let x = 0; x < 2000; x++)
    circuit.step(
      new Map([
        [
          't',
          [
            batchOf(schema, [
              [1, x],
              [1, x - 1],
            ]),
          ],
        ],
      ]),
    );
  const groups = contentsOf(circuit, 'v');
  assert.is(groups.length, 1996);
  assert.ok(groups.includes('{"x":1500,"c":2}') && groups.includes('{"x":1994,"c":2}'));
});

test('what cannot wait by a column is refused', () => {
  const of = (columns: string): string =>
    problemOf(`CREATE TABLE t (${columns}); CREATE VIEW v AS SELECT 1 AS x FROM t;`);
  assert.match(of('x INT WATERMARK 1, y INT WATERMARK 1'), 'a second WATERMARK is not supported');
  assert.match(of('x INT WATERMARK 1, y INT LATENESS 1'), 'LATENESS beside WATERMARK of another column');
  assert.match(of('x INT NOT NULL PRIMARY KEY WATERMARK 1'), 'WATERMARK in a table with a primary key');
  assert.match(of('x VARCHAR WATERMARK 1'), 'WATERMARK of a VARCHAR column is a constant number, 1 is not');
});

test.run();
