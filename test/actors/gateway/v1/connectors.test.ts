// Connectors under `/v1` over built-in plugins: created, checked, masked, changed, run, deleted.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer, type TestServer } from '../server/test-server.ts';
import { reasonOf, type V1Client, type V1Reply, v1Client } from './v1-client.ts';

let server: TestServer;
let client: V1Client;
let folder: string;
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-v1-connectors-'));
  server = await startTestServer();
  client = v1Client(server.url);
});
test.after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const pipelineOf = async (name: string): Promise<string> =>
  (await client.post('/v1/pipelines', { config: { name } })).body['id'];
const source = (pipelineId: string, settings: Readonly<Record<string, string>>) => ({
  type: 'TYPE_SOURCE',
  plugin: 'builtin:generator',
  pipelineId,
  config: { name: 'in', settings },
});
/** Of the first detail. */
const metadataOf = ({ body }: V1Reply): Readonly<Record<string, string>> => Object(body['details'])[0].metadata;
const settings = { recordCount: '5', 'format.type': 'raw', 'format.options.id': 'int' };

test('records go from a source to a destination, and the pipeline may be changed again when it is stopped', async () => {
  const id = await pipelineOf('moves');
  const path = join(folder, 'out.txt');
  const made = await client.post('/v1/connectors', source(id, settings));
  assert.is(made.status, 200, JSON.stringify(made.body));
  const out = await client.post('/v1/connectors', {
    type: 'TYPE_DESTINATION',
    plugin: 'builtin:file',
    pipelineId: id,
    config: { name: 'out', settings: { path } },
  });
  assert.is(out.status, 200, JSON.stringify(out.body));
  assert.is((await client.post(`/v1/pipelines/${id}/start`, {})).status, 200);
  while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length < 6) await client.get('/healthz');
  const running = await client.put(`/v1/connectors/${made.body['id']}`, { config: { name: 'in', settings } });
  assert.equal([running.status, reasonOf(running)], [400, 'pipeline.running']);
  assert.equal((await client.post(`/v1/pipelines/${id}/stop`, {})).body, {});
  const changed = await client.put(`/v1/connectors/${made.body['id']}`, {
    config: { name: 'renamed', settings: { ...settings, recordCount: '6' } },
  });
  assert.is(changed.body['plugin'], 'builtin:generator');
  for (const connector of [made, out]) {
    assert.equal((await client.delete(`/v1/connectors/${connector.body['id']}`)).body, {});
  }
  assert.equal((await client.delete(`/v1/pipelines/${id}`)).body, {});
});

test('everything that is wrong with the settings is told at once, and nothing is left behind', async () => {
  const id = await pipelineOf('wrong');
  const refused = await client.post('/v1/connectors', source(id, { recordCont: '5', recordCount: 'many' }));
  assert.equal([refused.status, refused.body['code']], [400, 9], 'a failed precondition of gRPC, as in Conduit');
  const details: readonly { metadata: Record<string, string> }[] = refused.body['details'];
  assert.equal(
    details.slice(0, 2).map(({ metadata }) => [metadata['configPath'], metadata['suggestion']]),
    [
      ['config.settings.recordCont', 'recordCount'],
      ['config.settings.recordCount', undefined],
    ],
  );
  assert.equal((await client.get(`/v1/pipelines/${id}`)).body['connectorIds'], []);
  const unknown = await client.post('/v1/connectors', { ...source(id, {}), plugin: 'builtin:generater' });
  assert.equal([unknown.status, reasonOf(unknown)], [404, 'connector.plugin_not_found']);
  assert.match(unknown.body['message'], /did you mean "builtin:generator"/);
  const none = await client.post('/v1/connectors', { ...source(id, settings), plugin: '' });
  assert.equal([none.status, reasonOf(none)], [404, 'connector.plugin_not_found']);
  const role = await client.post('/v1/connectors', { ...source(id, {}), type: 'TYPE_DESTINATION' });
  assert.equal([role.status, reasonOf(role)], [400, 'connector.invalid_type']);
});

test('a connector needs a name; a change without one leaves it', async () => {
  const id = await pipelineOf('named');
  const nameless = await client.post('/v1/connectors', { ...source(id, settings), config: { settings } });
  assert.equal([nameless.status, reasonOf(nameless)], [400, 'config.field_required']);
  assert.is(metadataOf(nameless)['configPath'], 'config.name');
  const made = await client.post('/v1/connectors', source(id, settings));
  const changed = await client.put(`/v1/connectors/${made.body['id']}`, { config: { settings } });
  assert.is(Object(changed.body['config']).name, 'in', JSON.stringify(changed.body));
});

test('a bound of a setting is allowed, what lies beyond it is not', async () => {
  const id = await pipelineOf('bounded');
  const rated = (rate: string) => client.post('/v1/connectors', source(id, { ...settings, rate }));
  assert.is((await rated('0')).status, 200);
  const beyond = await rated('-0.5');
  assert.is(beyond.status, 400);
  assert.match(beyond.body['message'], 'rate');
});

test('a document is planned, applied once, and refused when the plan is stale', async () => {
  const config = {
    id: 'documented',
    connectors: [{ id: 'in', type: 'source', plugin: 'builtin:generator', settings }],
    processors: [{ id: 'some', plugin: 'filter' }],
  };
  const plan = await client.post('/v1/pipelines/plan', { config });
  assert.is(plan.status, 200, JSON.stringify(plan.body));
  const changes: readonly { resource: string; action: string }[] = plan.body['changes'];
  assert.equal(
    changes.map(({ resource, action }) => `${action} ${resource}`),
    ['create pipeline', 'create connector', 'create processor'],
  );
  const codes = (plan.body['changes'] as readonly { code: string }[]).map(({ code }) => code);
  assert.equal(codes, [
    'provisioning.pipeline.create',
    'provisioning.connector.create',
    'provisioning.processor.create',
  ]);
  assert.is((await client.post('/v1/pipelines/apply', { config, hash: plan.body['hash'] })).status, 200);
  assert.equal((await client.get('/v1/pipelines/documented')).body['connectorIds'], ['documented:in']);
  const stale = await client.post('/v1/pipelines/apply', { config, hash: plan.body['hash'] });
  assert.equal([stale.status, reasonOf(stale)], [400, 'provisioning.plan_stale']);
  assert.match(metadataOf(stale)['suggestion'] ?? '', /plan again/);
});

test('what is wrong with a document is told with JSON pointers into it; ids stand once', async () => {
  const generator = { type: 'source', plugin: 'builtin:generator' };
  const refusedAt = async (config: object, route = 'plan'): Promise<readonly string[]> => {
    const { body } = await client.post(`/v1/pipelines/${route}`, { config });
    const details: readonly { reason: string; metadata: Record<string, string> }[] = body['details'] ?? [];
    return details.map(({ reason, metadata }) => `${reason} ${metadata['configPath']}`);
  };
  const nameless = { ...generator, id: 'in', processors: [{ id: 'p', plugin: '' }] };
  assert.equal(await refusedAt({ id: 'doc', status: 'on', connectors: [nameless] }), [
    'config.field_invalid /status',
    'config.field_required /connectors/0/processors/0/plugin',
  ]);
  assert.equal(await refusedAt({ connectors: [] }), ['config.field_required /id']);
  const twice = [
    { ...generator, id: 'in' },
    { ...generator, id: 'in' },
  ];
  assert.equal(await refusedAt({ id: 'doc', connectors: twice }), ['config.id_duplicate /connectors/1/id']);
  const unset = { id: 'out', type: 'destination', plugin: 'builtin:file', settings: { 'a/b': '1' } };
  assert.equal(await refusedAt({ id: 'doc', connectors: [unset] }, 'apply'), [
    'config.field_invalid /connectors/0/settings/a~1b',
    'config.field_required /connectors/0/settings/path',
  ]);
});

test('processors are checked as they are made at the start: settings, references, templates, conditions, all at once', async () => {
  const id = await pipelineOf('checked');
  const parent = { type: 'TYPE_PIPELINE', id };
  const post = (plugin: string, settings: Readonly<Record<string, string>>, condition = '') =>
    client.post('/v1/processors', { plugin, parent, condition, config: { settings } });
  const pathsOf = (reply: { readonly body: Readonly<Record<string, unknown>> }): unknown[] => {
    const { details } = reply.body;
    return Array.isArray(details) ? details.map(({ metadata }) => metadata['configPath']) : [];
  };
  const both = await post('field.set', { field: '.Nothing.Like.It', value: '{{ .Key' }, '{{ eq .Metadata.x }');
  assert.is(both.status, 400, JSON.stringify(both.body));
  assert.ok(pathsOf(both).includes('condition'), JSON.stringify(both.body));
  assert.ok(pathsOf(both).some((path) => String(path).startsWith('config.settings')));
  const unset = await post('field.set', { valu: 'x' }, '{{ nothing .Key }}');
  assert.equal([unset.status, reasonOf(unset)], [400, 'config.field_invalid']);
  assert.equal([pathsOf(unset)[0], pathsOf(unset).at(-1)], ['config.settings.valu', 'condition']);
  const avro = await post('avro.decode', {});
  assert.is(avro.status, 200, JSON.stringify(avro.body));
  const wrong = { condition: '{{ end }}', config: { settings: { field: '.Payload.After' } } };
  const update = await client.put(`/v1/processors/${avro.body['id']}`, wrong);
  assert.equal([update.status, pathsOf(update)], [400, ['condition']]);
  assert.equal((await client.delete(`/v1/processors/${avro.body['id']}`)).body, {});
  assert.equal((await client.delete(`/v1/pipelines/${id}`)).body, {});
});

test.run();
