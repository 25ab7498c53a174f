// EXPLAIN: the plan of a query that is not run, and the operators of a program with what they have cost.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCircuit } from '../../../../actors/engine/program-circuit.ts';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { batchOf } from '../zset-rows.ts';

const { program } = compileProgram(`CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, n INT);
  CREATE MATERIALIZED VIEW v AS SELECT n, COUNT(*) AS c FROM t WHERE id > 1 GROUP BY n;`);
const relations = [...program!.tables, ...program!.views].map(({ relation }) => relation);

function ask(sql: string): Record<string, unknown>[] {
  const circuit = compileCircuit({ program: program!, onError: 'stop' });
  const { schema } = program!.tables[0]!.relation;
  circuit.step([
    {
      relation: 't',
      batch: batchOf(schema, [
        [1, 1n, 5],
        [1, 2n, 5],
        [1, 3n, 7],
      ]),
    },
  ]);
  const { batches } = circuit.query(compileQuery(sql, relations));
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) => JSON.parse(JSON.stringify(rowFromBatch(batch, row)))),
  );
}

test('EXPLAIN of a query gives its algebra and its operators', () => {
  const [logical, circuit] = ask('EXPLAIN SELECT n, c FROM v WHERE c > 1');
  assert.is(logical!['plan_type'], 'logical_plan');
  assert.match(String(logical!['plan']), /^filter \(predicate: c > 1\)\n {2}scan \(relation: v\)$/);
  assert.is(circuit!['plan_type'], 'circuit');
  assert.match(String(circuit!['plan']), /^0 scan \[v\] for query\n1 map/);
});

test('EXPLAIN ANALYZE alone gives every operator of the program with rows, time and state', () => {
  for (const sql of ['EXPLAIN', 'explain analyze;']) {
    const rows = ask(sql);
    const find = (operator: string): Record<string, unknown> => rows.find((row) => row['operator'] === operator)!;
    assert.equal(
      ['keyed table', 'map', 'aggregate'].map((name) => {
        const { relation, inputs, rows_in, rows_out, state_rows } = find(name);
        return [relation, inputs, rows_in, rows_out, state_rows];
      }),
      [
        ['t', '', 3, 3, 3],
        ['v', '0', 3, 2, 0],
        ['v', '1', 2, 2, 2],
      ],
    );
    assert.is(rows.at(-1)!['operator'], 'strings');
  }
});

test('a mistake in an explained query has its place in the request', () => {
  assert.throws(
    () => compileQuery('EXPLAIN\nSELECT nope FROM v', relations),
    (error: { place: unknown }) => {
      assert.equal(error.place, { line: 2, column: 8, endLine: 2, endColumn: 11 });
      return true;
    },
  );
  assert.throws(
    () => compileQuery('EXPLAIN ANALYZE SELECT 1', relations),
    /EXPLAIN ANALYZE of a query is not supported/,
  );
});

test.run();
