// Columns of the queries around, read where the text stands further in: in WITH, in windows, in recursions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const rows = (query: string): string[] =>
  rowsOf(`CREATE TABLE t (a INT, b INT); CREATE MATERIALIZED VIEW v AS ${query};`, [
    [1, 1, 10],
    [1, 2, 20],
    [1, 3, 30],
  ]);

test('a query of WITH takes the same columns from around wherever a subquery reads it', () => {
  const query = 'SELECT a, (WITH c AS (SELECT a AS x) SELECT (SELECT x FROM c WHERE b >= 20)) AS y FROM t';
  assert.equal(rows(query), ['{"a":1,"y":null}', '{"a":2,"y":2}', '{"a":3,"y":3}']);
});

test('two levels further in they are still those of the query that has the WITH', () => {
  const query = `SELECT a, (WITH c AS (SELECT t.b AS x)
      SELECT SUM(u.a) FROM t u WHERE EXISTS (SELECT 1 FROM t w WHERE w.a = u.a AND w.b <= (SELECT x FROM c))) AS y FROM t`;
  assert.equal(rows(query), ['{"a":1,"y":1}', '{"a":2,"y":3}', '{"a":3,"y":6}']);
});

test('in LATERAL, too', () => {
  const query = `SELECT t.a, q.x FROM t, LATERAL (WITH c AS (SELECT t.b AS x)
      SELECT x FROM c WHERE EXISTS (SELECT 1 FROM t w WHERE w.a = t.a AND w.b = c.x AND c.x > 10)) q`;
  assert.equal(rows(query), ['{"a":2,"x":20}', '{"a":3,"x":30}']);
});

test('a window is partitioned and sorted by a column of the query around', () => {
  const query = `SELECT a, (SELECT MAX(n) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY t.a ORDER BY t.b, u.a) AS n
      FROM t u WHERE u.a <= t.a) x) AS y FROM t`;
  assert.equal(rows(query), ['{"a":1,"y":1}', '{"a":2,"y":2}', '{"a":3,"y":3}']);
});

test('DISTINCT ON in a subquery may name only what is around it', () => {
  assert.equal(rows('SELECT a, (SELECT DISTINCT ON (a) b) AS y FROM t WHERE a < 3'), [
    '{"a":1,"y":10}',
    '{"a":2,"y":20}',
  ]);
});

test('a recursion that reads a column around it is refused by its name', () => {
  const query = `SELECT (WITH RECURSIVE r (n) AS (SELECT t.a UNION SELECT n + 1 FROM r WHERE n < 5) SELECT MAX(n) FROM r) FROM t`;
  assert.match(problemOf(`CREATE TABLE t (a INT, b INT); CREATE VIEW v AS ${query};`), /WITH RECURSIVE.*"r"/);
});

test.run();
