// The conformance suite over every connector that ships and needs no server of its own, and over plugins; and that it finds what is wrong.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nullOutput } from '../../connectors/discard/destination.ts';
import { fileOutput } from '../../connectors/file/destination.ts';
import { fileRecordDestination } from '../../connectors/file/record-destination.ts';
import { fileRecordSource } from '../../connectors/file/record-source.ts';
import { generatorRecordSource } from '../../connectors/generator/record-source.ts';
import { logRecordDestination } from '../../connectors/log/record-destination.ts';
import { conformance } from '../../connectors/sdk/conformance.ts';
import { type Destination, type DestinationDefinition, defineDestination } from '../../connectors/sdk/destination.ts';
import { recordRelation } from '../../connectors/sdk/record-batch.ts';
import { pluginOutput } from '../../connectors/standalone/plugin-destination.ts';
import { pluginInput } from '../../connectors/standalone/plugin-source.ts';
import { probePlugin } from '../plugins/probe-plugin.ts';
import { bigint, codeOf, relationOf } from './connector-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-conformance-'));
test.after(() => rmSync(folder, { recursive: true }));
const relation = recordRelation;
const relationOfRows = relationOf({ id: bigint });

writeFileSync(join(folder, 'in.txt'), 'one\ntwo\n\nthree\nfour\n');
for (const { title, run } of conformance(fileRecordSource, {
  configuration: { path: 'in.txt' },
  relation,
  baseFolder: folder,
  rows: 5,
}))
  test(title, run);
for (const { title, run } of conformance(generatorRecordSource, {
  configuration: { recordCount: 20, 'format.type': 'raw', 'format.options': { id: 'int' } },
  relation,
  isRandom: true,
}))
  test(title, run);

const linesIn = (file: string) => async (): Promise<number> =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').split('\n').length - 1 : 0;
for (const { title, run } of conformance(fileRecordDestination, {
  configuration: { path: 'records.txt' },
  baseFolder: folder,
  written: linesIn('records.txt'),
}))
  test(title, run);
for (const { title, run } of conformance(logRecordDestination, { configuration: {} })) test(title, run);

const lines = ['1\n2\n', '3\n'].map((text) => ({
  kind: 'bytes' as const,
  bytes: new TextEncoder().encode(text),
  records: text.length / 2,
}));
for (const { title, run } of conformance(fileOutput, {
  configuration: { path: 'rows.txt', mode: 'append' },
  relation: relationOfRows,
  outgoing: lines,
  baseFolder: folder,
  written: linesIn('rows.txt'),
}))
  test(title, run);
for (const { title, run } of conformance(nullOutput, { configuration: {}, relation: relationOfRows, outgoing: lines }))
  test(title, run);

const tool = await probePlugin();
if ('missing' in tool) console.log(`skipped: ${tool.missing}`);
else {
  const { path } = tool;
  const settings = { count: '7', 'sdk.schema.extract.payload.enabled': 'false' };
  const configuration = { plugin: 'probe', path, id: 'p:probe' };
  for (const { title, run } of conformance(pluginInput, {
    configuration: { ...configuration, settings: { ...settings, 'sdk.schema.extract.key.enabled': 'false' } },
    relation,
    rows: 7,
  }))
    test(title, run);
  const out = join(folder, 'plugin.txt');
  for (const { title, run } of conformance(pluginOutput, {
    configuration: { ...configuration, settings: { out } },
    written: linesIn('plugin.txt'),
  }))
    test(title, run);
}

/** A destination of records that does one thing wrong. */
function faulty(wrong: Partial<Destination>, more: Partial<DestinationDefinition> = {}): DestinationDefinition {
  const create = (): Destination => ({ open: async () => {}, write: async () => {}, ...wrong });
  const definition = { name: 'faulty', summary: '', parameters: [], format: 'none', accepts: 'records' } as const;
  return { ...defineDestination({ ...definition, create }), ...more };
}

async function failedTitles(definition: DestinationDefinition): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { title, run } of conformance(definition, { configuration: {} })) {
    if ((await codeOf(run).catch(() => 'failed')) !== 'no error') failed.push(title.replace('faulty ', ''));
  }
  return failed;
}

test('the suite finds sockets that stay open, answers for what was not written, and a teardown that needs an open', async () => {
  assert.equal(await failedTitles(faulty({})), []);
  const servers: Server[] = [];
  const leaks = faulty({
    open: () =>
      new Promise((resolve) => {
        servers.push(createServer().listen(0, '127.0.0.1', resolve));
      }),
  });
  assert.equal(await failedTitles(leaks), ['leaves nothing open behind']);
  for (const server of servers) server.close();
  let isOpen = false;
  const torn = faulty({
    open: async () => void (isOpen = true),
    teardown: () => {
      if (!isOpen) throw new Error('it is not open');
    },
  });
  assert.equal(await failedTitles(torn), ['is torn down without having been opened']);
  const greedy = faulty(
    {},
    {
      acknowledges: true,
      create: (_, { acknowledged }) => ({
        open: async () => {},
        write: async () => acknowledged(100),
      }),
    },
  );
  assert.equal(await failedTitles(greedy), [
    'answers for every row that it was written, in order, and for no other',
    'leaves nothing open behind',
  ]);
});

test.run();
