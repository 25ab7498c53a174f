// Window functions whose order leaves rows equal: what stands before what.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (id INT, x INT);';
const rows = [
  [1, 1, 30],
  [1, 2, 20],
  [1, 3, null],
] as const;

const cases: readonly [list: string, ...expected: string[]][] = [
  // Only the columns that the query reads count: x here, id is not read.
  ['LEAD(x) OVER () AS a', '{"a":20}', '{"a":30}', '{"a":null}'],
  ['x, LAG(x) OVER () AS a', '{"x":20,"a":null}', '{"x":30,"a":20}', '{"x":null,"a":null}'],
  ['x, ROW_NUMBER() OVER (PARTITION BY 1) AS a', '{"x":20,"a":2}', '{"x":30,"a":3}', '{"x":null,"a":1}'],
];

test('RANGE goes over intervals by intervals', () => {
  const program = `CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS
    SELECT x, COUNT(*) OVER (ORDER BY INTERVAL x HOUR RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS c FROM t;`;
  assert.equal(
    rowsOf(program, [
      [1, 1],
      [1, 20],
      [1, 30],
    ]),
    ['{"x":1,"c":1}', '{"x":20,"c":2}', '{"x":30,"c":2}'],
  );
});

test('ROWS counts with any constant that is a whole number', () => {
  const counts = (rows: string): string[] =>
    rowsOf(
      `CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS
      SELECT x, COUNT(*) OVER (ORDER BY x ROWS ${rows} PRECEDING) AS c FROM t;`,
      [1, 2, 3, 4].map((x) => [1, x] as const),
    );
  assert.equal(counts('1.00'), counts('1'));
  assert.equal(counts('1::BIGINT'), counts('1'));
  assert.throws(() => counts('1.5'), 'ROWS takes a constant whole number, not 1.5');
});

for (const [list, ...expected] of cases) {
  test(`rows that the order leaves equal stand in the order of their columns, NULL first: ${list}`, () => {
    assert.equal(rowsOf(`${table} CREATE MATERIALIZED VIEW v AS SELECT ${list} FROM t;`, rows), expected);
  });
}

test.run();
