// Avro data: exact both ways, refused where it does not fit.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeAvro, encodeAvro } from '../../../connectors/sdk/avro-codec.ts';
import { inferAvroSchema } from '../../../connectors/sdk/avro-inference.ts';
import { parseAvroSchema } from '../../../connectors/sdk/avro-schema.ts';
import type { StructuredData, StructuredValue } from '../../../connectors/sdk/record.ts';
import { codeOf } from '../connector-context.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((name) => name !== '__proto__');
const { value } = fc.letrec<{ value: StructuredValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true }),
    int64,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(
        names,
        fc.string({ maxLength: 4 }).filter((name) => name !== '__proto__'),
      ),
      tie('value'),
      {
        maxKeys: 3,
        noNullPrototype: true,
      },
    ),
  ),
}));

const schemaOf = (fields: readonly unknown[]): ReturnType<typeof parseAvroSchema> =>
  parseAvroSchema(JSON.stringify({ type: 'record', name: 'r', fields }));

test('data comes out of the schema that was inferred for it as it went in', () => {
  fc.assert(
    fc.property(fc.dictionary(names, value, { maxKeys: 4, noNullPrototype: true }), (data: StructuredData) => {
      const type = parseAvroSchema(inferAvroSchema(data));
      assert.equal(decodeAvro(type, encodeAvro(type, data)), data);
    }),
    { numRuns: 500 },
  );
});

test('of several records that know all fields of a value, the one whose fields fit it is taken', () => {
  const data = { map: { '': {}, ' ': { a: 'x' }, '  ': { a: { b: 1 } }, '   ': { a: { b: 'y' } } } };
  const type = parseAvroSchema(inferAvroSchema(data));
  assert.equal(decodeAvro(type, encodeAvro(type, data)), data);
  const backwards = { map: Object.fromEntries(Object.entries(data.map).reverse()) };
  const other = parseAvroSchema(inferAvroSchema(backwards));
  assert.equal(decodeAvro(other, encodeAvro(other, backwards)), data);
  const inner = { type: 'record', name: 'inner', fields: [{ name: 'x', type: 'string' }] };
  const optional = schemaOf([{ name: 'inner', type: ['null', inner] }]);
  assert.throws(() => encodeAvro(optional, { inner: { x: 1 } }), /inner\.x/);
});

test('integers of 64 bits, bytes, decimals and times keep every digit', () => {
  const type = schemaOf([
    { name: 'big', type: 'long' },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 } },
    { name: 'fixed', type: { type: 'fixed', name: 'f', size: 4, logicalType: 'decimal', precision: 8, scale: 3 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'before', type: { type: 'long', logicalType: 'timestamp-nanos' } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'raw', type: ['null', 'bytes'] },
  ]);
  const data = {
    big: -(2n ** 63n),
    price: '-12345678901234567890.05',
    fixed: '0.001',
    at: '2026-08-21T14:34:11.123456Z',
    before: '1969-12-31T23:59:59.999999999Z',
    day: '1969-12-31',
    raw: Uint8Array.of(0, 255),
  };
  assert.equal(decodeAvro(type, encodeAvro(type, data)), data);
});

test('the bytes are those of the specification', () => {
  const type = schemaOf([
    { name: 'a', type: 'long' },
    { name: 'b', type: 'string' },
  ]);
  assert.equal([...encodeAvro(type, { a: 27n, b: 'foo' })], [0x36, 0x06, 0x66, 0x6f, 0x6f]);
  const list = schemaOf([{ name: 'l', type: { type: 'array', items: 'long' } }]);
  assert.equal([...encodeAvro(list, { l: [3n, 27n] })], [4, 6, 0x36, 0]);
  // Blocks that say how long they are, as other writers make them.
  assert.equal(decodeAvro(list, Uint8Array.of(3, 4, 6, 0x36, 0)), { l: [3n, 27n] });
});

test('a type may refer to itself and to names of its namespace', () => {
  const type = parseAvroSchema(
    JSON.stringify({
      type: 'record',
      name: 'tree',
      namespace: 'a.b',
      fields: [
        { name: 'kind', type: { type: 'enum', name: 'kind', symbols: ['leaf', 'node'] } },
        { name: 'child', type: ['null', 'tree'] },
        { name: 'other', type: ['null', 'a.b.kind'] },
      ],
    }),
  );
  const data = { kind: 'node', child: { kind: 'leaf', child: null, other: 'leaf' }, other: null };
  assert.equal(decodeAvro(type, encodeAvro(type, data)), data);
});

test('what does not fit is refused with its path, never rounded or dropped', async () => {
  const type = schemaOf([
    { name: 'n', type: 'int' },
    { name: 'f', type: ['null', 'float'] },
  ]);
  const refusals: readonly StructuredData[] = [
    { n: 2n ** 31n, f: null },
    { n: 1.5, f: null },
    { n: 1, f: 0.1 },
    { n: 1, f: null, more: 1 },
    { f: null },
  ];
  for (const data of refusals) assert.is(await codeOf(() => encodeAvro(type, data)), 'avro.mismatch');
  assert.is(await codeOf(() => inferAvroSchema({ a: [2n ** 63n] })), 'avro.unknowable');
  for (const text of ['', '{"type":"record","name":"r"}', '"unheard"', '[]', '{"type":"array"}']) {
    assert.is(await codeOf(() => parseAvroSchema(text)), 'avro.schema_invalid');
  }
});

test('bytes that are not of the schema are told from those that are', () => {
  const text = inferAvroSchema({ a: 1n, b: ['x', null, { c: true }], d: { e: 1.5 } });
  const type = parseAvroSchema(text);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (garbage) => {
      try {
        decodeAvro(type, garbage);
      } catch (error) {
        assert.is((error as Error & { code: string }).code, 'avro.malformed');
      }
    }),
    { numRuns: 1000 },
  );
});

test.run();
