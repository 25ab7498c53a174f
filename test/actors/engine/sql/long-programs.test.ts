// Texts that are long in one direction, as programs write them: what they mean, and that they are read at all.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (a BIGINT, b BIGINT, s VARCHAR, d DECIMAL(10, 2), f DOUBLE);';
const rows = [
  [1, 7n, 1n, 'x', 125n, 0.5],
  [1, null, 2n, null, null, null],
] as const;

const links = 5000;

function chain(count: number, link: (i: number) => string, between: string): string {
  return Array.from({ length: count }, (_, i) => link(i)).join(between);
}

function valuesOf(list: string, where = 'TRUE'): string[] {
  return rowsOf(`${table} CREATE MATERIALIZED VIEW v AS SELECT ${list} FROM t WHERE ${where};`, rows);
}

test('a chain of thousands of one operator is computed from left to right', () => {
  assert.equal(
    valuesOf(
      'a',
      chain(links, (i) => `a = ${i}`, ' OR '),
    ),
    ['{"a":7}'],
  );
  assert.equal(valuesOf(`${chain(1000, (i) => `a = ${i} AND b > ${i}`, ' OR ')} AS x`), ['{"x":false}', '{"x":null}']);
  assert.equal(
    valuesOf(
      'a',
      chain(links, (i) => `a <> ${i + 100}`, ' AND '),
    ),
    ['{"a":7}'],
  );
  assert.equal(valuesOf(`${chain(links, () => 'a', ' + ')} AS x`), ['{"x":35000}', '{"x":null}']);
  assert.equal(valuesOf(`${chain(links, () => 'b', ' - ')} AS x`, 'b = 2'), [`{"x":${2 - 2 * (links - 1)}}`]);
  assert.equal(valuesOf(`${chain(links, (i) => String(i), ' + ')} AS x`, 'b = 1'), ['{"x":12497500}']);
  assert.equal(valuesOf(`${chain(1000, () => 'd', ' + ')} AS x`), ['{"x":"1250.00"}', '{"x":null}']);
  assert.equal(valuesOf(`${chain(1000, () => 'f', ' + ')} AS x`), ['{"x":500}', '{"x":null}']);
  assert.equal(valuesOf(`CHAR_LENGTH(${chain(links, () => 's', ' || ')}) AS x`), ['{"x":5000}', '{"x":null}']);
});

test('a part of a sum overflows where it is written, in a long sum as in a short one', () => {
  const sum = (count: number): string =>
    `${chain(count, () => 'a', ' + ')} + 9223372036854775807 - 9223372036854775807`;
  for (const count of [2, 200]) assert.throws(() => valuesOf(`${sum(count)} AS x`), 'does not fit');
});

test('GROUP BY names a part of a chain', () => {
  const grouped = `${table} CREATE MATERIALIZED VIEW v AS SELECT a + b + 1 + 2 AS x FROM t GROUP BY a + b;`;
  assert.equal(rowsOf(grouped, rows), ['{"x":11}', '{"x":null}']);
});

test('lists, arms, columns and branches of thousands are read', () => {
  const numbers = chain(links, (i) => String(i), ', ');
  assert.equal(valuesOf('a', `a IN (${numbers})`), ['{"a":7}']);
  assert.equal(valuesOf('a', `a IN (${chain(1000, (i) => `b + ${i}`, ', ')})`), ['{"a":7}']);
  assert.equal(valuesOf(`CASE a ${chain(1000, (i) => `WHEN ${i} THEN 'x${i}'`, ' ')} END AS x`), [
    '{"x":"x7"}',
    '{"x":null}',
  ]);
  const columns = chain(1000, (i) => `a + ${i} AS c${i}`, ', ');
  assert.match(valuesOf(columns).join(), /"c999":1006/);
  const union = chain(500, (i) => `SELECT a + ${i} AS x FROM t WHERE b = 1`, ' UNION ALL ');
  assert.is(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${union};`, rows).length, 500);
  const values = chain(1000, (i) => `(${i}, 'x${i}')`, ', ');
  assert.is(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS VALUES ${values};`, rows).length, 1000);
  const joins = chain(100, (i) => (i === 0 ? 't AS t0' : `JOIN t AS t${i} ON t${i}.a = t${i - 1}.a`), ' ');
  assert.equal(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS SELECT t99.a AS x FROM ${joins};`, rows), ['{"x":7}']);
});

test('an unknown name in a long chain is told with its place', () => {
  const where = `${chain(links, (i) => `a = ${i}`, '\nOR ')}\nOR c = 1`;
  assert.match(problemOf(`${table}\nCREATE VIEW v AS SELECT a FROM t WHERE\n${where};`), /no column is named "c"/);
});

test.run();
