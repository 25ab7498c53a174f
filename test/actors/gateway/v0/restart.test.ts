// Pipelines survive a restart of the server: definition, wish, contents; logs and descriptors have their forms.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

test.run();
