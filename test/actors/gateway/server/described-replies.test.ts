// Replies of a server at work held against /openapi.json: each route of `/v0` and `/v1` that can succeed is called until it
// does, and its body has the keys and types that the document promises, no more and no fewer.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { unlikeDescribed } from './described-reply.ts';
import { type DescribedRoute, describedRoutes } from './security/described-routes.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const program = `
CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, d DECIMAL(10, 2), a INT ARRAY, m MAP<VARCHAR, INT>, at TIMESTAMP)
  WITH ('materialized' = 'true', 'connectors' = '[{"name": "in", "transport":
  {"name": "datagen", "config": {"plan": [{"limit": 5, "fields": {"id": {}}}]}}}]');
CREATE MATERIALIZED VIEW v WITH ('connectors' =
  '[{"name": "out", "transport": {"name": "null_output"}, "format": {"name": "json"}}]')
  AS SELECT id, d FROM t WHERE id > 2;`;

let server: TestServer;
let routes: readonly DescribedRoute[];
let key: string | null = null;
const succeeded = new Set<string>();

test.before(async () => {
  server = await startTestServer();
  routes = await describedRoutes(server.url);
});
test.after(async () => {
  await server.close();
});

interface Answer {
  readonly status: number;
  readonly body: never;
}

/** `route`: as the document spells it; the names in braces are filled in order. */
async function call(line: string, values: readonly string[] = [], body?: unknown, query = ''): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const route = routes.find((each) => each.method === method && each.path === path);
  if (route === undefined) throw new Error(`the document has no ${line}`);
  let at = 0;
  const url = `${server.url}${path.replaceAll(/\{[^}]+\}/g, () => encodeURIComponent(values[at++] ?? ''))}${query}`;
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(url, { method, headers, ...init });
  const type = response.headers.get('content-type') ?? undefined;
  const isStream = /\/(logs|egress|time_series_stream)/.test(path);
  const text = isStream && response.ok ? await firstLine(response) : await response.text();
  const told = `${line}${query} ${values}: ${response.status} ${text.slice(0, 300)}`;
  assert.ok(route.statuses.includes(response.status), told);
  const bodies = route.bodies[response.status] ?? {};
  if (response.ok) {
    assert.equal(unlikeDescribed(bodies, type, text), [], told);
    succeeded.add(line);
  }
  const isJson = type?.startsWith('application/json') === true && text !== '';
  return { status: response.status, body: (isJson ? JSON.parse(text) : null) as never };
}

async function firstLine(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

async function until(wanted: (status: Readonly<Record<string, unknown>>) => boolean): Promise<void> {
  for (;;) {
    const { body } = await call('GET /v0/pipelines/{pipeline_name}', ['p'], undefined, '?selector=status');
    if (wanted(body)) return;
    await pollPause();
  }
}

const p = '/v0/pipelines/{pipeline_name}';

test('what is asked of a pipeline in every state has the schema that the document gives', async () => {
  const described = async (): Promise<void> => {
    for (const selector of ['all', 'status', 'status_with_connectors']) {
      await call(`GET ${p}`, ['p'], undefined, `?selector=${selector}`);
      await call('GET /v0/pipelines', [], undefined, `?selector=${selector}`);
    }
    for (const selector of ['all', 'status']) {
      await call(`GET ${p}/events`, ['p'], undefined, `?selector=${selector}`);
      await call(`GET ${p}/events/{event_id}`, ['p', 'latest'], undefined, `?selector=${selector}`);
    }
  };
  await call('POST /v0/pipelines', [], { name: 'broken', program_code: 'CREATE VIEW x AS SELECT' });
  await call(`GET ${p}`, ['broken']);
  const runtime_config = { dev_tweaks: { now_http_driven: true } };
  await call(`PUT ${p}`, ['p'], { name: 'p', program_code: program });
  await call(`PUT ${p}`, ['p'], { name: 'p', program_code: `${program} `, runtime_config });
  await call(`PATCH ${p}`, ['p'], { description: 'described' });
  await until((status) => status['program_status'] === 'Success');
  await described();
  await call(`POST ${p}/testing`, ['p'], undefined, '?set_platform_version=older');
  await call(`POST ${p}/update_runtime`, ['p']);
  await until((status) => status['program_status'] === 'Success');
  await call(`POST ${p}/start`, ['p']);
  await until((status) => status['deployment_status'] === 'Running');
  await described();
});

test('what is asked of a pipeline that runs has the schema that the document gives', async () => {
  const { body: pushed } = await call(
    `POST ${p}/ingress/{table_name}`,
    ['p', 't'],
    '{"id": 10}',
    '?format=json&update_format=raw',
  );
  await call(`POST ${p}/ingress/{table_name}`, ['p', 't'], '{"id": "no"}', '?format=json&update_format=raw');
  await call(`GET ${p}/completion_status`, ['p'], undefined, `?token=${pushed['token']}`);
  for (const method of ['GET', 'POST'])
    await call(`${method} ${p}/egress/{table_name}`, ['p', 'v'], undefined, '?format=json');
  await call(`GET ${p}/stats`, ['p']);
  await call(`GET ${p}/stats`, ['p'], undefined, '?include_connector_errors=true');
  for (const format of ['json', 'prometheus']) await call(`GET ${p}/metrics`, ['p'], undefined, `?format=${format}`);
  for (const format of ['text', 'json', 'csv', 'parquet', 'arrow_ipc', 'hash']) {
    await call(`GET ${p}/query`, ['p'], undefined, `?sql=SELECT%20id%20FROM%20v%20LIMIT%201&format=${format}`);
  }
  const onTable = `${p}/tables/{table_name}/connectors/{connector_name}`;
  const onView = `${p}/views/{view_name}/connectors/{connector_name}`;
  await call(`GET ${onTable}/stats`, ['p', 't', 'in']);
  await call(`GET ${onView}/stats`, ['p', 'v', 'out']);
  await call(`GET ${onTable}/completion_token`, ['p', 't', 'in']);
  for (const action of ['pause', 'start']) {
    await call(`POST ${onTable}/{action}`, ['p', 't', 'in', action]);
    await call(`POST ${onView}/{action}`, ['p', 'v', 'out', action]);
  }
  const input = { transport: { name: 'datagen', config: { plan: [{ limit: 1, fields: { id: {} } }] } } };
  const output = { transport: { name: 'null_output' }, format: { name: 'json' } };
  for (const [path, relation, definition] of [
    [onTable, 't', input],
    [onView, 'v', output],
  ] as const) {
    assert.is((await call(`PUT ${path}`, ['p', relation, 'more'], definition)).status, 201);
    assert.is((await call(`PUT ${path}`, ['p', relation, 'more'], definition)).status, 200);
    assert.is((await call(`DELETE ${path}`, ['p', relation, 'more'])).status, 200);
  }
  await call(`POST ${p}/clock/advance`, ['p'], { delta_ms: 5 });
  await call(`POST ${p}/start_transaction`, ['p']);
  await call(`GET ${p}/stats`, ['p']);
  await call(`POST ${p}/commit_transaction`, ['p']);
  await call(`POST ${p}/diff`, ['p'], { program_code: `${program} CREATE VIEW w AS SELECT id FROM v;` });
  for (const text of [program, 'CREATE VIEW x AS SELECT']) {
    await call('POST /v0/validate_program', [], { program_code: text, ir: true });
  }
  for (const action of ['pause', 'resume', 'rebalance', 'start_compaction', 'dismiss_error', 'checkpoint']) {
    await call(`POST ${p}/${action}`, ['p']);
  }
  for (;;) {
    const { body } = await call(`GET ${p}/checkpoint_status`, ['p']);
    if (body['success'] !== null) break;
    await pollPause();
  }
  assert.is(Object((await call(`GET ${p}/checkpoints`, ['p'])).body).length, 1);
  await call(`GET ${p}`, ['p'], undefined, '?selector=status');
});

test('a pipeline that is changed behind its checkpoint awaits approval as the document says', async () => {
  await call(`POST ${p}/stop`, ['p'], undefined, '?force=true');
  await until((status) => status['deployment_status'] === 'Stopped');
  await call(`PATCH ${p}`, ['p'], { program_code: `${program} CREATE MATERIALIZED VIEW w AS SELECT id FROM v;` });
  await call(`POST ${p}/start`, ['p'], undefined, '?bootstrap_policy=await_approval');
  await until((status) => status['deployment_status'] === 'AwaitingApproval');
  await call(`POST ${p}/approve`, ['p']);
  await until((status) => status['deployment_status'] === 'Running');
});

test('every other GET route of the document answers as it says', async () => {
  const ids = await records();
  const values = (path: string): readonly string[] =>
    [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => ids(path, name));
  for (const { method, path } of routes) {
    if (method === 'GET' && !succeeded.has(`GET ${path}`)) await call(`GET ${path}`, values(path));
  }
});

const generator = {
  plugin: 'builtin:generator',
  config: { name: 'g', settings: { 'format.type': 'raw', 'format.options.id': 'int', recordCount: '1' } },
};
const ids = { relay: '', connector: '', processor: '' };

/** Makes something of everything that has an id or a name, and returns what a path needs. */
async function records(): Promise<(path: string, name: string) => string> {
  // From here on callers have to say who they are.
  const { body: made } = await call('POST /v0/api_keys', [], { name: 'all', role: 'admin' });
  key = String(made['api_key']);
  const { body: relay } = await call('POST /v1/pipelines', [], { config: { name: 'relay' } });
  ids.relay = String(relay['id']);
  const source = { type: 'TYPE_SOURCE', pipelineId: ids.relay, ...generator };
  ids.connector = String((await call('POST /v1/connectors', [], source)).body['id']);
  const processor = {
    plugin: 'field.set',
    parent: { type: 'TYPE_PIPELINE', id: ids.relay },
    config: { settings: { field: '.Key', value: 'x' }, workers: 1 },
  };
  ids.processor = String((await call('POST /v1/processors', [], processor)).body['id']);
  return (path, name) => {
    if (name === 'pipeline_name') return 'p';
    if (name === 'api_key_name') return 'all';
    if (name === 'event_id') return 'latest';
    if (name === 'tenant_id') return 'default';
    if (path.startsWith('/v1/pipelines/')) return ids.relay;
    if (path.startsWith('/v1/connectors/')) return ids.connector;
    if (path.startsWith('/v1/processors/')) return ids.processor;
    return 'none';
  };
}

test('every other route that can succeed does, and answers as the document says', async () => {
  const config = { settings: { field: '.Key', value: 'y' }, workers: 2 };
  await call('PUT /v1/processors/{id}', [ids.processor], { plugin: 'field.set', config });
  await call('PUT /v1/connectors/{id}', [ids.connector], { plugin: generator.plugin, config: generator.config });
  await call('POST /v1/connectors/validate', [], { type: 'TYPE_SOURCE', ...generator });
  const queue = {
    plugin: 'builtin:file',
    settings: { path: join(server.dataFolder, 'letters') },
    windowSize: 2,
    windowNackThreshold: 1,
  };
  await call('PUT /v1/pipelines/{id}/dead-letter-queue', [ids.relay], queue);
  await call('PUT /v1/pipelines/{id}', [ids.relay], { config: { name: 'relay', description: 'd' } });
  const type = 'TYPE_DESTINATION';
  const log = { type, plugin: 'builtin:log', pipelineId: ids.relay, config: { name: 'l', settings: {} } };
  await call('POST /v1/connectors', [], log);
  await call('POST /v1/pipelines/{id}/start', [ids.relay]);
  for (;;) {
    const { body } = await call('GET /v1/pipelines/{id}', [ids.relay]);
    if (Object(body['state']).status === 'STATUS_RUNNING') break;
    assert.is.not(Object(body['state']).status, 'STATUS_DEGRADED');
    await pollPause();
  }
  await call('GET /v1/pipelines/{id}/dead-letter-queue/records', [ids.relay]);
  await call('POST /v1/pipelines/{id}/dead-letter-queue/replay', [ids.relay]);
  await call('POST /v1/pipelines/{id}/stop', [ids.relay], { force: true });
  await call('DELETE /v1/processors/{id}', [ids.processor]);
  for (const { id } of (await call('GET /v1/connectors', [], undefined, `?pipelineId=${ids.relay}`)).body as readonly {
    readonly id: string;
  }[]) {
    await call('DELETE /v1/connectors/{id}', [id]);
  }
  await call('DELETE /v1/pipelines/{id}', [ids.relay]);
  for (const path of ['plan', 'apply']) await call(`POST /v1/pipelines/${path}`, [], { config: { id: 'document' } });
  await call(`POST ${p}/stop`, ['p'], undefined, '?force=true');
  await until((status) => status['deployment_status'] === 'Stopped');
  await call(`POST ${p}/clear`, ['p']);
  await until((status) => status['storage_status'] === 'Cleared');
  await call(`DELETE ${p}`, ['p']);
  await call(`POST ${p}/shutdown`, ['broken']);
  await call('DELETE /v0/api_keys/{api_key_name}', ['all']);
  const missing = routes.map(({ method, path }) => `${method} ${path}`).filter((line) => !succeeded.has(line));
  assert.equal(missing.sort(), refused);
});

/** Routes that say why they are refused, and the one that needs a plugin which does not answer. */
const refused: readonly string[] = [
  'DELETE /v0/oidc_trust/{name}',
  'DELETE /v0/tenant/users/{user_id}',
  'DELETE /v0/tenants/{tenant_id}',
  'DELETE /v1/connectors/deletions/{id}',
  'GET /v0/oidc_trust/{name}',
  'GET /v0/pipelines/{pipeline_name}/heap_profile',
  'GET /v0/pipelines/{pipeline_name}/samply_profile',
  'PATCH /v0/tenants/{tenant_id}',
  'POST /v0/oidc_trust',
  'POST /v0/pipelines/{pipeline_name}/activate',
  'POST /v0/pipelines/{pipeline_name}/checkpoint/sync',
  'POST /v0/pipelines/{pipeline_name}/samply_profile',
  'POST /v0/tenant/users',
  'POST /v0/tenants',
  'POST /v1/pipelines/import',
  'POST /v1/pipelines/{id}/export',
  'PUT /v0/tenant/users/{user_id}',
];

test.run();
