// Recursive views: circles of one and of two, after deletions and restarts, and what is refused.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (x INT NOT NULL, y INT NOT NULL);';
const closure = `${table} DECLARE RECURSIVE VIEW v (x INT NOT NULL, y INT NOT NULL);
  CREATE LOCAL VIEW steps AS SELECT v.x, t.y FROM v JOIN t ON v.y = t.x;
  CREATE MATERIALIZED VIEW v AS SELECT x, y FROM t UNION SELECT x, y FROM steps;`;

test('rows that only a circle holds up vanish with what began it', () => {
  const circle = [
    [1, 1, 2],
    [1, 2, 3],
    [1, 3, 2],
  ] as const;
  assert.is(rowsOf(closure, circle).length, 6);
  assert.equal(rowsOf(closure, circle, [[-1, 2, 3]]), ['{"x":1,"y":2}', '{"x":3,"y":2}']);
});

test('views of a circle that goes through two of them are one recursion', () => {
  const program = `${table}
    DECLARE RECURSIVE VIEW odd (n INT NOT NULL);
    DECLARE RECURSIVE VIEW v (n INT NOT NULL);
    CREATE VIEW odd AS SELECT n + 1 AS n FROM v WHERE n < 6;
    CREATE MATERIALIZED VIEW v AS SELECT x AS n FROM t UNION SELECT n + 1 FROM odd WHERE n < 6;`;
  assert.equal(rowsOf(program, [[1, 0, 0]]), ['{"n":0}', '{"n":2}', '{"n":4}', '{"n":6}']);
});

test('with UNION ALL a row counts as often as it is derived, whatever comes and goes', () => {
  const program = `${table} CREATE MATERIALIZED VIEW v AS WITH RECURSIVE r (a, b) AS (
    SELECT x, y FROM t UNION ALL SELECT r.a, t.y FROM r JOIN t ON r.b = t.x) SELECT a, b FROM r WHERE a = 1;`;
  const both = [
    [1, 1, 2],
    [1, 1, 3],
    [1, 2, 4],
    [1, 3, 4],
  ] as const;
  assert.equal(rowsOf(program, both), ['2 times {"a":1,"b":4}', '{"a":1,"b":2}', '{"a":1,"b":3}']);
  assert.equal(rowsOf(program, both, [[-1, 3, 4]], [[1, 4, 5]]), [
    '{"a":1,"b":2}',
    '{"a":1,"b":3}',
    '{"a":1,"b":4}',
    '{"a":1,"b":5}',
  ]);
});

test('the step of UNION ALL reads the query once and row by row', () => {
  const of = (step: string): string =>
    problemOf(`${table} CREATE VIEW v AS WITH RECURSIVE r (n) AS (SELECT x FROM t UNION ALL ${step}) SELECT n FROM r;`);
  assert.match(of('SELECT MAX(n) FROM r'), 'an aggregate or a subquery in an expression of the query itself');
  assert.match(of('SELECT a.n FROM r a JOIN r b ON a.n = b.n'), 'a join of the query itself');
  assert.match(of('SELECT r.n FROM t LEFT JOIN r ON r.n = t.x'), 'an outer join of the query itself');
  assert.match(of('SELECT n FROM r UNION SELECT y FROM t'), 'UNION beside UNION ALL');
});

test('a declared view has to be created, with the columns that were declared', () => {
  assert.is(
    problemOf(`${table} DECLARE RECURSIVE VIEW v (x INT);`),
    '1:73: recursive view "v" is declared and never created',
  );
  const of = (query: string): string =>
    problemOf(`${table} DECLARE RECURSIVE VIEW v (x INT); CREATE VIEW v AS ${query};`);
  assert.match(of('SELECT t.x, y FROM v, t'), '"v" is declared with 1 columns, its query has 2');
  assert.match(of("SELECT DATE '2020-01-01' AS x FROM v"), 'have no common type');
  assert.match(of('SELECT CAST(x AS VARCHAR) AS x FROM v'), 'have no common type');
});

test.run();
