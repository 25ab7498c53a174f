// ROW of all columns of a table, and queries as arguments.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table =
  'CREATE TYPE inner_point AS (x INT, b VARCHAR); CREATE TYPE point AS (x INT, y VARCHAR(3), z inner_point); CREATE TABLE t (a INT, b VARCHAR);';
const view = (query: string): string => `${table} CREATE MATERIALIZED VIEW v AS ${query};`;

const cases: readonly [query: string, expected: unknown][] = [
  ['SELECT ROW(*) AS x FROM t', { a: 1, b: 'p' }],
  ['SELECT ROW(t.*) AS x FROM t', { a: 1, b: 'p' }],
  ['SELECT ROW(s.* EXCLUDE (b), 5) AS x FROM t AS s', { a: 1, EXPR$1: 5 }],
  ['SELECT ROW(* EXCEPT (a)) AS x FROM t', { b: 'p' }],
  ['SELECT ROW(r.*, s.*) AS x FROM t AS r JOIN t AS s ON r.a = s.a', { a: 1, b: 'p', a0: 1, b0: 'p' }],
  ['SELECT ROW(t.*).b AS x FROM t', 'p'],
  ['SELECT ARRAY_AGG(ROW(t.*)) AS x FROM t', [{ a: 1, b: 'p' }]],
  ["SELECT point('1', a + 1, inner_point(a, b)) AS x FROM t", { x: 1, y: '2', z: { x: 1, b: 'p' } }],
  // A query as an argument needs no parentheses of its own.
  ['SELECT COALESCE(SELECT MAX(a) FROM t WHERE a > 1, 7) AS x FROM t', 7],
  ["SELECT REAL '1.5' + DOUBLE '2' AS x FROM t", 3.5],
];

for (const [query, expected] of cases) {
  test(query, () => assert.equal(rowsOf(view(query), [[1, 1, 'p']]), [JSON.stringify({ x: expected })]));
}

const wrong: readonly [query: string, message: string][] = [
  ['SELECT ROW(u.*) AS x FROM t', 'no table or view is named "u"'],
  ['SELECT ROW(* EXCLUDE (c)) AS x FROM t', 'no column is named "c"'],
  ['SELECT inner_point(1) AS x FROM t', 'INNER_POINT: takes a value for each of its 2 fields, not 1'],
  ['SELECT ABS(t.*) AS x FROM t', '* here is not supported; only ROW takes it'],
  ['SELECT ROW(t.*) AS x, COUNT(*) AS c FROM t', 'is neither in GROUP BY nor inside an aggregate'],
];

for (const [query, message] of wrong) {
  test(`${query} is refused`, () => assert.match(problemOf(view(query)), message));
}

test('columns of a view that would have one name are numbered', () => {
  const program = `CREATE TABLE t (id INT, x INT); CREATE MATERIALIZED VIEW v AS
    SELECT a.*, b.*, a.id AS id1 FROM t a JOIN t b ON a.x = b.id;`;
  assert.equal(
    rowsOf(program, [
      [1, 1, 2],
      [1, 2, null],
    ]),
    ['{"id":1,"x":2,"id0":2,"x0":null,"id1":1}'],
  );
});

test.run();
