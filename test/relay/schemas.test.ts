// Records that a plugin has encoded with schemas of the host, through processors and into a built-in destination and a table. Needs the plugin
// on the Go SDK, which attaches schemas unless it is told not to.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectorPlugins } from '../../actors/gateway/hosting/connector-plugins.ts';
import type { RelayProcessor } from '../../actors/relay-definition.ts';
import { registry } from '../../connectors/registry.ts';
import { systemClock } from '../../runtime/clock.ts';
import { makeLog } from '../../runtime/log.ts';
import { probePlugin } from '../plugins/probe-plugin.ts';
import { eventually, RelayFixture, type Settings } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('schemas of records');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const tool = await probePlugin();
const records = 12;

interface Written {
  readonly metadata: Readonly<Record<string, string>>;
  readonly key: unknown;
  readonly payload: { readonly before: unknown; readonly after: unknown };
}

function pluginsOf(fixture: RelayFixture, folder: string): ConnectorPlugins {
  return new ConnectorPlugins({
    loadRegistry: async () => registry,
    version: '1.0.0',
    clock: systemClock,
    log: makeLog('test', systemClock.now, () => {}),
    baseFolder: fixture.folder,
    folder,
    modulesFolder: null,
    processorsFolder: null,
    deadLetterFolder: null,
    cacheFile: null,
    schemas: { schemas: async () => [], putSchema: async () => {} },
    journalOf: () => fixture.journal,
  });
}

/** What the built-in file destination writes of what the plugin reads, line by line; and as JSON, which rounds large integers. */
async function through(
  fixture: RelayFixture,
  path: string,
  processors: readonly RelayProcessor[],
  settings: Settings = {},
): Promise<{ readonly lines: readonly string[]; readonly written: readonly Written[] }> {
  const folder = join(fixture.folder, 'connectors');
  mkdirSync(folder);
  copyFileSync(path, join(folder, 'probe'));
  const plugins = pluginsOf(fixture, folder);
  const out = join(fixture.folder, 'out.jsonl');
  await plugins.loaded();
  const plugin = `standalone:${plugins.list().find(({ kind }) => kind === 'standalone')?.name}`;
  const source = { ...fixture.source({}, 'p:in'), plugin, settings: { count: String(records), payload: 'structured' } };
  const destination = { ...fixture.destination({}, 'p:out', 'builtin:file'), settings: { path: out, ...settings } };
  const definition = fixture.definition([source, destination], { processors });
  const parts = await plugins.partsOf('p', definition);
  const pipeline = await fixture.open(definition, parts.request);
  await pipeline.start();
  const lines = (): string[] => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').slice(0, -1) : []);
  await eventually(() => lines().length >= records || pipeline.status.state === 'failed');
  assert.is(pipeline.status.error, null);
  await pipeline.stop();
  parts.release();
  await plugins.close();
  return { lines: lines(), written: lines().map((line) => JSON.parse(line)) };
}

function processor(plugin: string, settings: Settings = {}): RelayProcessor {
  return { id: `p:${plugin}`, plugin, settings, condition: '', workers: 1 };
}

const base64 = (...bytes: readonly number[]): string => Buffer.from(bytes).toString('base64');
/** The data of a record, without how it is written. */
const members = (n: number, side: 'before' | 'after'): string[] => [
  `"big":${BigInt(n) + (side === 'after' ? 2n ** 62n : -(2n ** 62n))}`,
  `"bytes":"${base64(side === 'after' ? 255 : 0, n)}"`,
  side === 'after' ? '"text":"日本"' : '"text":"żółć"',
];

function holdsEveryValue(line: string, n: number): void {
  for (const part of [...members(n, 'before'), ...members(n, 'after')])
    assert.ok(line.includes(part), `${part} in ${line}`);
}

if ('missing' in tool) {
  console.log(`skipped: ${tool.missing}`);
  test.skip('schemas', () => {});
} else {
  const { path } = tool;
  test('a built-in destination decodes what the plugin has encoded, every integer and byte', async ({ fixture }) => {
    const { lines, written } = await through(fixture, path, []);
    assert.is(lines.length, records);
    lines.forEach(holdsEveryValue);
    written.forEach(({ key, metadata }, n) => {
      assert.equal(key, { n });
      assert.is(metadata['opencdc.payload.schema.version'], '1');
    });
  });

  test('processors see decoded data, and what is behind them is encoded again', async ({ fixture }) => {
    const off = { 'sdk.schema.extract.payload.enabled': 'false', 'sdk.schema.extract.key.enabled': 'false' };
    const direct = await through(fixture, path, [], off);
    await fixture.cleanUp();
    const other = new RelayFixture();
    const passed = await through(other, path, [processor('field.set', { field: '.Metadata.x', value: 'y' })], off);
    await other.cleanUp();
    const payloads = (all: readonly Written[]): unknown[] => all.map(({ key, payload }) => [key, payload]);
    assert.type(direct.written[0]?.payload.after, 'string');
    assert.equal(payloads(passed.written), payloads(direct.written));
    const third = new RelayFixture();
    const kept = [
      processor('field.set', { field: '.Metadata.x', value: 'y', 'sdk.schema.encode.payload.enabled': 'false' }),
    ];
    const { lines, written } = await through(third, path, kept, off);
    await third.cleanUp();
    lines.forEach(holdsEveryValue);
    assert.type(written[0]?.key, 'string');
  });

  test('a field that a processor has added makes a new version of the schema', async ({ fixture }) => {
    const fields = (['before', 'after'] as const).map((side) =>
      processor('field.set', {
        field: side === 'after' ? '.Payload.After.more' : '.Payload.Before.more',
        value: 'of it',
        // Both sides have one schema: it is made when both have the field.
        'sdk.schema.encode.payload.enabled': String(side === 'after'),
      }),
    );
    const both = fields.map((one, i) => ({ ...one, id: `${one.id}${i}` }));
    const { lines, written } = await through(fixture, path, both);
    lines.forEach(holdsEveryValue);
    for (const { payload, metadata } of written) {
      assert.is(metadata['opencdc.payload.schema.version'], '2');
      for (const side of [payload.before, payload.after]) assert.is(Reflect.get(Object(side), 'more'), 'of it');
    }
  });

  test('what a built-in generator makes up reaches a plugin with every integer, with and without schemas from the start', async ({
    fixture,
  }) => {
    const folder = join(fixture.folder, 'connectors');
    mkdirSync(folder);
    copyFileSync(path, join(folder, 'probe'));
    const plugins = pluginsOf(fixture, folder);
    await plugins.loaded();
    const plugin = `standalone:${plugins.list().find(({ kind }) => kind === 'standalone')?.name}`;
    for (const extract of ['false', 'true']) {
      const out = join(fixture.folder, `out-${extract}`);
      const generated = {
        ...fixture.source({}, `p:in-${extract}`),
        plugin: 'builtin:generator',
        settings: {
          recordCount: '20',
          'format.type': 'structured',
          'format.options.big': 'int',
          'sdk.schema.extract.payload.enabled': extract,
        },
      };
      const destination = { ...fixture.destination({}, `p:out-${extract}`), plugin, settings: { out } };
      const definition = { ...fixture.definition([generated, destination]), id: extract };
      const parts = await plugins.partsOf(extract, definition);
      const pipeline = await fixture.open(definition, parts.request);
      await pipeline.start();
      await pipeline.completed();
      await pipeline.stop();
      parts.release();
      const lines = readFileSync(out, 'utf8').trim().split('\n');
      assert.is(lines.length, 20);
      for (const line of lines) assert.match(line, /fields big=int64\(-?\d+\)/);
    }
    await plugins.close();
  });

  test('a field that only one side has got leaves both structured, and the record without a schema', async ({
    fixture,
  }) => {
    const added = [processor('field.set', { field: '.Payload.After.more', value: 'of it' })];
    const { lines, written } = await through(fixture, path, added);
    lines.forEach(holdsEveryValue);
    for (const { payload, metadata } of written) {
      assert.is(metadata['opencdc.payload.schema.version'], undefined);
      assert.is(metadata['opencdc.key.schema.version'], '1');
      assert.is(Reflect.get(Object(payload.after), 'more'), 'of it');
    }
  });

  test('avro.encode, avro.decode and json.encode one behind the other keep every value', async ({ fixture }) => {
    const { lines, written } = await through(fixture, path, [
      processor('avro.encode', { 'schema.strategy': 'autoRegister', 'schema.autoRegister.subject': 'again' }),
      processor('avro.decode'),
      processor('json.encode', { field: '.Payload.After' }),
    ]);
    written.forEach(({ payload, metadata }, n) => {
      const json = Buffer.from(String(payload.after), 'base64').toString();
      for (const part of members(n, 'after')) assert.ok(json.includes(part), `${part} in ${json}`);
      for (const part of members(n, 'before')) assert.ok(lines[n]?.includes(part), part);
      assert.is(metadata['opencdc.payload.schema.version'], undefined);
    });
  });

  test('in a pipeline with SQL, columns take the decoded values', async ({ fixture }) => {
    const program = `
      CREATE TABLE numbers (big BIGINT NOT NULL, bytes VARBINARY, text VARCHAR, half DOUBLE, opencdc_key VARIANT);
      CREATE MATERIALIZED VIEW all_of_it AS SELECT big, bytes, text FROM numbers;`;
    const settings = { count: String(records), payload: 'structured' };
    const inputs = {
      in: {
        stream: 'numbers',
        transport: { name: 'plugin_input', config: { plugin: 'probe', path, id: 'in', settings } },
      },
    };
    const transport = { name: 'trial', config: { log: fixture.log('out'), note: 'dead letters' } };
    const definition = { name: 'p', program, inputs, outputs: { out: { stream: 'all_of_it', transport } } };
    const pipeline = await fixture.openDefinition(definition, {});
    await pipeline.start();
    await eventually(() => fixture.lines('out').filter((line) => line.includes(`${2n ** 62n + 11n}`)).length > 0);
    await pipeline.stop({ force: true });
  });
}

test.run();
