// A server that is killed at any moment while it carries records: what was written is there, nothing is missing, no stored
// position is ahead of what was delivered.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { pollPause } from '../poll-pause.ts';
import { CliProcess } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const count = 1_000;
const kills = 5;

class Server {
  readonly #process: CliProcess;
  #url = '';

  constructor(folder: string) {
    this.#process = new CliProcess(['serve', '--port', '0', '--data', './store'], { folder });
  }

  async ready(): Promise<void> {
    await this.#process.until((out) => out.includes('millrace serve: http://'));
    this.#url = /http:\S+/.exec(this.#process.out)?.[0] ?? '';
  }

  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.#url}${path}`, { method, ...sent });
    const text = await response.text();
    assert.is(response.status, 200, text);
    return JSON.parse(text);
  }

  /** How many records the stored position stands for. */
  async acknowledged(id: string): Promise<number> {
    const { sourceState } = await this.call('GET', `/v1/connectors/${id}`);
    return Number(Buffer.from(String(Object(sourceState).position ?? ''), 'base64').toString());
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#process.kill(signal);
    await this.#process.exit;
  }
}

test('records that are under way when a server is killed are there at least once after it was started again', async () => {
  const { folder } = fixture;
  const path = join(folder, 'out.jsonl');
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  let server = new Server(folder);
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
    server = new Server(folder);
    await server.ready();
    const acknowledged = await server.acknowledged(source);
    assert.ok(acknowledged <= lines().length, `position ${acknowledged} after ${lines().length} lines`);
  }
  while ((await server.acknowledged(source)) < count) await pollPause();
  const numbers = new Set(lines().map((line) => Buffer.from(JSON.parse(line).position, 'base64').toString()));
  assert.is(numbers.size, count);
  await server.end('SIGTERM');
});

test.run();
