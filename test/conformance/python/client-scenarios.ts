// The official Python client, unmodified, drives `millrace serve`: a version of it through every scenario.
//
// A file for each version, because installing one takes half a minute.
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

/** Defines a test for each scenario; the caller runs them. */
export async function testClient(version: string): Promise<void> {
  const { python, reason } = pythonClient(version);
  test(`Feldera's Python client ${version} can be installed where CI runs`, () => {
    if (process.env['CI'] === 'true') assert.is.not(python, null, reason);
  });
  if (python === null) {
    console.log(`skipped: Feldera's Python client ${version} cannot be installed here: ${reason}`);
    return;
  }
  for (const { name, verdict, detail } of await scenariosOn(python)) {
    const title = `client ${version}: ${name.replaceAll('_', ' ')}`;
    if (verdict === 'skip') test.skip(title);
    else test(title, () => assert.is(verdict, 'ok', detail));
  }
}

async function scenariosOn(python: string): Promise<readonly ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-python-'));
  const server = spawn(process.execPath, [main, 'serve', '--port', '0', '--data', join(folder, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return await runScenarios(python, await addressOf(server), []);
  } finally {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The address stands in the line that says the server is ready. */
async function addressOf(server: ChildProcess): Promise<string> {
  if (server.stdout !== null) {
    for await (const line of createInterface({ input: server.stdout })) {
      const url = /https?:\/\/[\w.:[\]-]+/.exec(line)?.[0];
      if (url !== undefined) return url;
    }
  }
  throw new Error('the server ended before it was ready');
}
