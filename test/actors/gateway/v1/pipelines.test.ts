// The catalog under `/v1`: pipelines of both kinds, names, errors in their form, and what may not be changed from which side.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer, type TestServer } from '../server/test-server.ts';
import { reasonOf, type V1Client, v1Client } from './v1-client.ts';

let server: TestServer;
let client: V1Client;
test.before(async () => {
  server = await startTestServer({ version: '1.2.3' });
  client = v1Client(server.url);
});
test.after(async () => {
  await server.close();
});

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

test('a pipeline is created, shown, changed, listed by a pattern and deleted', async () => {
  const created = await client.post('/v1/pipelines', { config: { name: 'orders', description: 'of shops' } });
  assert.is(created.status, 200);
  const { id, createdAt, updatedAt, ...rest } = created.body as Record<string, string>;
  assert.match(id ?? '', uuid);
  assert.match(createdAt ?? '', /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal(createdAt, updatedAt);
  assert.equal(rest, {
    state: { status: 'STATUS_STOPPED', error: '', stoppedReason: 'STOPPED_REASON_USER' },
    config: { name: 'orders', description: 'of shops' },
    connectorIds: [],
    processorIds: [],
  });
  assert.equal((await client.get(`/v1/pipelines/${id}`)).body, created.body);
  const changed = await client.put(`/v1/pipelines/${id}`, {
    ...(created.body as object),
    config: { name: 'orders-2' },
  });
  assert.equal(changed.body['config'], { name: 'orders-2', description: '' });
  const names = async (pattern: string): Promise<string[]> => {
    const list: readonly { config: { name: string } }[] = (await client.get(`/v1/pipelines?name=${pattern}`)).body;
    return list.map(({ config }) => config.name);
  };
  assert.equal(await names('orders-.'), ['orders-2']);
  assert.equal(await names('orders'), []);
  assert.is(reasonOf(await client.get('/v1/pipelines?name=(')), 'common.invalid_argument');
  const deleted = await client.delete(`/v1/pipelines/${id}`);
  assert.equal([deleted.status, deleted.body], [200, {}]);
  const gone = await client.get(`/v1/pipelines/${id}`);
  assert.equal([gone.status, gone.body['code'], reasonOf(gone)], [404, 5, 'pipeline.instance_not_found']);
});

test('names are unique, there has to be one, and the error says all that is wrong at once', async () => {
  const first = await client.post('/v1/pipelines', { config: { name: 'unique' } });
  const second = await client.post('/v1/pipelines', { config: { name: 'unique' } });
  assert.equal([second.status, second.body['code'], reasonOf(second)], [409, 6, 'pipeline.name_already_exists']);
  assert.equal(second.body['details'], [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'pipeline.name_already_exists',
      domain: 'conduit',
      metadata: { suggestion: 'choose another name, or change the pipeline that has it' },
    },
  ]);
  const nameless = await client.post('/v1/pipelines', { config: { descripton: 'x', description: 7 } });
  assert.equal([nameless.status, nameless.body['code']], [400, 3]);
  const details: readonly { reason: string; metadata: Record<string, string> }[] = nameless.body['details'];
  assert.equal(
    details.map(({ reason, metadata }) => [reason, metadata['configPath'], metadata['suggestion']]),
    [
      ['config.field_invalid', 'config.descripton', 'description'],
      ['config.field_invalid', 'config.description', undefined],
      ['pipeline.name_missing', 'config.name', undefined],
    ],
  );
  assert.is(
    reasonOf(await client.post('/v1/pipelines', { config: { name: 'x'.repeat(129) } })),
    'config.field_too_long',
  );
  await client.delete(`/v1/pipelines/${first.body['id']}`);
});

test('both interfaces list every pipeline, and each refuses to change what it cannot express', async () => {
  const made = await client.post('/v1/pipelines', { config: { name: 'without-sql' } });
  await fetch(`${server.url}/v0/pipelines`, {
    method: 'POST',
    body: JSON.stringify({ name: 'with-sql', program_code: 'CREATE TABLE t (x INT);' }),
  });
  const v0 = (await (await fetch(`${server.url}/v0/pipelines`)).json()) as { name: string; id: string }[];
  assert.equal(
    v0.map(({ name }) => name),
    ['with-sql', 'without-sql'],
  );
  const v1: readonly { id: string }[] = (await client.get('/v1/pipelines')).body;
  assert.equal(
    v1.map(({ id }) => id),
    v0.map(({ id }) => id),
  );
  const edited = await fetch(`${server.url}/v0/pipelines/without-sql`, {
    method: 'PATCH',
    body: JSON.stringify({ program_code: 'CREATE TABLE t (x INT);' }),
  });
  assert.equal(
    [edited.status, ((await edited.json()) as { error_code: string }).error_code],
    [409, 'PipelineHasNoProgram'],
  );
  assert.is((await fetch(`${server.url}/v0/pipelines/without-sql`, { method: 'DELETE' })).status, 409);
  const withSql = v1[0]?.id ?? '';
  for (const refused of [
    await client.put(`/v1/pipelines/${withSql}`, { config: { name: 'other' } }),
    await client.delete(`/v1/pipelines/${withSql}`),
    await client.get(`/v1/pipelines/${withSql}/dead-letter-queue`),
    await client.post('/v1/connectors', {
      type: 'TYPE_SOURCE',
      plugin: 'builtin:x',
      pipelineId: withSql,
      config: { name: 'in' },
    }),
  ]) {
    assert.equal([refused.status, refused.body['code'], reasonOf(refused)], [409, 10, 'pipeline.has_program']);
  }
  await client.delete(`/v1/pipelines/${made.body['id']}`);
});

test('connectors of a program are listed, with their settings', async () => {
  const connectors = JSON.stringify([
    { name: 'in', transport: { name: 'file_input', config: { path: 'a.csv' } }, format: { name: 'csv' } },
  ]);
  await fetch(`${server.url}/v0/pipelines`, {
    method: 'POST',
    body: JSON.stringify({
      name: 'sql-in',
      program_code: `CREATE TABLE t (x INT) WITH ('connectors' = '${connectors}');`,
    }),
  });
  const pipelines: readonly { id: string; connectorIds: readonly string[] }[] = (
    await client.get('/v1/pipelines?name=sql-in')
  ).body;
  const [id = ''] = pipelines[0]?.connectorIds ?? [];
  assert.is(id, `${pipelines[0]?.id}:t.in`);
  const connector = await client.get(`/v1/connectors/${id}`);
  assert.equal(connector.body['type'], 'TYPE_SOURCE');
  assert.equal(connector.body['plugin'], 'builtin:file_input');
  assert.equal(connector.body['config'], { name: 't.in', settings: { path: 'a.csv' } });
  assert.is(reasonOf(await client.delete(`/v1/connectors/${id}`)), 'pipeline.has_program');
});

test('a pipeline without connectors is not started, one that is stopped not stopped', async () => {
  const made = await client.post('/v1/pipelines', { config: { name: 'empty' } });
  const id = made.body['id'];
  const started = await client.post(`/v1/pipelines/${id}/start`);
  assert.equal([started.status, reasonOf(started)], [400, 'config.field_required']);
  const stopped = await client.post(`/v1/pipelines/${id}/stop`, {});
  assert.equal([stopped.status, stopped.body['code'], reasonOf(stopped)], [400, 9, 'pipeline.not_running']);
  await client.delete(`/v1/pipelines/${id}`);
});

test('the dead-letter queue has its defaults', async () => {
  const made = await client.post('/v1/pipelines', { config: { name: 'dlq' } });
  const path = `/v1/pipelines/${made.body['id']}/dead-letter-queue`;
  assert.equal((await client.get(path)).body, {
    plugin: 'builtin:log',
    settings: { level: 'warn', message: 'record delivery failed' },
    windowSize: '1',
    windowNackThreshold: '0',
  });
  const refused = await client.put(path, { plugin: 'builtin:log', windowSize: '2', windowNackThreshold: '2' });
  assert.equal([refused.status, reasonOf(refused)], [400, 'config.field_invalid']);
  const unknown = await client.put(path, { plugin: 'builtin:lug', windowSize: '2', windowNackThreshold: '1' });
  assert.equal([unknown.status, reasonOf(unknown)], [404, 'connector.plugin_not_found']);
  await client.delete(`/v1/pipelines/${made.body['id']}`);
});

test('what is not known is 404 with its own reason', async () => {
  for (const [path, reason] of [
    ['/v1/pipelines/none', 'pipeline.instance_not_found'],
    ['/v1/connectors/none', 'connector.instance_not_found'],
    ['/v1/processors/none', 'processor.instance_not_found'],
  ] as const) {
    const reply = await client.get(path);
    assert.equal([reply.status, reply.body['code'], reasonOf(reply)], [404, 5, reason]);
  }
  const unknown = await client.get('/v1/nothing');
  assert.equal([unknown.status, unknown.body], [404, { code: 5, message: 'Not Found', details: [] }]);
  assert.is((await client.post('/v1/pipelines/import', {})).status, 501);
});

test('the server says what it is and how it is', async () => {
  const info = await client.get('/info');
  assert.is(info.body['version'], 'v1.2.3');
  assert.equal((await client.get('/healthz?service=')).body, { status: 'SERVING' });
  assert.equal((await client.get('/healthz?service=PipelineService')).body, { status: 'SERVING' });
  assert.is((await client.get('/healthz?service=Other')).status, 404);
  const ready = await client.get('/readyz');
  assert.equal([ready.status, ready.body['status'], ready.body['reason']], [200, 'ready', '']);
});

test('?pretty indents replies and errors, and a request keeps its id', async () => {
  const pretty = await fetch(`${server.url}/v1/pipelines/none?pretty`, { headers: { 'x-request-id': 'mine-1' } });
  assert.is(pretty.headers.get('x-request-id'), 'mine-1');
  assert.match(await pretty.text(), /^{\n {2}"code": 5,\n/);
  assert.match(await (await fetch(`${server.url}/info?pretty=true`)).text(), /^{\n {2}"version"/);
});

test('pipelines survive a restart of the server', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-v1-'));
  try {
    const first = await startTestServer({ dataFolder });
    const made = await v1Client(first.url).post('/v1/pipelines', { config: { name: 'keeps', description: 'd' } });
    await first.close();
    const second = await startTestServer({ dataFolder });
    assert.equal((await v1Client(second.url).get(`/v1/pipelines/${made.body['id']}`)).body, made.body);
    await second.close();
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
});

test.run();
