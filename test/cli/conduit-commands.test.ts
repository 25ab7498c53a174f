// What users of Conduit call: `check` and `pipelines validate|lint|dry-run|init` over files, `pipelines`, `connectors` and plugins of a server.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { called } from './called-command.ts';
import { CliProcess, type Exit, jsonLines, millrace, secondsOfFileMax } from './cli-process.ts';

const fixture = new Fixture();
const folder = fixture.folder;
let server: CliProcess;
let url = '';

const call = (...args: readonly string[]): Promise<Exit> =>
  called(args, { folder, environment: { MILLRACE_URL: url } });

const file = `version: "2.2"
pipelines:
  - id: copy
    status: stopped
    name: Copies lines
    connectors:
      - { id: in, type: source, plugin: standalone:lines, settings: { path: a.txt, password: hunter2 } }
      - { id: out, type: destination, plugin: standalone:lines, settings: { path: b.txt } }
    processors:
      - { id: some, plugin: filter, condition: '{{ eq .Metadata.a "b" }}' }
    dead-letter-queue: { plugin: standalone:lines, window-size: 5, window-nack-threshold: 2 }
`;

const count = (object: Readonly<Record<string, unknown>> | undefined, name: string): number => {
  const list = object?.[name];
  return Array.isArray(list) ? list.length : -1;
};

test.before(async () => {
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', 'copy.yaml'), file);
  writeFileSync(
    join(folder, 'wrong.yaml'),
    file.replace('status: stopped', 'status: stoped').replace('filter', 'filtr'),
  );
  server = new CliProcess(['serve', '--port', '0', '--data', 'data', '--pipelines', 'files'], {
    folder,
    secondsMax: secondsOfFileMax,
  });
  await server.until((out) => out.includes('millrace serve: http'));
  url = /millrace serve: (\S+)/.exec(server.out)?.[1] ?? '';
});
test.after(async () => {
  server.kill('SIGTERM');
  await server.exit;
  fixture.cleanUp();
});

test('check prints the pipelines of a file without its secrets', async () => {
  const { code, out, err } = await millrace(['check', 'files/copy.yaml'], { folder });
  assert.is(code, 0, err);
  assert.match(out, /pipeline copy \(Copies lines\), stopped/);
  assert.match(out, /source copy:in: standalone:lines \{ path: a.txt, password: \*\*\* \}/);
  assert.match(out, /processor copy:some: filter if \{\{ eq/);
  assert.match(err, /warning config.unchecked_plugin: .*copy.yaml:7:/);
  assert.not.match(out + err, /hunter2/);
});

test('a folder of files is checked and run as one', async () => {
  const { code, out, err } = await call('check', 'files');
  assert.is(code, 0, err);
  assert.match(out, /pipeline copy \(Copies lines\), stopped/);
  mkdirSync(join(folder, 'several'));
  writeFileSync(join(folder, 'several', 'notes.txt'), 'no pipeline');
  for (const name of ['one', 'two']) {
    const generated = `settings: { recordCount: "2", format.type: raw, format.options.n: int }`;
    writeFileSync(
      join(folder, 'several', `${name}.yaml`),
      `version: "2.2"
pipelines:
  - id: ${name}
    status: running
    connectors:
      - { id: in, type: source, plugin: builtin:generator, ${generated} }
      - { id: out, type: destination, plugin: builtin:file, settings: { path: ${name}.out } }
`,
    );
  }
  const run = await millrace(['run', 'several'], { folder });
  assert.is(run.code, 0, run.err);
  for (const name of ['one', 'two']) {
    assert.is(
      readFileSync(join(folder, `${name}.out`), 'utf8')
        .trim()
        .split('\n').length,
      2,
    );
  }
});

test('what is wrong in a file is told with its place and exits with 2', async () => {
  for (const args of [['check'], ['pipelines', 'validate'], ['pipelines', 'lint']]) {
    const { code, err } = await call(...args, 'wrong.yaml');
    assert.is(code, 2);
    assert.match(err, /wrong.yaml has 2 problems/);
    assert.match(err, /wrong.yaml:4:5 .*did you mean "stopped"/);
    assert.match(err, /wrong.yaml:10:21 .*did you mean "filter"/);
  }
  const { code, out } = await call('pipelines', 'lint', 'wrong.yaml', '--json');
  assert.is(code, 2);
  assert.is(count(jsonLines(out)[0], 'problems'), 2);
  assert.is((await call('pipelines', 'lint', 'files', '--strict')).code, 2);
  assert.is((await call('pipelines', 'validate', 'files')).code, 0);
});

test('a connector of tables in a pipeline without SQL is told from one that does not exist', async () => {
  const rows = file
    .replace('standalone:lines, settings: { path: a.txt', 'builtin:postgres_cdc_input, settings: { uri: x')
    .replace('plugin: standalone:lines, settings: { path: b.txt }', 'plugin: builtin:s3_output, settings: {}');
  writeFileSync(join(folder, 'rows.yaml'), rows);
  const { code, out, err } = await call('check', 'rows.yaml');
  assert.is(code, 2, out);
  assert.match(
    err,
    /config\.plugin_needs_table: .*rows\.yaml:7:.*"builtin:postgres_cdc_input": postgres_cdc_input moves rows/,
  );
  assert.match(err, /config\.plugin_needs_table: .*rows\.yaml:8:.*"builtin:s3_output": s3_output moves rows/);
  assert.not.match(err, /unknown_plugin|hunter2/);
});

test('init writes a file that can be read', async () => {
  const { code, out } = await call(
    'pipelines',
    'init',
    'made',
    '--source',
    'standalone:a',
    '--destination',
    'standalone:b',
  );
  assert.equal([code, out.trim()], [0, 'pipelines/made.yaml']);
  assert.match(readFileSync(join(folder, 'pipelines/made.yaml'), 'utf8'), /id: made\n/);
  assert.is((await call('pipelines', 'init', 'made')).code, 2);
});

test('pipelines and connectors of the server are listed and described by id or name', async () => {
  assert.match((await call('pipelines', 'list')).out, /^copy +Copies lines +stopped +2 /m);
  const described = await call('pipelines', 'describe', 'Copies lines', '--json');
  const [pipeline] = jsonLines(described.out);
  assert.is(pipeline?.['id'], 'copy');
  assert.is(count(pipeline, 'connectors'), 2);
  assert.is(count(pipeline, 'processors'), 1);
  assert.match((await call('connectors', 'list')).out, /^copy:in +source +standalone:lines +copy +in +stopped/m);
  const connector = await call('connectors', 'describe', 'copy:in');
  assert.match(connector.out, /path: a.txt\n {4}password: \*\*\*/);
  assert.match((await call('processors', 'ls')).out, /^copy:some +filter +copy /m);
  assert.match((await call('processor-plugins', 'describe', 'filter')).out, /^name: builtin:filter@v/m);
  const unknown = await call('connectors', 'describe', 'copy:im');
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /server\.refused: the server has no connector "copy:im".*did you mean "copy:in"/);
});

test('a server refuses in its own words', async () => {
  const stopped = await call('pipelines', 'stop', 'copy');
  assert.is(stopped.code, 1);
  assert.match(stopped.err, /pipeline.not_running/);
  const wrong = await call('pipelines', 'lst');
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /did you mean "list"/);
});

test('run carries the records of a file, and with --data goes on where it was', async () => {
  const pipeline = (count: number): string => `version: "2.2"
pipelines:
  - id: made
    connectors:
      - id: in
        type: source
        plugin: builtin:generator
        settings: { recordCount: "${count}", format.type: raw, format.options.id: int }
      - { id: out, type: destination, plugin: builtin:file, settings: { path: out.txt } }
`;
  writeFileSync(join(folder, 'made.yaml'), pipeline(5));
  const first = await millrace(['run', 'made.yaml'], { folder });
  assert.is(first.code, 0, first.err);
  assert.is(first.out, 'made: 5 records read, 5 written\n');
  assert.match(first.err, /a first run/);
  assert.is(readFileSync(join(folder, 'out.txt'), 'utf8').trimEnd().split('\n').length, 5);
  const kept = await millrace(['run', 'made.yaml', '--data', 'state'], { folder });
  assert.is(kept.code, 0, kept.err);
  assert.not.match(kept.err, /a first run/);
});

test('records that go to a log are shown, at the level of their destination; a module that cannot be loaded is told with its reason', async () => {
  const logged = (level: string): string => `version: "2.2"
pipelines:
  - id: shown
    connectors:
      - id: in
        type: source
        plugin: builtin:generator
        settings: { recordCount: "2", format.type: structured, format.options.id: int }
      - { id: out, type: destination, plugin: builtin:log, settings: { level: ${level}, message: seen } }
`;
  writeFileSync(join(folder, 'shown.yaml'), logged('info'));
  mkdirSync(join(folder, 'modules'));
  writeFileSync(join(folder, 'modules', 'broken.mjs'), 'export const = 1');
  const { code, err } = await millrace(['run', 'shown.yaml', '--connectors', 'modules'], { folder });
  assert.is(code, 0, err);
  assert.is(err.match(/shown: info: connector shown:out: seen \{"position".*"after":\{"id":/g)?.length, 2, err);
  assert.match(err, /warn: a connector module is left out: .*broken\.mjs: /);
  writeFileSync(join(folder, 'shown.yaml'), logged('warn'));
  const json = await millrace(['run', '--json', 'shown.yaml'], { folder });
  const events: readonly { event: string; level?: string }[] = json.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.is(events.filter(({ event, level }) => event === 'log' && level === 'warn').length, 2, json.out);
});

test('the summary of a run says how many records went to the dead-letter queue', async () => {
  const refusing = `version: "2.2"
pipelines:
  - id: refusing
    connectors:
      - id: in
        type: source
        plugin: builtin:generator
        settings: { recordCount: "3", format.type: structured, format.options.name: string }
        processors: [{ id: number, plugin: field.convert, settings: { field: .Payload.After.name, type: float } }]
      - { id: out, type: destination, plugin: builtin:file, settings: { path: never.txt } }
    dead-letter-queue: { plugin: builtin:file, settings: { path: letters.txt }, window-size: 10, window-nack-threshold: 9 }
`;
  writeFileSync(join(folder, 'refusing.yaml'), refusing);
  const { code, out, err } = await millrace(['run', 'refusing.yaml'], { folder });
  assert.is(code, 0, err);
  assert.is(out, 'refusing: 3 records read, 0 written, 3 to the dead-letter queue\n');
});

test.run();
