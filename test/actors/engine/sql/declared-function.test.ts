// CREATE FUNCTION: a call is the body with the arguments in place of its parameters.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileInsert, compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { problemOf, rowsOf } from './program-rows.ts';

test('a declared function is computed where it is called, with its arguments cast to its parameters', () => {
  const program = `CREATE FUNCTION start() RETURNS TIMESTAMP NOT NULL AS CAST('1970-01-01 00:00:00 UTC' AS TIMESTAMP WITH TIME ZONE);
    CREATE FUNCTION twice(x BIGINT NOT NULL) RETURNS BIGINT AS x + x;
    CREATE FUNCTION quad(x BIGINT) RETURNS BIGINT AS twice(twice(x));
    CREATE TABLE t (x INT);
    CREATE MATERIALIZED VIEW v AS SELECT quad(x) AS q, SUM(twice(x)) AS s, TIMESTAMPDIFF(SECOND, start(), start() + INTERVAL 1 DAY) AS d
    FROM t GROUP BY x;`;
  assert.equal(
    rowsOf(program, [
      [2, 3],
      [1, null],
    ]),
    ['{"q":12,"s":12,"d":86400}', '{"q":null,"s":null,"d":86400}'],
  );
});

test('ad-hoc statements name the functions and types of the program', () => {
  const { program } = compileProgram(`CREATE TYPE pair AS (a INT, b VARCHAR);
    CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT AS x + x;
    CREATE FUNCTION quad(x BIGINT) RETURNS BIGINT AS twice(twice(x));
    CREATE TABLE t (x INT, p pair) WITH ('materialized' = 'true');`);
  if (program === null) throw new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  const relations = program.tables.map(({ relation }) => relation);
  const { declarations } = program;
  const inserted = compileInsert("INSERT INTO t VALUES (3, pair(1, 'b'))", program.tables, relations, declarations);
  circuit.step(new Map([['t', circuit.query(inserted.query.query, [])]]));
  const { query } = compileQuery('SELECT quad(x) + 1 AS q, (p::pair).b AS b FROM t', relations, [], declarations);
  const [batch] = circuit.query(query, []);
  assert.equal(JSON.stringify(batch === undefined ? null : rowFromBatch(batch, 0)), '{"q":13,"b":"b"}');
});

test('declarations and calls that cannot work are refused', () => {
  const table = 'CREATE TABLE t (x INT);';
  const f = 'CREATE FUNCTION f(a INT) RETURNS INT AS a + 1;';
  assert.match(
    problemOf(`${table} CREATE FUNCTION f(a INT) RETURNS INT;`),
    /a function without a body \("f"\) is not supported/,
  );
  assert.match(problemOf(`${f} CREATE FUNCTION f() RETURNS INT AS 1;`), /function "f" is declared twice/);
  assert.match(problemOf('CREATE FUNCTION upper(a INT) RETURNS INT AS 1;'), /function "upper" is declared twice/);
  assert.match(problemOf('CREATE FUNCTION f(a INT, a INT) RETURNS INT AS a;'), /parameter "a" is declared twice/);
  assert.match(problemOf('CREATE FUNCTION f(a INT) RETURNS INT AS b;'), /no column is named "b"/);
  assert.match(problemOf(`${f} ${table} CREATE VIEW v AS SELECT f(x, 1) AS y FROM t;`), /F: takes 1 argument/);
  assert.match(
    problemOf(`${f} ${table} CREATE VIEW v AS SELECT f(DATE '2020-01-01') AS y FROM t;`),
    /not that of the parameter/,
  );
});

test('jsonstring_as_t reads a text as JSON into the type t, whatever the case of the names, and gives NULL for what is none', () => {
  const program = `CREATE TYPE place AS (city VARCHAR, number INT);
    CREATE FUNCTION jsonstring_as_place(s VARCHAR) RETURNS place;
    CREATE TABLE t (s VARCHAR);
    CREATE MATERIALIZED VIEW v AS SELECT jsonstring_as_place(s).city AS c, jsonstring_as_place(s).number AS n FROM t;`;
  const rows = rowsOf(program, [
    [1, '{"city":"Boston","number":2}'],
    [1, '{"CITY":"Bern","NUMBER":3}'],
    [1, '5'],
    [1, '{{'],
    [1, null],
  ]);
  assert.equal(rows, ['3 times {"c":null,"n":null}', '{"c":"Bern","n":3}', '{"c":"Boston","n":2}']);
  const refused = 'CREATE TYPE place AS (city VARCHAR); CREATE FUNCTION jsonstring_as_town(s VARCHAR) RETURNS place;';
  assert.match(problemOf(refused), /without a body/);
});

test.run();
