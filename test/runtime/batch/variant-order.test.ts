// The order of VARIANTs is one order of all values, whatever their texts.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareCells } from '../../../runtime/batch/nested-order.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { compareVariants } from '../../../runtime/batch/variant-order.ts';
import { nestedSpelling } from '../../../runtime/batch/variant-spelling.ts';

test('values of every kind have their places', () => {
  const ascending = [
    'null',
    'false',
    'true',
    '-1e30',
    '-12345678901234567890.2',
    '-12345678901234567890.1',
    '-10',
    '-9.5',
    '0',
    '0.001',
    '9',
    '9.5',
    '10',
    '12345678901234567890.1',
    '12345678901234567890.2',
    '1e30',
    '1e100',
    '""',
    '"10"',
    '"9"',
    '"Z"',
    '"a"',
    '"\\u00e9"',
    '[]',
    '[1]',
    '[1,1]',
    '[1,{"a":2}]',
    '[2]',
    '[10]',
    '{}',
    '{"a":1}',
    '{"b":0,"a":1}',
    '{"a":2}',
    '{"b":0}',
  ];
  ascending.forEach((a, i) => {
    ascending.forEach((b, j) => {
      assert.is(Math.sign(compareVariants(a, b)), Math.sign(i - j), `${a} and ${b}`);
    });
  });
  // One value: the texts decide, so that only what is identical is equal.
  assert.is.not(compareVariants('1', '1.0'), 0);
  assert.ok(compareVariants('1.0', '2') < 0 && compareVariants('1.00', '0.5') > 0);
});

test('any two values are in one order, and three are in line', () => {
  const value = fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.stringify(json));
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      assert.is(Math.sign(compareVariants(a, b)), -Math.sign(compareVariants(b, a)));
      const [first = '', second = '', third = ''] = [a, b, c].sort(compareVariants);
      assert.ok(compareVariants(first, second) <= 0 && compareVariants(second, third) <= 0);
      assert.ok(compareVariants(first, third) <= 0);
    }),
    { numRuns: 300 },
  );
});

test('VARIANTs inside of ARRAY, MAP and ROW have their one spelling, and what lies beside them is as it was', () => {
  const variant: SqlType = { kind: 'VARIANT' };
  const decimal: SqlType = { kind: 'DECIMAL', precision: 10, scale: 2 };
  const row: SqlType = {
    kind: 'ROW',
    fields: [
      { name: 'z', type: decimal },
      { name: 'v', type: variant },
      { name: 'vs', type: { kind: 'ARRAY', element: variant } },
    ],
  };
  assert.is(
    nestedSpelling('{"z":1.50,"v":{"b":1.50,"a":null},"vs":[1.0,"\\u0061",null]}', row),
    '{"z":1.50,"v":{"a":null,"b":1.5},"vs":[1,"a",null]}',
  );
  const map: SqlType = { kind: 'MAP', key: { kind: 'VARCHAR', length: null }, value: variant };
  assert.is(nestedSpelling('{"y":2.0,"x":{"b":1,"a":2}}', map), '{"y":2,"x":{"a":2,"b":1}}');
  assert.is(nestedSpelling('null', map), 'null');
  assert.ok(compareCells('[9]', '[10]', { kind: 'ARRAY', element: variant }) < 0);
});

test.run();
