// Functions of arrays and maps, lambdas, rows that are compared, and texts where other types are wanted: through the whole compiler.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf, problemOf, rowsOf } from './program-rows.ts';

const values: readonly (readonly [expression: string, value: unknown])[] = [
  ['ARRAY_APPEND(ARRAY[1], NULL)', [1, null]],
  ['ARRAY_INSERT(ARRAY[1], 3, 3)', [1, null, 3]],
  ['ARRAY_INSERT(ARRAY[1, 2], -1, 3)', [1, 2, 3]],
  ["ARRAY_REMOVE(ARRAY[(4, 'cat'), (5, NULL)], (4, 'cat'))", [{ EXPR$0: 5, EXPR$1: null }]],
  ["ARRAY_EXCEPT(ARRAY['b', NULL, 'a', 'b'], ARRAY['c'])", [null, 'a', 'b']],
  ['ARRAY_UNION(ARRAY[10, 9], ARRAY[9, NULL])', [null, 9, 10]],
  ["ARRAY_JOIN(ARRAY['a', NULL], ',', '*')", 'a,*'],
  ["ARRAY_JOIN(ARRAY['a', NULL], ',')", 'a'],
  ["ARRAY_JOIN(ARRAY[1, NULL, 3], '-', '?')", '1-?-3'],
  ['CARDINALITY(MAP_CONCAT(MAP[1, 2], MAP[1.0, NULL], MAP[3, 4]))', 2],
  ['ARRAY_DISTINCT(NULL)', null],
  ['ARRAY_MAX(ARRAY[9, 10, NULL])', 10],
  ['ARRAY_CONCAT(ARRAY[1], ARRAY[2], ARRAY[NULL])', [1, 2, null]],
  ["ARRAY(1, 2.5, 'x')", ['1', '2.5', 'x']],
  ["MAP_KEYS(MAP[2, 'b', 1, 'a'])", [1, 2]],
  ["SPLIT('a-b', '-')", ['a', 'b']],
  ["SPLIT('a-b--c', '-')[2]", 'b'],
  ["SPLIT('a-b--c', '-')[3]", ''],
  ["SPLIT('a-b--c', '-')[4]", 'c'],
  ["SPLIT('a-b--c', '-')[5]", null],
  ["SPLIT('a-b', '-')[0]", null],
  ["SPLIT('a,b')[2]", 'b'],
  ["SPLIT('ab', '')[1]", 'ab'],
  ["SPLIT(CAST(NULL AS VARCHAR), '-')[1]", null],
  ['SEQUENCE(3, 2)', []],
  ["ARRAY['a', 'b'][SAFE_OFFSET(1)]", 'b'],
  ['TRANSFORM(ARRAY[1, NULL, 3], x -> x + 1)', [2, null, 4]],
  ["TRANSFORM(ARRAY['a'], x -> TRANSFORM(ARRAY[1], y -> x || CAST(y AS VARCHAR)))", [['a1']]],
  ['ARRAY_EXISTS(ARRAY[1, NULL], x -> x > 5)', null],
  ['ARRAY_EXISTS(ARRAY[NULL, 7], x -> x > 5)', true],
  ['(1, 2) = (1, 2)', true],
  ["(1, 'b') IN ((1, 'a'), (1, 'b'))", true],
  ['UPPER(TRUE)', 'TRUE'],
  ["SUBSTRING(X'0b1620' FROM 2 FOR 5) = X'1620'", true],
  ["POSITION(X'16' IN X'0b1620')", 2],
  ["OVERLAY(X'0b1620' PLACING X'02' FROM 2 FOR 1) = X'0b0220'", true],
  ["ABS('-0.5') = 0.5", true],
  ["MOD('14', 3) = 2", true],
  ["SQRT('16')", 4],
  ["CAST(X'0b16' AS VARCHAR)", '0b16'],
  ["CAST(-12 AS BINARY(1)) = X'f4'", true],
  [
    "CAST(CAST(UUID '42b8fec7-c7a3-4531-9611-4bde80f9cb4c' AS BINARY(16)) AS UUID)",
    '42b8fec7-c7a3-4531-9611-4bde80f9cb4c',
  ],
  ["SAFE_CAST(X'0b' AS UUID)", null],
  ['CAST(-1111.52 AS TIMESTAMP)', '1969-12-31 23:59:59'],
  ["CAST(TIMESTAMP '2020-06-21 14:23:44.123654' AS BIGINT)", 1592749424123],
  ["CAST(TIME '01:02:03' AS TIMESTAMP)", '1970-01-01 01:02:03'],
  ["CAST(TIME '14:23:44.456' AS VARCHAR)", '14:23:44.456000000'],
  ["CAST(MAP['a', 1] AS MAP<VARCHAR, VARCHAR>)", { a: '1' }],
  ['CAST(ARRAY[1, NULL] AS VARCHAR ARRAY)', ['1', null]],
  ["FLOOR(DATE '2020-06-21' TO CENTURY)", '2000-01-01'],
  ["TIMESTAMPADD(MONTH, 2, DATE '2020-06-21')", '2020-08-21'],
  ["(DATE '2020-06-21', DATE '2020-06-23') OVERLAPS (DATE '2020-06-24', DATE '2020-06-22')", true],
  ["(TIME '14:00:00', INTERVAL '2' HOUR) CONTAINS TIME '15:00:00'", true],
  ["(DATE '2020-06-25', -INTERVAL '4' DAY) CONTAINS DATE '2020-06-20'", false],
  ["(TIME '14:00:00', TIME '15:00:00') PRECEDES (TIME '15:00:00', TIME '16:00:00')", true],
  ["(TIME '14:00:00', TIME '15:00:00') IMMEDIATELY SUCCEEDS (TIME '12:00:00', TIME '13:00:00')", false],
  ["(TIME '14:00:00', TIME '15:00:00') EQUALS (TIME '15:00:00', TIME '14:00:00')", true],
  ["CAST(TIMESTAMP WITH TIME ZONE '2020-06-21 14:00:00 +02:00' AS VARCHAR)", '2020-06-21 12:00:00 +00:00'],
  ["TIMESTAMP WITH TIME ZONE '2020-06-21 14:00:00 UTC' = TIMESTAMP '2020-06-21 14:00:00'", true],
  ['BROUND(2.5) = 2', true],
  ['BROUND(-3.55, 1) = -3.6', true],
];
for (const [expression, value] of values) {
  test(`${expression} is ${JSON.stringify(value)}`, () => assert.equal(constantOf(expression), value));
}

test('a lambda reads the columns of its row', () => {
  const program = `CREATE TABLE t (k INT, a INT ARRAY, s VARCHAR);
    CREATE MATERIALIZED VIEW v AS SELECT TRANSFORM(a, x -> CASE WHEN x > k THEN s ELSE 'no' END) AS b, ARRAY_EXISTS(a, x -> x = k) AS c FROM t;`;
  const rows = rowsOf(program, [
    [1, 2, '[1,2,3]', 'yes'],
    [1, null, null, null],
  ]);
  assert.equal(rows, ['{"b":["no","no","yes"],"c":true}', '{"b":null,"c":null}']);
});

test('ARRAY_AGG leaves out NULLs where it is told to', () => {
  const program =
    'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT ARRAY_AGG(x IGNORE NULLS) AS a, ARRAY_AGG(x RESPECT NULLS) AS b FROM t;';
  assert.equal(
    rowsOf(program, [
      [1, 2],
      [1, null],
    ]),
    ['{"a":[2],"b":[null,2]}'],
  );
});

test('what is NULL is the null of a VARIANT, not NULL', () => {
  const program =
    'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT CAST(x AS VARIANT) IS NULL AS a FROM t;';
  assert.equal(rowsOf(program, [[1, null]]), ['{"a":false}']);
});

test('the null of JSON is a value in a VARIANT field that is NOT NULL, as those of ROW are where nothing is said', () => {
  const program = `CREATE TYPE named AS (v VARIANT);
    CREATE TABLE t (r ROW(v VARIANT), o ROW(v VARIANT NULL), n named);
    CREATE MATERIALIZED VIEW v AS SELECT r.v = VARIANTNULL() AS r, o.v IS NULL AS o, n.v IS NULL AS n FROM t;`;
  const given = '{"v":null}';
  assert.equal(rowsOf(program, [[1, given, given, given]]), ['{"r":true,"o":true,"n":true}']);
  assert.equal(rowsOf(program, [[1, null, null, null]]), ['{"r":null,"o":true,"n":true}']);
});

test('a field of a row inside an array is found by its position', () => {
  const program = `CREATE TABLE t (a ROW(i INT, s VARCHAR) ARRAY, r ROW(p ROW(x INT, y INT)));
    CREATE MATERIALIZED VIEW v AS SELECT a[1][2] AS s, t.r.p.y AS y FROM t;`;
  assert.equal(rowsOf(program, [[1, '[{"i":1,"s":"a"}]', '{"p":{"x":1,"y":2}}']]), ['{"s":"a","y":2}']);
});

test('what cannot be meant is refused', () => {
  const problem = (expression: string): string =>
    problemOf(
      `CREATE TABLE t (r ROW(a INT, b INT), a VARCHAR ARRAY, s VARCHAR); CREATE VIEW v AS SELECT ${expression} AS x FROM t;`,
    );
  assert.match(problem('r = ROW(1, 2)'), /ROW values cannot be compared using '='/);
  assert.match(problem('ARRAY_APPEND(a, 1)'), /ARRAY_APPEND: cannot be called with/);
  assert.match(problem('ARRAY_JOIN(s, s)'), /ARRAY_JOIN: cannot be called with/);
  assert.match(problem('EXTRACT(DAY FROM s)'), /DATE_PART: cannot be called with/);
  assert.match(problem('TRANSFORM(s, x -> x)'), /TRANSFORM: takes an array, s is VARCHAR/);
  assert.match(problem('UPPER(x -> x)'), /a lambda here is not supported/);
  assert.match(problem('SAFE_CAST(r AS ROW(a INT, b VARCHAR))'), /cannot be cast/);
});

test.run();
