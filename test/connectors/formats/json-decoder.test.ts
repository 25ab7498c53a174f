// The json input format, row by row and against JSON.parse.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import { type SqlType, unsignedType } from '../../../runtime/batch/sql-type.ts';
import {
  bigint,
  type Decoded,
  type DecodeOptions,
  decimal,
  decode,
  double,
  integer,
  presentColumns,
  type TestTable,
  table,
  type Value,
  varchar,
} from './decoded-rows.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 200000 : 3000;
const raw = { update_format: 'raw' };
const people = table([
  { name: 'id', type: bigint, notNull: true, key: true },
  { name: 'name', type: varchar },
  { name: 'age', type: integer },
]);
const bag = table([
  { name: 'id', type: bigint, notNull: true },
  { name: 'name', type: varchar },
]);

function one(type: SqlType): TestTable {
  return table([{ name: 'x', type }]);
}

/** The value of x in `{"x": text}`, or the code of the error. */
function value(type: SqlType, text: string): Value | string {
  const got = decode(jsonInput, raw, one(type), `{"x":${text}}`);
  return got.report.numParseErrors > 0 ? `error ${got.codes[0]}` : (got.rows[0]?.[0] ?? null);
}

function rawRows(target: TestTable, text: string | Uint8Array, options: DecodeOptions = {}): Decoded {
  return decode(jsonInput, raw, target, text, options);
}

test('unsigned integers are exact, and refused beyond their bits', () => {
  const max = 18446744073709551615n;
  for (const [bits, top] of [
    [8, 255],
    [16, 65535],
    [32, 4294967295],
  ] as const) {
    assert.equal(value(unsignedType(bits), String(top)), BigInt(top));
    assert.equal(value(unsignedType(bits), '5.0'), 5n);
    assert.match(String(value(unsignedType(bits), String(top + 1))), 'error');
    assert.match(String(value(unsignedType(bits), '-1')), 'error');
  }
  assert.equal(value(unsignedType(64), String(max)), max);
  assert.equal(value(unsignedType(64), `"${max}"`), max);
  assert.match(String(value(unsignedType(64), String(max + 1n))), 'error');
  assert.match(String(value(unsignedType(64), '-1')), 'error');
});

test('ARRAY, MAP and ROW are checked part by part and kept in one spelling', () => {
  const integers: SqlType = { kind: 'ARRAY', element: integer };
  assert.is(value(integers, '[ 1, null,2 ]'), '[1,null,2]');
  assert.is(value(integers, '[1, "x"]'), 'error value.malformed');
  assert.is(value(integers, '{"a": 1}'), 'error value.malformed');
  const map: SqlType = { kind: 'MAP', key: varchar, value: varchar };
  assert.is(value(map, '{"b": "2", "a": null}'), '{"a":null,"b":"2"}');
  const row: SqlType = {
    kind: 'ROW',
    fields: [
      { name: 'x', type: bigint },
      { name: 'd', type: { kind: 'DATE' } },
    ],
  };
  assert.is(value(row, '{"d": "2020-01-02", "x": 9007199254740993}'), '{"x":9007199254740993,"d":"2020-01-02"}');
});

test('rows are read in any order of keys, with any white space, over several lines', () => {
  const got = rawRows(
    people,
    '{"id":1,"name":"a","age":2}\n{"age" : 3,\n "name":null , "id":\t2 }{"NAME":"c","Id":3}\r\n\n',
  );
  assert.equal(got.rows, [
    [1n, 'a', 2],
    [2n, null, 3],
    [3n, 'c', null],
  ]);
  assert.equal([got.report.records, got.report.numParseErrors, got.report.numUnknownFields], [3, 0, 0]);
});

test('keys of quoted columns match exactly, a difference in case is refused', () => {
  const target = table([
    { name: 'Name', type: varchar, quoted: true },
    { name: 'other', type: varchar },
  ]);
  const got = rawRows(
    target,
    '{"Name":"a","OTHER":"b"}\n{"name":"c"}\n{"n\\u0061me":"c"}\n{"N\\u0061me":"d","other":"e"}',
  );
  assert.equal(got.rows, [
    ['a', 'b'],
    ['d', 'e'],
  ]);
  assert.equal(got.codes, ['record.unknown_field', 'record.unknown_field']);
  assert.is(got.report.errors[0]?.suggestion, 'Name');
});

test('unknown keys are skipped and counted, or refused when the connector is strict', () => {
  const text = '{"id":1,"nam":{"a":[1,{"b":"}"}]},"zzz":"\\"","name":"x"}';
  const got = rawRows(people, text);
  assert.equal(got.rows, [[1n, 'x', null]]);
  assert.is(got.report.numUnknownFields, 2);
  const strict = rawRows(people, `${text}\n{"id":2}`, { strict: true });
  assert.equal(strict.rows, [[2n, null, null]]);
  assert.is(strict.report.errors[0]?.code, 'record.unknown_field');
  assert.is(strict.report.errors[0]?.suggestion, 'name');
});

test('a missing column takes its default, else NULL, else the row is refused; null never takes the default', () => {
  const target = table([
    { name: 'a', type: integer, notNull: true },
    { name: 'b', type: decimal(5, 2), notNull: true, default: '1.5' },
    { name: 'c', type: varchar, default: '"x"' },
    { name: 'd', type: varchar },
  ]);
  const got = rawRows(target, '{"a":1}\n{"b":1}\n{"a":2,"c":null}\n{"a":3,"b":null}');
  assert.equal(got.rows, [
    [1, 150n, 'x', null],
    [2, 150n, null, null],
  ]);
  assert.equal(got.codes, ['value.missing', 'value.null']);
  assert.equal(
    got.report.errors.map((error) => [error.field, error.record, error.offset]),
    [
      ['a', 2, 8],
      ['b', 4, 33],
    ],
  );
});

test('of a key that stands twice the last value counts', () => {
  const got = rawRows(
    people,
    '{"id":1,"name":"long first","id":2,"name":"x"}\n{"id":1,"age":5,"age":null}\n{"id":1,"age":null,"age":5}',
  );
  assert.equal(got.rows, [
    [2n, 'x', null],
    [1n, null, null],
    [1n, null, 5],
  ]);
});

test('a row may be an array by position', () => {
  const got = rawRows(people, '[1,"a",2]\n[ 2 , null , 3 , "more", [4] ]\n[3,"b"]\n[]\n');
  assert.equal(got.rows, [
    [1n, 'a', 2],
    [2n, null, 3],
  ]);
  assert.equal(got.codes, ['value.missing', 'value.missing']);
  assert.is(got.report.numUnknownFields, 2);
});

test('insert, delete and update become weights and presence', () => {
  const text =
    '{"insert":{"id":1,"name":"a","age":2}}\n{"delete":{"id":1,"name":"whatever","age":"ignored"}}\n' +
    '{"update":{"id":1,"age":3}}\n{"insert":{"id":4}}\n{"table":"t","insert":{"id":5},"delete":null}\n';
  const got = decode(jsonInput, {}, people, text);
  assert.equal(got.codes, []);
  assert.equal(got.weights, [1, -1, 1, 1, 1]);
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n, 1n, 1n, 4n, 5n],
  );
  assert.equal(
    [0, 1, 2, 3, 4].map((row) => presentColumns(got.batch, row).length),
    [3, 3, 2, 3, 3],
  );
  assert.equal(presentColumns(got.batch, 2), [0, 2]);
});

test('several operations in one record are applied as delete, insert, update', () => {
  const got = decode(
    jsonInput,
    {},
    people,
    '{"update":{"id":3,"age":1},"insert":{"id":2},"delete":{"id":1}}\n{"insert":{"id":9},"delete":{}}',
  );
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n, 2n, 3n],
  );
  assert.equal(got.weights, [-1, 1, 1]);
  assert.equal(presentColumns(got.batch, 2), [0, 2]);
  assert.equal(got.codes, ['value.missing']);
});

test('a table without a key takes full deletions and no updates', () => {
  const got = decode(
    jsonInput,
    {},
    bag,
    '{"delete":{"id":1,"name":"a"}}\n{"update":{"id":1}}\n{"delete":{"name":"a"}}',
  );
  assert.equal(got.rows, [[1n, 'a']]);
  assert.equal(got.weights, [-1]);
  assert.equal(got.codes, ['record.unsupported_operation', 'value.missing']);
});

test('a record without an operation, or with another one, is refused with a hint', () => {
  const got = decode(
    jsonInput,
    {},
    people,
    '{"id":1,"name":"a"}\n{}\n{"upsert":{"id":1}}\n[1]\n5\n{"insert":{"id":7}}',
  );
  assert.equal(
    got.rows.map((row) => row[0]),
    [7n],
  );
  assert.is(got.report.numParseErrors, 5);
  assert.is(got.report.records, 6);
  assert.match(got.report.errors[0]?.message ?? '', 'update_format: raw');
});

test('with array: true each value is an array, taken whole or not at all', () => {
  const text = '[{"id":1},{"id":2}]\n[]\n[{"id":3},{"id":"x"},{"id":4},{"name":1}]\n{"id":5}\n[{"id":6}\n[{"id":7}]';
  const got = decode(jsonInput, { ...raw, array: true }, people, text);
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n, 2n, 7n],
  );
  assert.equal(got.codes, ['value.malformed', 'value.malformed', 'record.malformed', 'record.malformed']);
  const verbs = decode(
    jsonInput,
    { array: true },
    people,
    '[{"insert":{"id":1}},{"delete":{"id":2}}]\n[{"insert":{"id":1}},{"delete":{}}]',
  );
  assert.equal(verbs.weights, [1, -1]);
});

test('numbers are exact and hold the bounds of their column', () => {
  assert.is(value(bigint, '9223372036854775807'), 9223372036854775807n);
  assert.is(value(bigint, '-9223372036854775808'), -9223372036854775808n);
  assert.is(value(bigint, '9223372036854775808'), 'error value.out_of_range');
  assert.is(value(bigint, '9007199254740993'), 9007199254740993n);
  assert.is(value(bigint, '1.0'), 1n);
  assert.is(value(bigint, '1e3'), 1000n);
  assert.is(value(bigint, '-12.50e1'), -125n);
  assert.is(value(bigint, '9223372036854775807.000'), 9223372036854775807n);
  assert.is(value(bigint, '9223372036854775808e0'), 'error value.out_of_range');
  assert.is(value(bigint, '1.5'), 'error value.malformed');
  assert.is(value(bigint, '"1"'), 'error value.malformed');
  assert.is(value(bigint, '-0'), 0n);
  assert.is(value(integer, '2147483648'), 'error value.out_of_range');
  assert.is(value(integer, '-2147483648.0'), -2147483648);
  assert.is(value({ kind: 'TINYINT' }, '-129'), 'error value.out_of_range');
  assert.is(value({ kind: 'SMALLINT' }, '3.2767e4'), 32767);
  assert.is(value(double, '1e400'), 'error value.out_of_range');
  assert.is(value(double, '0.1e1'), 1);
  assert.is(value({ kind: 'REAL' }, '0.1'), Math.fround(0.1));
  for (const text of ['01', '1.', '.5', '+1', '-', '1e', '0x1', 'NaN', '1_0', '-01', '00']) {
    assert.is(value(bigint, text), 'error record.malformed', text);
    assert.is(value(decimal(10, 2), text), 'error record.malformed', text);
    assert.is(value(double, text), 'error record.malformed', text);
  }
});

test('a decimal is a number or a string and loses nothing', () => {
  assert.is(value(decimal(10, 2), '12.34'), 1234n);
  assert.is(value(decimal(10, 2), '"12.3"'), 1230n);
  assert.is(value(decimal(10, 2), '1234e-2'), 1234n);
  assert.is(value(decimal(10, 2), '12.340'), 1234n);
  assert.is(value(decimal(10, 2), '12.345'), 'error value.inexact');
  assert.is(value(decimal(4, 2), '100'), 'error value.out_of_range');
  assert.is(
    value(decimal(38, 2), '-123456789012345678901234567890123456.78'),
    -12345678901234567890123456789012345678n,
  );
  assert.is(value(decimal(10, 2), '"x"'), 'error value.malformed');
});

test('every scalar type has its JSON form', () => {
  assert.is(value({ kind: 'BOOLEAN' }, 'true'), true);
  assert.is(value({ kind: 'BOOLEAN' }, 'false'), false);
  assert.is(value({ kind: 'BOOLEAN' }, '1'), 'error value.malformed');
  assert.is(value({ kind: 'BOOLEAN' }, 'trux'), 'error record.malformed');
  assert.is(value({ kind: 'DATE' }, '"1970-01-02"'), 1);
  assert.is(value({ kind: 'DATE' }, '" 1970-1-2 "'), 1);
  assert.is(value({ kind: 'DATE' }, '"1970-02-30"'), 'error value.out_of_range');
  assert.is(value({ kind: 'DATE' }, '"1970\\u002d01-02"'), 1);
  assert.is(value({ kind: 'DATE' }, '5'), 'error value.malformed');
  assert.is(value({ kind: 'TIME' }, '"00:00:01.500000001"'), 1500000001n);
  assert.is(value({ kind: 'TIMESTAMP' }, '"1970-01-01 00:00:01"'), 1000000n);
  assert.is(value({ kind: 'TIMESTAMP' }, '"1970-01-01T01:00:01.000001+01:00"'), 1000001n);
  assert.is(value({ kind: 'UUID' }, '"00000000-0000-0001-0000-000000000002"'), (1n << 64n) | 2n);
  assert.equal(value({ kind: 'VARBINARY', length: null }, '[0, 255 ,7]'), [0, 255, 7]);
  assert.equal(value({ kind: 'VARBINARY', length: null }, '[ ]'), []);
  for (const text of ['[256]', '[-1]', '[1.5]', '["a"]', '"ab"', '{}']) {
    assert.is(value({ kind: 'VARBINARY', length: null }, text), 'error value.malformed', text);
  }
  for (const text of ['[1', '[1,]', '[01]', '[,1]', '[1 2]']) {
    assert.is(value({ kind: 'VARBINARY', length: null }, text), 'error record.malformed', text);
  }
  assert.is(value({ kind: 'VARIANT' }, ' { "a b" : [ 1 , "\\" x" ] , "c":{ } } '), '{"a b":[1,"\\" x"],"c":{}}');
  assert.is(value(varchar, '12'), 'error value.malformed');
});

test('strings are decoded to UTF-8, lone surrogates become U+FFFD', () => {
  assert.is(value(varchar, '"a\\n\\t\\"\\\\\\/\\b\\f\\r\\u00e9\\ud83d\\ude00 é😀"'), 'a\n\t"\\/\b\f\ré😀 é😀');
  assert.is(value(varchar, '"\\ud83d"'), '\ufffd');
  assert.is(value(varchar, '"\\ude00\\ud83dx\\ud83d\\u0041"'), '\ufffd\ufffdx\ufffdA');
  assert.is(value(varchar, '"\\u0000"'), '\u0000');
  assert.is(value(varchar, `"${'é'.repeat(100)}"`), 'é'.repeat(100));
  assert.is(value(varchar, '""'), '');
  for (const text of ['"a', '"\\x"', '"\\u12"', '"\\u12g4"', '"\t"', "'a'", '"a\\"']) {
    assert.is(value(varchar, text), 'error record.malformed', text);
  }
});

test('invalid UTF-8 is an error of its record only', () => {
  const bad = (bytes: readonly number[]): Uint8Array =>
    Uint8Array.of(...Buffer.from('{"id":1,"name":"a'), ...bytes, ...Buffer.from('"}\n{"id":2}'));
  for (const bytes of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xff]]) {
    const got = rawRows(people, bad(bytes));
    assert.equal(
      got.rows.map((row) => row[0]),
      [2n],
    );
    assert.equal(got.codes, ['record.invalid_encoding']);
    assert.match(got.report.errors[0]?.fragment ?? '', '\ufffd');
  }
  const unknown = Uint8Array.of(...Buffer.from('{"id":1,"q":["'), 0xff, ...Buffer.from('"]}\n{"id":2}'));
  assert.equal(rawRows(people, unknown).codes, ['record.invalid_encoding']);
});

test('after a broken record reading goes on at the next line that begins a value', () => {
  const text =
    'not json\nneither\n{"id":1}\n{"id":2,"name":"x\n{"id":3}\n{"id":4\n{"id":5}}\n{"id":6}\n{\n  "id": 7,\n  "name" "x"\n}\n{"id":8}\n{"id":9';
  const got = rawRows(people, text);
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n, 3n, 5n, 6n, 8n],
  );
  assert.is(got.report.numParseErrors, 7);
  assert.is(got.report.errors[0]?.fragment, 'not json');
  assert.match(got.report.errors[6]?.message ?? '', 'ends before');
});

test('with lines: single no record reaches past its line', () => {
  const got = decode(jsonInput, { ...raw, lines: 'single' }, people, '{"id":1}{"id":2}\n{"id":\n3}\n{"id":4}\n');
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n, 2n, 4n],
  );
  // `{"id":`, `3` and `}`.
  assert.is(got.report.numParseErrors, 3);
});

test('a byte order mark at the head of the stream is skipped, only the latest hundred errors are kept', () => {
  const got = rawRows(people, `\ufeff${'{"id":null}\n'.repeat(250)}{"id":1}`);
  assert.equal(
    got.rows.map((row) => row[0]),
    [1n],
  );
  assert.is(got.report.numParseErrors, 250);
  assert.is(got.report.errors.length, 100);
  assert.is(got.report.errors[99]?.record, 250);
  assert.is(got.report.errors[0]?.record, 151);
});

test('a fragment is cut to 200 characters, deep nesting does no harm', () => {
  const got = rawRows(people, `{"id":null,"name":"${'é'.repeat(500)}"}`);
  assert.is(got.report.errors[0]?.fragment.length, 200);
  const deep = `{"id":1,"q":${'['.repeat(300000)}${']'.repeat(300000)}}`;
  assert.equal(rawRows(people, deep).rows, [[1n, null, null]]);
  assert.is(rawRows(people, deep.slice(0, 300000)).report.numParseErrors, 1);
});

test('what other programs write is read as their flavour spells it', () => {
  const written = (flavor: string, type: SqlType, text: string): Value | string => {
    const got = decode(jsonInput, { ...raw, json_flavor: flavor }, one(type), `{"x":${text}}\n`.repeat(40));
    return got.report.numParseErrors > 0 ? `error ${got.codes[0]}` : (got.rows[39]?.[0] ?? null);
  };
  const [date, time, timestamp] = [{ kind: 'DATE' }, { kind: 'TIME' }, { kind: 'TIMESTAMP' }] as const;
  const bytes: SqlType = { kind: 'VARBINARY', length: null };
  const same = (flavor: string, type: SqlType, text: string, plainly: string): void => {
    assert.equal(written(flavor, type, text), value(type, plainly), `${flavor} ${type.kind} ${text}`);
    assert.not.match(String(written(flavor, type, text)), 'error');
  };
  for (const flavor of ['debezium_mysql', 'debezium_postgres', 'kafka_connect_json_converter']) {
    same(flavor, date, '19000', '"2022-01-08"');
    same(flavor, date, '-719162', '"0001-01-01"');
    same(flavor, date, '"2022-01-08"', '"2022-01-08"');
    assert.match(String(written(flavor, date, '2932897')), 'out_of_range');
    same(flavor, decimal(10, 2), '"12.34"', '12.34');
    same(flavor, { kind: 'VARIANT' }, '"{\\"a\\": [1, \\"b\\"]}"', '{"a":[1,"b"]}');
    assert.match(String(written(flavor, { kind: 'VARIANT' }, '"no json"')), 'error');
  }
  same('debezium_postgres', time, '43200000001', '"12:00:00.000001"');
  same('kafka_connect_json_converter', time, '43200001', '"12:00:00.001"');
  assert.match(String(written('debezium_mysql', time, '86400000000')), 'out_of_range');
  same('debezium_mysql', timestamp, '"2018-06-20T13:37:03.123456Z"', '"2018-06-20 13:37:03.123456"');
  assert.match(String(written('debezium_mysql', timestamp, '1529501823123')), 'error');
  same('debezium_postgres', timestamp, '1529501823123', '"2018-06-20 13:37:03.123"');
  same('pandas', timestamp, '-1', '"1969-12-31 23:59:59.999"');
  same('snowflake', timestamp, '"2018-06-20T15:37:03.5+02:00"', '"2018-06-20 13:37:03.5"');
  same('blockchain', bytes, '"11StV1DL6CwTryKyV"', `[0,0,${[...Buffer.from('hello world')]}]`);
  assert.match(String(written('blockchain', bytes, '"0"')), 'error');
  same('c_hex', bytes, '"0xDEADbeef"', '[222,173,190,239]');
  same('c_hex', bytes, '"ff"', '[255]');
  same('postgres', bytes, '"\\\\x00ff"', '[0,255]');
  assert.match(String(written('c_hex', bytes, '"0xabc"')), 'error');
  const missing = decode(
    jsonInput,
    { ...raw, json_flavor: 'c_hex' },
    table([
      { name: 'x', type: bytes, default: '[1,2]' },
      { name: 'v', type: { kind: 'VARIANT' }, default: '"text"' },
      { name: 'i', type: integer },
    ]),
    '{"i":1}',
  );
  assert.is(missing.report.numParseErrors, 0);
});

test('unsupported options, types and defaults are refused', () => {
  const context = { relation: people.relation, defaults: people.defaults, strict: false };
  const code = (configuration: Record<string, unknown>): unknown => {
    try {
      jsonInput.decoder(configuration, context);
      return null;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  assert.is(code({ update_format: 'snowflake' }), 'format.unsupported_option');
  assert.is(code({ json_flavor: 'mongo' }), 'format.unsupported_option');
  assert.throws(
    () => decode(jsonInput, raw, table([{ name: 'x', type: { kind: 'INTERVAL_MONTHS' } }]), ''),
    /INTERVAL/,
  );
  assert.throws(() => decode(jsonInput, raw, table([{ name: 'x', type: integer, default: '"y"' }]), ''), /default/);
});

// Against JSON.parse: what the grammar accepts, and the values.

const wide = table([
  { name: 'a', type: double },
  { name: 'b', type: varchar },
  { name: 'c', type: { kind: 'VARIANT' } },
  { name: 'd', type: bigint },
  { name: 'e', type: { kind: 'BOOLEAN' } },
]);

/** What JSON.parse makes of a document; undefined when it refuses. */
function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // SAFETY: the callers look at objects only; any other value has no such keys.
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

const jsonText = fc
  .record(
    {
      a: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(null)),
      b: fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant(null)),
      c: fc.jsonValue(),
      d: fc.oneof(fc.maxSafeInteger(), fc.constant(null)),
      e: fc.option(fc.boolean()),
      q: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .chain((row) => fc.constantFrom(0, 1, '\t').map((indent) => ({ row, text: JSON.stringify(row, null, indent) })));

test('values agree with JSON.parse', () => {
  fc.assert(
    fc.property(fc.array(jsonText, { maxLength: 8 }), (documents) => {
      const got = rawRows(wide, documents.map((document) => document.text).join('\n'));
      assert.equal(got.codes, []);
      documents.forEach(({ text }, i) => {
        const row = JSON.parse(text);
        const b = typeof row.b === 'string' ? wellFormed(row.b) : null;
        const c = got.rows[i]?.[2] ?? null;
        const expected = [
          row.a ?? null,
          b,
          c,
          row.d === undefined || row.d === null ? null : BigInt(row.d),
          row.e ?? null,
        ];
        assert.equal(
          got.rows[i]?.map((v) => (Object.is(v, -0) ? 0 : v)),
          expected.map((v) => (Object.is(v, -0) ? 0 : v)),
        );
        if (row.c === null || row.c === undefined) assert.is(c, null);
        else assert.equal(JSON.parse(String(c)), row.c);
      });
    }),
    { numRuns: runs / 10 },
  );
});

test('a mutated document is accepted exactly when JSON.parse accepts it', () => {
  const tokens = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '1',
    '-',
    '.',
    'e',
    '+',
    ' ',
    'u',
    'null',
    'true',
    '\\u00',
    '\ud83d',
    'é',
    '\n',
    '\u0001',
    '',
  );
  fc.assert(
    fc.property(
      jsonText,
      fc.array(fc.tuple(fc.nat(), fc.nat(3), tokens), { minLength: 1, maxLength: 3 }),
      ({ text }, edits) => {
        let mutated = text;
        for (const [at, length, token] of edits) {
          const start = at % (mutated.length + 1);
          mutated = mutated.slice(0, start) + token + mutated.slice(start + length);
        }
        mutated = wellFormed(mutated);
        // In the place of an unknown value, so that nothing but the grammar decides.
        const unknown = `{"id":1,"q":${mutated}}`;
        assert.is(rawRows(people, unknown).report.numParseErrors === 0, parsed(unknown) !== undefined, mutated);
        // As a VARIANT the text survives.
        const variant = `{"x":${mutated}}`;
        const expected = parsed(variant);
        const got = decode(jsonInput, raw, one({ kind: 'VARIANT' }), variant);
        assert.is(got.report.numParseErrors === 0, expected !== undefined, mutated);
        if (expected?.['x'] !== undefined && expected['x'] !== null) {
          assert.equal(JSON.parse(String(got.rows[0]?.[0])), expected['x']);
        }
        // As the row itself a legal document may still not suit the table, but an illegal one never passes.
        const row = rawRows(wide, mutated);
        if (parsed(mutated) === undefined && row.report.records === 1) assert.is(row.report.numParseErrors, 1, mutated);
      },
    ),
    { numRuns: runs },
  );
});

test('bytes that are no text at all neither throw nor hang', () => {
  const target = one({ kind: 'VARIANT' });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(raw, {}, { array: true }, { lines: 'single' }),
      (bytes, configuration) => {
        decode(jsonInput, configuration, people, bytes);
        decode(jsonInput, configuration, target, bytes);
      },
    ),
    { numRuns: runs },
  );
});

test.run();
