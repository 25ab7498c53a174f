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

test('a call of * whose name is mistyped is told the name', () => {
  assert.match(problem('SELECT COUTN(*) FROM t'), /no function is named "coutn" \(did you mean "count"\?\)/);
  assert.match(problem('SELECT UPPER(*) FROM t'), /UPPER: only an aggregate takes \*/);
});

test('CREATE TYPE may say NOT NULL, and a primary key is of scalars', () => {
  assert.is(problemOf('CREATE TYPE k AS INT NOT NULL; CREATE TABLE t (a k);'), 'no problem');
  assert.match(problemOf('CREATE TABLE t (a INT ARRAY PRIMARY KEY);'), /1:17: .*"a" is INTEGER ARRAY/);
});

test('an ARRAY of a set operation has the order that it asks for', () => {
  const list = (query: string): unknown => constantOf(`ARRAY(${query})`);
  assert.equal(list('SELECT 1 AS a UNION SELECT 3 UNION SELECT 2 ORDER BY a DESC'), [3, 2, 1]);
  assert.equal(list('VALUES (3), (1), (2) ORDER BY 1'), [1, 2, 3]);
  assert.equal(list('SELECT 1 AS a UNION ALL SELECT 3 UNION ALL SELECT 2 ORDER BY a DESC LIMIT 2'), [3, 2]);
});

test('GROUP_ID tells equal grouping sets apart', () => {
  const rows = [
    [1, 1, 5],
    [1, 2, 5],
  ] as const;
  const view = (query: string): string[] => rowsOf(`${tables} CREATE MATERIALIZED VIEW v AS ${query};`, rows);
  assert.equal(view('SELECT b, GROUP_ID() AS g, COUNT(*) AS c FROM t GROUP BY GROUPING SETS (b, (), ())'), [
    '{"b":5,"g":0,"c":2}',
    '{"b":null,"g":0,"c":2}',
    '{"b":null,"g":1,"c":2}',
  ]);
  assert.equal(view('SELECT GROUP_ID() AS g, SUM(a) AS s FROM t'), ['{"g":0,"s":3}']);
  assert.match(problem('SELECT GROUP_ID(a) FROM t GROUP BY a'), /GROUP_ID: takes no arguments/);
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

test('a window goes on from one of WINDOW: its partition, and its order where the other has none', () => {
  const rows = (over: string, windows: string): string[] =>
    rowsOf(
      `CREATE TABLE t (a INT, b INT); CREATE MATERIALIZED VIEW v AS SELECT a, SUM(a) OVER ${over} AS s FROM t WINDOW ${windows};`,
      [
        [1, 1, 5],
        [1, 2, 5],
        [1, 3, 6],
      ],
    );
  const expected = ['{"a":1,"s":1}', '{"a":2,"s":3}', '{"a":3,"s":3}'];
  assert.equal(rows('(w ORDER BY a)', 'w AS (PARTITION BY b)'), expected);
  assert.equal(rows('x', 'w AS (PARTITION BY b), x AS (w ORDER BY a)'), expected);
  assert.equal(rows('(x ROWS 1 PRECEDING)', 'w AS (PARTITION BY b), x AS (w ORDER BY a)'), expected);
  const wrong = (over: string, windows: string): string =>
    problem(`SELECT SUM(a) OVER ${over} FROM t WINDOW ${windows}`);
  assert.match(wrong('(w)', 'w AS (w)'), /is on top of itself/);
  assert.match(wrong('(w PARTITION BY b)', 'w AS (ORDER BY a)'), /has no PARTITION BY of its own/);
  assert.match(wrong('(w ORDER BY b)', 'w AS (ORDER BY a)'), /has no ORDER BY of its own/);
  assert.match(wrong('(w)', 'w AS (ORDER BY a ROWS 1 PRECEDING)'), /cannot take over its frame/);
});

test('names may have characters by their code points, and what is no code point is a mistake', () => {
  const names = 'U&"d\\0061ta" INT, U&"!0062" UESCAPE \'!\' INT';
  assert.equal(
    rowsOf(`CREATE TABLE t (${names}); CREATE MATERIALIZED VIEW v AS SELECT "data", b FROM t;`, [[1, 1, 2]]),
    ['{"data":1,"b":2}'],
  );
  assert.is(constantOf("U&'\\0041\\+00004A\\\\'"), 'AJ\\');
  assert.match(problem("SELECT U&'\\061' FROM t"), /four hexadecimal digits/);
});

test('KEEP is a name like any other, and refused where it stands behind an aggregate', () => {
  assert.is(problemOf('CREATE TABLE keep (a INT); CREATE VIEW v AS SELECT a FROM keep;'), 'no problem');
  assert.match(problem('SELECT MAX(a) KEEP (DENSE_RANK FIRST ORDER BY b) FROM t'), /KEEP is not supported/);
});

test('(TABLE t) is t, and LIMIT 1, ALL leaves one row out', () => {
  const view = 'SELECT x.a FROM (TABLE t) x ORDER BY a LIMIT 1, ALL';
  assert.equal(
    rowsOf(`CREATE TABLE t (a INT, b INT); CREATE MATERIALIZED VIEW v AS ${view};`, [
      [1, 1, 1],
      [1, 2, 1],
      [1, 3, 1],
    ]),
    ['{"a":2}', '{"a":3}'],
  );
});

test('a quotient of DECIMALs has six digits behind the point at least, that of two sums too', () => {
  assert.is(constantOf('SUM(CAST(10.5 AS DECIMAL(7, 2))) / SUM(CAST(3.2 AS DECIMAL(7, 2)))'), '3.281250');
  assert.is(constantOf('CAST(2 AS DECIMAL(15, 2)) / CAST(3 AS BIGINT)'), '0.666667');
  assert.is(constantOf('CAST(2 AS DECIMAL(5, 2)) / 3'), '0.6666666666667');
});

test.run();
