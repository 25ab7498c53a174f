// Forms of writing that were read as something else, or not at all.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf, problemOf, rowsOf } from './program-rows.ts';

const tables = 'CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT, c INT);';
const problem = (query: string): string => problemOf(`${tables} CREATE VIEW v AS ${query};`);

test('ASOF JOIN without MATCH_CONDITION is no plain join, and MATCH_CONDITION needs ASOF', () => {
  assert.match(problem('SELECT * FROM t ASOF JOIN u ON t.a = u.a'), /expected MATCH_CONDITION/);
  assert.match(problem('SELECT * FROM t JOIN u MATCH_CONDITION (t.b >= u.c) ON t.a = u.a'), /expected ASOF JOIN/);
  assert.is(problem('SELECT t.b FROM t ASOF JOIN u MATCH_CONDITION (t.b >= u.c) ON t.a = u.a'), 'no problem');
});

test('ORDER BY inside a call with OVER is refused where the order is that of OVER', () => {
  assert.match(problem('SELECT LEAD(a ORDER BY b) OVER (ORDER BY a) FROM t'), /LEAD: takes its ORDER BY in OVER/);
});

test('GROUPING asks about something', () => {
  assert.match(problem('SELECT GROUPING(), a FROM t GROUP BY CUBE (a)'), /GROUPING: takes the expressions/);
});

test('DISTINCT ON (2) means the second column of the list', () => {
  const view = 'CREATE MATERIALIZED VIEW v AS SELECT DISTINCT ON (2) a, b FROM t ORDER BY a;';
  assert.equal(
    rowsOf(`CREATE TABLE t (a INT, b INT); ${view}`, [
      [1, 1, 5],
      [1, 2, 5],
      [1, 3, 6],
    ]),
    ['{"a":1,"b":5}', '{"a":3,"b":6}'],
  );
});

test('EXCLUDE names columns through their tables', () => {
  const rows = (list: string): string[] =>
    rowsOf(
      `CREATE TABLE t (a INT, b INT); CREATE MATERIALIZED VIEW v AS SELECT ${list} FROM t x JOIN t y ON x.a = y.a;`,
      [[1, 1, 5]],
    );
  assert.equal(rows('* EXCLUDE (y.a, x.b)'), ['{"a":1,"b":5}']);
  assert.equal(rows('x.* EXCLUDE (x.a), y.* EXCEPT (b)'), ['{"b":5,"a":1}']);
  assert.match(problem('SELECT t.* EXCLUDE (u.a) FROM t JOIN u ON t.a = u.a'), /no column is named "a"/);
});

test('CONCAT_WS leaves NULL out where it is written, and counts it as an empty text where it comes from a column', () => {
  assert.is(constantOf("CONCAT_WS(',', 'a', NULL, 'b')"), 'a,b');
  assert.is(constantOf("CONCAT_WS(',', 'a', CAST(NULL AS VARCHAR), 'b')"), 'a,,b');
  assert.is(constantOf("CONCAT_WS(',', NULL, NULL)"), '');
  assert.is(constantOf("CONCAT_WS(NULL, 'a')"), null);
});

test('BROUND rounds floating-point numbers, halves to the even neighbour', () => {
  assert.is(constantOf('BROUND(11.25e0, 1)'), 11.2);
  assert.is(constantOf('BROUND(-11.75e0, 1)'), -11.8);
  assert.is(constantOf('BROUND(CAST(2.5 AS REAL))'), 2);
  assert.match(problem("SELECT BROUND('2.5', 1) FROM t"), /BROUND: cannot be called with/);
});

test.run();
