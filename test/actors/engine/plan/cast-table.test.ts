// The table of casts: every pair of types by example, agreement with the binder, and text that is read back.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { castValue, isCastable } from '../../../../actors/engine/plan/cast-table.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { isCastable as binderAllows } from '../../../../actors/engine/sql/type-coercion.ts';
import { formatSqlType, type SqlType } from '../../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../../runtime/errors.ts';
import {
  bigint,
  boolean,
  date,
  decimal,
  double,
  integer,
  micros,
  months,
  nullType,
  real,
  smallint,
  time,
  timestamp,
  tinyint,
  uuid,
  varbinary,
  varchar,
  variant,
} from './scalar-nodes.ts';

const char5: SqlType = { kind: 'CHAR', length: 5 };
const varchar3: SqlType = { kind: 'VARCHAR', length: 3 };
const binary4: SqlType = { kind: 'BINARY', length: 4 };
const id = '01234567-89ab-cdef-fedc-ba9876543210';

/** [from, value, to, result]; undefined: the cast fails, and gives NULL when it is safe. */
const cases: readonly (readonly [SqlType, ScalarValue, SqlType, ScalarValue | undefined])[] = [
  // Numbers.
  [integer, 300, tinyint, undefined],
  [integer, -128, tinyint, -128],
  [integer, 7, bigint, 7n],
  [bigint, 2n ** 53n + 1n, double, 2 ** 53],
  [bigint, 2147483648n, integer, undefined],
  [bigint, 2147483647n, integer, 2147483647],
  [integer, 12, decimal(4, 2), 1200n],
  [integer, 123, decimal(4, 2), undefined],
  [double, 1.9, integer, 1],
  [double, -1.9, integer, -1],
  [double, 1e10, integer, undefined],
  [double, Number.NaN, integer, undefined],
  [double, 9.3e18, bigint, undefined],
  [double, -9.2e18, bigint, -9200000000000000000n],
  [double, 0.1, decimal(10, 2), 10n],
  [double, 1.005, decimal(10, 2), 100n],
  [double, -2.999, decimal(10, 2), -299n],
  [double, 1e-30, decimal(10, 2), 0n],
  [double, 1e21, decimal(38, 2), 100000000000000000000000n],
  [double, 1e30, decimal(10, 2), undefined],
  [real, Math.fround(0.1), decimal(10, 3), 100n],
  [double, 0.1, real, Math.fround(0.1)],
  [decimal(10, 2), 199n, integer, 1],
  [decimal(10, 2), -199n, bigint, -1n],
  [decimal(10, 3), 1009n, decimal(10, 2), 100n],
  [decimal(10, 3), -1009n, decimal(10, 2), -100n],
  [decimal(10, 3), 1004n, decimal(10, 2), 100n],
  [decimal(10, 2), 9999n, decimal(3, 1), 999n],
  [decimal(10, 2), 10000n, decimal(3, 1), undefined],
  [decimal(10, 2), 1234n, decimal(38, 20), 1234n * 10n ** 18n],
  [decimal(10, 2), 1n, double, 0.01],
  [decimal(38, 10), 12345678901234567890123n, double, Number('1234567890123.456789')],
  [boolean, true, integer, 1],
  [boolean, false, decimal(3, 1), 0n],
  [integer, 0, boolean, false],
  [double, 0.5, boolean, true],
  // To text.
  [integer, -5, varchar, '-5'],
  [bigint, -9223372036854775808n, varchar, '-9223372036854775808'],
  [decimal(10, 2), 1250n, varchar, '12.5'],
  [decimal(10, 2), -1200n, varchar, '-12'],
  [decimal(10, 2), 0n, varchar, '0'],
  [decimal(10, 0), 1200n, varchar, '1200'],
  [decimal(10, 2), -5n, varchar, '-0.05'],
  [decimal(38, 30), 1n, varchar, `0.${'0'.repeat(29)}1`],
  [double, 0.1, varchar, '0.1'],
  [double, 3, varchar, '3.0'],
  [double, 1e16, varchar, '1e16'],
  [double, -1.6631e-6, varchar, '-1.6631e-6'],
  [double, 0.0001, varchar, '0.0001'],
  [double, 123456, varchar, '123456.0'],
  [real, 1592749500000, varchar, '1592749500000.0'],
  [real, Math.fround(0.1), varchar, '0.1'],
  [boolean, true, varchar, 'TRUE'],
  [boolean, false, varchar3, 'FAL'],
  [date, 0, varchar, '1970-01-01'],
  [date, -1, varchar, '1969-12-31'],
  [time, 45296500000001n, varchar, '12:34:56.500000001'],
  [timestamp, 0n, varchar, '1970-01-01 00:00:00'],
  [timestamp, -1n, varchar, '1969-12-31 23:59:59.999999'],
  [timestamp, 951782400000000n, varchar, '2000-02-29 00:00:00'],
  [months, 14, varchar, '+1-02'],
  [months, -14, varchar, '-1-02'],
  [micros, 93784500000n, varchar, '+1 02:03:04.500000'],
  [micros, -1n, varchar, '-0 00:00:00.000001'],
  [uuid, id, varchar, id],
  [varbinary, Uint8Array.of(0xc3, 0xbc), varchar, 'c3bc'],
  [varchar, 'zürich', varchar3, 'zür'],
  [varchar, '\u{1f600}\u{1f600}ab', varchar3, '\u{1f600}\u{1f600}a'],
  [varchar, 'ab', char5, 'ab   '],
  [varchar, 'abcdefg', char5, 'abcde'],
  [varchar, '\u{1f600}', char5, '\u{1f600}    '],
  // From text.
  [varchar, ' 42 ', integer, 42],
  [varchar, '+42', integer, 42],
  [varchar, '42.5', integer, undefined],
  [varchar, '', integer, undefined],
  [varchar, '128', tinyint, undefined],
  [varchar, '9223372036854775807', bigint, 9223372036854775807n],
  [varchar, '9223372036854775808', bigint, undefined],
  [varchar, '1e3', decimal(6, 1), 10000n],
  [varchar, '12.345', decimal(10, 2), 1235n],
  [varchar, '-12.345', decimal(10, 2), -1235n],
  [varchar, '1e3', double, 1000],
  [varchar, 'NaN', double, Number.NaN],
  [varchar, 'abc', double, undefined],
  [varchar, ' TRUE ', boolean, true],
  [varchar, 'yes', boolean, undefined],
  [varchar, '2001-02-03', date, 11356],
  [varchar, '2001-02-29', date, undefined],
  [varchar, '12:34:56.5', time, 45296500000000n],
  [varchar, '25:00:00', time, undefined],
  [varchar, '1970-01-02 00:00:00.000001', timestamp, 86400000001n],
  [varchar, '1970-01-02', timestamp, 86400000000n],
  [varchar, '1970-01-02T00:00:00+01:00', timestamp, 82800000000n],
  [varchar, '1-02', months, 14],
  [varchar, '1-12', months, undefined],
  [varchar, '-1 02:03:04.5', micros, -93784500000n],
  [varchar, id.toUpperCase(), uuid, id],
  [varchar, 'nonsense', uuid, undefined],
  [varchar, 'ü', varbinary, Uint8Array.of(0xc3, 0xbc)],
  [char5, '7    ', integer, 7],
  [varbinary, Uint8Array.of(1), binary4, Uint8Array.of(1, 0, 0, 0)],
  [varbinary, Uint8Array.of(1, 2, 3, 4, 5), binary4, Uint8Array.of(1, 2, 3, 4)],
  // Dates and times.
  [date, -1, timestamp, -86400000000n],
  [timestamp, -1n, date, -1],
  [timestamp, -1n, time, 86399999999000n],
  [timestamp, 86400000000n, date, 1],
  // VARIANT.
  [integer, 5, variant, '5'],
  [decimal(10, 2), 1250n, variant, '12.50'],
  [double, Number.POSITIVE_INFINITY, variant, undefined],
  [varchar, 'a"b', variant, '"a\\"b"'],
  [date, 0, variant, '"1970-01-01"'],
  [boolean, true, variant, 'true'],
  [varbinary, Uint8Array.of(1, 2), variant, '[1,2]'],
  [variant, '5', integer, 5],
  [variant, '5.9', integer, 5],
  [variant, '9007199254740993', bigint, 9007199254740993n],
  [variant, '300', tinyint, null],
  [variant, '12.345', decimal(10, 2), 1235n],
  [variant, '"5"', integer, 5],
  [variant, '"five"', integer, null],
  [variant, '"1.5"', decimal(10, 1), 15n],
  [variant, '"true"', { kind: 'BOOLEAN' }, true],
  [varchar, '{00112233-4455-6677-8899-AABBCCDDEEFF}', { kind: 'UUID' }, '00112233-4455-6677-8899-aabbccddeeff'],
  [varchar, '0011-2233-4455-6677-8899-aabb-ccdd-eeff', { kind: 'UUID' }, '00112233-4455-6677-8899-aabbccddeeff'],
  [varchar, '001-12233-4455-6677-8899-aabb-ccdd-eeff', { kind: 'UUID' }, undefined],
  [varchar, '2020-07-01 10:00:00 Europe/Berlin', { kind: 'TIMESTAMP', zoned: true }, 1593590400000000n],
  [varchar, '2020-07-01 10:00:00 Europe/Atlantis', { kind: 'TIMESTAMP', zoned: true }, undefined],
  [variant, '"1970-01-02"', date, 1],
  [variant, '"abc"', varchar, 'abc'],
  [variant, '12.50', varchar, '12.50'],
  [variant, '[8,10.5]', { kind: 'ARRAY', element: decimal(38, 0) }, '["8","11"]'],
  [variant, '[8,10.5]', { kind: 'ARRAY', element: varchar }, '["8","10.5"]'],
  [variant, 'null', { kind: 'MAP', key: varchar, value: varchar }, null],
  [variant, 'null', { kind: 'ARRAY', element: decimal(38, 0) }, null],
  [variant, '[8,"x"]', { kind: 'ARRAY', element: decimal(38, 0) }, null],
  [
    variant,
    '{"a":[1.5,null]}',
    { kind: 'MAP', key: varchar, value: { kind: 'ARRAY', element: decimal(3, 0) } },
    '{"a":["2",null]}',
  ],
  [
    variant,
    '{"a":1.25}',
    {
      kind: 'ROW',
      fields: [
        { name: 'a', type: decimal(3, 1) },
        { name: 'b', type: varchar },
      ],
    },
    '{"a":"1.3","b":null}',
  ],
  [variant, 'true', boolean, true],
  [variant, '[1,2]', varbinary, Uint8Array.of(1, 2)],
  [variant, '{"a":1}', varchar, null],
  [variant, 'null', integer, null],
  [variant, '{"a":1}', variant, '{"a":1}'],
  [nullType, null, integer, null],
];

test('every cast of the table gives the value that it should', () => {
  for (const [from, value, to, expected] of cases) {
    const label = `${formatSqlType(from)} ${String(value)} to ${formatSqlType(to)}`;
    assert.ok(isCastable(from, to), label);
    if (expected === undefined) {
      assert.is(castValue(value, from, to, true), null, label);
      assert.throws(
        () => castValue(value, from, to),
        (error: unknown) => error instanceof MillraceError && error.code === 'sql.invalid_cast',
        label,
      );
    } else {
      assert.equal(castValue(value, from, to), expected, label);
      assert.equal(castValue(value, from, to, true), expected, label);
    }
    assert.is(castValue(null, from, to), null, label);
  }
});

const kinds: readonly SqlType[] = [
  boolean,
  tinyint,
  smallint,
  integer,
  bigint,
  real,
  double,
  decimal(10, 2),
  char5,
  varchar,
  binary4,
  varbinary,
  date,
  time,
  timestamp,
  months,
  micros,
  uuid,
  variant,
];

test('the table has exactly the casts that the binder lets through', () => {
  for (const from of [...kinds, nullType]) {
    for (const to of kinds) {
      assert.is(isCastable(from, to), binderAllows(from, to), `${formatSqlType(from)} to ${formatSqlType(to)}`);
    }
  }
});

test('what a value prints is read back as the same value', () => {
  const values: readonly (readonly [SqlType, fc.Arbitrary<ScalarValue>])[] = [
    [integer, fc.integer()],
    [bigint, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    [double, fc.double({ noDefaultInfinity: true })],
    [decimal(10, 2), fc.bigInt({ min: -9999999999n, max: 9999999999n })],
    [decimal(38, 37), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
    [decimal(38, 0), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
    [date, fc.integer({ min: -719162, max: 2932896 })],
    [time, fc.bigInt({ min: 0n, max: 86399999999999n })],
    [timestamp, fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n })],
    [months, fc.integer({ min: -2147483647 })],
    [micros, fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })],
    [uuid, fc.uuid()],
  ];
  for (const [type, arbitrary] of values) {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const text = castValue(value, type, varchar);
        const back = castValue(text, varchar, type);
        // A negative zero prints as 0.
        assert.ok(Object.is(back, value) || back === value, `${formatSqlType(type)} ${String(value)} ${String(text)}`);
        if (type.kind === 'DOUBLE' && !Number.isFinite(value)) return;
        const variantText = castValue(value, type, variant);
        const again = castValue(variantText, variant, type);
        assert.ok(again === value, `${formatSqlType(type)} ${String(value)} ${String(variantText)}`);
      }),
      { numRuns: 100 },
    );
  }
});

test.run();
