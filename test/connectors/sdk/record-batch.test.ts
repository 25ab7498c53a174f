// Records as objects and as columns.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeStruct, encodeStruct } from '../../../connectors/sdk/protobuf-struct.ts';
import { type ConnectorRecord, recordOperations, type StructuredValue } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordSchema, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { decodeBatch, encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { codeOf } from '../connector-context.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const names = fc.string({ maxLength: 12, unit: 'grapheme' }).filter((name) => name !== '__proto__');
const { value: structured } = fc.letrec<{ value: StructuredValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
    int64,
    fc.boolean(),
    fc.constant(null),
    bytes,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const data = fc.oneof(
  fc.constant(null),
  bytes,
  fc.dictionary(names, structured, { maxKeys: 4, noNullPrototype: true }),
);
const record: fc.Arbitrary<ConnectorRecord> = fc.record(
  {
    position: bytes,
    operation: fc.constantFrom(...recordOperations),
    metadata: fc.dictionary(names, fc.string({ unit: 'grapheme' }), { maxKeys: 4, noNullPrototype: true }),
    key: data,
    before: data,
    after: data,
  },
  { noNullPrototype: true },
);

test('records come out of a batch as they went in, over the wire too', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (records) => {
      const batch = recordBatchOf(records);
      assert.equal(recordsOf(batch), records);
      assert.equal(recordsOf(decodeBatch(encodeBatch(batch, 1), recordSchema).batch), records);
    }),
    { numRuns: 200 },
  );
});

test('a protobuf Struct gives back what it can hold, and refuses an integer or bytes that it cannot', async () => {
  const whole = { a: 1.5, b: 'x', c: [null, true, { d: -7 }], e: {} };
  assert.equal(decodeStruct(encodeStruct(whole)), whole);
  assert.equal(decodeStruct(encodeStruct({ n: 9007199254740992n })), { n: 9007199254740992 });
  assert.is(await codeOf(() => encodeStruct({ a: { n: [9007199254740993n] } })), 'record.struct_loses_value');
  assert.is(await codeOf(() => encodeStruct({ b: new Uint8Array(2) })), 'record.struct_loses_value');
});

test.run();
