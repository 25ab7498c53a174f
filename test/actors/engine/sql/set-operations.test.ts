// UNION, EXCEPT and INTERSECT of columns of different types.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (n INT, b BOOLEAN, d DECIMAL(6, 2), day DATE, s VARCHAR, list INT ARRAY);';
const rows = [
  [1, 7, true, 150n, 1, 'TRUE', null],
  [1, null, null, null, null, null, null],
] as const;

const cases: readonly [query: string, ...expected: string[]][] = [
  ['SELECT s AS x FROM t INTERSECT ALL SELECT b FROM t', '{"x":"TRUE"}', '{"x":null}'],
  ['SELECT s AS x FROM t UNION SELECT n FROM t', '{"x":"7"}', '{"x":"TRUE"}', '{"x":null}'],
  ['SELECT d AS x FROM t WHERE d > 0 UNION ALL SELECT s FROM t WHERE b', '{"x":"1.5"}', '{"x":"TRUE"}'],
  ['SELECT day AS x FROM t WHERE b EXCEPT SELECT s FROM t', '{"x":"1970-01-02"}'],
];

for (const [query, ...expected] of cases) {
  test(`text beside another type is text: ${query}`, () => {
    assert.equal(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, rows), expected);
  });
}

test('what has no text has no type in common with text', () => {
  assert.match(
    problemOf(`${table} CREATE VIEW v AS SELECT s FROM t UNION SELECT list FROM t;`),
    'column 1 of UNION is VARCHAR and INTEGER ARRAY',
  );
});

test.run();
