// Schemas that are extracted from structured data: under which subject, and that every value comes back from them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { decodeRecordSchemas } from '../../../connectors/sdk/record-schemas.ts';
import { extractionDefaults, extractionOptions, extractSchemas } from '../../../connectors/sdk/schema-extraction.ts';
import { SchemaStore } from '../../../connectors/standalone/schema-store.ts';

function record(more: Partial<ConnectorRecord>): ConnectorRecord {
  const position = new Uint8Array([1]);
  return { position, operation: 'create', metadata: {}, key: null, before: null, after: null, ...more };
}

const of = (...records: ConnectorRecord[]): ReturnType<typeof recordBatchOf> => recordBatchOf(records);
const subject = 'opencdc.payload.schema.subject';
const version = 'opencdc.payload.schema.version';

test('structured data becomes Avro data that decodes to the same values, for keys and both sides of a payload', async () => {
  const schemas = new SchemaStore(null);
  const before = { big: 2n ** 62n, bytes: new Uint8Array([0, 255]), half: 0.5, list: [1n, 2n], nothing: null };
  const after = { big: -(2n ** 63n), bytes: new Uint8Array(0), half: 1, list: [3n], nothing: null };
  const records = [
    record({ key: { id: 2n ** 53n + 1n }, before, after, metadata: { 'opencdc.collection': 'orders' } }),
    record({ key: new Uint8Array([7]), after: new Uint8Array([8]) }),
  ];
  const extracted = await extractSchemas(of(...records), schemas, extractionDefaults, 'p:in');
  const [first, second] = recordsOf(extracted);
  assert.is(first?.metadata[subject], 'p:in:orders.payload');
  assert.is(first?.metadata['opencdc.key.schema.subject'], 'p:in:orders.key');
  assert.ok(
    first?.key instanceof Uint8Array && first.before instanceof Uint8Array && first.after instanceof Uint8Array,
  );
  assert.equal(second, records[1]);
  const { batch, failed } = await decodeRecordSchemas(extracted, schemas, { payload: true, key: true });
  assert.equal(failed, []);
  const [decoded] = recordsOf(batch);
  assert.equal([decoded?.key, decoded?.before, decoded?.after], [records[0]?.key, before, after]);
});

test('the same shape has one version, another shape the next one, and what names a schema already keeps it', async () => {
  const schemas = new SchemaStore(null);
  const named = { [subject]: 'mine', [version]: '3' };
  const batch = of(
    record({ after: { a: 1n } }),
    record({ after: { a: 2n } }),
    record({ after: { a: 'text' } }),
    record({ after: { a: 1n }, metadata: named }),
  );
  const made = recordsOf(await extractSchemas(batch, schemas, extractionDefaults, 'c'));
  assert.equal(
    made.map(({ metadata }) => `${metadata[subject]} ${metadata[version]}`),
    ['c:payload 1', 'c:payload 1', 'c:payload 2', 'mine 3'],
  );
  assert.equal(made[3]?.after, { a: 1n });
});

test('sides that no one schema fits stay structured', async () => {
  const schemas = new SchemaStore(null);
  const odd = record({ operation: 'update', before: { a: 'text' }, after: { a: 1n } });
  assert.equal(recordsOf(await extractSchemas(of(odd), schemas, extractionDefaults, 'c')), [odd]);
  assert.is(await schemas.getSchema('c:payload', 1).catch(() => null), null);
});

test('settings name the parts, the subjects and the context', async () => {
  assert.is(extractionOptions({}), null);
  const payload = { 'sdk.schema.extract.payload.enabled': true };
  assert.equal(extractionOptions(payload), { payload: 'payload', key: null, context: null });
  const schemas = new SchemaStore(null);
  const subjectWith = async (settings: object): Promise<string | undefined> => {
    const options = extractionOptions({ ...payload, ...settings });
    if (options === null) throw new Error('nothing is extracted');
    const batch = of(record({ after: { a: 1n }, metadata: { 'conduit.source.connector.id': 'p:src' } }));
    return recordsOf(await extractSchemas(batch, schemas, options, 'p:other'))[0]?.metadata[subject];
  };
  assert.is(await subjectWith({}), 'p:src:payload');
  assert.is(await subjectWith({ 'sdk.schema.extract.payload.subject': 'body' }), 'p:src:body');
  assert.is(await subjectWith({ 'sdk.schema.context.name': 'shop' }), 'shop:payload');
  assert.is(await subjectWith({ 'sdk.schema.context.enabled': false }), 'payload');
});

test.run();
