// Connectors of modules of the server's folder, over `/v0`: what a pause does not wait for, and what they are told when a pipeline is deleted.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../../cli/cli-process.ts';
import { pollPause } from '../../../poll-pause.ts';

const own = suite('own connectors of a server');
const folder = mkdtempSync(join(tmpdir(), 'millrace-own-'));
const sdk = new URL('../../../../connector.js', import.meta.url).href;
mkdirSync(join(folder, 'modules'));
writeFileSync(
  join(folder, 'modules', 'gate.mjs'),
  `import { appendFileSync, existsSync } from 'node:fs';
   import { defineDestination } from '${sdk}';
   // Its flush waits until there is a file.
   export const gate = defineDestination({
     name: 'gate', summary: 'A gate.', format: 'required',
     parameters: [{ name: 'file', type: { kind: 'string' }, required: true, description: 'The file.' }],
     create: ({ file }, { endpoint, pipeline, clock }) => ({
       open: async () => {},
       write: async () => {},
       flush: async () => {
         while (!existsSync(file)) await new Promise((resolve) => clock.after(10, resolve));
       },
       onCreated: async () => appendFileSync(file + '.told', 'created ' + pipeline + ' ' + endpoint + '\\n'),
       onDeleted: async () => appendFileSync(file + '.told', 'deleted ' + pipeline + ' ' + endpoint + '\\n'),
     }),
   });`,
);
const serve = new CliProcess(['serve', '--port', '0', '--data', 'data', '--connectors', 'modules'], {
  folder,
  secondsMax: secondsOfFileMax,
});
await serve.until((out) => /http:\S+/.test(out));
const url = /http:\S+/.exec(serve.out)?.[0] ?? '';
own.after(async () => {
  serve.kill('SIGTERM');
  await serve.exit;
  rmSync(folder, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: object | string): Promise<string> {
  const isText = typeof body === 'string';
  const headers = { 'content-type': isText ? 'text/plain' : 'application/json' };
  const given = body === undefined ? {} : { headers, body: isText ? body : JSON.stringify(body) };
  const response = await fetch(`${url}/v0/pipelines/${path}`, { method, ...given });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text;
}

async function shows(name: string, status: string): Promise<void> {
  while (!(await call('GET', `${name}?selector=status`)).includes(`:"${status}"`)) await pollPause();
}

own(
  'a pause is answered while a checkpoint waits for an output, and the checkpoint is stored when that gets on',
  async () => {
    const file = join(folder, 'open');
    const connectors = JSON.stringify([
      { name: 'c', transport: { name: 'gate', config: { file } }, format: { name: 'csv' } },
    ]);
    const program = `CREATE TABLE t (x BIGINT); CREATE VIEW v WITH ('connectors' = '${connectors}') AS SELECT x FROM t;`;
    const runtime = { fault_tolerance: { model: 'at_least_once', checkpoint_interval_secs: 3600 } };
    await call('PUT', 'gated', { name: 'gated', program_code: program, runtime_config: runtime });
    await shows('gated', 'Success');
    await call('POST', 'gated/start');
    await shows('gated', 'Running');
    await call('POST', 'gated/ingress/t?format=csv', '1\n');
    while (JSON.parse(await call('GET', 'gated/stats')).global_metrics.total_processed_records < 1) await pollPause();
    await call('POST', 'gated/checkpoint');
    await call('POST', 'gated/pause');
    await shows('gated', 'Paused');
    const status = (): Promise<{ success: number | null; failure: unknown }> =>
      call('GET', 'gated/checkpoint_status').then((text) => JSON.parse(text));
    assert.equal(await status(), { success: null, failure: null });
    await call('POST', 'gated/resume');
    await call('POST', 'gated/pause');
    writeFileSync(file, '');
    while ((await status()).success === null) await pollPause();
    assert.is((await status()).failure, null);
  },
);

own('a connector of a module is told when its pipeline is deleted', async () => {
  const told = join(folder, 'open.told');
  assert.is(readFileSync(told, 'utf8'), 'created gated v.c\n');
  await call('POST', 'gated/stop?force=true');
  await shows('gated', 'Stopped');
  await call('POST', 'gated/clear');
  await shows('gated', 'Cleared');
  await call('DELETE', 'gated');
  while (!readFileSync(told, 'utf8').includes('deleted')) await pollPause();
  assert.is(readFileSync(told, 'utf8'), 'created gated v.c\ndeleted gated v.c\n');
  assert.ok(existsSync(told));
});

own.run();
