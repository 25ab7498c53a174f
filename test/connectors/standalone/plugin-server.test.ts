// A connector of ours as a plugin process, driven over the protocol by the host of ours, in both versions.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Destination } from '../../../connectors/sdk/destination.ts';
import { type ConnectorRecord, recordMetadata } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordRelation, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { recordPosition } from '../../../connectors/sdk/record-position.ts';
import type { Position, Source } from '../../../connectors/sdk/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { GrpcConnection } from '../../../connectors/standalone/grpc-connection.ts';
import { pluginOutput } from '../../../connectors/standalone/plugin-destination.ts';
import { parseHandshake } from '../../../connectors/standalone/plugin-process.ts';
import { settingsRequest } from '../../../connectors/standalone/plugin-protocol.ts';
import { pluginInput } from '../../../connectors/standalone/plugin-source.ts';
import { SchemaService } from '../../../connectors/standalone/schema-service.ts';
import { SchemaStore } from '../../../connectors/standalone/schema-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { codeOf, contextFor, type TestContext } from '../connector-context.ts';

const cookie = '204e8e812c3a1bb73b838928c575b42a105dd2e9aa449be481bc4590486df53f';
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const entry = pathToFileURL(join(root, 'dist', 'connector.js')).href;
const module = `import { appendFileSync } from 'node:fs';
import { defineDestination, defineSource, recordsOf, recordsPayload } from '${entry}';
const parameters = [
  { name: 'count', type: { kind: 'integer', min: 1 }, required: false, default: 3, description: 'Records.' },
  { name: 'path', type: { kind: 'string' }, required: true, description: 'File of calls.' },
];
const note = (path, text) => appendFileSync(path, text + '\\n');
const shown = (data) =>
  JSON.stringify(data, (_, v) => (typeof v === 'bigint' ? v + 'n' : v instanceof Uint8Array ? 'bytes ' + v.join() : v));
const about = { name: 'tally', version: 'v0.3.0', author: 'Tests', summary: 'Counts.', format: 'none', parameters };
const events = (path) => ({
  configure: () => note(path, 'configure'),
  onCreated: async () => note(path, 'created'),
  onUpdated: async (before, after) => note(path, 'updated ' + before.count + ' ' + after.count),
  onDeleted: async ({ count }) => note(path, 'deleted ' + count),
  teardown: () => note(path, 'teardown'),
});
export const source = defineSource({
  ...about,
  produces: 'records',
  create: ({ count, path }, { signal }) => {
    let next = 1;
    let isStopped = false;
    let wake = () => {};
    return {
      ...events(path),
      open: async (position) => {
        if (position !== null) next = Number(Buffer.from(position.record, 'base64')) + 1;
        note(path, 'open ' + next);
      },
      async *read() {
        for (; next <= count; next++) {
          const position = Buffer.from(String(next));
          const metadata = { n: String(next) };
          yield recordsPayload([
            { position, operation: 'create', metadata, key: position, before: null, after: count === 6 ? { n: BigInt(next) + 2n ** 62n, bytes: position } : { n: next } },
          ]);
        }
        // As a source that follows: until it is stopped.
        signal.addEventListener('abort', () => wake());
        if (!isStopped && !signal.aborted) await new Promise((resolve) => (wake = resolve));
      },
      // A source need not want to know what is acknowledged.
      ...(count === 4 ? {} : { ack: ({ record }) => note(path, 'ack ' + Buffer.from(record, 'base64')) }),
      stop: () => {
        isStopped = true;
        wake();
        note(path, 'stop');
      },
    };
  },
});
export const destination = defineDestination({
  ...about,
  accepts: 'records',
  create: ({ path }) => ({
    ...events(path),
    open: async () => {
      note(path, 'open');
      // As clients of databases do that are not closed.
      setInterval(() => {}, 60_000);
    },
    write: async ({ batch }) => {
      for (const { after, metadata } of recordsOf(batch)) {
        if (after.n === 99) throw new Error('no 99');
        note(path, 'write ' + shown(after) + ' ' + JSON.stringify(metadata));
      }
    },
    flush: async () => note(path, 'flush'),
  }),
});
`;

const served = suite<{ folder: string; log: string }>('a served connector');
served.before.each((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'mr-serve-'));
  writeFileSync(join(folder, 'tally.mjs'), module);
  for (const version of ['1', '2']) {
    const script = join(folder, `tally-${version}`);
    const serve = `exec ${process.execPath} ${join(root, 'dist', 'main.js')} connector serve ${join(folder, 'tally.mjs')}`;
    writeFileSync(script, `#!/bin/sh\nPLUGIN_PROTOCOL_VERSIONS=${version} ${serve}\n`);
    chmodSync(script, 0o755);
  }
  Object.assign(context, { folder, log: join(folder, 'calls') });
});
served.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function configuration(
  folder: string,
  version: string,
  settings: object,
  more: object = {},
): Readonly<Record<string, unknown>> {
  const given = { plugin: 'tally', path: join(folder, `tally-${version}`), settings, ...more };
  const { values, problems } = validateParameters(pluginInput.parameters, given, () => ({}), []);
  assert.equal(problems, []);
  return values;
}

function calls(log: string): string[] {
  return readFileSync(log, 'utf8').trim().split('\n');
}

/** Reads `count` records, acknowledges them and stops the source gracefully. */
async function take(source: Source, position: Position | null, count: number): Promise<ConnectorRecord[]> {
  const records: ConnectorRecord[] = [];
  await source.open(position);
  for await (const payload of source.read()) {
    if (payload.kind !== 'batch') continue;
    records.push(...recordsOf(payload.batch));
    await source.ack?.(payload.position);
    if (records.length === count) await source.stop?.();
  }
  await source.teardown?.();
  return records;
}

for (const version of ['1', '2']) {
  served(
    `version ${version}: a source is configured, told of its life, read, acknowledged and stopped`,
    async ({ folder, log }) => {
      const context = contextFor(recordRelation, folder);
      const values = configuration(folder, version, { count: '3', path: log });
      const source = pluginInput.create(values, context);
      await source.configure?.();
      await source.onCreated?.(values);
      const records = await take(source, null, 3);
      assert.equal(
        records.map(({ position, operation, after, metadata }) => [
          Buffer.from(position).toString(),
          operation,
          after,
          metadata['n'],
          metadata[recordMetadata.sourceConnector] !== undefined,
        ]),
        [1, 2, 3].map((n) => [String(n), 'create', { n }, String(n), true]),
      );
      const told = ['configure', 'created', 'open 1', 'ack 1', 'ack 2', 'ack 3', 'stop', 'teardown'];
      assert.equal(calls(log).sort(), told.sort());
    },
  );

  served(
    `version ${version}: a destination acknowledges what it wrote and says what it refuses`,
    async ({ folder, log }) => {
      const context: TestContext = contextFor(recordRelation, folder);
      const destination: Destination = pluginOutput.create(configuration(folder, version, { path: log }), context);
      await destination.configure?.();
      await destination.open();
      const record = (n: number): ConnectorRecord => ({
        position: Buffer.from(String(n)),
        operation: 'create',
        metadata: { n: String(n) },
        key: null,
        before: null,
        after: { n },
      });
      for (const n of [1, 99, 2]) await destination.write({ kind: 'batch', batch: recordBatchOf([record(n)]) });
      await destination.flush?.();
      while (context.outcomes.length < 3) await new Promise((resolve) => setImmediate(resolve));
      await destination.stop?.();
      await destination.teardown?.();
      assert.is(context.outcomes[0], 1);
      assert.match(String(context.outcomes[1]), /no 99/);
      assert.is(context.outcomes[2], 1);
      const written = calls(log).filter((line) => line.startsWith('write'));
      assert.equal(written, ['write {"n":1} {"n":"1"}', 'write {"n":2} {"n":"2"}']);
      assert.ok(calls(log).includes('teardown'));
    },
  );
}

served('it goes on behind a position, and hears of updates and of its deletion', async ({ folder, log }) => {
  const context = contextFor(recordRelation, folder);
  const values = configuration(folder, '2', { count: '3', path: log });
  const source = pluginInput.create(values, context);
  await source.configure?.();
  await source.onUpdated?.(configuration(folder, '2', { count: '2', path: log }), values);
  const records = await take(source, recordPosition(Buffer.from('2')), 1);
  assert.equal(
    records.map(({ after }) => after),
    [{ n: 3 }],
  );
  const fresh = pluginInput.create(values, contextFor(recordRelation, folder));
  await fresh.onDeleted?.(values);
  await fresh.teardown?.();
  assert.ok(calls(log).includes('updated 2 3'));
  assert.equal(calls(log).slice(-2), ['deleted 3', 'teardown']);
});

served(
  '64-bit integers and bytes pass from a served source to a served destination, with schemas of their host',
  async ({ folder, log }) => {
    const service = await SchemaService.start(new SchemaStore(null));
    const shared = (): object => ({ schema_service: service.target, token: service.issueToken() });
    const values = configuration(folder, '2', { count: '6', path: log }, shared());
    const records = await take(pluginInput.create(values, contextFor(recordRelation, folder)), null, 6);
    assert.ok(
      records.every(
        ({ after, metadata }) => after instanceof Uint8Array && 'opencdc.payload.schema.version' in metadata,
      ),
    );
    const context = contextFor(recordRelation, folder);
    const target = configuration(folder, '2', { path: log }, shared());
    const destination: Destination = pluginOutput.create(target, context);
    await destination.open();
    await destination.write({ kind: 'batch', batch: recordBatchOf(records) });
    const answered = (): number => context.outcomes.reduce<number>((sum, one) => sum + Number(one), 0);
    while (answered() < 6) await new Promise((resolve) => setImmediate(resolve));
    await destination.stop?.();
    await destination.teardown?.();
    const written = calls(log).filter((line) => line.startsWith('write'));
    assert.equal(
      written.map((line) => line.slice(0, line.indexOf('}') + 1)),
      // A schema has its fields in the order of their names, and so has what is read with it.
      [1, 2, 3, 4, 5, 6].map((n) => `write {"bytes":"bytes ${48 + n}","n":"${BigInt(n) + 2n ** 62n}n"}`),
    );
    await service.close();
  },
);

served('a source without ack is acknowledged all the same', async ({ folder, log }) => {
  const values = configuration(folder, '2', { count: '4', path: log });
  const source = pluginInput.create(values, contextFor(recordRelation, folder));
  await source.configure?.();
  assert.is((await take(source, null, 4)).length, 4);
  assert.equal(calls(log), ['configure', 'open 1', 'stop', 'teardown']);
});

served('settings that do not fit are refused, all at once', async ({ folder, log }) => {
  const source = pluginInput.create(
    configuration(folder, '2', { count: 'x', way: log }),
    contextFor(recordRelation, folder),
  );
  let message = '';
  const code = await codeOf(async () => {
    try {
      await source.configure?.();
    } catch (error) {
      message = String(error);
      throw error;
    } finally {
      await source.teardown?.();
    }
  });
  assert.is(code, 'plugin.call_failed');
  assert.match(message, /"count" must be an integer/);
  assert.match(message, /no parameter "way"/);
  assert.match(message, /needs "path"/);
});

served(
  'a process that its host shuts down ends by itself, whatever the connector has left open',
  async ({ folder, log }) => {
    const service = await SchemaService.start(new SchemaStore(null));
    const child = spawn(join(folder, 'tally-2'), {
      env: {
        ...process.env,
        CONDUIT_PLUGIN_MAGIC_COOKIE: cookie,
        CONDUIT_CONNECTOR_UTILITIES_GRPC_TARGET: service.target,
        CONDUIT_CONNECTOR_TOKEN: service.issueToken(),
        CONDUIT_CONNECTOR_ID: 'leaves-open',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [line] = await once(child.stdout, 'data');
    const connection = new GrpcConnection(parseHandshake(String(line), [2]).connect, systemClock);
    const call = async (path: string, body: Uint8Array = new Uint8Array(0)): Promise<void> => {
      const answer = await connection.call(path, { body, deadlineMs: 30_000 });
      assert.is(answer.kind, 'ok', JSON.stringify(answer));
    };
    await call('/connector.v2.DestinationPlugin/Configure', settingsRequest({ path: log }));
    await call('/connector.v2.DestinationPlugin/Open');
    await call('/plugin.GRPCController/Shutdown');
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
    assert.equal(await ended, [0, null]);
    clearTimeout(patience);
    connection.close();
    await service.close();
  },
);

served.run();
