// The official Python client, unmodified, drives `millrace serve`: the pinned version through every scenario, an older one
// through the same.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pythonClient, runScenarios, type ScenarioResult } from './python-client.ts';

const main = fileURLToPath(new URL('../../../main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-python-'));
let server: ChildProcess | null = null;

test.after(() => {
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the server as a user does and reads its address from the line that says it is ready. */
async function serve(): Promise<string> {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--data', join(folder, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /https?:\/\/[\w.:[\]-]+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error('the server ended before it was ready');
}

const versions = ['0.369.0', '0.337.0'] as const;
const clients = versions.map((version) => ({ version, ...pythonClient(version) }));
const missing = clients.filter(({ python }) => python === null);
for (const { version, reason } of missing) {
  console.log(`skipped: Feldera's Python client ${version} cannot be installed here: ${reason}`);
}

test('the official Python client can be installed where CI runs', () => {
  if (process.env['CI'] === 'true') assert.is(missing.length, 0, missing.map(({ reason }) => reason).join('\n'));
});

const results = new Map<string, readonly ScenarioResult[]>();
if (missing.length < clients.length) {
  const url = await serve();
  for (const { version, python } of clients) {
    if (python !== null) results.set(version, await runScenarios(python, url, []));
  }
}
for (const [version, scenarios] of results) {
  for (const { name, verdict, detail } of scenarios) {
    const title = `client ${version}: ${name.replaceAll('_', ' ')}`;
    if (verdict === 'skip') test.skip(title);
    else test(title, () => assert.is(verdict, 'ok', detail));
  }
}

test.run();
