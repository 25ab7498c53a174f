// Routes over a real server: replacing connectors, plans, support bundles, sessions, statistics, refused actions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

const program = `
CREATE TABLE t (x INT) WITH ('connectors' = '[{"name": "five", "transport":
  {"name": "datagen", "config": {"plan": [{"limit": 5}]}}, "format": {"name": "json"}}]');
CREATE MATERIALIZED VIEW v AS SELECT x + 1 AS y, COUNT(*) AS n FROM t WHERE x > 2 GROUP BY x + 1;`;
const rows = (limit: number) => ({ name: 'datagen', config: { plan: [{ limit }] } });

let server: TestServer;

const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: never }> => {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${server.url}${path}`, { method, ...init });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as never };
};

test.before(async () => {
  server = await startTestServer();
  await call('PUT', '/v0/pipelines/p', { name: 'p', program_code: program });
  await call('POST', '/v0/pipelines/p/start');
  for (;;) {
    const { body } = await call('GET', '/v0/pipelines/p?selector=status');
    assert.is(body['deployment_error'], null);
    if (body['deployment_status'] === 'Running') return;
    await pollPause();
  }
});
test.after(async () => {
  await server.close();
});

test('a connector that is refused leaves the one that it was to replace', async () => {
  const path = '/v0/pipelines/p/tables/t/connectors';
  assert.is((await call('PUT', `${path}/a`, { labels: ['a'], transport: rows(1) })).status, 201);
  const waits = { labels: ['b'], start_after: ['a'], transport: rows(1) };
  assert.is((await call('PUT', `${path}/b`, waits)).status, 201);
  const circle = await call('PUT', `${path}/a`, { labels: ['a'], start_after: ['b'], transport: rows(1) });
  assert.is(circle.status, 409);
  assert.match(circle.body['message'], /connector 't\.b'.*connector 't\.a'/);
  assert.is((await call('GET', `${path}/a/stats`)).status, 200);
  assert.is((await call('PUT', `${path}/b`, { labels: ['b'], transport: rows(2) })).status, 200);
});

test('generated integers count as eight bytes each, and a format beside them is ignored', async () => {
  for (;;) {
    const { body } = await call('GET', '/v0/pipelines/p/tables/t/connectors/five/stats');
    const metrics = Object(body['metrics']);
    // Records and bytes are counted one after the other.
    if (metrics.total_records < 5 || metrics.total_bytes < 40) {
      await pollPause();
      continue;
    }
    assert.is(metrics.total_bytes, 40);
    return;
  }
});

test('statistics tell of processor, memory and when the run began', async () => {
  const { body } = await call('GET', '/v0/pipelines/p/stats');
  const metrics = Object(body['global_metrics']);
  assert.ok(metrics.cpu_msecs > 0);
  assert.ok(['low', 'moderate', 'high', 'critical'].includes(metrics.memory_pressure));
  assert.ok(metrics.initial_start_time > 0);
});

test('a plan names the nodes of each view, with their inputs', async () => {
  const { body } = await call('GET', '/v0/pipelines/p/dataflow_graph');
  const rels = Object(body['calcite_plan']).v.rels as { relOp: string; inputs: number[]; predicate?: string }[];
  assert.equal(
    rels.map(({ relOp }) => relOp),
    ['scan', 'filter', 'aggregate', 'project'],
  );
  assert.is(rels[1]?.predicate, 'x > 2');
  assert.equal(rels[2]?.inputs, [1]);
  const validated = await call('POST', '/v0/validate_program', { program_code: program, ir: true });
  assert.equal(Object(validated.body)['Success'].program_info.dataflow, body);
});

test('a support bundle is a ZIP file without the parts that are not wanted', async () => {
  const response = await fetch(`${server.url}/v0/pipelines/p/support_bundle?logs=false`);
  assert.is(response.headers.get('content-type'), 'application/zip');
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  for (const name of ['pipeline_config.json', 'stats.json', 'metrics.txt', 'dataflow_graph.json']) {
    assert.ok(text.includes(name), name);
  }
  assert.not.ok(text.includes('logs.txt'));
});

test('without keys everybody is the owner and nobody has to say who he is', async () => {
  assert.is((await call('GET', '/v0/config/session')).body['role'], 'owner');
  assert.equal((await call('GET', '/config/authentication')).body, {});
});

test('actions of states that do not exist here are refused', async () => {
  assert.is((await call('POST', '/v0/pipelines/p/approve')).body['error_code'], 'IllegalPipelineAction');
  assert.is((await call('POST', '/v0/pipelines/p/clock/advance')).body['error_code'], 'ClockNotHttpDriven');
});

test.run();
