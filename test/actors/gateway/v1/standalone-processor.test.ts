// A processor that is a WebAssembly module, under a server: listed, checked when it is made, run in a pipeline, with a condition.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { markProcessor } from '../../../plugins/probe-plugin.ts';
import { startTestServer } from '../server/test-server.ts';
import { reasonOf, v1Client } from './v1-client.ts';

const mark = await markProcessor();
const title = 'a WebAssembly module of the folder of processors is a processor like any other';
if ('path' in mark) test(title, () => run(mark.path));
else test.skip(`${title} (skipped: ${mark.missing})`, () => {});

async function run(path: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-standalone-'));
  const processorsFolder = join(folder, 'processors');
  mkdirSync(processorsFolder);
  copyFileSync(path, join(processorsFolder, 'mark.wasm'));
  const server = await startTestServer({ processorsFolder });
  try {
    const { get, post } = v1Client(server.url);
    const listed = await get('/v1/processors/plugins?name=standalone:.*');
    const names: readonly { readonly name: string }[] = listed.body;
    assert.equal(
      names.map(({ name }) => name),
      ['standalone:test.mark@v0.2.0'],
    );
    const { id: pipelineId }: { readonly id: string } = (await post('/v1/pipelines', { config: { name: 'p' } })).body;
    const parent = { type: 'TYPE_PIPELINE', id: pipelineId };
    const made = async (plugin: string, settings: object, condition = ''): ReturnType<typeof post> =>
      await post('/v1/processors', { plugin, parent, config: { settings, workers: 1 }, condition });
    assert.is(reasonOf(await made('standalone:test.mrk', {})), 'processor.plugin_not_found');
    const refused = await made('test.mark', { makr: 'm', limit: '0' });
    assert.is(refused.status, 400);
    const details: readonly { readonly metadata: { readonly configPath: string } }[] = refused.body['details'];
    assert.equal(details.map(({ metadata }) => metadata.configPath).sort(), [
      'config.settings.limit',
      'config.settings.makr',
      'config.settings.mark',
    ]);
    const condition = '{{ eq .Metadata.do "" | not }}';
    assert.is((await made('standalone:test.mark@v0.2.0', { mark: 'first' })).status, 200);
    assert.is((await made('test.mark', { mark: 'second' }, condition)).status, 200);
    const [input, output] = [join(folder, 'in'), join(folder, 'out')];
    copyFileSync(new URL(import.meta.url), input);
    const connector = async (type: string, settings: object): Promise<void> => {
      const config = { name: type, settings };
      assert.is((await post('/v1/connectors', { type, plugin: 'builtin:file', pipelineId, config })).status, 200);
    };
    await connector('TYPE_SOURCE', { path: input });
    await connector('TYPE_DESTINATION', { path: output });
    assert.is((await post(`/v1/pipelines/${pipelineId}/start`)).status, 200);
    const lines = readFileSync(input, 'utf8').trimEnd().split('\n');
    const written = (): readonly string[] => {
      try {
        return readFileSync(output, 'utf8').trimEnd().split('\n');
      } catch {
        return [];
      }
    };
    while (written().length < lines.length) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is((await post(`/v1/pipelines/${pipelineId}/stop`)).status, 200);
    const records = written().map((line) => JSON.parse(line));
    assert.equal(
      records.map(({ payload }) => Buffer.from(payload.after, 'base64').toString()),
      lines,
    );
    assert.equal(records.at(-1)?.metadata.seen, String(lines.length));
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

test.run();
