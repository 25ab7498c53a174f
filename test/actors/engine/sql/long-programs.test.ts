// Texts that are long in one direction, as programs write them: what they mean, and that they are read at all.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (a BIGINT, b BIGINT, s VARCHAR, d DECIMAL(10, 2), f DOUBLE);';
const rows = [
  [1, 7n, 1n, 'x', 125n, 0.5],
  [1, null, 2n, null, null, null],
] as const;

const links = 3000;

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
  assert.equal(valuesOf(`${chain(links, () => 'a', ' + ')} AS x`), ['{"x":21000}', '{"x":null}']);
  assert.equal(valuesOf(`${chain(links, () => 'b', ' - ')} AS x`, 'b = 2'), [`{"x":${2 - 2 * (links - 1)}}`]);
  assert.equal(valuesOf(`${chain(links, (i) => String(i), ' + ')} AS x`, 'b = 1'), ['{"x":4498500}']);
  assert.equal(valuesOf(`${chain(1000, () => 'd', ' + ')} AS x`), ['{"x":"1250.00"}', '{"x":null}']);
  assert.equal(valuesOf(`${chain(1000, () => 'f', ' + ')} AS x`), ['{"x":500}', '{"x":null}']);
  assert.equal(valuesOf(`CHAR_LENGTH(${chain(links, () => 's', ' || ')}) AS x`), ['{"x":3000}', '{"x":null}']);
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

const nested: readonly (readonly [what: string, most: number, program: (levels: number) => string])[] = [
  ['calls', 190, (n) => `SELECT ${'ABS('.repeat(n)}a${')'.repeat(n)} AS x FROM t`],
  ['operators', 190, (n) => `SELECT ${'(1 + '.repeat(n)}a${')'.repeat(n)} AS x FROM t`],
  ['CASE', 190, (n) => `SELECT ${'CASE WHEN a = 0 THEN 0 ELSE '.repeat(n)}a ${'END '.repeat(n)} AS x FROM t`],
  ['NOT', 190, (n) => `SELECT ${'NOT '.repeat(n)}a = 1 AS x FROM t`],
  ['queries in FROM', 190, (n) => `${'SELECT x FROM ('.repeat(n)}SELECT a AS x FROM t${')'.repeat(n)}`],
  ['queries as values', 38, (n) => `SELECT ${'(SELECT MAX('.repeat(n)}a${') FROM t)'.repeat(n)} AS x FROM t`],
  [
    'EXISTS',
    62,
    (n) => `SELECT a AS x FROM t WHERE ${'EXISTS (SELECT 1 FROM t WHERE '.repeat(n)}a = 1${')'.repeat(n)}`,
  ],
  ['EXCEPT', 62, (n) => chain(n, (i) => `SELECT a + ${i} AS x FROM t`, ' EXCEPT ')],
  ['joins', 190, (n) => `SELECT t0.a AS x FROM t AS t0 ${chain(n, (i) => `JOIN t AS u${i} ON u${i}.a = t0.a`, ' ')}`],
  ['+ and -', 380, (n) => `SELECT ${chain(n, (i) => (i % 2 === 0 ? 'a +' : 'a -'), ' ')} a AS x FROM t`],
];
for (const [what, most, program] of nested) {
  test(`${what} may be nested so deep and no deeper`, () => {
    const compiled = compileProgram(`${table} CREATE MATERIALIZED VIEW v AS ${program(most)};`);
    assert.equal(compiled.problems, []);
    for (const levels of [2 * most + 40, 5 * most]) {
      const { problems } = compileProgram(`${table} CREATE VIEW v AS ${program(levels)};`);
      assert.equal(
        problems.map(({ code }) => code),
        ['sql.too_deep'],
      );
    }
  });
}

test('what is nested so deep is planned on a thread, as in a pipeline', async () => {
  const planner = new URL('../../../../actors/engine/plan/planner.js', import.meta.url).href;
  const code = `import('${planner}').then(({ planProgram }) => {
    for (const program of require('node:worker_threads').workerData) planProgram(program, { onError: 'stop' });
  });`;
  const workerData = nested.map(
    ([, most, program]) => compileProgram(`${table} CREATE MATERIALIZED VIEW v AS ${program(most)};`).program,
  );
  const thread = new Worker(code, { eval: true, workerData });
  const [exitCode] = await once(thread, 'exit');
  assert.is(exitCode, 0);
});

test('queries of WITH that are each read twice by the next one are planned once', () => {
  const steps = chain(
    40,
    (i) => `c${i + 1} AS (SELECT x.a FROM c${i} x JOIN (SELECT DISTINCT a FROM c${i} WHERE a > 0) y ON x.a = y.a)`,
    ', ',
  );
  const query = `WITH c0 AS (SELECT a FROM t), ${steps} SELECT * FROM c40`;
  assert.equal(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, rows), ['{"a":7}']);
});

test('aggregates over many partitions and frames are computed side by side', () => {
  const partitions = chain(20, (i) => `COUNT(DISTINCT b) OVER (PARTITION BY a + ${i}) AS c${i}`, ', ');
  const frames = chain(20, (i) => `COUNT(DISTINCT b) OVER (ORDER BY b ROWS ${i} PRECEDING) AS f${i}`, ', ');
  const query = `SELECT b, c19, f19 FROM (SELECT b, ${partitions}, ${frames} FROM t) q`;
  assert.equal(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, rows), [
    '{"b":1,"c19":1,"f19":1}',
    '{"b":2,"c19":1,"f19":2}',
  ]);
});

test('parentheses that change nothing may be any number', () => {
  assert.equal(valuesOf(`${'('.repeat(3000)}a + 1${')'.repeat(3000)} AS x`, 'b = 1'), ['{"x":8}']);
});

test('a mistake inside of many parentheses is told where it stands', () => {
  const deep = `${table}\nCREATE VIEW v AS SELECT ${'('.repeat(100)}a + ${')'.repeat(100)} AS x FROM t;`;
  assert.match(problemOf(deep), /^2:129: expected an expression but found "\)"/);
});

test('an unknown name in a long chain is told with its place', () => {
  const where = `${chain(links, (i) => `a = ${i}`, '\nOR ')}\nOR c = 1`;
  assert.match(problemOf(`${table}\nCREATE VIEW v AS SELECT a FROM t WHERE\n${where};`), /no column is named "c"/);
});

test.run();
