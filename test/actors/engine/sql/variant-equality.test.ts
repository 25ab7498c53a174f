// VARIANTs are compared, grouped and joined by value, whatever their texts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { variantSpelling } from '../../../../runtime/batch/variant-spelling.ts';
import { constantOf, rowsOf } from './program-rows.ts';

test('a value has one spelling', () => {
  const same: readonly (readonly string[])[] = [
    ['1', '1.0', '1e0', '10e-1', '0.1e1', '1.000'],
    ['0', '-0', '0.0', '0e5', '-0.00'],
    ['-12.5', '-1.25e1', '-12.50'],
    ['100', '1e2', '1.0e+2'],
    ['12345678901234567890.1', '12345678901234567890.10'],
    ['1e100', '10e99', '1.0E+100'],
    ['"a"', '"\\u0061"'],
    ['{"a":1,"b":[2,{"c":3,"d":null}]}', '{"b":[2.0,{"d":null,"c":3}],"a":1}'],
    ['{"a":2}', '{"a":1,"a":2}'],
    ['[]'],
    ['{}'],
    ['true'],
  ];
  const spellings = same.map((texts) => {
    const [spelling = '', ...others] = [...new Set(texts.map(variantSpelling))];
    assert.equal(others, [], texts.join(' '));
    assert.is(variantSpelling(spelling), spelling);
    assert.equal(JSON.parse(spelling), JSON.parse(texts[0] ?? ''));
    return spelling;
  });
  assert.is(new Set(spellings).size, same.length);
  assert.is.not(variantSpelling('12345678901234567890.1'), variantSpelling('12345678901234567890.2'));
});

test('= goes by value', () => {
  const equal = (a: string, b: string): unknown => constantOf(`${a} = ${b}`);
  assert.is(equal(`PARSE_JSON('{"a": 1, "b": 2}')`, `PARSE_JSON('{"b": 2, "a": 1}')`), true);
  assert.is(equal(`PARSE_JSON('1')`, `CAST(1.0 AS VARIANT)`), true);
  assert.is(equal(`PARSE_JSON('[1, 2]')`, `PARSE_JSON('[2, 1]')`), false);
  assert.is(constantOf(`PARSE_JSON('{"a": 1, "b": 2}') IN (PARSE_JSON('3'), PARSE_JSON('{"b": 2, "a": 1}'))`), true);
  assert.is(constantOf(`PARSE_JSON('"1"') = PARSE_JSON('1')`), false);
});

const table = 'CREATE TABLE t (v VARIANT, x INT);';
const rows = [
  [1, '{"a":1,"b":2}', 1],
  [1, '{"b":2.0,"a":1}', 2],
  [1, '{"a":1}', 4],
  [1, null, 8],
  [1, null, 16],
] as const;

function of(query: string): string[] {
  return rowsOf(
    `${table} CREATE MATERIALIZED VIEW r AS ${query}; CREATE MATERIALIZED VIEW v AS SELECT * FROM r;`,
    rows,
  );
}

test('groups, distinct rows, partitions and set operations go by value', () => {
  assert.equal(of('SELECT v, SUM(x) AS s FROM t GROUP BY v'), [
    '{"v":null,"s":24}',
    '{"v":{"a":1,"b":2},"s":3}',
    '{"v":{"a":1},"s":4}',
  ]);
  assert.equal(of('SELECT DISTINCT v FROM t'), ['{"v":null}', '{"v":{"a":1,"b":2}}', '{"v":{"a":1}}']);
  assert.equal(of('SELECT COUNT(DISTINCT v) AS n FROM t'), ['{"n":2}']);
  assert.equal(of('SELECT x, SUM(x) OVER (PARTITION BY v) AS s FROM t WHERE x < 8'), [
    '{"x":1,"s":3}',
    '{"x":2,"s":3}',
    '{"x":4,"s":4}',
  ]);
  assert.equal(of('SELECT x, COUNT(DISTINCT x) OVER (PARTITION BY v) AS n FROM t WHERE x < 8'), [
    '{"x":1,"n":2}',
    '{"x":2,"n":2}',
    '{"x":4,"n":1}',
  ]);
  assert.equal(of('SELECT v FROM t WHERE x = 1 UNION SELECT v FROM t WHERE x = 2'), ['{"v":{"a":1,"b":2}}']);
  assert.equal(of('SELECT v FROM t WHERE x = 1 EXCEPT SELECT v FROM t WHERE x = 2'), []);
});

test('joins and subqueries go by value and find each row once', () => {
  assert.equal(of('SELECT a.x, b.x AS y FROM t AS a JOIN t AS b ON a.v = b.v WHERE a.x < b.x'), ['{"x":1,"y":2}']);
  assert.equal(of('SELECT x FROM t WHERE v IN (SELECT v FROM t WHERE x < 4)'), ['{"x":1}', '{"x":2}']);
  assert.equal(of('SELECT x FROM t AS a WHERE EXISTS (SELECT 1 FROM t AS b WHERE b.v = a.v AND b.x <> a.x)'), [
    '{"x":1}',
    '{"x":2}',
  ]);
  assert.equal(of('SELECT x, (SELECT SUM(b.x) FROM t AS b WHERE b.v = a.v) AS s FROM t AS a WHERE x < 8'), [
    '{"x":1,"s":3}',
    '{"x":2,"s":3}',
    '{"x":4,"s":4}',
  ]);
});

test('what holds a VARIANT goes by value, too', () => {
  const pair = `(VALUES ('{"a": 1, "b": 2}'), ('{"b": 2, "a": 1.0}')) AS j (x)`;
  const kinds = (value: string): unknown => constantOf(`(SELECT COUNT(DISTINCT ${value}) FROM ${pair})`);
  assert.is(kinds('ARRAY[PARSE_JSON(x)]'), 1);
  assert.is(kinds(`MAP['k', PARSE_JSON(x)]`), 1);
  assert.is(kinds('ROW(1, PARSE_JSON(x))'), 1);
  const [one, other] = [`PARSE_JSON('{"a": 1, "b": 2}')`, `PARSE_JSON('{"b": 2, "a": 1}')`];
  assert.is(constantOf(`ARRAY[${one}] = ARRAY[${other}]`), true);
  assert.is(constantOf(`ROW(1, ${one}) IS NOT DISTINCT FROM ROW(1, ${other})`), true);
});

test('VARIANTs have an order: numbers by value, not as texts', () => {
  const numbers = [
    [1, '10', 1],
    [1, '9', 2],
    [1, '9.0', 4],
    [1, '"1"', 8],
  ] as const;
  const ordered = (query: string): string[] =>
    rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, numbers, [[-1, '"1"', 8]]);
  assert.equal(ordered('SELECT MAX(v) AS m, ARG_MAX(x, v) AS x FROM t'), ['{"m":10,"x":1}']);
  assert.equal(ordered('SELECT x FROM t ORDER BY v DESC LIMIT 1'), ['{"x":1}']);
  assert.equal(ordered('SELECT x, RANK() OVER (ORDER BY v) AS r FROM t'), [
    '{"x":1,"r":3}',
    '{"x":2,"r":1}',
    '{"x":4,"r":1}',
  ]);
  assert.equal(ordered(`SELECT x FROM t WHERE v > PARSE_JSON('9.5')`), ['{"x":1}']);
  assert.is(constantOf(`CAST(GREATEST(PARSE_JSON('10'), PARSE_JSON('9')) AS INT)`), 10);
  assert.equal(constantOf('GREATEST(ARRAY[9], ARRAY[10])'), [10]);
});

test.run();
