// What an output has missed since it failed: the next run delivers it, unless there are rows that nobody would send again.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { pollPause } from '../poll-pause.ts';

const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/** Writes lines to a file, and fails while there is a file `broken`. */
const printer = `import { appendFileSync, existsSync } from 'node:fs';
import { defineDestination } from '${entry}';
export const printer = defineDestination({
  name: 'printer',
  summary: 'Prints lines.',
  format: 'required',
  parameters: [],
  create: (_, { baseFolder }) => ({
    open: async () => {},
    write: async ({ bytes }) => {
      if (existsSync(baseFolder + '/broken')) throw new Error('out of paper');
      appendFileSync(baseFolder + '/printed', bytes);
    },
    flush: async () => {},
  }),
});
`;

const failed = suite<{ folder: string }>('a failed output');
failed.before.each((context) => {
  Object.assign(context, { folder: mkdtempSync(join(tmpdir(), 'millrace-printer-')) });
  writeFileSync(join(context.folder, 'printer.mjs'), printer);
  writeFileSync(join(context.folder, 'lines.csv'), '1\n2\n');
  writeFileSync(join(context.folder, 'broken'), '');
});
failed.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function open(folder: string, inputs: 'a file' | 'none'): Promise<Pipeline> {
  const transport = { name: 'file_input', config: { path: 'lines.csv' } };
  return Pipeline.open({
    name: 'press',
    program: 'CREATE TABLE t (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n FROM t;',
    connectorModules: [join(folder, 'printer.mjs')],
    ...(inputs === 'none' ? {} : { inputs: { lines: { stream: 't', transport, format: { name: 'csv' } } } }),
    outputs: { out: { stream: 'v', transport: { name: 'printer' }, format: { name: 'csv' } } },
    baseFolder: folder,
    dataFolder: join(folder, 'data'),
  });
}

const hasFailed = async (pipeline: Pipeline): Promise<void> => {
  while ((await pipeline.stats()).outputs[0]?.state !== 'failed') await pollPause();
};

const codeOfStop = (pipeline: Pipeline): Promise<unknown> =>
  pipeline.stop().then(
    () => 'stopped',
    (error: unknown) => Object(error).code,
  );

failed('keeps checkpoints from being taken, and the next run delivers what it has missed', async ({ folder }) => {
  const first = await open(folder, 'a file');
  await first.start();
  await hasFailed(first);
  assert.is(await codeOfStop(first), 'checkpoint.held_back');
  rmSync(join(folder, 'broken'));
  const second = await open(folder, 'a file');
  await second.start();
  await second.waitForCompletion();
  await second.stop();
  assert.is(readFileSync(join(folder, 'printed'), 'utf8'), '1,1\n2,1\n');
});

failed('holds nothing back where rows were pushed, which only a checkpoint keeps', async ({ folder }) => {
  const first = await open(folder, 'none');
  await first.start();
  await first.inputJson('t', [{ n: 7 }]);
  await hasFailed(first);
  assert.is(await codeOfStop(first), 'stopped');
  const second = await open(folder, 'none');
  await second.start();
  assert.equal(await second.query('SELECT n FROM v'), [{ n: 7 }]);
  await second.stop();
  assert.not(existsSync(join(folder, 'printed')));
});

failed.run();
