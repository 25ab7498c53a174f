// The avro input format: values exact, schemas planned once, messages refused whole.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { avroInput } from '../../../connectors/formats/avro-decoder.ts';
import { encodeAvro } from '../../../connectors/sdk/avro-codec.ts';
import { parseAvroSchema } from '../../../connectors/sdk/avro-schema.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import type { StructuredData } from '../../../connectors/sdk/record.ts';
import { validSettings } from '../../../connectors/sdk/setting-rules.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { codeOf, contextFor } from '../connector-context.ts';
import {
  bigint,
  type Decoded,
  decimal,
  decode,
  double,
  integer,
  type TestTable,
  table,
  varchar,
} from './decoded-rows.ts';

const record = (fields: readonly unknown[], name = 'r'): unknown => ({ type: 'record', name, fields });
const field = (name: string, type: unknown): unknown => ({ name, type });
const optional = (type: unknown): unknown => ['null', type];

const configured = (given: object): ParameterValues => validSettings(avroInput, given, 'avro');

/** One message of bare data. */
function read(schema: unknown, data: StructuredData | Uint8Array, target: TestTable, given: object = {}): Decoded {
  const text = JSON.stringify(schema);
  const bytes = data instanceof Uint8Array ? data : encodeAvro(parseAvroSchema(text), data);
  return decode(avroInput, configured({ schema: text, skip_schema_id: true, ...given }), target, bytes);
}

test('every type of SQL takes what Avro has for it, to the last digit', () => {
  const target = table([
    { name: 'b', type: { kind: 'BOOLEAN' } },
    { name: 'i', type: integer },
    { name: 'l', type: bigint },
    { name: 'f', type: { kind: 'REAL' } },
    { name: 'd', type: double },
    { name: 's', type: varchar },
    { name: 'n', type: decimal(10, 2) },
    { name: 'w', type: decimal(38, 10) },
    { name: 'x', type: { kind: 'VARBINARY', length: null } },
    { name: 'day', type: { kind: 'DATE' } },
    { name: 'ts', type: { kind: 'TIMESTAMP', precision: 6 } as SqlType },
    { name: 'ms', type: { kind: 'TIMESTAMP', precision: 6 } as SqlType },
    { name: 'e', type: varchar },
    { name: 'none', type: varchar },
  ]);
  const schema = record([
    field('b', 'boolean'),
    field('i', 'int'),
    field('l', 'long'),
    field('f', 'float'),
    field('d', 'double'),
    field('s', optional('string')),
    field('n', { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }),
    field('w', { type: 'fixed', name: 'wide', size: 16, logicalType: 'decimal', precision: 38, scale: 10 }),
    field('x', 'bytes'),
    field('day', { type: 'int', logicalType: 'date' }),
    field('ts', { type: 'long', logicalType: 'timestamp-micros' }),
    field('ms', { type: 'long', logicalType: 'timestamp-millis' }),
    field('e', { type: 'enum', name: 'letters', symbols: ['A', 'B'] }),
    field('other', { type: 'array', items: 'long' }),
    field('none', optional('string')),
  ]);
  const { rows, report } = read(
    schema,
    {
      b: true,
      i: -7,
      l: 9007199254740993n,
      f: 1.5,
      d: 0.1,
      s: 'žluť',
      n: '-12345678.90',
      w: '1234567890123456789012345678.0123456789',
      x: Uint8Array.of(0, 10, 255),
      day: '2026-08-21',
      ts: '2026-08-21T14:34:11.123456Z',
      ms: '1969-12-31T23:59:59.999Z',
      e: 'B',
      other: [1n, 2n],
      none: null,
    },
    target,
  );
  assert.equal(report.errors, []);
  assert.equal(rows, [
    [
      true,
      -7,
      9007199254740993n,
      1.5,
      0.1,
      'žluť',
      -1234567890n,
      12345678901234567890123456780123456789n,
      [0, 10, 255],
      20686,
      1787322851123456n,
      -1000n,
      'B',
      null,
    ],
  ]);
});

test('any 64-bit integer and any decimal that fits comes out as it went in', () => {
  const target = table([
    { name: 'l', type: bigint },
    { name: 'n', type: decimal(18, 3) },
  ]);
  const schema = record([field('l', 'long'), field('n', { type: 'bytes', logicalType: 'decimal', scale: 3 })]);
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const unscaled = fc.bigInt({ min: -(10n ** 18n - 1n), max: 10n ** 18n - 1n });
  fc.assert(
    fc.property(int64, unscaled, (l, n) => {
      const digits = String(n < 0n ? -n : n).padStart(4, '0');
      const text = `${n < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
      assert.equal(read(schema, { l, n: text }, target).rows, [[l, n]]);
    }),
  );
});

test('times, universal names, JSON and nested values go into their columns', () => {
  const target = table([
    { name: 'a', type: { kind: 'TIME', precision: 6 } as SqlType },
    { name: 'b', type: { kind: 'TIME', precision: 6 } as SqlType },
    { name: 'u', type: { kind: 'UUID' } },
    { name: 'v', type: { kind: 'VARIANT' } },
    { name: 'list', type: { kind: 'ARRAY', element: bigint } as SqlType },
    { name: 'at', type: { kind: 'TIMESTAMP', precision: 6 } as SqlType },
  ]);
  const schema = record([
    field('a', { type: 'int', logicalType: 'time-millis' }),
    field('b', { type: 'long', 'connect.name': 'io.debezium.time.MicroTime' }),
    field('u', { type: 'string', logicalType: 'uuid' }),
    field('v', 'string'),
    field('list', { type: 'array', items: ['null', 'long'] }),
    field('at', { type: 'string', 'connect.name': 'io.debezium.time.ZonedTimestamp' }),
  ]);
  const data = {
    a: 1n,
    b: 86_399_999_999n,
    u: '00010203-0405-0607-0809-0a0b0c0d0e0f',
    v: '{"n": 12345678901234567890}',
    list: [1n, null, 9007199254740993n],
    at: '2026-01-01T01:00:00.5+01:00',
  };
  const { rows, report } = read(schema, data, target);
  assert.equal(report.errors, []);
  assert.equal(rows[0], [
    1000n,
    86_399_999_999n,
    (0x0001020304050607n << 64n) | 0x08090a0b0c0d0e0fn,
    '{"n":12345678901234567890}',
    '[1,null,9007199254740993]',
    1767225600500000n,
  ]);
});

test('a column that the schema lacks takes its default, then NULL; a field without a column is skipped', () => {
  const target = table([
    { name: 'id', type: bigint },
    { name: 'added', type: varchar, default: '"new"' },
    { name: 'later', type: varchar },
    { name: 'Case', type: varchar, quoted: true },
  ]);
  const nested = record([field('a', { type: 'map', values: 'string' })], 'inner');
  const schema = record([field('ID', 'long'), field('gone', nested), field('case', 'string')]);
  const { rows } = read(schema, { ID: 1n, gone: { a: { k: 'v' } }, case: 'x' }, target);
  assert.equal(rows, [[1n, 'new', null, null]]);
});

test('what a column cannot take is refused with its name, and the next message is read', () => {
  const target = table([
    { name: 'i', type: { kind: 'TINYINT' }, notNull: true },
    { name: 'n', type: decimal(4, 1) },
  ]);
  const schema = record([
    field('i', ['null', 'long']),
    field('n', { type: 'bytes', logicalType: 'decimal', scale: 2 }),
  ]);
  const refused = (data: StructuredData): unknown => {
    const { report, rows } = read(schema, data, target);
    assert.is(rows.length, 0);
    return report.errors.map(({ code, field: column }) => [code, column]);
  };
  assert.equal(refused({ i: 128n, n: '1.00' }), [['value.out_of_range', 'i']]);
  assert.equal(refused({ i: null, n: '1.00' }), [['value.null', 'i']]);
  assert.equal(refused({ i: 1n, n: '1.01' }), [['value.inexact', 'n']]);
  assert.equal(refused({ i: 1n, n: '1000.00' }), [['value.out_of_range', 'n']]);
  assert.equal(read(schema, { i: -128n, n: '999.90' }, target).rows, [[-128, 9999n]]);
});

test('bytes that are cut, or that go on behind the record, are no message, whatever they are', () => {
  const target = table([
    { name: 'l', type: bigint },
    { name: 's', type: varchar },
  ]);
  const schema = record([field('l', 'long'), field('s', 'string'), field('m', { type: 'map', values: 'long' })]);
  const whole = encodeAvro(parseAvroSchema(JSON.stringify(schema)), { l: 300n, s: 'text', m: { a: 1n } });
  for (let length = 0; length < whole.length; length++) {
    const { rows, codes } = read(schema, whole.slice(0, length), target);
    assert.equal([rows.length, codes], [0, ['record.malformed']], `${length} bytes`);
  }
  assert.equal(read(schema, Uint8Array.of(...whole, 0), target).codes, ['record.malformed']);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const { rows, report } = read(schema, new Uint8Array(bytes), target);
      assert.is(rows.length + report.numParseErrors, 1);
    }),
    { numRuns: 300 },
  );
});

test('an event of Debezium takes the row before away and puts the row after in its place', () => {
  const row = record([field('id', 'long'), field('name', optional('string'))], 'Value');
  const schema = record(
    [
      field('before', ['null', row]),
      field('after', ['null', 'Value']),
      field('source', record([field('lsn', optional('long'))], 'Source')),
      field('op', 'string'),
    ],
    'Envelope',
  );
  const source = { lsn: 5n };
  const event = (before: StructuredData | null, after: StructuredData | null): StructuredData => ({
    before,
    after,
    source,
    op: 'u',
  });
  const keyed = table([
    { name: 'id', type: bigint, key: true, notNull: true },
    { name: 'name', type: varchar, notNull: true },
  ]);
  const bag = table([
    { name: 'id', type: bigint },
    { name: 'name', type: varchar },
  ]);
  const given = { update_format: 'debezium' };
  const update = event({ id: 1n, name: 'a' }, { id: 1n, name: 'b' });
  const changed = read(schema, update, bag, given);
  assert.equal(
    [changed.rows, changed.weights],
    [
      [
        [1n, 'a'],
        [1n, 'b'],
      ],
      [-1, 1],
    ],
  );
  // Of a row that goes, a database without full replica identity tells the key alone.
  const gone = read(schema, event({ id: 1n, name: null }, null), keyed, given);
  assert.equal([gone.rows[0]?.[0], gone.weights, gone.report.errors], [1n, [-1], []]);
  const half = read(schema, event({ id: 1n, name: 'a' }, { id: 1n, name: null }), keyed, given);
  assert.equal([half.rows, half.codes], [[], ['value.null']]);
  assert.equal(read(schema, event(null, null), keyed, given).rows, []);
});

test('messages name their schema; each is read by its own, and those of an unknown one are refused', () => {
  const first = record([field('id', 'int')]);
  const second = record([field('name', 'string'), field('id', 'long')]);
  const unfit = record([field('id', 'string')]);
  const found = Object.fromEntries(
    [first, second, unfit].map((schema, i) => [i + 1, { text: JSON.stringify(schema), references: [] }]),
  );
  const message = (id: number, schema: unknown, data: StructuredData): Uint8Array =>
    Uint8Array.of(0, 0, 0, 0, id, ...encodeAvro(parseAvroSchema(JSON.stringify(schema)), data));
  const messages = [
    message(1, first, { id: 1n }),
    message(2, second, { id: 2n, name: 'two' }),
    message(9, first, { id: 3n }),
    Uint8Array.of(1, 2),
    message(3, unfit, { id: 'x' }),
    message(1, first, { id: 4n }),
  ];
  const target = table([
    { name: 'id', type: bigint },
    { name: 'name', type: varchar },
  ]);
  const format = {
    ...avroInput,
    decoder: (c: object, d: object) => avroInput.decoder({ ...c }, { ...target, ...d, strict: false, found }),
  };
  const configuration = configured({ registry_urls: ['http://127.0.0.1:1'] });
  const { rows, report } = decode(format, configuration, target, new Uint8Array(0), { pieces: messages });
  assert.equal(rows, [
    [1n, null],
    [2n, 'two'],
    [4n, null],
  ]);
  assert.equal(
    report.errors.map(({ record: number, message: text }) => [number, text.split(':')[0]]),
    [
      [3, 'the registry has no Avro schema 9'],
      [4, 'the message does not begin with 0 and the id of a schema'],
      [5, 'field "id" is string, which column id of type BIGINT cannot take'],
    ],
  );
});

test('a configuration that cannot work is refused before the first message', async () => {
  const { relation } = table([{ name: 'id', type: bigint }]);
  const opened = (given: object): Promise<string> =>
    codeOf(() => avroInput.lookup?.(configured(given), { ...contextFor(relation, '.'), transport: {} }));
  const schema = JSON.stringify(record([field('id', 'long')]));
  assert.is(await opened({}), 'config.invalid_value');
  assert.is(await opened({ schema, registry_urls: ['http://a'] }), 'config.invalid_value');
  assert.is(await opened({ registry_urls: ['http://a'], skip_schema_id: true }), 'config.invalid_value');
  assert.is(await opened({ registry_urls: ['nowhere'] }), 'config.invalid_value');
  const token = { registry_username: 'u', registry_authorization_token: 't' };
  assert.is(await opened({ registry_urls: ['http://a'], ...token }), 'config.invalid_value');
  assert.is(await opened({ schema: '{' }), 'avro.unfit_schema');
  assert.is(await opened({ schema: JSON.stringify(record([field('id', 'string')])) }), 'avro.unfit_schema');
  assert.is(await opened({ schema, skip_schema_id: true }), 'no error');
});

test.run();
