// TUMBLE and HOP: in FROM and in GROUP BY.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (id INT, ts TIMESTAMP);';
const second = 1_000_000n;
const rows = [
  [1, 1, 7n * second],
  [1, 2, 12n * second],
  [1, 3, 14n * second],
] as const;

function windows(query: string): string[] {
  return rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, rows);
}

test('TUMBLE in GROUP BY knows where its windows begin and end', () => {
  const query = `SELECT TUMBLE_START(ts, INTERVAL 10 SECOND) AS a, TUMBLE_END(ts, INTERVAL 10 SECOND) AS b, COUNT(*) AS c
    FROM t GROUP BY TUMBLE(ts, INTERVAL 10 SECOND)`;
  assert.equal(windows(query), [
    '{"a":"1970-01-01 00:00:00","b":"1970-01-01 00:00:10","c":1}',
    '{"a":"1970-01-01 00:00:10","b":"1970-01-01 00:00:20","c":2}',
  ]);
});

test('TUMBLE in FROM gives the rows with their windows', () => {
  const query = `SELECT id, window_start AS s FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '3' SECOND))`;
  assert.equal(windows(query), [
    '{"id":1,"s":"1970-01-01 00:00:03"}',
    '{"id":2,"s":"1970-01-01 00:00:03"}',
    '{"id":3,"s":"1970-01-01 00:00:13"}',
  ]);
});

test('arguments may be named in any case, with quotes too', () => {
  const named = `SELECT id FROM TABLE(TUMBLE("DATA" => TABLE t, "TimeCol" => DESCRIPTOR(ts), size => INTERVAL '10' SECOND))`;
  assert.equal(windows(named), ['{"id":1}', '{"id":2}', '{"id":3}']);
});

test('a row without a time lies in no window', () => {
  for (const sizes of [
    "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)",
    "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '10' SECOND)",
  ]) {
    const program = `${table} CREATE MATERIALIZED VIEW v AS SELECT id FROM TABLE(${sizes});`;
    assert.equal(rowsOf(program, [[1, 4, null], ...rows]), ['{"id":1}', '{"id":2}', '{"id":3}']);
  }
});

test('HOP gives a row for each window, in FROM as in GROUP BY', () => {
  const expected = [
    '{"s":"1970-01-01 00:00:00","e":"1970-01-01 00:00:10","c":1}',
    '{"s":"1970-01-01 00:00:05","e":"1970-01-01 00:00:15","c":3}',
    '{"s":"1970-01-01 00:00:10","e":"1970-01-01 00:00:20","c":2}',
  ];
  const table = 'TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 10 SECOND))';
  assert.equal(
    windows(`SELECT window_start AS s, window_end AS e, COUNT(*) AS c FROM ${table} GROUP BY window_start, window_end`),
    expected,
  );
  const sizes = 'ts, INTERVAL 5 SECOND, INTERVAL 10 SECOND';
  assert.equal(
    windows(`SELECT HOP_START(${sizes}) AS s, HOP_END(${sizes}) AS e, COUNT(*) AS c FROM t GROUP BY HOP(${sizes})`),
    expected,
  );
});

test('windows over what is no time, and sizes that are no interval, are refused', () => {
  const of = (call: string): string => problemOf(`${table} CREATE VIEW v AS SELECT 1 AS o FROM TABLE(${call});`);
  assert.match(of("TUMBLE(TABLE t, DESCRIPTOR(id), INTERVAL '1' DAY)"), 'takes a TIMESTAMP column, id is INTEGER');
  assert.match(of('TUMBLE(TABLE t, DESCRIPTOR(ts), 5)'), 'takes a constant INTERVAL of days to seconds, not 5');
  assert.match(of('SESSION(TABLE t, DESCRIPTOR(ts))'), 'SESSION: takes the gap that ends a session');
  assert.match(of('GAPS(TABLE t, DESCRIPTOR(ts))'), 'the windows of time are TUMBLE, HOP and SESSION');
});

test.run();
