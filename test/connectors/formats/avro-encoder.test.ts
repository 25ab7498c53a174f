// The avro output format: what it writes the avro input reads again, exactly; keys, operations and schemas of messages.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { avroInput } from '../../../connectors/formats/avro-decoder.ts';
import { avroOutput } from '../../../connectors/formats/avro-encoder.ts';
import { recordSchemaOf } from '../../../connectors/formats/avro-relation-schema.ts';
import { decodeAvro } from '../../../connectors/sdk/avro-codec.ts';
import { parseAvroSchema } from '../../../connectors/sdk/avro-schema.ts';
import type { Encoded, FormatContext } from '../../../connectors/sdk/format.ts';
import { validSettings } from '../../../connectors/sdk/setting-rules.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { type CellValue, writeCell } from '../../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { codeOf, contextFor } from '../connector-context.ts';
import { bigint, decimal, decode, double, integer, type TestTable, table, varchar } from './decoded-rows.ts';

interface Row {
  readonly cells: readonly CellValue[];
  readonly weight?: number;
}

async function encode(
  target: TestTable,
  rows: readonly Row[],
  given: object,
  extra: Partial<FormatContext> = {},
): Promise<Encoded & { readonly parts: readonly { key: Uint8Array; value: Uint8Array | null; op: string }[] }> {
  const { relation } = target;
  const values = validSettings(avroOutput, given, 'avro');
  const context = { ...contextFor(relation, '.'), transport: { topic: 'topic' }, ...extra };
  const encoder = await avroOutput.encoder(values, relation, context);
  const builder = new BatchBuilder(relation.schema, 8);
  for (const { cells, weight = 1 } of rows) {
    builder.reserve(1);
    cells.forEach((cell, c) => {
      const column = builder.columns[c];
      if (column !== undefined) writeCell(column, builder.rows, cell);
    });
    builder.commitRow(weight);
  }
  const encoded = encoder.encode(builder.finish());
  const { messages } = encoded;
  if (messages === undefined) throw new Error('it makes messages');
  const parts = Array.from({ length: messages.count }, (_, i) => {
    const start = i === 0 ? 0 : (messages.valueEnds[i - 1] ?? 0);
    const middle = messages.keyEnds[i] ?? 0;
    const value = messages.hasValue[i] === 1 ? encoded.bytes.slice(middle, messages.valueEnds[i]) : null;
    const op = messages.headerSets[messages.headers[i] ?? 0]?.['op'] ?? '';
    return { key: encoded.bytes.slice(start, middle), value, op };
  });
  return { ...encoded, parts };
}

const timestamp: SqlType = { kind: 'TIMESTAMP', precision: 6 } as SqlType;

test('any row is read again as it was written', async () => {
  const target = table([
    { name: 'b', type: { kind: 'BOOLEAN' } },
    { name: 't', type: { kind: 'TINYINT' } },
    { name: 'i', type: integer, notNull: true },
    { name: 'l', type: bigint },
    { name: 'f', type: { kind: 'REAL' } },
    { name: 'd', type: double },
    { name: 's', type: varchar },
    { name: 'x', type: { kind: 'VARBINARY', length: null } },
    { name: 'n', type: decimal(18, 3) },
    { name: 'w', type: decimal(38, 5) },
    { name: 'day', type: { kind: 'DATE' } },
    { name: 'ts', type: timestamp },
    { name: 'v', type: { kind: 'VARIANT' } },
    { name: 'list', type: { kind: 'ARRAY', element: bigint } as SqlType },
  ]);
  const text = recordSchemaOf(target.relation, { name: 't', namespace: null, columns: null, extraField: null });
  const maybe = (value: fc.Arbitrary<CellValue>): fc.Arbitrary<CellValue> => fc.option(value);
  const wide = 10n ** 38n - 1n;
  const row = fc.tuple(
    maybe(fc.boolean()),
    maybe(fc.integer({ min: -128, max: 127 })),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    maybe(fc.float({ noNaN: true })),
    maybe(fc.double({ noNaN: true })),
    maybe(fc.string({ unit: 'grapheme' })),
    maybe(fc.uint8Array().map((bytes) => new Uint8Array(bytes))),
    maybe(fc.bigInt({ min: -(10n ** 18n - 1n), max: 10n ** 18n - 1n })),
    maybe(fc.bigInt({ min: -wide, max: wide })),
    maybe(fc.integer({ min: -700_000, max: 2_900_000 })),
    maybe(fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n })),
    maybe(fc.constantFrom('{"a":[1,null]}', '"x"', '12')),
    maybe(fc.constantFrom('[1,null,9007199254740993]', '[]')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), async (rows) => {
      const { parts } = await encode(
        target,
        rows.map((cells) => ({ cells })),
        { schema: text, skip_schema_id: true },
      );
      const values = validSettings(avroInput, { schema: text, skip_schema_id: true }, 'avro');
      const pieces = parts.map(({ value }) => value ?? new Uint8Array(0));
      const read = decode(avroInput, values, target, new Uint8Array(0), { pieces });
      assert.equal(read.report.errors, []);
      const plain = (cell: CellValue): unknown => (cell instanceof Uint8Array ? [...cell] : cell);
      assert.equal(
        read.rows,
        rows.map((cells) => cells.map(plain)),
      );
    }),
    { numRuns: 150 },
  );
});

const people = table([
  { name: 'id', type: bigint, notNull: true },
  { name: 'name', type: varchar },
]);
const personText = recordSchemaOf(people.relation, { name: 't', namespace: null, columns: null, extraField: null });
const changes: readonly Row[] = [
  { cells: [1n, 'a'], weight: -1 },
  { cells: [2n, 'b'], weight: 2 },
  { cells: [3n, 'c'], weight: -1 },
  { cells: [1n, 'changed'] },
];

test('without an index deletions come before insertions, and a row of weight 2 is two messages', async () => {
  const { parts, records } = await encode(people, changes, { schema: personText });
  assert.equal(
    parts.map(({ op, key }) => [op, key.length]),
    [
      ['delete', 0],
      ['delete', 0],
      ['insert', 0],
      ['insert', 0],
      ['insert', 0],
    ],
  );
  assert.is(records, 5);
  // Without a registry the id is 0; the form is the same.
  assert.equal([...(parts[0]?.value?.slice(0, 5) ?? [])], [0, 0, 0, 0, 0]);
});

test('with an index what happens to a key is one message under that key', async () => {
  const key = { name: 'by_id', columns: [0] };
  const { parts } = await encode(people, changes, { schema: personText, skip_schema_id: true }, { key });
  const type = parseAvroSchema(personText);
  assert.equal(
    parts.map(({ op, key: bytes, value }) => [op, [...bytes], value && decodeAvro(type, value)['name']]),
    [
      ['update', [2], 'changed'],
      ['insert', [4], 'b'],
      ['delete', [6], 'c'],
    ],
  );
  const jdbc = { schema: personText, skip_schema_id: true, update_format: 'confluent_jdbc' };
  assert.equal(
    (await encode(people, changes, jdbc, { key })).parts.map(({ op, value }) => [op, value === null]),
    [
      ['', false],
      ['', false],
      ['', true],
    ],
  );
});

test('a field may say what the message does', async () => {
  const schema = recordSchemaOf(people.relation, { name: 't', namespace: 'n', columns: null, extraField: 'op' });
  const key = { name: 'by_id', columns: [0] };
  const given = { schema, skip_schema_id: true, cdc_field: 'op', key_mode: 'none' };
  const { parts } = await encode(people, changes, given, { key });
  const read = parts.map(({ value }) => value && decodeAvro(parseAvroSchema(schema), value));
  assert.equal(read, [
    { id: 1n, name: 'changed', op: 'U' },
    { id: 2n, name: 'b', op: 'I' },
    { id: 3n, name: 'c', op: 'D' },
  ]);
});

test('a schema of the user may have other units, and what it cannot hold is refused', async () => {
  const target = table([
    { name: 'at', type: timestamp },
    { name: 'n', type: bigint },
  ]);
  const schema = JSON.stringify({
    type: 'record',
    name: 'r',
    fields: [
      { name: 'N', type: ['null', 'int'] },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  });
  const given = { schema, skip_schema_id: true };
  const { parts } = await encode(target, [{ cells: [1_500_000n, 7n] }], given);
  assert.equal(decodeAvro(parseAvroSchema(schema), parts[0]?.value ?? new Uint8Array(0)), {
    N: 7,
    at: '1970-01-01T00:00:01.500Z',
  });
  assert.is(await codeOf(() => encode(target, [{ cells: [1n, 7n] }], given)), 'avro.mismatch');
  assert.is(await codeOf(() => encode(target, [{ cells: [0n, 2n ** 40n] }], given)), 'avro.mismatch');
  assert.is(await codeOf(() => encode(target, [{ cells: [null, 1n] }], given)), 'avro.mismatch');
});

test('a configuration that cannot work is refused when the connector opens', async () => {
  const key = { name: 'by_id', columns: [0] };
  const opened = (given: object, extra: Partial<FormatContext> = {}): Promise<string> =>
    codeOf(() => encode(people, [], given, extra));
  assert.is(await opened({}), 'config.invalid_value');
  assert.is(await opened({ schema: personText, update_format: 'confluent_jdbc' }), 'format.conflicting_options');
  assert.is(await opened({ schema: personText, key_mode: 'key_fields' }), 'format.conflicting_options');
  const both = { schema: personText, update_format: 'confluent_jdbc', cdc_field: 'op' };
  assert.is(await opened(both, { key }), 'config.invalid_value');
  const partial = JSON.stringify({ type: 'record', name: 'r', fields: [{ name: 'id', type: 'long' }] });
  assert.is(await opened({ schema: partial }), 'avro.unfit_schema');
  const odd = table([{ name: 'a b', type: bigint }]);
  const urls = { registry_urls: ['http://127.0.0.1:1'] };
  assert.is(await codeOf(() => encode(odd, [], urls)), 'avro.unfit_schema');
});

test.run();
