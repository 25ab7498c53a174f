// Sources and destinations that are processes on the official Go SDK, through the whole of their life: every value, every call, and
// what happens when a process ends, hangs or refuses. Needs Go and its module proxy once.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordPosition } from '../../../connectors/sdk/record-position.ts';
import { discoverPlugins } from '../../../connectors/standalone/plugin-catalog.ts';
import { SchemaClient } from '../../../connectors/standalone/schema-client.ts';
import { SchemaService } from '../../../connectors/standalone/schema-service.ts';
import { SchemaStore } from '../../../connectors/standalone/schema-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import {
  hostedDestination,
  hostedSource,
  numbered,
  Reading,
  temporaryFolder,
  until,
} from '../../plugins/plugin-host.ts';
import { probePlugin } from '../../plugins/probe-plugin.ts';
import { codeOf } from '../connector-context.ts';

const tool = await probePlugin();
if ('missing' in tool) {
  console.log(`skipped: ${tool.missing}`);
  test.skip('plugins on the Go SDK', () => {});
  test.run();
  process.exit(0);
}
const { path } = tool;
const off = { 'sdk.schema.extract.payload.enabled': 'false', 'sdk.schema.extract.key.enabled': 'false' };

/** Processes of this binary that were started from here, the latest last. */
function pluginPids(binary: string): number[] {
  const children = execFileSync('ps', ['-o', 'pid=,stat=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return children
    .split('\n')
    .filter((line) => line.includes(binary) && !line.includes('/bin/sh') && !/^\s*\d+ Z/.test(line))
    .map((line) => Number(line.trim().split(/\s+/)[0]));
}

const lines = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const position = (n: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return new Uint8Array(bytes);
};
const sumOf = (outcomes: readonly (number | string)[]): number =>
  outcomes.reduce<number>((sum, outcome) => sum + (typeof outcome === 'number' ? outcome : 1), 0);

async function failureOf(call: () => unknown): Promise<MillraceError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

for (const versions of ['1', '2'] as const) {
  test(`records pass from a source to a destination with every value, over version ${versions} of the protocol`, async () => {
    const folder = temporaryFolder();
    const binary = versions === '1' ? onlyVersionOne(folder) : path;
    const [out, journal] = [join(folder, 'out'), join(folder, 'journal')];
    const store = new SchemaStore(null);
    const service = await SchemaService.start(store);
    const more = (): object => ({ schema_service: service.target, token: service.issueToken() });
    const source = hostedSource(binary, { count: '30', payload: 'structured', journal }, more());
    const destination = hostedDestination(binary, { out, journal }, more());
    await source.connector.configure?.();
    await source.connector.onCreated?.(source.configuration);
    await source.connector.open(null);
    await destination.connector.configure?.();
    await destination.connector.onCreated?.(destination.configuration);
    await destination.connector.open();
    const reading = source.connector.read()[Symbol.asyncIterator]();
    let read = 0;
    while (read < 30) {
      const { value } = await reading.next();
      assert.is(value.kind, 'batch');
      read += value.batch.rows;
      await destination.connector.write(value);
      await until(() => sumOf(destination.context.outcomes) === read);
      await source.connector.ack?.(value.position);
    }
    await source.connector.stop?.();
    assert.is((await reading.next()).done, true);
    await destination.connector.stop?.();
    await source.connector.teardown?.();
    await destination.connector.teardown?.();
    const expected = Array.from({ length: 30 }, (_, n) => {
      const sides = [BigInt(n) - 2n ** 62n, BigInt(n) + 2n ** 62n];
      return [
        `${Buffer.from(position(n)).toString('hex')} update ${n}`,
        `fields n=int64(${n})`,
        `fields big=int64(${sides[0]}) text=string(żółć) bytes=[]uint8([0 ${n}]) half=float64(0.5)`,
        `fields big=int64(${sides[1]}) text=string(日本) bytes=[]uint8([255 ${n}]) half=float64(1.5)`,
      ].join(' | ');
    });
    assert.equal(lines(out), expected);
    assert.equal(lines(journal), [
      'source created 30',
      'source open ',
      'destination created ',
      'destination open',
      ...Array.from({ length: 30 }, (_, n) => `source ack ${n}`),
      'source teardown',
      'destination teardown',
    ]);
    await service.close();
  });
}

/** The plugin as a host finds it that offers version 1 alone. */
function onlyVersionOne(folder: string): string {
  const script = join(folder, 'plugin');
  writeFileSync(script, `#!/bin/sh\nPLUGIN_PROTOCOL_VERSIONS=1 exec '${path}'\n`, { mode: 0o755 });
  return script;
}

test('schemas are the same from everywhere, and last as long as their keeper', async () => {
  const kept: { subject: string; version: number; id: number; type: 'avro'; text: string }[] = [];
  const keeper = {
    schemas: async () => kept,
    putSchema: async (schema: (typeof kept)[number]) => void kept.push(schema),
  };
  const service = await SchemaService.start(await SchemaStore.open(keeper));
  const client = new SchemaClient(service.target, service.issueToken(), systemClock);
  const text = Buffer.from('{"type":"record","name":"r","fields":[{"name":"a","type":"long"}]}');
  const other = Buffer.from('{"type":"record","name":"r","fields":[{"name":"b","type":"long"}]}');
  const first = await client.createSchema('s', 'avro', text);
  assert.equal([first.id, first.version], [1, 1]);
  assert.equal(await client.createSchema('s', 'avro', text), first);
  assert.equal((await client.createSchema('s', 'avro', other)).version, 2);
  assert.equal((await client.createSchema('t', 'avro', text)).id, 1);
  assert.equal(await client.getSchema('s', 1), first);
  assert.is((await client.getSchemaById(2)).version, 2);
  for (const [call, message] of [
    [() => client.getSchema('nowhere', 1), 'schema subject not found'],
    [() => client.getSchema('s', 9), 'schema version not found'],
    [() => client.createSchema('s', 'avro', Buffer.from('no schema')), 'invalid schema'],
  ] as const) {
    assert.is((await failureOf(call)).message, message);
  }
  const stranger = new SchemaClient(service.target, 'guessed', systemClock);
  assert.is((await failureOf(() => stranger.getSchema('s', 1))).code, 'schema.unavailable');
  client.close();
  stranger.close();
  await service.close();
  const again = await SchemaStore.open(keeper);
  assert.equal((await again.getSchema('s', 2)).bytes, new Uint8Array(other));
  assert.is((await again.createSchema('s', 'avro', text)).version, 1);
});

test('a source goes on behind the position that it is opened with, and its settings arrive as they were given', async () => {
  const journal = join(temporaryFolder(), 'journal');
  const { connector, configuration } = hostedSource(path, { count: '8', journal, ...off });
  await connector.configure?.();
  await connector.onUpdated?.({ ...configuration, settings: { count: '3', journal } }, configuration);
  await connector.open(recordPosition(position(4)));
  const reading = new Reading(connector);
  await reading.until(3);
  assert.equal(
    reading.records.map((record) => record.metadata['number']),
    ['5', '6', '7'],
  );
  assert.equal(reading.records[0]?.key, new Uint8Array(Buffer.from('k5')));
  assert.is(reading.records[0]?.metadata['conduit.source.connector.id'], 'p:source');
  await connector.stop?.();
  await reading.toEnd();
  await connector.teardown?.();
  const gone = hostedSource(path, {});
  await gone.connector.onDeleted?.({ settings: { count: '8', journal } });
  await gone.connector.teardown?.();
  assert.equal(lines(journal), [
    'source updated 3 8',
    'source open 0000000000000004',
    'source teardown',
    'source deleted 8',
  ]);
});

test('a refused configuration and a failed open say what the plugin says', async () => {
  const refused = hostedSource(path, { count: 'many', mode: 'nonsense' });
  const error = await failureOf(() => refused.connector.configure?.());
  assert.is(error.code, 'plugin.call_failed');
  assert.ok(error.message.includes('"mode"'), error.message);
  await refused.connector.teardown?.();
  const failing = hostedSource(path, { mode: 'fail-open', ...off });
  assert.ok((await failureOf(() => failing.connector.open(null))).message.includes('it does not open today'));
  await failing.connector.teardown?.();
});

test('each way in which a source can end by itself is an error with the reason, behind the records before it', async () => {
  for (const [mode, code, words] of [
    ['exit', 'plugin.exited', '(exit code 7)'],
    ['panic', 'plugin.exited', 'the source panics'],
    ['fail', 'plugin.stream_ended', 'the table is gone'],
  ] as const) {
    const { connector } = hostedSource(path, { mode, at: '5', ...off });
    await connector.open(null);
    const reading = new Reading(connector);
    const error = await failureOf(() => reading.toEnd());
    assert.is(error.code, code, mode);
    assert.ok(error.message.includes(words), error.message);
    // A process that ends at once takes along what it had not sent yet.
    assert.ok(mode === 'fail' ? reading.records.length === 5 : reading.records.length <= 5, mode);
    await connector.teardown?.();
  }
  const opening = hostedSource(path, { mode: 'exit-open', ...off });
  const error = await failureOf(() => opening.connector.open(null));
  assert.equal([error.code, error.fields['exitCode'], error.fields['phase']], ['plugin.exited', 4, 'Open']);
  await opening.connector.teardown?.();
});

test('a source that hangs is given up at its deadline, and its process is gone', async () => {
  const opening = hostedSource(
    path,
    { mode: 'hang-open', ...off },
    { call_timeout: '500ms', teardown_timeout: '500ms' },
  );
  assert.is(await codeOf(() => opening.connector.open(null)), 'plugin.call_timed_out');
  // What is stuck in one call does not answer another: that is told, too.
  assert.is(await codeOf(() => opening.connector.teardown?.()), 'plugin.call_timed_out');
  const reading = hostedSource(
    path,
    { mode: 'hang', at: '2', ...off },
    { stop_timeout: '500ms', teardown_timeout: '500ms' },
  );
  await reading.connector.open(null);
  const records = new Reading(reading.connector);
  await records.until(2);
  assert.is(await codeOf(() => reading.connector.stop?.()), 'plugin.call_timed_out');
  assert.is(await codeOf(() => records.toEnd()), 'plugin.call_timed_out');
  assert.is(await codeOf(() => reading.connector.teardown?.()), 'plugin.call_timed_out');
  const teardown = hostedSource(path, { mode: 'fail-teardown', ...off });
  await teardown.connector.open(null);
  assert.ok((await failureOf(() => teardown.connector.teardown?.())).message.includes('it does not let go'));
});

test('a process that is stopped is told of as stalled until it goes on, and a stop does not wait for it', async () => {
  const said: (string | null)[] = [];
  const stalled = (reason: string | null): void => void said.push(reason);
  const { connector } = hostedSource(path, { count: '4', ...off }, { stop_timeout: '1s' }, { stallMs: 200, stalled });
  await connector.open(null);
  const reading = new Reading(connector);
  await reading.until(4);
  const pid = pluginPids(path).at(-1) ?? 0;
  // On a machine that is slow it may be told of as stalled without this, and as going on.
  const isStalled = (): boolean => (said.at(-1) ?? null) !== null;
  process.kill(pid, 'SIGSTOP');
  await until(isStalled);
  assert.match(said.at(-1) ?? '', /has not answered/);
  process.kill(pid, 'SIGCONT');
  await until(() => !isStalled());
  process.kill(pid, 'SIGSTOP');
  await until(isStalled);
  assert.is(await codeOf(() => connector.stop?.()), 'plugin.silent');
  const ended = reading.toEnd().catch(() => {});
  await connector.teardown?.();
  await ended;
  await until(() => !pluginPids(path).includes(pid));
});

test('a destination whose process is stopped with its buffers full fails when it is asked for, and nothing hangs on it', async () => {
  const limits = { stop_timeout: '300ms', teardown_timeout: '300ms' };
  const { connector, failures } = hostedDestination(path, { ...off }, limits);
  await connector.open();
  await connector.write(numbered(1, 1));
  const pid = pluginPids(path).at(-1) ?? 0;
  process.kill(pid, 'SIGSTOP');
  // More than the windows of a stream and the buffers of a socket hold: the write waits for room that does not come.
  const writing = codeOf(() => connector.write(numbered(2, 300, 64 << 10)));
  await connector.ping?.();
  assert.is(await writing, 'plugin.silent');
  assert.equal(
    failures.map((error) => (error instanceof MillraceError ? error.code : error.message)),
    ['plugin.silent'],
  );
  await connector.stop?.();
  await connector.teardown?.();
  await until(() => !pluginPids(path).includes(pid));
});

test('a destination that ends fails at once; what it refuses is refused in its place', async () => {
  const ending = hostedDestination(path, { mode: 'exit', at: '3', ...off });
  await ending.connector.open();
  await ending.connector.write(numbered(1, 2));
  await until(() => sumOf(ending.context.outcomes) === 2);
  await ending.connector.write(numbered(3, 5)).catch(() => {});
  await until(() => ending.failures.length > 0);
  assert.ok(ending.failures[0]?.message.includes('(exit code 9)'));
  await ending.connector.teardown?.();
  const out = join(temporaryFolder(), 'out');
  const refusing = hostedDestination(path, { mode: 'refuse', at: '3', out, ...off });
  await refusing.connector.open();
  await refusing.connector.write(numbered(1, 3));
  await until(() => sumOf(refusing.context.outcomes) === 3);
  await refusing.connector.write(numbered(4, 2));
  await until(() => refusing.context.outcomes.length >= 3);
  await refusing.connector.write(numbered(6, 2));
  await until(() => sumOf(refusing.context.outcomes) === 7);
  // The SDK refuses what stands behind the bad record too: that is written again, by itself.
  assert.equal(refusing.context.outcomes, [3, 'test: this one is not for me', 1, 2]);
  await refusing.connector.stop?.();
  await refusing.connector.teardown?.();
  assert.equal(
    lines(out).map((line) => line.split(' ')[2]),
    ['1', '2', '3', '5', '6', '7'],
  );
});

test('a destination that collects batches gives everything out at a stop, without waiting for its own time-out', async () => {
  const out = join(temporaryFolder(), 'out');
  const { connector, context } = hostedDestination(path, {
    out,
    'sdk.batch.size': '100',
    'sdk.batch.delay': '1h',
    ...off,
  });
  await connector.open();
  await connector.write(numbered(1, 30));
  await connector.write(numbered(31, 12));
  await connector.stop?.();
  assert.is(sumOf(context.outcomes), 42);
  await connector.teardown?.();
  assert.is(lines(out).length, 42);
});

test('a large batch to a destination is cut below what it takes', async () => {
  const out = join(temporaryFolder(), 'out');
  const { connector, context } = hostedDestination(path, { out, ...off });
  await connector.open();
  await connector.write(numbered(1, 40, 300_000));
  await connector.write(numbered(41, 1, 4_100_000));
  await until(() => sumOf(context.outcomes) === 41);
  await connector.stop?.();
  await connector.teardown?.();
  assert.is(lines(out).length, 41);
});

test('processes end with their host, even when it is killed', async () => {
  const host = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'plugins', 'doomed-host.js');
  const child = spawn(process.execPath, [host, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))));
  const isAlive = (): boolean => {
    try {
      process.kill(pid, 0);
      return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };
  assert.ok(isAlive());
  child.kill('SIGKILL');
  await until(() => !isAlive());
});

test('a folder of plugins is asked once; a changed file again, and twins are left out', async () => {
  const folder = temporaryFolder();
  const plugins = join(folder, 'plugins');
  mkdirSync(plugins);
  const cacheFile = join(folder, 'cache.json');
  copyFileSync(path, join(plugins, 'probe'));
  const options = { folder: plugins, cacheFile, clock: systemClock };
  const found = await discoverPlugins(options);
  assert.equal(found.problems, []);
  assert.equal(
    found.plugins.map(({ name, version }) => `${name}@${version}`),
    ['probe@v0.3.1'],
  );
  assert.equal(found.plugins[0]?.sourceParameters?.['count'], {
    default: '10',
    description: 'How many records; then it waits.',
    type: 'int',
    validations: [{ type: 'greater-than', value: '-1' }],
  });
  assert.equal(await discoverPlugins(options), found);
  writeFileSync(join(plugins, 'notes.txt'), 'not a program', { mode: 0o755 });
  copyFileSync(path, join(plugins, 'twin'));
  const more = await discoverPlugins(options);
  assert.equal(more.plugins, []);
  assert.equal(more.problems.map(({ error }) => (error as MillraceError).code).sort(), [
    'plugin.not_started',
    'plugin.twice',
    'plugin.twice',
  ]);
});

test.run();
