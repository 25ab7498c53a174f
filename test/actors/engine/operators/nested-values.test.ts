// ARRAY, MAP and ROW from input to output: constructors, elements, aggregates, problems.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { formatSqlType } from '../../../../runtime/batch/sql-type.ts';
import { batchOf } from '../zset-rows.ts';

const declarations = `CREATE TABLE t (k INT, s VARCHAR, a INT ARRAY, m MAP<VARCHAR, DECIMAL(6, 2)>, r ROW(x INT, y DATE))
  WITH ('materialized' = 'true');`;

function bound(sql: string): BoundProgram {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program;
}

function filled(program: BoundProgram): Circuit {
  const circuit = planProgram(program, { onError: 'stop' });
  const { schema } = program.tables[0]!.relation;
  const rows = [
    [1, 1, 'b', '[3,1,null]', '{"u":"1.50"}', '{"x":7,"y":"2020-01-02"}'],
    [1, 1, 'a', '[]', '{}', null],
    [2, 2, 'a"\n', null, null, null],
    [1, 1, null, '[5]', null, null],
  ] as const;
  circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
  return circuit;
}

function ask(circuit: Circuit, program: BoundProgram, sql: string): unknown[] {
  const { query, displayOrder } = compileQuery(
    sql,
    program.tables.map((table) => table.relation),
  );
  const batches = circuit.query(query, displayOrder);
  return batches.flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => rowFromBatch(batch, i)));
}

function valueAt(expression: string): unknown {
  const program = bound(declarations);
  const [row] = ask(filled(program), program, `SELECT ${expression} AS v FROM t WHERE s = 'b'`);
  return Object.values(row ?? {})[0];
}

const expressions: readonly (readonly [string, unknown])[] = [
  ['a', [3, 1, null]],
  ['m', { u: '1.50' }],
  ['r', { x: 7, y: '2020-01-02' }],
  ['a[1]', 3],
  ['a[3]', null],
  ['a[9]', null],
  ["m['u'] + 1", '2.50'],
  ["m['v']", null],
  ['t.r.x + 1', 8],
  ['CARDINALITY(a) + CARDINALITY(m)', 4],
  ['SORT_ARRAY(a)', [null, 1, 3]],
  ['ARRAY_SORT(ARRAY[10, 9, k])', [1, 9, 10]],
  ["ARRAY['a', s, NULL]", ['a', 'b', null]],
  ['ARRAY[ARRAY[k], ARRAY[2]]', [[1], [2]]],
  ['MAP[k, s, 2, NULL]', { 1: 'b', 2: null }],
  ['ROW(k, s)', { EXPR$0: 1, EXPR$1: 'b' }],
  ['ARRAY[1, 2] = ARRAY[k, 2]', true],
  ['ELEMENT(ARRAY[s])', 'b'],
  ['CAST(a AS VARCHAR)', '[3,1,null]'],
  ['CAST(a AS BIGINT ARRAY)', [3, 1, null]],
  ["CAST(PARSE_JSON('[1, 2]') AS INT ARRAY)", [1, 2]],
  ['ARRAY_CONTAINS(a, 3)', true],
  ['ARRAY[9] < ARRAY[10] AND ROW(k, s) > ROW(k, NULL)', true],
];
for (const [expression, expected] of expressions) {
  test(`computes ${expression}`, () => assert.equal(valueAt(expression), expected));
}

test('CREATE TYPE names a row or another type', () => {
  const program = bound(`CREATE TYPE money AS (amount INT, currency VARCHAR NOT NULL); CREATE TYPE list AS INT ARRAY;
    CREATE TABLE t (m money, l list, n money ARRAY);`);
  const types = program.tables[0]!.relation.schema.fields.map((field) => formatSqlType(field.type));
  const row = 'ROW(amount INTEGER, currency VARCHAR)';
  assert.equal(types, [row, 'INTEGER ARRAY', `${row} ARRAY`]);
});

test('ARG_MAX and ARG_MIN give the value beside the extreme', () => {
  const aggregate = `SELECT k, ARG_MAX(s, k) AS a, ARG_MIN(k, s) AS b, ARG_MAX(k, a) AS c, MAX(t.a) AS d FROM t GROUP BY k`;
  const program = bound(`${declarations} CREATE MATERIALIZED VIEW v AS ${aggregate};`);
  const batches = filled(program).contents('v');
  const rows = batches.flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => rowFromBatch(batch, i)));
  assert.equal(rows.map((row) => JSON.stringify(row)).sort(), [
    '{"k":1,"a":"b","b":1,"c":1,"d":[5]}',
    '{"k":2,"a":"a\\"\\n","b":2,"c":2,"d":null}',
  ]);
});

test('ELEMENT of several elements is an error when it is computed', () => {
  const program = bound('CREATE TABLE t (c INT); CREATE VIEW v AS SELECT ELEMENT(ARRAY [2, 3]) FROM t;');
  const circuit = planProgram(program, { onError: 'stop' });
  const { schema } = program.tables[0]!.relation;
  assert.throws(
    () => circuit.step(new Map([['t', [batchOf(schema, [[1, 1]])]]])),
    /ELEMENT: the array has 2 elements, not one/,
  );
});

test('ARRAY_AGG follows insertions and deletions, and a query agrees with the view', () => {
  const aggregate = 'SELECT k, COUNT(*) AS c, SORT_ARRAY(ARRAY_AGG(s)) AS arr FROM t GROUP BY k';
  const program = bound(`${declarations} CREATE MATERIALIZED VIEW v AS ${aggregate};`);
  const circuit = filled(program);
  const content = (): string[] =>
    circuit
      .contents('v')
      .flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => JSON.stringify(rowFromBatch(batch, i))))
      .sort();
  assert.equal(content(), ['{"k":1,"c":3,"arr":[null,"a","b"]}', '{"k":2,"c":2,"arr":["a\\"\\n","a\\"\\n"]}']);
  assert.equal(
    ask(circuit, program, aggregate)
      .map((row) => JSON.stringify(row))
      .sort(),
    content(),
  );
  const { schema } = program.tables[0]!.relation;
  const change = batchOf(schema, [
    [-1, 1, 'a', '[]', '{}', null],
    [3, 1, 'c', null, null, null],
    [-2, 2, 'a"\n', null, null, null],
  ]);
  circuit.step(new Map([['t', [change]]]));
  assert.equal(content(), ['{"k":1,"c":5,"arr":[null,"b","c","c","c"]}']);
  const again = planProgram(program, { onError: 'stop' });
  again.restore(circuit.snapshot());
  again.step(new Map([['t', [batchOf(schema, [[-3, 1, 'c', null, null, null]])]]]));
  assert.equal(
    again.contents('v').flatMap((batch) => Array.from({ length: batch.rows }, (_, i) => rowFromBatch(batch, i))),
    [{ k: 1, c: 2, arr: [null, 'b'] }],
  );
});

test('what suits no array is refused with its place', () => {
  const problems = (expression: string): string[] =>
    compileProgram(`${declarations}\nCREATE VIEW v AS SELECT ${expression} AS v FROM t;`).problems.map(
      (problem) => problem.message,
    );
  assert.equal(problems('k[1]'), [
    '3:25: k is INTEGER, only an ARRAY, a MAP, a ROW and a VARIANT have elements and fields',
  ]);
  assert.equal(problems("ARRAY[1, DATE '2020-01-01']").length, 1);
  assert.equal(problems('MAP[1]'), ['3:25: MAP: takes a value for each key, and one key at least']);
});

test.run();
