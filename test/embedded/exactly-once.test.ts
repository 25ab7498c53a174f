// Destinations of one's own that deliver exactly once, in a pipeline with a data folder; and what is refused or held back.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { pollPause } from '../poll-pause.ts';

const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/** Notes its calls, and what it shows, in files. Fails at a flush while there is a file `broken`. */
const ledger = `import { appendFileSync, existsSync } from 'node:fs';
import { defineDestination } from '${entry}';
export const ledger = defineDestination({
  name: 'ledger',
  summary: 'Shows what is committed.',
  format: 'required',
  isExactlyOnce: () => true,
  parameters: [],
  create: (_, { baseFolder, pipeline, endpoint }) => {
    const note = (file, text) => appendFileSync(baseFolder + '/' + file, text);
    let written = '';
    let lines = 0;
    const prepared = [];
    return {
      open: async () => note('calls', 'open ' + pipeline + '/' + endpoint + '\\n'),
      recover: async (checkpoint, noted) =>
        note('calls', 'recover ' + (checkpoint === null ? 'nothing' : 'checkpoint with ' + JSON.stringify(noted)) + '\\n'),
      write: async ({ bytes }) => void (written += new TextDecoder().decode(bytes)),
      flush: async () => {
        if (existsSync(baseFolder + '/broken')) throw new Error('out of ink');
      },
      prepare: async (checkpoint) => {
        prepared.push([checkpoint, written]);
        lines += written.split('\\n').length - 1;
        written = '';
        return { lines };
      },
      commit: async (checkpoint) => {
        for (;;) {
          const [each, rows] = prepared.shift();
          note('shown', rows);
          if (each === checkpoint) return;
        }
      },
    };
  },
});
`;

const exact = suite<{ folder: string }>('exactly once');
exact.before.each((context) => {
  Object.assign(context, { folder: mkdtempSync(join(tmpdir(), 'millrace-ledger-')) });
  writeFileSync(join(context.folder, 'ledger.mjs'), ledger);
});
exact.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const read = (folder: string, file: string): string =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';

type Entry = Parameters<NonNullable<Parameters<typeof Pipeline.open>[0]['log']>>[0];

function open(folder: string, output: object = {}, log: (entry: Entry) => void = () => {}): Promise<Pipeline> {
  return Pipeline.open({
    name: 'book',
    program: 'CREATE TABLE t (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n FROM t WHERE n > 0;',
    connectorModules: [join(folder, 'ledger.mjs')],
    outputs: { out: { stream: 'v', transport: { name: 'ledger' }, format: { name: 'csv' }, ...output } },
    baseFolder: folder,
    dataFolder: join(folder, 'data'),
    log,
  });
}

exact('rows count as delivered when they are shown, and the next run goes on behind them', async ({ folder }) => {
  for (const n of [1, 2]) {
    const pipeline = await open(folder);
    await pipeline.start();
    const token = await pipeline.inputJson('t', [{ n }, { n: -n }]);
    await pipeline.completed(token);
    assert.is(read(folder, 'shown').trim().split('\n').length, n);
    await pipeline.stop();
  }
  assert.is(read(folder, 'shown'), '1,1\n2,1\n');
  assert.equal(read(folder, 'calls').trim().split('\n'), [
    'open book/v.out',
    'recover nothing',
    'open book/v.out',
    'recover checkpoint with {"lines":1}',
  ]);
});

exact('what contradicts it is refused with what to do', async ({ folder }) => {
  const refused = async (output: object, dataFolder?: string): Promise<string> => {
    const definition = {
      program: 'CREATE TABLE t (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n FROM t;',
      connectorModules: [join(folder, 'ledger.mjs')],
      outputs: { out: { stream: 'v', transport: { name: 'ledger' }, format: { name: 'csv' }, ...output } },
    };
    return await Pipeline.open({ ...definition, ...(dataFolder === undefined ? {} : { dataFolder }) }).then(
      async (pipeline) => {
        await pipeline.stop();
        return 'opened';
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  };
  assert.match(await refused({}), /config\.exactly_once: .*"v\.out" .*takes no checkpoints.*dataFolder/);
  const data = join(folder, 'data');
  assert.match(await refused({ on_full: 'drop' }, data), /config\.exactly_once: .*on_full/);
  assert.match(await refused({ send_snapshot: true }, data), /config\.exactly_once: .*send_snapshot/);
  assert.is(await refused({}, data), 'opened');
  const parquet = { transport: { name: 'file_output', config: { path: 'x', delivery: 'exactly_once' } } };
  assert.match(
    await refused({ ...parquet, format: { name: 'parquet' } }, data),
    /config\.exactly_once: .*"v\.out" .*parquet/,
  );
});

exact('no checkpoint is taken behind the failure of such an output, and a stop says so', async ({ folder }) => {
  const codes: unknown[] = [];
  const pipeline = await open(folder, {}, ({ fields }) => {
    codes.push(Object(fields['error']).code);
  });
  await pipeline.start();
  await pipeline.completed(await pipeline.inputJson('t', [{ n: 1 }]));
  writeFileSync(join(folder, 'broken'), '');
  await pipeline.inputJson('t', [{ n: 2 }]);
  while (!codes.includes('checkpoint.held_back')) await pollPause();
  const code = await pipeline.stop().then(
    () => 'stopped',
    (error: unknown) => Object(error).code,
  );
  assert.is(code, 'checkpoint.held_back');
  assert.is(read(folder, 'shown'), '1,1\n');
});

exact.run();
