// Intervals as values: their units, their text, numbers of them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf, problemOf, rowsOf } from './program-rows.ts';

const texts: readonly (readonly [expression: string, text: string])[] = [
  ["INTERVAL '10' YEAR", '+10'],
  ["INTERVAL '-18' MONTH", '-18'],
  ["INTERVAL '18' MONTH + INTERVAL '1' YEAR", '+2-06'],
  ["-(INTERVAL '2-08' YEAR TO MONTH)", '-2-08'],
  ["INTERVAL '90' MINUTE", '+90'],
  ["INTERVAL '1.5' SECOND", '+1.500000'],
  ["INTERVAL '1855 19' DAY TO HOUR - INTERVAL '150' DAY", '+1705 19'],
  ["INTERVAL '1 02:03:04' DAY TO SECOND", '+1 02:03:04'],
  ["INTERVAL '1 02:03:04.25' DAY TO SECOND", '+1 02:03:04.250000'],
  ["INTERVAL '100:13' HOUR TO MINUTE - INTERVAL '1' DAY", '+3 04:13'],
  ["INTERVAL '2' HOUR - INTERVAL '5' SECOND", '+1:59:55.000000'],
  ["INTERVAL '61:05' MINUTE TO SECOND", '+61:05.000000'],
  ["INTERVAL '-10' SECOND * 2.583", '-25.830000'],
  ["INTERVAL '-10' SECOND / 3.0", '-3.333333'],
  ["INTERVAL '10' MONTH / 2.5", '+4'],
  ["INTERVAL '0' DAY", '+0'],
  ["(TIMESTAMP '2020-01-02 03:00:00' - TIMESTAMP '2020-01-01 00:00:00') HOUR", '+27'],
  ["(DATE '2020-03-15' - DATE '2019-01-20') YEAR TO MONTH", '+1-01'],
];
for (const [expression, text] of texts) {
  test(`${expression} is written ${text}`, () => assert.is(constantOf(`CAST(${expression} AS VARCHAR)`), text));
}

test('an interval of one unit is a number of them, and back', () => {
  assert.is(constantOf("CAST(INTERVAL '90' MINUTE AS BIGINT)"), 90);
  assert.is(constantOf("CAST((TIME '10:00:00' - TIME '09:15:30') MINUTE AS INT)"), 44);
  assert.is(constantOf('CAST(CAST(90 AS INTERVAL SECOND) AS VARCHAR)'), '+90.000000');
  assert.match(
    problemOf("CREATE VIEW v AS SELECT CAST(INTERVAL '1-2' YEAR TO MONTH AS BIGINT) AS a;"),
    /INTERVAL YEAR TO MONTH cannot be cast to BIGINT/,
  );
});

test('a text and a number of units become intervals', () => {
  const declared = 'CREATE TABLE t (d VARCHAR, n INT);';
  const view = 'CREATE MATERIALIZED VIEW v AS SELECT CAST(INTERVAL d DAYS + INTERVAL n HOUR AS VARCHAR) AS a FROM t;';
  assert.equal(rowsOf(declared + view, [[1, '-3', 5]]), ['{"a":"-2 19"}']);
});

test('intervals are columns of tables, compared, ordered and aggregated whatever their units', () => {
  const declared = 'CREATE TABLE t (k INT, y INTERVAL YEAR TO MONTH, d INTERVAL DAY TO SECOND);';
  const view = `CREATE MATERIALIZED VIEW v AS SELECT k, CAST(MAX(y) AS VARCHAR) AS y, CAST(MIN(d) AS VARCHAR) AS d,
    COUNT(*) FILTER (WHERE d < INTERVAL '1' DAY) AS c FROM t GROUP BY k;`;
  const first = [
    [1, 1, 14, 3_600_000_000n],
    [1, 1, 2, 172_800_000_000n],
  ] as const;
  assert.equal(rowsOf(declared + view, first), ['{"k":1,"y":"+1-02","d":"+0 01:00:00","c":1}']);
  assert.equal(rowsOf(declared + view, first, [[-1, 1, 14, 3_600_000_000n]]), [
    '{"k":1,"y":"+0-02","d":"+2 00:00:00","c":0}',
  ]);
});

test('seconds of an interval as a DECIMAL keep as many digits as it has', () => {
  assert.is(constantOf("CAST(INTERVAL '-10.135' SECOND AS DECIMAL(10, 2))"), '-10.13');
  assert.is(constantOf("CAST(INTERVAL '90' MINUTE AS DECIMAL(10, 2))"), '90.00');
});

test.run();
