// Aggregates that are computed from others: their values, the order of ARRAY_AGG, NULLs, deletions, and what is refused.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const declared = 'CREATE TABLE t (k INT, i INT, n DECIMAL(6, 2), s VARCHAR, b BINARY(2));';

function aggregates(list: string, ...steps: Parameters<typeof rowsOf>[1][]): string[] {
  return rowsOf(`${declared} CREATE MATERIALIZED VIEW v AS SELECT ${list} FROM t;`, ...steps);
}

test('deviations have the type of their argument, cut off', () => {
  const rows = [
    [1, 1, 5, 223_190n, null, null],
    [1, 1, 2, 380_271n, null, null],
  ] as const;
  const list = 'STDDEV_SAMP(i) AS a, STDDEV_POP(n) AS b, STDDEV(DISTINCT n) AS c, VAR_POP(i) AS d';
  assert.equal(aggregates(list, rows), ['{"a":2,"b":"785.40","c":"1110.73","d":2}']);
  assert.equal(aggregates('STDDEV_SAMP(i) AS a, STDDEV_POP(i) AS b', rows.slice(0, 1)), ['{"a":null,"b":0}']);
});

test('BIT_AND, BIT_OR and BIT_XOR work on integers and bytes, and follow deletions', () => {
  const rows = [
    [1, 1, 6, null, null, Uint8Array.of(0xf0, 1)],
    [1, 1, 3, null, null, Uint8Array.of(0x3c, 2)],
    [2, 1, null, null, null, null],
  ] as const;
  const list = "BIT_AND(i) AS a, BIT_OR(i) AS b, BIT_XOR(i) AS c, BIT_OR(b) = x'fc03' AS d";
  assert.equal(aggregates(list, rows), ['{"a":2,"b":7,"c":5,"d":true}']);
  assert.equal(aggregates('BIT_AND(i) AS a', rows, [[-1, 1, 6, null, null, Uint8Array.of(0xf0, 1)]]), ['{"a":3}']);
});

test('ARRAY_AGG keeps NULLs, in the order of the rows; with DISTINCT in the order of the values; of nothing it is empty', () => {
  const rows = [
    [1, 1, 10, null, 'x', null],
    [1, 1, 9, null, null, null],
    [2, 1, null, null, 'a', null],
  ] as const;
  const list = 'ARRAY_AGG(i) AS a, ARRAY_AGG(s) AS b, ARRAY_AGG(DISTINCT s) AS c';
  assert.equal(aggregates(list, rows), ['{"a":[null,null,9,10],"b":["a","a",null,"x"],"c":[null,"a","x"]}']);
  assert.equal(aggregates('ARRAY_AGG(i) FILTER (WHERE i > 50) AS a', rows), ['{"a":[]}']);
});

test('ARG_MIN and ARG_MAX choose a row whose order is NULL only where there is no other', () => {
  const rows = [
    [1, 1, null, null, 'none', null],
    [1, 1, 5, null, 'five', null],
    [1, 1, 7, null, 'seven', null],
  ] as const;
  assert.equal(aggregates('ARG_MIN(s, i) AS a, ARG_MAX(s, i) AS b', rows), ['{"a":"five","b":"seven"}']);
  assert.equal(aggregates('ARG_MIN(s, i) AS a, ARG_MAX(s, i) AS b', rows.slice(0, 1)), ['{"a":"none","b":"none"}']);
});

test('ARRAY_AGG and STRING_AGG keep the order that they are asked for, whatever else the query reads', () => {
  const rows = [
    [1, 1, 10, 300n, 'x', null],
    [1, 1, 9, null, 'y', null],
    [2, 1, null, 100n, 'a', null],
  ] as const;
  const list = "ARRAY_AGG(s ORDER BY n DESC, i) AS a, STRING_AGG(s, '-' ORDER BY i NULLS LAST) AS b";
  assert.equal(aggregates(list, rows), ['{"a":["x","a","a","y"],"b":"y-x-a-a"}']);
  assert.equal(aggregates('ARRAY_AGG(DISTINCT s ORDER BY s DESC) AS a', rows, [[-1, 1, 10, 300n, 'x', null]]), [
    '{"a":["y","a"]}',
  ]);
});

test('MODE is the value that comes most often; covariances leave pairs with a NULL out', () => {
  const rows = [
    [2, 1, 4, 100n, 'b', null],
    [2, 1, 8, 300n, 'a', null],
    [1, 1, null, 700n, 'c', null],
  ] as const;
  assert.equal(aggregates('MODE(s) AS a, MODE(i) AS b', rows), ['{"a":"a","b":4}']);
  assert.equal(aggregates('MODE(s) AS a', rows, [[-1, 1, 8, 300n, 'a', null]]), ['{"a":"b"}']);
  const pairs = 'COVAR_POP(i, n) AS a, COVAR_POP(n, i) AS b, REGR_COUNT(i, n) AS c, REGR_SXX(n, i) AS d';
  assert.equal(aggregates(pairs, rows), ['{"a":"2.00","b":"2.00","c":4,"d":16}']);
  const samples = 'COVAR_SAMP(CAST(i AS DOUBLE), n) AS a, REGR_SYY(n, i) AS b';
  assert.equal(aggregates(samples, rows), ['{"a":2.6666666666666665,"b":"4.00"}']);
});

test('a column that is never NULL is NULL where a grouping set leaves it out, and so is what is made of it', () => {
  const program = `CREATE TABLE t (x INT NOT NULL, s VARCHAR NOT NULL); CREATE MATERIALIZED VIEW v AS
    SELECT s, UPPER(s) AS u, x + 1 AS y, CAST(x AS BIGINT) AS z, COALESCE(s, 'all') AS a,
      COALESCE(CASE WHEN x > 0 THEN 'some' ELSE 'none' END, 'any') AS b, CASE WHEN s IS NULL THEN 1 ELSE 2 END AS c
    FROM t GROUP BY GROUPING SETS ((x, s, CASE WHEN x > 0 THEN 'some' ELSE 'none' END), ());`;
  assert.equal(rowsOf(program, [[1, 1, 'p']]), [
    '{"s":"p","u":"P","y":2,"z":1,"a":"p","b":"some","c":2}',
    '{"s":null,"u":null,"y":null,"z":null,"a":"all","b":"any","c":1}',
  ]);
});

test('COUNTIF(DISTINCT …) counts rows, as COUNTIF does', () => {
  const rows = [
    [3, 1, 4, null, null, null],
    [1, 1, 0, null, null, null],
  ] as const;
  assert.equal(aggregates('COUNTIF(DISTINCT i > 1) AS a, COUNTIF(i > 1) AS b', rows), ['{"a":3,"b":3}']);
});

test('SUM has the type of its argument, and what does not fit it is an error', () => {
  const sums = 'CREATE TABLE t (x TINYINT); CREATE MATERIALIZED VIEW v AS SELECT SUM(x) AS s FROM t;';
  assert.equal(
    rowsOf(sums, [
      [1, 100],
      [1, 27],
    ]),
    ['{"s":127}'],
  );
  assert.throws(
    () =>
      rowsOf(sums, [
        [1, 100],
        [1, 28],
      ]),
    /TINYINT/,
  );
});

test('AVG of a DECIMAL is cut off at its scale', () => {
  const rows = [
    [1, 1, null, 223_190n, null, null],
    [1, 1, null, 380_271n, null, null],
  ] as const;
  assert.equal(aggregates('AVG(n) AS a, AVG(-n) AS b', rows), ['{"a":"3017.30","b":"-3017.30"}']);
});

test('COUNT of several values counts rows without a NULL among them', () => {
  const rows = [
    [2, 1, 1, null, 'a', null],
    [1, 1, 1, null, null, null],
    [1, 1, 2, null, 'a', null],
  ] as const;
  assert.equal(aggregates('COUNT(i, s) AS a, COUNT(DISTINCT i, s) AS b', rows), ['{"a":3,"b":2}']);
});

test('aggregates refuse arguments that they cannot take', () => {
  const problem = (list: string): string => problemOf(`${declared} CREATE VIEW v AS SELECT ${list} AS a FROM t;`);
  assert.match(problem('BIT_AND(s)'), /BIT_AND: takes an integer or bytes, s is VARCHAR/);
  assert.match(problem('STDDEV_POP(s)'), /STDDEV_POP: takes a number, s is VARCHAR/);
  assert.match(problem('ARG_MIN(s)'), /ARG_MIN: takes a value and what orders it/);
  assert.match(problem('MIN(s, i)'), /MIN: takes one argument/);
});

test.run();
