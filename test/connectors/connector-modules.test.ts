// Connectors of the user's own: modules that a pipeline names.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { modulesInFolder, withModules } from '../../connectors/connector-modules.ts';
import { registry } from '../../connectors/registry.ts';
import { MillraceError, Pipeline } from '../../index.ts';
import { startTestServer } from '../actors/gateway/server/test-server.ts';
import { pollPause } from '../poll-pause.ts';

const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/** What a user's file looks like; the import names the entry by its path, because the folder has no packages. */
const squares = `import { BatchBuilder, defineSource } from '${entry}';
export const squares = defineSource({
  name: 'squares',
  summary: 'Counts and squares.',
  format: 'none',
  parameters: [{ name: 'count', type: { kind: 'integer', min: 1 }, required: true, description: 'Rows.' }],
  create: ({ count }, { relation, signal }) => {
    let next = 0;
    return {
      open: async (position) => void (next = position?.next ?? 0),
      async *read() {
        while (next < count && !signal.aborted) {
          const builder = new BatchBuilder(relation.schema);
          builder.reserve(1);
          const [n, square] = builder.columns;
          n.values[0] = BigInt(next);
          square.values[0] = BigInt(next * next);
          builder.commitRow();
          next++;
          yield { kind: 'batch', batch: builder.finish(), position: { next } };
        }
      },
    };
  },
});
export default squares;
`;
const keeper = `import { appendFileSync } from 'node:fs';
import { defineDestination, rowsOf } from '${entry}';
export const keeper = defineDestination({
  name: 'keeper',
  summary: 'Writes what it gets.',
  format: 'required',
  parameters: [{ name: 'file', type: { kind: 'string' }, required: true, description: 'File.' }],
  create: ({ file }) => ({
    open: async () => {},
    write: async ({ bytes }) => appendFileSync(file, bytes),
  }),
});
`.replace(', rowsOf', '');

interface Folder {
  readonly path: string;
}

const withFolder = suite<Folder>('connector modules');
withFolder.before.each((context) => {
  Object.assign(context, { path: mkdtempSync(join(tmpdir(), 'millrace-modules-')) });
});
withFolder.after.each((context) => rmSync(context.path, { recursive: true, force: true }));

withFolder('a pipeline reads from a source and writes to a destination of its own', async ({ path }) => {
  writeFileSync(join(path, 'squares.mjs'), squares);
  writeFileSync(join(path, 'keeper.mjs'), keeper);
  const file = join(path, 'out.csv');
  await using pipeline = await Pipeline.open({
    program: 'CREATE TABLE t (n BIGINT, square BIGINT); CREATE VIEW v AS SELECT n, square FROM t WHERE n >= 3;',
    connectorModules: ['squares.mjs', './keeper.mjs'],
    baseFolder: path,
    inputs: { s: { stream: 't', transport: { name: 'squares', config: { count: 5 } } } },
    outputs: {
      k: { stream: 'v', transport: { name: 'keeper', config: { file } }, format: { name: 'csv' } },
    },
  });
  await pipeline.start();
  await pipeline.waitForCompletion();
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').sort(), ['3,9,1', '4,16,1']);
});

withFolder('parameters of a module are checked as those of a shipped connector', async ({ path }) => {
  writeFileSync(join(path, 'squares.mjs'), squares);
  const open = Pipeline.open({
    program: 'CREATE TABLE t (n BIGINT, square BIGINT);',
    connectorModules: ['squares.mjs'],
    baseFolder: path,
    inputs: { s: { stream: 't', transport: { name: 'squares', config: { counts: 5 } } } },
  });
  const error = await open.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MillraceError && error.code === 'pipeline.invalid');
  assert.match(error.message, /squares has no parameter "counts".*count/s);
  assert.match(error.message, /squares needs "count"/);
});

withFolder('a module that is missing, broken, empty or takes a name is a problem of its own', async ({ path }) => {
  writeFileSync(join(path, 'broken.mjs'), 'export const = 1');
  writeFileSync(join(path, 'empty.mjs'), 'export const nothing = 1');
  writeFileSync(join(path, 'squares.mjs'), squares);
  writeFileSync(join(path, 'taken.mjs'), squares.replace("name: 'squares'", "name: 'file_input'"));
  const files = ['absent.mjs', 'broken.mjs', 'empty.mjs', 'squares.mjs', 'taken.mjs'].map((name) => join(path, name));
  const loaded = await withModules(registry, files);
  const unloadable = 'config.module_not_loaded';
  assert.equal(
    loaded.problems.map(({ code }) => code),
    [unloadable, unloadable, unloadable, 'config.module_name_taken'],
  );
  assert.is(loaded.registry.sources.length, registry.sources.length + 1);
  writeFileSync(join(path, 'package.json'), '{ "type": "commonjs" }');
  writeFileSync(join(path, 'squares.js'), squares);
  const [refused] = (await withModules(registry, [join(path, 'squares.js')])).problems;
  assert.match(refused?.message ?? '', /squares\.js: .*name it \.mjs, or say "type": "module" in its package\.json/);
});

withFolder('of a folder those modules are taken that export connectors and are no programs', async ({ path }) => {
  writeFileSync(join(path, 'a-squares.mjs'), squares);
  writeFileSync(join(path, 'b-keeper.js'), keeper);
  writeFileSync(join(path, 'c-again.mjs'), squares);
  writeFileSync(join(path, 'd-broken.js'), 'export const = 1');
  writeFileSync(join(path, 'helper.mjs'), 'export const nothing = 1');
  writeFileSync(join(path, 'connector.ts'), 'throw new Error("a source was loaded")');
  writeFileSync(join(path, 'plugin.js'), '#!/usr/bin/env node\nthrow new Error("a program was loaded")', {
    mode: 0o755,
  });
  const loaded = await modulesInFolder(registry, path);
  assert.equal(loaded.files, [join(path, 'a-squares.mjs'), join(path, 'b-keeper.js')]);
  assert.equal(
    loaded.problems.map(({ code }) => code),
    ['config.module_name_taken', 'config.module_not_loaded'],
  );
  assert.is(loaded.registry.sources.at(-1)?.name, 'squares');
  assert.is(loaded.registry.destinations.at(-1)?.name, 'keeper');
  assert.equal((await modulesInFolder(registry, join(path, 'nowhere'))).files, []);
});

withFolder(
  'a server runs the connectors of its folder in pipelines that come over HTTP, and lists them',
  async ({ path }) => {
    writeFileSync(join(path, 'squares.mjs'), squares);
    const ofRecords = keeper.replace("format: 'required'", "format: 'none', accepts: 'records'");
    writeFileSync(join(path, 'keeper.mjs'), ofRecords);
    const server = await startTestServer({ connectorsFolder: path, modulesFolder: path });
    try {
      const connectors = JSON.stringify([{ transport: { name: 'squares', config: { count: 5 } } }]);
      const program_code = `CREATE TABLE t (n BIGINT, square BIGINT) WITH ('materialized' = 'true', 'connectors' = '${connectors}');`;
      const post = (at: string, body = ''): Promise<Response> =>
        fetch(`${server.url}/v0/pipelines${at}`, { method: 'POST', body });
      assert.is((await post('', JSON.stringify({ name: 'p', program_code }))).status, 201);
      assert.is((await post('/p/start')).status, 202);
      const sql = encodeURIComponent('SELECT SUM(square) AS s FROM t');
      for (let text = ''; text !== '{"s":30}'; await pollPause()) {
        const shown: unknown = await (await fetch(`${server.url}/v0/pipelines/p?selector=status`)).json();
        assert.is(Object(shown).deployment_error, null);
        text = (await (await fetch(`${server.url}/v0/pipelines/p/query?format=json&sql=${sql}`)).text()).trim();
      }
      const plugins = await (await fetch(`${server.url}/v1/connectors/plugins?name=builtin:keeper@.*`)).text();
      assert.match(plugins, '"builtin:keeper@');
      assert.is((await post('/p/stop?force=true')).status, 202);
    } finally {
      await server.close();
    }
  },
);

withFolder.run();
