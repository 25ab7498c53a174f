// LATENESS: which rows a table drops, and when its watermark moves.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { batchOf } from '../zset-rows.ts';

function circuitOf(sql: string): Circuit {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return planProgram(program, { onError: 'stop' });
}

function insert(
  circuit: Circuit,
  schema: ChangeBatch['schema'],
  ...rows: (readonly [number, ...(bigint | number | null)[]])[]
): void {
  circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
}

function rowsOf(circuit: Circuit): object[] {
  return circuit.contents('t').flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => rowFromBatch(batch, i)));
}

function lateOf(circuit: Circuit): number {
  return circuit.statistics().reduce((sum, each) => sum + each.lateRows, 0);
}

test('a row behind the watermark of earlier steps is dropped and counted', () => {
  const sql = "CREATE TABLE t (x INT LATENESS 1) WITH ('materialized' = 'true');";
  const schema = compileProgram(sql).program!.tables[0]!.relation.schema;
  const circuit = circuitOf(sql);
  insert(circuit, schema, [1, 1], [1, 5], [1, 2]);
  insert(circuit, schema, [1, 3], [1, 4], [1, null]);
  const values = rowsOf(circuit).map((row) => JSON.stringify(row));
  assert.equal(values.sort(), ['{"x":1}', '{"x":2}', '{"x":4}', '{"x":5}', '{"x":null}']);
  assert.is(lateOf(circuit), 1);
  const again = circuitOf(sql);
  again.restore(circuit.snapshot());
  insert(again, schema, [1, 3]);
  assert.is(rowsOf(again).length, 5);
});

test('a lateness of a month is one of the calendar', () => {
  const sql = "CREATE TABLE t (x DATE LATENESS INTERVAL '1' MONTH) WITH ('materialized' = 'true');";
  const schema = compileProgram(sql).program!.tables[0]!.relation.schema;
  const day = (text: string): number => Date.parse(text) / 86_400_000;
  const circuit = circuitOf(sql);
  insert(circuit, schema, [1, day('2023-03-15')]);
  const again = circuitOf(sql);
  again.restore(circuit.snapshot());
  for (const each of [circuit, again]) {
    insert(each, schema, [1, day('2023-02-14')], [1, day('2023-02-15')]);
    assert.is(lateOf(each), 1);
    assert.is(rowsOf(each).length, 2);
  }
});

test('a keyed table drops late rows; a late key makes it too long to be materialized by itself', () => {
  const sql = 'CREATE TABLE t (id BIGINT PRIMARY KEY, x INT LATENESS 0);';
  const schema = compileProgram(sql).program!.tables[0]!.relation.schema;
  const circuit = circuitOf(sql);
  insert(circuit, schema, [1, 1n, 10], [1, 2n, 20]);
  insert(circuit, schema, [1, 3n, 1], [-1, 1n, null]);
  assert.equal(rowsOf(circuit), [{ id: 2, x: 20 }]);
  const late = circuitOf('CREATE TABLE t (id BIGINT PRIMARY KEY LATENESS 0);');
  assert.throws(() => late.contents('t'), /not materialized/);
});

test('LATENESS is a constant of the units of its column', () => {
  const problems = (column: string): string[] =>
    compileProgram(`CREATE TABLE t (${column});`).problems.map((problem) => problem.message);
  assert.equal(problems("ts TIMESTAMP LATENESS INTERVAL '1' HOUR, d DATE LATENESS INTERVAL '2' DAY"), []);
  assert.equal(problems('ts TIMESTAMP LATENESS 5'), [
    '1:39: LATENESS of a TIMESTAMP column is a constant INTERVAL of days to seconds, 5 is not',
  ]);
  assert.equal(problems("s VARCHAR LATENESS '5'"), [
    "1:36: LATENESS of a VARCHAR column is a constant number, '5' is not",
  ]);
});

test('LATENESS of a view drops what comes too late out of it, for those who read the view as well', () => {
  const sql = `CREATE TABLE t (x INT, y INT);
    LATENESS doubled.z 2;
    CREATE VIEW doubled AS SELECT 2 * x AS z, y FROM t;
    CREATE MATERIALIZED VIEW v AS SELECT z, COUNT(*) AS c FROM doubled GROUP BY z;`;
  const { schema } = compileProgram(sql).program!.tables[0]!.relation;
  const circuit = circuitOf(sql);
  insert(circuit, schema, [1, 1, 0], [1, 5, 0]);
  insert(circuit, schema, [1, 3, 0], [1, 4, 0], [-1, 1, 0]);
  const rows = circuit
    .contents('v')
    .flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => JSON.stringify(rowFromBatch(batch, i))));
  assert.equal(rows.sort(), ['{"z":10,"c":1}', '{"z":2,"c":1}', '{"z":8,"c":1}']);
  assert.is(lateOf(circuit), 2);
  const wrong = (text: string): string => compileProgram(`${sql} ${text};`).problems[0]!.message;
  assert.match(wrong('LATENESS nowhere.z 1'), 'nowhere');
  assert.match(wrong('LATENESS doubled.q 1'), 'no column is named "q"');
});

test.run();
