// Dead letters of a server: listed and replayed by the command line, and through a server that is killed in the middle.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { pollPause } from '../poll-pause.ts';
import { called } from './called-command.ts';
import type { Exit } from './cli-process.ts';
import { ServerProcess } from './server-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const count = 60;

test('a replay that a killed server has broken off goes on behind what was delivered, and loses nothing', async () => {
  const { folder } = fixture;
  const lines = (name: string): string[] => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  };
  const numbers = (name: string): number[] =>
    lines(name).map((line) => Number(Buffer.from(JSON.parse(line).position, 'base64').toString()));
  const started = (): ServerProcess => new ServerProcess({ folder, secondsMax: 110 });
  let server = started();
  const cli = (...args: readonly string[]): Promise<Exit> => called([...args, '--url', server.url], { folder });
  await server.ready();
  const { id } = await server.call('POST', '/v1/pipelines', { config: { name: 'letters', description: '' } });
  const pipeline = `/v1/pipelines/${id}`;
  const connector = async (type: string, plugin: string, settings: object): Promise<void> => {
    await server.call('POST', '/v1/connectors', { type, plugin, pipelineId: id, config: { name: type, settings } });
  };
  await connector('TYPE_SOURCE', 'builtin:generator', {
    recordCount: String(count),
    'format.type': 'structured',
    'format.options.n': 'int',
  });
  await connector('TYPE_DESTINATION', 'builtin:file', { path: join(folder, 'out.jsonl'), 'sdk.rate.perSecond': '40' });
  await server.call('PUT', `${pipeline}/dead-letter-queue`, {
    plugin: 'builtin:file',
    settings: { path: join(folder, 'letters.jsonl') },
    windowSize: '0',
  });
  const processor = await server.call('POST', '/v1/processors', {
    plugin: 'error',
    parent: { type: 'TYPE_PIPELINE', id },
    config: { settings: { message: 'not yet' } },
  });
  await server.call('POST', `${pipeline}/start`, {});
  const runs = async (): Promise<void> => {
    const status = async (): Promise<unknown> => Object((await server.call('GET', pipeline))['state']).status;
    while ((await status()) !== 'STATUS_RUNNING') await pollPause();
  };
  const waiting = async (): Promise<unknown> =>
    (await server.call('GET', `${pipeline}/dead-letter-queue/records`))['waiting'];
  while ((await waiting()) !== count) await pollPause();
  const listed = await cli('dlq', 'list', 'letters', '--json', '--limit', '2');
  const shown: { readonly error: string; readonly record: { readonly operation: string } }[] = listed.out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  assert.equal(
    shown.map(({ error, record }) => [error.includes('not yet'), record.operation]),
    [
      [true, 'create'],
      [true, 'create'],
    ],
  );
  const table = (await cli('dlq', 'list', 'letters', '--limit', '1')).out.split('\n');
  assert.match(table[2] ?? '', /not yet$/);
  await server.call('POST', `${pipeline}/stop`, {});
  const refused = await cli('dlq', 'replay', 'letters');
  assert.is(refused.code, 1);
  assert.match(refused.err, /pipeline\.not_running/);
  await server.call('DELETE', `/v1/processors/${processor['id']}`);
  await server.call('POST', `${pipeline}/start`, {});
  await runs();
  await server.call('POST', `${pipeline}/dead-letter-queue/replay`);
  while (lines('out.jsonl').length < 5) await pollPause();
  await server.end('SIGKILL');
  server = started();
  await server.ready();
  const left = Number(await waiting());
  // None are when this test was kept waiting for as long as all of them take.
  assert.ok(left >= 0 && left <= count, `${left} letters are left`);
  assert.ok(count - left <= lines('out.jsonl').length, 'what is no longer waiting was delivered');
  await runs();
  const replayed = await cli('dlq', 'replay', 'letters', '--json');
  assert.is(replayed.code, 0, replayed.err);
  const { state, replayed: letters, waiting: still } = JSON.parse(replayed.out);
  assert.equal([state, letters, still], ['done', left, 0]);
  const delivered = numbers('out.jsonl');
  assert.equal(
    [...new Set(delivered)],
    Array.from({ length: count }, (_, i) => i + 1),
  );
  // Each of the two parts is in order.
  assert.ok(delivered.filter((number, i) => i > 0 && number <= (delivered[i - 1] ?? 0)).length <= 1, delivered.join());
  await server.end('SIGTERM');
});

test.run();
