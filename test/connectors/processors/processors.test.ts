// The processors that ship with Millrace, each through a chain as a pipeline states it: settings that are all text, conditions.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assembleChain } from '../../../connectors/processors/assemble-chain.ts';
import { registry } from '../../../connectors/registry.ts';
import type { ProcessorContext } from '../../../connectors/sdk/processor.ts';
import type { ConnectorRecord, RecordData } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { SchemaStore } from '../../../connectors/standalone/schema-store.ts';
import { eagerClock } from '../connector-context.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const logged: string[] = [];
const context: Omit<ProcessorContext, 'id'> = {
  baseFolder: '.',
  signal: new AbortController().signal,
  clock: eagerClock(),
  log: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
};

type Change = Partial<ConnectorRecord>;
const record = (change: Change = {}): ConnectorRecord => ({
  position: bytes('p'),
  operation: 'create',
  metadata: { 'opencdc.collection': 'users' },
  key: bytes('1'),
  before: null,
  after: { name: 'Ann', age: 42n, tags: ['a', 'b'], address: { city: 'Bonn' } },
  ...change,
});

interface Outcome {
  readonly records: readonly ConnectorRecord[];
  readonly origins: readonly number[];
  readonly failed: readonly string[];
}

async function run(
  plugin: string,
  settings: Readonly<Record<string, string>>,
  records: readonly ConnectorRecord[] = [record()],
  condition = '',
  surroundings: Omit<ProcessorContext, 'id'> = context,
): Promise<Outcome> {
  const plan = { id: 'it', plugin, settings, condition };
  const { chain, problems } = await assembleChain([plan], registry.processors, surroundings);
  assert.equal(
    problems.map(({ message }) => message),
    [],
  );
  const batch = recordBatchOf(records);
  await chain?.open();
  const answer = await chain?.process(batch);
  await chain?.teardown();
  assert.ok(answer);
  return {
    records: recordsOf(answer.batch),
    origins: [...(answer.origins ?? records.keys())],
    failed: answer.failed.map(({ row, error }) => `${row} ${error.message}`),
  };
}

async function one(
  plugin: string,
  settings: Readonly<Record<string, string>>,
  change: Change = {},
): Promise<ConnectorRecord> {
  const { records, failed } = await run(plugin, settings, [record(change)]);
  assert.equal(failed, []);
  const [made] = records;
  assert.ok(made !== undefined);
  return made;
}

async function problemsOf(
  plugin: string,
  settings: Readonly<Record<string, string>>,
  condition = '',
): Promise<string[]> {
  const { problems } = await assembleChain([{ id: 'it', plugin, settings, condition }], registry.processors, context);
  return problems.map(({ code, suggestion }) => (suggestion === undefined ? code : `${code} ${suggestion}`));
}

const textOf = (data: RecordData): string =>
  data instanceof Uint8Array ? Buffer.from(data).toString() : JSON.stringify(data);

test('json.decode and json.encode are inverse, exact for 64-bit integers', async () => {
  const text = '{"a":[1,2.5,null,true],"big":9007199254740993,"text":"\\u00e9"}';
  const decoded = await one('json.decode', { field: '.Payload.After' }, { after: bytes(text) });
  assert.equal(decoded.after, { a: [1, 2.5, null, true], big: 9007199254740993n, text: 'é' });
  const encoded = await one('json.encode', { field: '.Payload.After' }, { after: decoded.after });
  assert.is(textOf(encoded.after), text.replace('\\u00e9', 'é'));
  assert.equal((await one('json.decode', { field: '.Key' }, { key: bytes('') })).key, null);
  const inner = await one('json.decode', { field: '.Payload.After.x' }, { after: { x: '[1]' } });
  assert.equal(inner.after, { x: [1] });
  const { failed } = await run('json.decode', { field: '.Key' }, [
    record({ key: bytes('{') }),
    record({ key: bytes('[1]') }),
  ]);
  assert.match(failed[0] ?? '', /^0 no JSON at character 1/);
  assert.match(failed[1] ?? '', /^1 \.Key holds raw or structured data, no list/);
});

test('base64.decode and base64.encode are inverse for any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 30 }), async (array) => {
      const key = new Uint8Array(array);
      const encoded = await one('base64.encode', { field: '.Key' }, { key });
      assert.is(textOf(encoded.key), Buffer.from(key).toString('base64'));
      assert.equal((await one('base64.decode', { field: '.Key' }, { key: encoded.key })).key, key);
    }),
    { numRuns: 50 },
  );
  const inner = await one('base64.decode', { field: '.Payload.After.x' }, { after: { x: '/w==' } });
  assert.equal(inner.after, { x: Uint8Array.of(255) });
  assert.match(
    (await run('base64.decode', { field: '.Key' }, [record({ key: bytes('###') })])).failed[0] ?? '',
    /no base64/,
  );
});

test('field.set, rename, exclude and convert change what they name and nothing else', async () => {
  const set = await one('field.set', { field: '.Payload.After.a.b', value: '{{ .Payload.After.name | upper }}!' });
  assert.equal(set.after, { ...record().after, a: { b: 'ANN!' } });
  assert.is((await one('field.set', { field: '.Operation', value: 'delete' })).operation, 'delete');
  assert.is((await one('field.set', { field: '.Metadata["x.y"]', value: '1' })).metadata['x.y'], '1');
  assert.is(textOf((await one('field.set', { field: '.Key', value: 'k' })).key), 'k');
  const renamed = await one('field.rename', {
    mapping: '.Metadata["opencdc.collection"]:table, .Payload.After.name:first',
  });
  assert.equal(renamed.metadata, { table: 'users' });
  assert.equal(renamed.after, { age: 42n, tags: ['a', 'b'], address: { city: 'Bonn' }, first: 'Ann' });
  const excluded = await one('field.exclude', {
    fields: '.Payload.After.address.city,.Payload.After.tags,.Key,.Metadata.none',
  });
  assert.equal(excluded.after, { name: 'Ann', age: 42n, address: {} });
  assert.is(excluded.key, null);
  const clash = await run('field.rename', { mapping: '.Payload.After.name:age' });
  assert.match(clash.failed[0] ?? '', /there is a "age" already/);
});

test('field.convert converts between every pair of types, or refuses', async () => {
  const convert = async (value: unknown, type: string): Promise<unknown> => {
    // SAFETY: the values below are values of structured data.
    const after = { x: value } as NonNullable<ConnectorRecord['after']>;
    const { records, failed } = await run('field.convert', { field: '.Payload.After.x', type }, [record({ after })]);
    const made = records[0]?.after;
    if (failed.length > 0) return 'refused';
    return made !== null && made !== undefined && !(made instanceof Uint8Array) ? made['x'] : undefined;
  };
  assert.is(await convert('9007199254740993', 'int'), 9007199254740993n);
  assert.is(await convert('9223372036854775808', 'int'), 'refused');
  assert.is(await convert(54, 'string'), '54');
  assert.is(await convert(1e21, 'string'), '1000000000000000000000');
  assert.is(await convert(true, 'int'), 1n);
  assert.is(await convert(false, 'float'), 0);
  assert.is(await convert(true, 'string'), 'true');
  assert.is(await convert('t', 'bool'), true);
  assert.is(await convert('yes', 'bool'), 'refused');
  assert.is(await convert('1.5', 'int'), 'refused');
  assert.is(await convert(1700000000123456789n, 'time'), '2023-11-14T22:13:20.123456789Z');
  assert.is(await convert('2024-02-29T13:04:05+02:00', 'time'), '2024-02-29T13:04:05+02:00');
  assert.is(await convert('2024-02-30T13:04:05Z', 'time'), 'refused');
  assert.is(await convert(null, 'int'), 'refused');
});

test('clone and split make several records of one, with its position', async () => {
  const cloned = await run('clone', { count: '2' }, [record(), record({ key: bytes('2') })]);
  assert.equal(cloned.origins, [0, 0, 0, 1, 1, 1]);
  assert.equal(
    cloned.records.map(({ metadata }) => metadata['clone.index']),
    ['0', '1', '2', '0', '1', '2'],
  );
  const split = await run('split', { field: '.Payload.After.tags' });
  assert.equal(
    split.records.map(({ after, metadata, position }) => [
      textOf({ ...after, age: null }),
      metadata['split.index'],
      textOf(position),
    ]),
    [
      ['{"name":"Ann","age":null,"tags":"a","address":{"city":"Bonn"}}', '0', 'p'],
      ['{"name":"Ann","age":null,"tags":"b","address":{"city":"Bonn"}}', '1', 'p'],
    ],
  );
  assert.match((await run('split', { field: '.Payload.After.name' })).failed[0] ?? '', /holds no list/);
});

test('a condition chooses records, keeps the order, and refuses what it cannot decide', async () => {
  const records = ['a', 'b', '', 'c', 'b'].map((kind) => record({ metadata: kind === '' ? {} : { kind } }));
  const dropped = await run('filter', {}, records, '{{ eq .Metadata.kind "b" }}');
  assert.equal(
    dropped.records.map(({ metadata }) => metadata['kind'] ?? ''),
    ['a', '', 'c'],
  );
  assert.equal(dropped.origins, [0, 2, 3]);
  const cloned = await run('clone', { count: '1' }, records, '{{ eq .Metadata.kind "b" }}');
  assert.equal(cloned.origins, [0, 1, 1, 2, 3, 4, 4]);
  const refused = await run('error', { message: 'no b' }, records, '{{ eq .Metadata.kind "b" }}');
  assert.equal(refused.failed, ['1 no b', '4 no b']);
  assert.equal(refused.origins, [0, 2, 3]);
  const undecided = await run('filter', {}, records, '{{ .Metadata.kind }}');
  assert.is(undecided.failed.length, 5);
  assert.match(undecided.failed[0] ?? '', /printed "a", which is neither true nor false/);
  const failing = await run('filter', {}, records, '{{ eq .Metadata.kind 1 }}');
  assert.match(failing.failed[0] ?? '', /1:4: error calling eq: incompatible types/);
});

test('unwrap.opencdc, unwrap.debezium and unwrap.kafkaconnect put the inner record in place of the outer', async () => {
  const inner = {
    position: 'aW5uZXI=',
    operation: 'update',
    metadata: { a: 1, b: 'x' },
    key: 'a2V5',
    payload: { before: null, after: { id: 1 } },
  };
  const opencdc = await one('unwrap.opencdc', {}, { after: bytes(JSON.stringify(inner)) });
  assert.equal(opencdc, {
    position: bytes('p'),
    operation: 'update',
    metadata: { a: '1', b: 'x' },
    key: bytes('key'),
    before: null,
    after: { id: 1 },
  });
  const event = {
    schema: {},
    payload: {
      before: { id: 1, name: 'x' },
      after: null,
      source: { db: 'shop', table: 't', nested: { deep: 5 } },
      op: 'd',
      ts_ms: 1700000000123,
      transaction: { id: '7' },
    },
  };
  const debezium = await one(
    'unwrap.debezium',
    {},
    { after: bytes(JSON.stringify(event)), key: bytes('{"payload":{"id":1}}') },
  );
  assert.is(debezium.operation, 'delete');
  assert.equal(debezium.before, { id: 1, name: 'x' });
  assert.is(debezium.after, null);
  assert.equal(debezium.key, { id: 1 });
  assert.equal(debezium.metadata, {
    'opencdc.collection': 'users',
    'opencdc.readAt': '1700000000123000000',
    'debezium.transaction.id': '7',
    db: 'shop',
    table: 't',
    'nested.deep': '5',
  });
  const kafka = await one(
    'unwrap.kafkaconnect',
    {},
    { after: { schema: {}, payload: { id: 3 } }, key: bytes('{"payload":12}') },
  );
  assert.equal(kafka.after, { id: 3 });
  assert.is(textOf(kafka.key), '12');
  assert.match((await run('unwrap.debezium', {}, [record()])).failed[0] ?? '', /has no payload/);
});

test('custom.javascript sees and returns records as Conduit shows them', async () => {
  const script = `
    function process(rec) {
      if (rec.Metadata.drop) return null;
      logger.Info().Str("name", rec.Payload.After.name).Msg("seen");
      rec.Metadata["processed"] = "true";
      rec.Key = RawData("k-" + String.fromCharCode.apply(String, rec.Key));
      rec.Payload.Before = StructuredData();
      rec.Payload.Before["was"] = rec.Payload.After.big;
      rec.Payload.After.age += 1;
      rec.Operation = "update";
      return rec;
    }`;
  const after = { name: 'Ann', age: 42n, ratio: 1.5, big: 9007199254740993n };
  const { records, failed } = await run('custom.javascript', { script }, [
    record({ after }),
    record({ metadata: { drop: '1' } }),
  ]);
  assert.equal(failed, []);
  assert.equal(records, [
    {
      position: bytes('p'),
      operation: 'update',
      metadata: { 'opencdc.collection': 'users', processed: 'true' },
      key: bytes('k-1'),
      before: { was: 9007199254740993n },
      after: { name: 'Ann', age: 43n, ratio: 1.5, big: 9007199254740993n },
    },
  ]);
  assert.ok(logged.includes('seen {"name":"Ann","level":"info"}'));
});

test('a script that throws refuses the record and names the line; one without process is refused', async () => {
  const script =
    'function process(rec) {\n  if (rec.Metadata.bad) throw new Error("bad one");\n  return [rec, rec];\n}';
  const outcome = await run('custom.javascript', { script }, [record(), record({ metadata: { bad: '1' } })]);
  assert.equal(outcome.origins, [0, 0]);
  assert.equal(outcome.failed, ['1 line 2: bad one']);
  assert.equal(await problemsOf('custom.javascript', { script: 'function other() {}' }), ['processor.script_invalid']);
  assert.equal(await problemsOf('custom.javascript', { script: 'function (' }), ['processor.script_invalid']);
  assert.equal(await problemsOf('custom.javascript', {}), ['config.missing_key']);
  const outside = await run('custom.javascript', { script: 'function process(rec) { return require("fs"); }' });
  assert.match(outside.failed[0] ?? '', /require is not defined/);
});

test('a script may lie in a file beside the pipeline', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-script-'));
  writeFileSync(join(folder, 'it.js'), 'function process(rec) { rec.Metadata.file = "1"; return rec; }');
  const { records } = await run('custom.javascript', { 'script.path': 'it.js' }, [record()], '', {
    ...context,
    baseFolder: folder,
  });
  rmSync(folder, { recursive: true });
  assert.is(records[0]?.metadata['file'], '1');
});

test('avro.encode and avro.decode are inverse over a schema registry, and say when there is none', async () => {
  const schemas = new SchemaStore(null);
  const after = { name: 'Ann', big: 9007199254740993n, ratio: 1.5, ok: true };
  const settings = { 'schema.strategy': 'autoRegister', 'schema.autoRegister.subject': 'users' };
  const encoded = await run('avro.encode', settings, [record({ after })], '', { ...context, schemas });
  assert.equal(encoded.failed, []);
  const data = encoded.records[0]?.after;
  assert.ok(data instanceof Uint8Array && data[0] === 0);
  const decoded = await run('avro.decode', {}, [record({ after: data })], '', { ...context, schemas });
  assert.equal(decoded.records[0]?.after, after);
  assert.equal(await problemsOf('avro.decode', {}), ['processor.schemas_missing']);
});

test('webhook.http sends what its templates print, repeats failures, and keeps the answer', async () => {
  const seen: string[] = [];
  let failures = 2;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += String(part)));
    request.on('end', () => {
      seen.push(
        `${request.method} ${request.url} ${request.headers['content-type']} ${request.headers['x-key']} ${body}`,
      );
      response.statusCode = failures-- > 0 ? 503 : 202;
      response.end('{"ok":true}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: a server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  const settings = {
    'request.url': `http://127.0.0.1:${port}/{{ .Payload.After.name }}`,
    'request.method': 'post',
    'request.body': '{{ toJson .Payload.After.address }}',
    'headers.X-Key': 'secret',
    'response.status': '.Metadata.status',
    'backoffRetry.count': '2',
  };
  const { records, failed } = await run('webhook.http', settings);
  assert.equal(failed, []);
  assert.equal(seen, Array(3).fill('POST /Ann application/json secret {"city":"Bonn"}'));
  assert.is(textOf(records[0]?.after ?? null), '{"ok":true}');
  assert.is(records[0]?.metadata['status'], '202');
  failures = 9;
  const refused = await run('webhook.http', { 'request.url': `http://127.0.0.1:${port}/x?token=1` });
  assert.match(refused.failed[0] ?? '', /failed: status 503/);
  assert.not.match(refused.failed[0] ?? '', /token/);
  server.close();
  server.closeAllConnections();
});

test('every problem of a chain is told at once, with the nearest name', async () => {
  const plans = [
    { id: 'a', plugin: 'builtin:json.decod', settings: {}, condition: '' },
    { id: 'b', plugin: 'json.decode@v0.1.0', settings: { field: '.Payload.Afer', feild: 'x' }, condition: '{{ .Key' },
    { id: 'c', plugin: 'json.decode', settings: { field: '.Metadata.x' }, condition: '' },
    { id: 'd', plugin: 'standalone:mine', settings: {}, condition: '' },
    {
      id: 'e',
      plugin: 'field.set',
      settings: { field: '.Position', value: '{{ nope }}' },
      condition: '{{ uper .Key }}',
    },
  ];
  const { chain, problems } = await assembleChain(plans, registry.processors, context, {
    placeOf: (path) => ({
      path: path.join('.'),
    }),
  });
  assert.is(chain, null);
  assert.equal(
    problems.map(({ code, suggestion }) => `${code} ${suggestion ?? ''}`.trim()),
    [
      'processor.unknown json.decode',
      'config.unknown_key field',
      'template.malformed',
      'processor.field_reference_invalid',
      'processor.standalone_unknown',
      'processor.field_reference_invalid',
      'template.malformed upper',
    ],
  );
});

test('a field reference is read in every spelling, and a wrong one is refused by name', async () => {
  for (const field of ['.Payload.After', '.payload.after.x', '.key', '.Payload.Before.a["b.c"].d']) {
    assert.equal(await problemsOf('json.decode', { field }), [], field);
  }
  assert.equal(await problemsOf('json.decode', { field: '.Payload.Aftr.x' }), [
    'processor.field_reference_invalid After',
  ]);
  assert.equal(await problemsOf('json.decode', { field: '.Keey' }), ['processor.field_reference_invalid .Key']);
  assert.equal(await problemsOf('json.decode', { field: 'x' }), ['processor.field_reference_invalid']);
  assert.equal(await problemsOf('field.exclude', { fields: '.Operation' }), ['processor.field_reference_invalid']);
});

test.run();
