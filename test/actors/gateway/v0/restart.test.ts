// Pipelines survive a restart of the server: definition, wish, contents; logs and descriptors have their forms.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

const program = `CREATE TABLE t (x INT) WITH ('materialized' = 'true');`;

async function get(server: TestServer, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}${path}`);
  // SAFETY: every path that is asked here answers with an object.
  return (await response.json()) as Record<string, unknown>;
}

async function untilRunning(server: TestServer): Promise<void> {
  for (;;) {
    const shown = await get(server, '/v0/pipelines/keeps?selector=status');
    assert.is(shown['deployment_error'], null);
    if (shown['deployment_status'] === 'Running') return;
    await pollPause();
  }
}

test('a running pipeline runs again after a restart, with what it held', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  try {
    const first = await startTestServer({ dataFolder });
    await fetch(`${first.url}/v0/pipelines`, {
      method: 'POST',
      body: JSON.stringify({ name: 'keeps', program_code: program }),
    });
    await fetch(`${first.url}/v0/pipelines/keeps/start`, { method: 'POST' });
    await untilRunning(first);
    const pushed = await fetch(
      `${first.url}/v0/pipelines/keeps/ingress/t?format=json&update_format=raw&wait=processed`,
      {
        method: 'POST',
        body: '{"x":7}\n',
      },
    );
    assert.is(pushed.status, 200);
    const log = await fetch(`${first.url}/v0/pipelines/keeps/logs`);
    const { value } = await log.body!.getReader().read();
    assert.match(Buffer.from(value ?? []).toString(), /^[^\n]*Fresh start of pipeline log/);
    await first.close();
    const second = await startTestServer({ dataFolder });
    await untilRunning(second);
    const rows = await fetch(
      `${second.url}/v0/pipelines/keeps/query?format=json&sql=${encodeURIComponent('SELECT * FROM t')}`,
    );
    assert.is((await rows.text()).trim(), '{"x":7}');
    await second.close();
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
});

async function post(server: TestServer, path: string, body?: unknown): Promise<number> {
  const response = await fetch(`${server.url}/v0/pipelines${path}`, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function list(server: TestServer, path: string): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${server.url}/v0/pipelines/keeps${path}`);
  // SAFETY: every path that is asked here answers with a list of objects.
  return (await response.json()) as Record<string, unknown>[];
}

async function firstLogLines(server: TestServer): Promise<{ readonly epoch: string | null; readonly text: string }> {
  const log = await fetch(`${server.url}/v0/pipelines/keeps/logs`);
  const reader = log.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return { epoch: log.headers.get('feldera-logs-epoch'), text: Buffer.from(value ?? []).toString() };
}

test('connectors added and paused while it runs, its events and its log survive a restart of the server', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  const added = { transport: { name: 'datagen', config: { plan: [{ limit: 3 }] } } };
  try {
    const first = await startTestServer({ dataFolder });
    await post(first, '', { name: 'keeps', program_code: program });
    await post(first, '/keeps/start');
    await untilRunning(first);
    const path = `/v0/pipelines/keeps/tables/t/connectors`;
    for (const [name, body] of [
      ['made', added],
      ['gone', added],
      ['held', { ...added, paused: true }],
    ] as const) {
      const put = await fetch(`${first.url}${path}/${name}`, { method: 'PUT', body: JSON.stringify(body) });
      assert.is(put.status, 201, await put.text());
    }
    await fetch(`${first.url}${path}/gone`, { method: 'DELETE' });
    const events = await list(first, '/events');
    const { epoch } = await firstLogLines(first);
    await first.close();

    const second = await startTestServer({ dataFolder });
    await untilRunning(second);
    const stats = await get(second, '/v0/pipelines/keeps/stats');
    // SAFETY: that is what statistics look like.
    const inputs = stats['inputs'] as readonly { readonly endpoint_name: string; readonly paused: boolean }[];
    assert.equal(inputs.map((input) => [input.endpoint_name, input.paused]).sort(), [
      ['t.held', true],
      ['t.made', false],
    ]);
    const ids = (await list(second, '/events')).map((event) => event['event_id']);
    for (const event of events) assert.ok(ids.includes(event['event_id']));
    const log = await firstLogLines(second);
    assert.is(log.epoch, epoch);
    assert.match(log.text, /^[^\n]*Fresh start of pipeline log/);
    assert.match(log.text, /the server has been restarted/);
    await second.close();
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
});

test('connectors see the variables of the runtime configuration', async () => {
  const server = await startTestServer();
  const file = join(server.dataFolder, 'rows.json');
  writeFileSync(file, '{"x":5}\n');
  const connectors = JSON.stringify([
    {
      name: 'f',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference that the server resolves.
      transport: { name: 'file_input', config: { path: '${env:ROWS_FILE}' } },
      format: { name: 'json', config: { update_format: 'raw' } },
    },
  ]);
  const program_code = `CREATE TABLE t (x INT) WITH ('materialized' = 'true', 'connectors' = '${connectors}');`;
  try {
    await post(server, '', { name: 'keeps', program_code, runtime_config: { env: { ROWS_FILE: file } } });
    await post(server, '/keeps/start');
    await untilRunning(server);
    const sql = encodeURIComponent('SELECT * FROM t');
    for (;;) {
      const rows = await (await fetch(`${server.url}/v0/pipelines/keeps/query?format=json&sql=${sql}`)).text();
      if (rows.trim() === '{"x":5}') break;
      assert.is(rows, '');
      await pollPause();
    }
  } finally {
    await server.close();
  }
});

test('counters and errors of HTTP inputs are part of a checkpoint', async () => {
  const server = await startTestServer();
  try {
    await post(server, '', { name: 'keeps', program_code: program });
    await post(server, '/keeps/start');
    await untilRunning(server);
    const ingress = '/keeps/ingress/t?format=json&update_format=raw&wait=processed';
    assert.is(await post(server, ingress, { x: 1 }), 200);
    assert.is(await post(server, ingress, { x: 'no number' }), 400);
    const inputs = async (): Promise<string> => {
      for (;;) {
        const stats = await get(server, '/v0/pipelines/keeps/stats?include_connector_errors=true');
        const text = JSON.stringify(stats['inputs']);
        // What a step has taken leaves the channel a moment later.
        if (!/"buffered_(records|bytes)":[1-9]/.test(text)) return text;
        await pollPause();
      }
    };
    const before = await inputs();
    assert.match(before, /"num_parse_errors":1/);
    await post(server, '/keeps/stop?force=false');
    for (;;) {
      const shown = await get(server, '/v0/pipelines/keeps?selector=status');
      if (shown['deployment_status'] === 'Stopped') break;
      await pollPause();
    }
    await post(server, '/keeps/start');
    await untilRunning(server);
    assert.is(await inputs(), before);
    assert.is(await post(server, ingress, { x: 2 }), 200);
    assert.match(await inputs(), /"total_records":2/);
  } finally {
    await server.close();
  }
});

test.run();
