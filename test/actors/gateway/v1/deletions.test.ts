// Deleted connectors that cannot be told of it: tried again while the server runs, listed with why, given up by a call.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';
import { reasonOf, type V1Client, v1Client } from './v1-client.ts';

let server: TestServer;
let client: V1Client;
let folder: string;
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-v1-deletions-'));
  const modulesFolder = join(folder, 'modules');
  mkdirSync(modulesFolder);
  const trial = new URL('../../../relay/trial-connectors.js', import.meta.url).href;
  writeFileSync(join(modulesFolder, 'trial.mjs'), `export * from '${trial}';\n`);
  server = await startTestServer({ modulesFolder });
  client = v1Client(server.url);
});
test.after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Owed {
  readonly connectorId: string;
  readonly pipelineId: string;
  readonly attempts: number;
  readonly error: string;
}

const owed = async (): Promise<readonly Owed[]> => (await client.get('/v1/connectors/deletions')).body;

/** What a connector has been called to do. */
const calls = (name: string): readonly string[] => readFileSync(join(folder, name), 'utf8').split('\n');

/** A source that has run, and is deleted. */
async function deleted(name: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const { body: pipeline } = await client.post('/v1/pipelines', { config: { name } });
  const id: string = pipeline['id'];
  const add = async (type: string, plugin: string, given: object): Promise<string> => {
    const config = { name: type, settings: given };
    const made = await client.post('/v1/connectors', { type, plugin, pipelineId: id, config });
    assert.is(made.status, 200, JSON.stringify(made.body));
    return made.body['id'];
  };
  const source = await add('TYPE_SOURCE', 'builtin:trial', { log: join(folder, name), ...settings });
  writeFileSync(join(folder, name), '');
  await add('TYPE_DESTINATION', 'builtin:file', { path: join(folder, `${name}.out`) });
  assert.is((await client.post(`/v1/pipelines/${id}/start`, {})).status, 200);
  while (!calls(name).some((call) => call.startsWith('open'))) await pollPause();
  assert.is((await client.post(`/v1/pipelines/${id}/stop`, {})).status, 200);
  assert.is((await client.delete(`/v1/connectors/${source}`)).status, 200);
  return source;
}

test('one that could not be told is told again while the server runs, once it can be', async () => {
  await deleted('again', { fail: 'onDeleted', fail_times: '1' });
  while ((await owed()).length > 0) await pollPause();
  assert.is(calls('again').filter((call) => call.startsWith('onDeleted')).length, 2);
});

test('one that never can be is given up by a call', async () => {
  const id = await deleted('never', { fail: 'onDeleted' });
  const [first, ...others] = await owed();
  assert.equal([first?.connectorId, others], [id, []]);
  assert.ok((first?.attempts ?? 0) >= 1);
  assert.match(first?.error ?? '', 'onDeleted fails as it was told to');
  assert.equal((await client.delete(`/v1/connectors/deletions/${id}`)).body, {});
  assert.equal(await owed(), []);
  const again = await client.delete(`/v1/connectors/deletions/${id}`);
  assert.equal([again.status, reasonOf(again)], [404, 'connector.instance_not_found']);
});

test('a connector whose table has gone with its pipeline is told, too', async () => {
  const transport = { name: 'datagen', config: { plan: [{ limit: 3, fields: { id: { range: [5, 9] } } }] } };
  const connectors = JSON.stringify([{ name: 'c', transport }]);
  const program = `CREATE TABLE t (id INT) WITH ('connectors' = '${connectors}');`;
  assert.is((await client.put('/v0/pipelines/gone', { name: 'gone', program_code: program })).status, 201);
  const status = async (): Promise<string> => JSON.stringify((await client.get('/v0/pipelines/gone')).body);
  const until = async (text: string): Promise<void> => {
    while (!(await status()).includes(text)) await pollPause();
  };
  await until('"program_status":"Success"');
  assert.is((await client.post('/v0/pipelines/gone/start', {})).status, 202);
  await until('"deployment_status":"Running"');
  assert.is((await client.post('/v0/pipelines/gone/stop?force=true', {})).status, 202);
  await until('"deployment_status":"Stopped"');
  assert.is((await client.post('/v0/pipelines/gone/clear', {})).status, 202);
  await until('"storage_status":"Cleared"');
  assert.is((await client.delete('/v0/pipelines/gone')).status, 200);
  while ((await owed()).length > 0) await pollPause();
});

test.run();
