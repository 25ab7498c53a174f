// What one server says of tenants, identity providers and object stores, and profiles and support bundles of a pipeline.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

let server: TestServer;

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return await fetch(`${server.url}/v0${path}`, { method, ...init });
}

async function until(key: string, value: string): Promise<void> {
  for (;;) {
    const shown: unknown = await (await ask('GET', '/pipelines/p?selector=status')).json();
    if (Object(shown)[key] === value) return;
    await pollPause();
  }
}

test.before(async () => {
  server = await startTestServer();
  const program_code = "CREATE TABLE t (x INT) WITH ('materialized' = 'true');";
  await ask('POST', '/pipelines', { name: 'p', program_code });
  await ask('POST', '/pipelines/p/start');
  await until('deployment_status', 'Running');
});

test.after(() => server.close());

test('there is one tenant, and another one is refused by name', async () => {
  const [tenant] = (await (await ask('GET', '/tenants')).json()) as { id: string; name: string }[];
  assert.is(tenant?.name, 'default');
  assert.equal(await (await ask('GET', `/tenants/${tenant?.id}`)).json(), tenant);
  assert.is((await ask('GET', '/tenants/other')).status, 404);
  const refused = await ask('POST', '/tenants', { name: 'other' });
  assert.is(refused.status, 501);
  assert.is(Object(await refused.json()).error_code, 'UnsupportedFeature');
  for (const path of ['/tenant/users', '/oidc_trust', '/config/owners']) {
    assert.equal(await (await ask('GET', path)).json(), [], path);
  }
});

test('no checkpoint is in an object store, and none is sent there', async () => {
  assert.equal(await (await ask('GET', '/pipelines/p/checkpoints/remote')).json(), []);
  assert.is(Object(await (await ask('GET', '/pipelines/p/checkpoint/sync_status')).json()).success, null);
  assert.is((await ask('POST', '/pipelines/p/checkpoint/sync')).status, 501);
  assert.is((await ask('POST', '/pipelines/q/checkpoint/sync')).status, 404);
});

test('a profile is the plan with the counters of the engine, streamed; two of an idle pipeline agree', async () => {
  const first = await ask('GET', '/pipelines/p/circuit_json_profile');
  assert.is(first.headers.get('transfer-encoding'), 'chunked');
  const profile: unknown = await first.json();
  assert.type(Object(profile).engine.steps, 'number');
  assert.ok(Object(profile).dataflow !== null);
  assert.equal(await (await ask('GET', '/pipelines/p/circuit_json_profile')).json(), profile);
  const packed = Buffer.from(await (await ask('GET', '/pipelines/p/circuit_profile')).arrayBuffer());
  assert.is(packed.subarray(0, 4).toString('latin1'), 'PK\u0003\u0004');
  for (const action of ['rebalance', 'start_compaction']) {
    assert.is((await ask('POST', `/pipelines/p/${action}`)).status, 200, action);
  }
  assert.is((await ask('POST', '/pipelines/p/samply_profile')).status, 501);
});

test('a support bundle says at its top what it is, whatever is left out', async () => {
  const parts = ['logs', 'stats', 'metrics', 'pipeline_config', 'system_config', 'dataflow_graph', 'pipeline_events'];
  const without = [...parts, 'circuit_profile'].map((part) => `${part}=false`).join('&');
  const names = async (query: string): Promise<string> => {
    const bytes = await (await ask('GET', `/pipelines/p/support_bundle?${query}`)).arrayBuffer();
    // Names stand as they are in front of each entry and in the list at the end.
    return Buffer.from(bytes).toString('latin1');
  };
  const least = await names(without);
  assert.match(least, /metadata\.json/);
  assert.match(least, /metadata\.txt/);
  assert.is(Buffer.from(least, 'latin1').readUInt16LE(least.lastIndexOf('PK\u0005\u0006') + 10), 2);
  assert.match(await names(''), /circuit_profile\.json/);
});

test('the way older clients shut a pipeline down ends with nothing stored', async () => {
  assert.is((await ask('POST', '/pipelines/p/shutdown')).status, 202);
  await until('deployment_status', 'Stopped');
  await until('storage_status', 'Cleared');
  assert.is((await ask('DELETE', '/pipelines/p')).status, 200);
});

test.run();
