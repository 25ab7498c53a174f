// Sources of programs that fail after they have sent rows: opened again behind the last of them, no row twice, none missing.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { pollPause } from '../poll-pause.ts';
import { stateOf, statusWhere } from './pipeline-fixture.ts';

const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/**
 * Gives n from 0 on, as batches or as text, and fails once, behind `failsAt` rows, and when there is no file `opened.hold`; `opened`
 * gets a line for each open.
 */
const flaky = `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { BatchBuilder, defineSource } from '${entry}';
const text = { type: { kind: 'string' }, required: true, description: 'Text.' };
const number = { type: { kind: 'integer' }, required: true, description: 'Number.' };
const attemptsIn = (file) => readFileSync(file, 'utf8').split('\\n').length - 1;
const parameters = [{ name: 'opened', ...text }, { name: 'failsAt', ...number }, { name: 'count', ...number }];
export const counter = (name, repeats) => defineSource({
  name, summary: 'Counts.', format: 'none', parameters, repeats,
  create: ({ opened, failsAt, count }, { relation }) => {
    let next = 0;
    return {
      open: async (position) => {
        next = position?.next ?? 0;
        appendFileSync(opened, next + '\\n');
      },
      async *read() {
        while (next < count) {
          if (attemptsIn(opened) === 1 && next >= failsAt) {
            writeFileSync(opened + '.failing', '');
            while (existsSync(opened + '.hold')) await new Promise((resolve) => setTimeout(resolve, 5));
            throw new Error('the wire was cut');
          }
          const builder = new BatchBuilder(relation.schema);
          for (let i = 0; i < 3 && next < count; i++) {
            builder.reserve(1);
            builder.columns[0].values[0 + i] = BigInt(next++);
            builder.commitRow();
          }
          yield { kind: 'batch', batch: builder.finish(), position: { next } };
        }
      },
    };
  },
});
export const counts = counter('counts', true);
export const streams = counter('streams', false);
export const lines = defineSource({
  name: 'lines', summary: 'Counts in text.', format: 'required', parameters,
  create: ({ opened, failsAt, count }, { relation }) => {
    let from = 0;
    return {
      open: async (position) => {
        from = position?.offset ?? 0;
        appendFileSync(opened, from + '\\n');
      },
      async *read() {
        const all = Buffer.from(Array.from({ length: count }, (_, n) => '{"n": ' + n + '}\\n').join(''));
        // In the middle of a record.
        const cut = Buffer.from('{"n": 0}\\n').length * failsAt + 3;
        const part = (start, end) => ({
          kind: 'bytes',
          bytes: new Uint8Array(all.subarray(start, end)),
          positionAfter: (length) => ({ offset: start + length }),
        });
        if (attemptsIn(opened) > 1) return yield part(from, all.length);
        yield part(0, cut);
        throw new Error('the wire was cut');
      },
    };
  },
});
`;

interface Folder {
  readonly path: string;
}

const withFolder = suite<Folder>('source recovery');
withFolder.before.each((context) => {
  Object.assign(context, { path: mkdtempSync(join(tmpdir(), 'millrace-recovery-')) });
  writeFileSync(join(context.path, 'flaky.mjs'), flaky);
});
withFolder.after.each((context) => rmSync(context.path, { recursive: true, force: true }));

function open(path: string, name: string, format: object = {}, failsAt = 6): ReturnType<typeof Pipeline.open> {
  return Pipeline.open({
    program: 'CREATE TABLE t (n BIGINT); CREATE VIEW v AS SELECT n FROM t;',
    connectorModules: ['flaky.mjs'],
    baseFolder: path,
    inputs: {
      s: { stream: 't', transport: { name, config: { opened: join(path, 'opened'), failsAt, count: 10 } }, ...format },
    },
    outputs: {
      o: {
        stream: 'v',
        transport: { name: 'file_output', config: { path: join(path, 'out.csv') } },
        format: { name: 'csv' },
      },
    },
  });
}

const once = Array.from({ length: 10 }, (_, n) => `${n},1`);
const written = (path: string): readonly string[] =>
  readFileSync(join(path, 'out.csv'), 'utf8').trim().split('\n').sort();

for (const [name, format, reopened] of [
  ['counts', {}, '0\n6\n'],
  ['lines', { format: { name: 'json', config: { update_format: 'raw' } } }, '0\n54\n'],
] as const) {
  withFolder(`a source (${name}) that fails behind rows goes on behind them, and counts on`, async ({ path }) => {
    await using pipeline = await open(path, name, format);
    await pipeline.start();
    const { connectors } = await statusWhere(pipeline, (status) => stateOf(status, 't.s') === 'recovering');
    assert.match(connectors[0]?.lastFailure?.error.message ?? '', 'the wire was cut');
    await pipeline.waitForCompletion();
    assert.equal(written(path), once);
    assert.is(readFileSync(join(path, 'opened'), 'utf8'), reopened);
    const stats = await pipeline.stats();
    assert.is(stats.inputs[0]?.totalRecords, 10);
    assert.is(stats.inputs[0]?.takenRecords, 10);
    assert.is(stats.inputs[0]?.restarts, 1);
    assert.is(stats.inputs[0]?.error, null);
    assert.match(stats.inputs[0]?.lastFailure?.error.message ?? '', 'the wire was cut');
  });
}

withFolder(
  'a source whose input never comes again in the same order has failed once rows were sent',
  async ({ path }) => {
    await using pipeline = await open(path, 'streams');
    await pipeline.start();
    await statusWhere(pipeline, (status) => stateOf(status, 't.s') === 'failed');
    assert.is(readFileSync(join(path, 'opened'), 'utf8'), '0\n');
  },
);

withFolder('while the pipeline is paused a failed source is not opened, and goes on afterwards', async ({ path }) => {
  await using pipeline = await open(path, 'counts');
  writeFileSync(join(path, 'opened.hold'), '');
  await pipeline.start();
  while (!existsSync(join(path, 'opened.failing'))) await pollPause();
  await pipeline.pause();
  rmSync(join(path, 'opened.hold'));
  // It recovers, and is paused with the others: which of the two is shown is a matter of time.
  await statusWhere(pipeline, ({ connectors }) => connectors.some(({ lastFailure }) => lastFailure != null));
  assert.is(readFileSync(join(path, 'opened'), 'utf8'), '0\n');
  await pipeline.resume();
  await pipeline.waitForCompletion();
  assert.equal(written(path), once);
});

withFolder.run();
