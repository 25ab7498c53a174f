// A server that is killed at any moment while it carries records: what was written is there, nothing is missing, no stored
// position is ahead of what was delivered.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { pollPause } from '../poll-pause.ts';
import { ServerProcess } from './server-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const count = 1_000;
const kills = 5;

/** How many records the stored position stands for. */
async function acknowledged(server: ServerProcess, id: string): Promise<number> {
  const { sourceState } = await server.call('GET', `/v1/connectors/${id}`);
  return Number(Buffer.from(String(Object(sourceState).position ?? ''), 'base64').toString());
}

test('records that are under way when a server is killed are there at least once after it was started again', async () => {
  const { folder } = fixture;
  const path = join(folder, 'out.jsonl');
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  let server = new ServerProcess({ folder });
  await server.ready();
  const { id: pipelineId } = await server.call('POST', '/v1/pipelines', { config: { name: 'p', description: '' } });
  const connector = async (type: string, plugin: string, settings: object): Promise<string> => {
    const config = { name: type, settings };
    return String((await server.call('POST', '/v1/connectors', { type, plugin, pipelineId, config }))['id']);
  };
  const source = await connector('TYPE_SOURCE', 'builtin:generator', {
    recordCount: String(count),
    rate: '400',
    'format.type': 'structured',
    'format.options.n': 'int',
  });
  await connector('TYPE_DESTINATION', 'builtin:file', { path });
  await server.call('POST', `/v1/pipelines/${pipelineId}/start`, {});
  for (let kill = 0; kill < kills; kill++) {
    // Moments that differ from run to run: a number of lines that is reached somewhere between two writes.
    const enough = Math.min(count, lines().length + 1 + Math.floor(Math.random() * 100));
    while (lines().length < enough) await pollPause();
    await server.end('SIGKILL');
    server = new ServerProcess({ folder });
    await server.ready();
    const position = await acknowledged(server, source);
    assert.ok(position <= lines().length, `position ${position} after ${lines().length} lines`);
  }
  while ((await acknowledged(server, source)) < count) await pollPause();
  const numbers = new Set(lines().map((line) => Buffer.from(JSON.parse(line).position, 'base64').toString()));
  assert.is(numbers.size, count);
  await server.end('SIGTERM');
});

test.run();
