// What pipelines that were written for Conduit rely on in its processors, down to fields that are not there and texts of errors.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assembleChain } from '../../../connectors/processors/assemble-chain.ts';
import { registry } from '../../../connectors/registry.ts';
import { inferAvroSchema } from '../../../connectors/sdk/avro-inference.ts';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { eagerClock } from '../connector-context.ts';

const record: ConnectorRecord = {
  position: new Uint8Array(Buffer.from('p')),
  operation: 'update',
  metadata: { kind: 'x' },
  key: { id: 7 },
  before: null,
  after: { name: 'Ann', n: 1714979289, list: [null, 'a'] },
};

async function processed(
  plugin: string,
  settings: Readonly<Record<string, string>>,
): Promise<ConnectorRecord | string> {
  const context = { baseFolder: '.', signal: new AbortController().signal, clock: eagerClock(), log: () => {} };
  const plan = { id: 'it', plugin, settings, condition: '' };
  const { chain, problems } = await assembleChain([plan], registry.processors, context);
  assert.equal(problems, []);
  const answer = await chain?.process(recordBatchOf([record]));
  const [made] = answer === undefined ? [] : recordsOf(answer.batch);
  return made ?? answer?.failed[0]?.error.message ?? 'dropped';
}

const script = async (body: string): Promise<ConnectorRecord> => {
  const made = await processed('custom.javascript', { script: `function process(rec) { ${body} }` });
  assert.not.type(made, 'string');
  // SAFETY: as was just seen.
  return made as ConnectorRecord;
};

test('the message of an error processor is a template over the record', async () => {
  assert.is(
    await processed('error', { message: 'no user {{ .Key.id }} of {{ .Metadata.kind | upper }}' }),
    'no user 7 of X',
  );
  assert.is(await processed('error', { message: 'plain' }), 'plain');
  assert.match(String(await processed('error', { message: '{{ .Nobody }}' })), /Nobody/);
  const context = { baseFolder: '.', signal: new AbortController().signal, clock: eagerClock(), log: () => {} };
  const plan = { id: 'it', plugin: 'error', settings: { message: '{{ nobody }}' }, condition: '' };
  const { problems } = await assembleChain([plan], registry.processors, context);
  assert.match(problems[0]?.message ?? '', /no function "nobody"/);
});

test('a field that is renamed and not there becomes an empty one of the new name', async () => {
  const mapping = '.Payload.After.none:renamed, .Payload.After.deep.none:inner, .Metadata.none:entry';
  const made = await processed('field.rename', { mapping });
  assert.equal(made, {
    ...record,
    metadata: { kind: 'x', entry: '' },
    after: { ...record.after, renamed: null, deep: { inner: null } },
  });
});

test('a script may return a new record without an operation, dates, and a record without a payload', async () => {
  const made = await script('const made = new Record(); made.Key = { at: new Date(1500) }; return made;');
  assert.equal(made, { ...record, metadata: {}, key: { at: '1970-01-01T00:00:01.5Z' }, after: null });
  assert.is((await script('rec.Payload = null; return rec;')).after, null);
});

test('numbers and what is nil are printed as Go prints them', async () => {
  const encoded = await processed('base64.encode', { field: '.Payload.After.n' });
  assert.equal(encoded, {
    ...record,
    after: { ...record.after, n: Buffer.from('1.714979289e+09').toString('base64') },
  });
  const value = '{{ printf "%s" .Payload.After.list }} {{ duration 5.0 }} {{ hello }}';
  const set = await processed('field.set', { field: '.Key', value });
  assert.equal(set, { ...record, key: new Uint8Array(Buffer.from('[<nil> a] 0s Hello!')) });
});

test('data whose entries come in another order has the same Avro schema', () => {
  assert.is(inferAvroSchema({ b: 1, a: { d: 'x', c: true } }), inferAvroSchema({ a: { c: true, d: 'x' }, b: 1 }));
});

test.run();
