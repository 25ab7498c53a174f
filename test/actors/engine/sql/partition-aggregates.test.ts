// Aggregates of whole partitions and frames: DISTINCT and gathered values in OVER, with insertions and deletions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (k INT, x INT, s VARCHAR);';

function afterChanges(list: string, from = 't'): string[] {
  return rowsOf(
    `${table} CREATE MATERIALIZED VIEW v AS SELECT ${list} FROM ${from};`,
    [
      [1, 1, 10, 'a'],
      [1, 1, 10, 'b'],
      [1, 1, 20, 'c'],
      [1, 2, 5, null],
      [1, null, 7, 'z'],
      [1, null, null, 'y'],
    ],
    [
      [-1, 1, 20, 'c'],
      [1, 2, 6, 'q'],
    ],
  );
}

test('DISTINCT in OVER counts the values of the partition; NULL is a partition', () => {
  assert.equal(afterChanges('k, x, COUNT(DISTINCT x) OVER (PARTITION BY k) AS d'), [
    '2 times {"k":1,"x":10,"d":1}',
    '{"k":2,"x":5,"d":2}',
    '{"k":2,"x":6,"d":2}',
    '{"k":null,"x":7,"d":1}',
    '{"k":null,"x":null,"d":1}',
  ]);
  assert.equal(afterChanges('SUM(DISTINCT x) FILTER (WHERE x < 10) OVER () AS d'), ['6 times {"d":18}']);
});

test('arrays, texts and bits of a partition stand beside its rows', () => {
  assert.equal(afterChanges("k, STRING_AGG(s, '|' ORDER BY s DESC) OVER (PARTITION BY k) AS d"), [
    '2 times {"k":1,"d":"b|a"}',
    '2 times {"k":2,"d":"q"}',
    '2 times {"k":null,"d":"z|y"}',
  ]);
  assert.equal(afterChanges('k, ARRAY_AGG(x) OVER (PARTITION BY k) AS d, BIT_OR(x) OVER (PARTITION BY k) AS b'), [
    '2 times {"k":1,"d":[10,10],"b":10}',
    '2 times {"k":2,"d":[5,6],"b":7}',
    '2 times {"k":null,"d":[7,null],"b":7}',
  ]);
});

test('they stand over groups, in QUALIFY and beside frames as well', () => {
  assert.equal(afterChanges('k, COUNT(DISTINCT SUM(x)) OVER () AS e', 't GROUP BY k'), [
    '{"k":1,"e":3}',
    '{"k":2,"e":3}',
    '{"k":null,"e":3}',
  ]);
  const several = 't QUALIFY COUNT(DISTINCT x) OVER (PARTITION BY k) > 1 AND ROW_NUMBER() OVER (ORDER BY x) = 1';
  assert.equal(afterChanges('k, x', several), []);
  assert.equal(afterChanges('k, x', several.replace('= 1', '= 2')), ['{"k":2,"x":5}']);
});

test('over an order or a frame they are of the rows in it, in the order of the window', () => {
  assert.equal(afterChanges('k, x, ARRAY_AGG(x) OVER (PARTITION BY k ORDER BY x DESC) AS d'), [
    '2 times {"k":1,"x":10,"d":[10,10]}',
    '{"k":2,"x":5,"d":[6,5]}',
    '{"k":2,"x":6,"d":[6]}',
    '{"k":null,"x":7,"d":[7]}',
    '{"k":null,"x":null,"d":[7,null]}',
  ]);
  const before = 'OVER (ORDER BY x, s ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)';
  assert.equal(afterChanges(`x, COUNT(DISTINCT x) ${before} AS d, STRING_AGG(s, '|') ${before} AS t`), [
    '{"x":10,"d":2,"t":"q|z"}',
    '{"x":10,"d":2,"t":"z|a"}',
    '{"x":5,"d":0,"t":"y"}',
    '{"x":6,"d":1,"t":"y"}',
    '{"x":7,"d":2,"t":"q"}',
    '{"x":null,"d":0,"t":null}',
  ]);
});

test('over a distance they are refused with what to write', () => {
  const refused = (call: string): string => problemOf(`${table} CREATE VIEW v AS SELECT ${call} AS x FROM t;`);
  assert.match(
    refused('COUNT(DISTINCT x) OVER (ORDER BY x RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)'),
    /DISTINCT in COUNT OVER a RANGE with an offset is not supported; write ROWS or GROUPS/,
  );
  assert.is(
    refused('COUNT(DISTINCT x) OVER (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)'),
    'no problem',
  );
});

test('the offset of windows of time may be a time of day', () => {
  const starts = (from: string): string[] =>
    rowsOf(
      `CREATE TABLE e (ts TIMESTAMP NOT NULL LATENESS INTERVAL '0' DAY); CREATE MATERIALIZED VIEW v AS SELECT ${from};`,
      [[1, 1577880000000000n]],
    );
  const windows = (offset: string): string =>
    `CAST(window_start AS VARCHAR) AS w FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '1' HOUR, ${offset}))`;
  const groups = (offset: string): string =>
    `CAST(TUMBLE_START(ts, INTERVAL '1' HOUR, ${offset}) AS VARCHAR) AS w, CAST(TUMBLE_END(ts, INTERVAL '1' HOUR, ${offset}) AS VARCHAR) AS z
     FROM e GROUP BY TUMBLE(ts, INTERVAL '1' HOUR, ${offset})`;
  for (const query of [windows, groups]) {
    assert.equal(starts(query("TIME '00:10:00'")), starts(query("INTERVAL '10' MINUTE")));
  }
  assert.match(starts(windows("TIME '00:10:00'")).join(), /2020-01-01 11:10:00/);
});

test('MATCH_CONDITION stands with and without parentheses', () => {
  const joined = (match: string): string =>
    problemOf(
      `${table} CREATE VIEW v AS SELECT a.k FROM t AS a LEFT ASOF JOIN t AS b MATCH_CONDITION ${match} ON a.k = b.k;`,
    );
  assert.is(joined('(a.x >= b.x)'), 'no problem');
  assert.is(joined('a.x >= b.x'), 'no problem');
});

test.run();
