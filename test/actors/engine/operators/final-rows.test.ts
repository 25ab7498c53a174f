// emit_final: a row of a view comes out once, when the watermark has passed it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { problemOf } from '../sql/program-rows.ts';
import { batchOf } from '../zset-rows.ts';

const sql = `CREATE TABLE t (x INT NOT NULL LATENESS 1, y INT);
  CREATE MATERIALIZED VIEW v WITH ('emit_final' = 'twice') AS SELECT x + x AS dropped, x + 10 AS twice, COUNT(*) AS c FROM t GROUP BY x;`;

test('groups come out when no row of theirs can come any more, also after a restart', () => {
  const { program } = compileProgram(sql);
  const { schema } = program!.tables[0]!.relation;
  let circuit = planProgram(program!, { onError: 'stop' });
  const step = (...rows: (readonly [number, ...(number | null)[]])[]): string[] => {
    circuit.observe('v');
    const change = circuit.step(new Map([['t', [batchOf(schema, rows)]]])).get('v');
    if (change === undefined) return [];
    return Array.from({ length: change.rows }, (_, row) => JSON.stringify(rowFromBatch(change, row))).sort();
  };
  assert.equal(step([1, 1, 0], [1, 2, 0]), []);
  assert.equal(step([1, 1, 0], [1, 3, 0]), ['{"dropped":2,"twice":11,"c":2}']);
  const parts = circuit.snapshot();
  circuit = planProgram(program!, { onError: 'stop' });
  circuit.restore(parts);
  assert.equal(step([1, 2, 1], [1, 5, 0]), ['{"dropped":4,"twice":12,"c":2}', '{"dropped":6,"twice":13,"c":1}']);
  assert.equal(step([1, 4, 0]), []);
});

test('windows of time are final when no later row can lie in them', () => {
  const hop = 'TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 10 SECOND))';
  const { program } = compileProgram(`CREATE TABLE t (ts TIMESTAMP NOT NULL LATENESS INTERVAL 1 SECOND);
    CREATE VIEW v WITH ('emit_final' = 's') AS SELECT window_start AS s, COUNT(*) AS c FROM ${hop} GROUP BY window_start;`);
  const { schema } = program!.tables[0]!.relation;
  const circuit = planProgram(program!, { onError: 'stop' });
  circuit.observe('v');
  const step = (...seconds: readonly bigint[]): string[] => {
    const rows = seconds.map((second): [number, bigint] => [1, second * 1_000_000n]);
    const change = circuit.step(new Map([['t', [batchOf(schema, rows)]]])).get('v');
    if (change === undefined) return [];
    return Array.from({ length: change.rows }, (_, row) => JSON.stringify(rowFromBatch(change, row))).sort();
  };
  assert.equal(step(7n, 8n), []);
  // The watermark is 11: a row may still lie in the window that begins at 5, but in none before.
  assert.equal(step(12n), ['{"s":"1970-01-01 00:00:00","c":2}']);
  assert.equal(step(17n), ['{"s":"1970-01-01 00:00:05","c":3}']);
});

test('a column that no LATENESS bounds is refused, and one that is not there', () => {
  const of = (column: string, query: string): string =>
    problemOf(`CREATE TABLE t (x INT LATENESS 1, y INT); CREATE VIEW v WITH ('emit_final' = '${column}') AS ${query};`);
  assert.match(of('y', 'SELECT x, y FROM t'), 'no LATENESS bounds the column "y"');
  assert.match(of('x', 'SELECT -x AS x FROM t'), 'no LATENESS bounds the column "x"');
  assert.match(of('z', 'SELECT x FROM t'), 'no column is named "z"');
});

test.run();
