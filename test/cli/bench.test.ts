// `millrace bench` as a user starts it: real runs of small pipelines, in turn, with a picture; what is refused; a signal.
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compilerFor } from '../../actors/engine/function-declarations.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import type { BenchReport } from '../../actors/gateway/bench/bench-report.ts';
import { runCli } from '../../actors/gateway/cli/cli.ts';
import { validatePipeline } from '../../actors/supervisor/validate-pipeline.ts';
import { registry } from '../../connectors/registry.ts';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { CliProcess, millrace, secondsOfFileMax } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const { folder } = fixture;
/** Each run is a process with threads of its own. */
const secondsMax = secondsOfFileMax;

const made = (plan: string): string => `program: |
  CREATE TABLE t (id BIGINT, n INT);
  CREATE VIEW v AS SELECT id % 10 AS bucket, COUNT(*) AS c FROM t GROUP BY id % 10;
inputs:
  rows: { stream: t, transport: { name: datagen, config: { plan: [${plan}] } } }
outputs:
  out: { stream: v, transport: { name: file_output, config: { path: out.ndjson } }, format: { name: json } }
`;
fixture.write('finite.yaml', made('{ limit: 2000 }'));
fixture.write('other.yaml', made('{ limit: 3000 }'));
fixture.write('endless.yaml', made('{ rate: 5000 }'));
const copying = (id: string): string => `  - id: ${id}
    status: running
    connectors:
      - { id: in, type: source, plugin: builtin:file, settings: { path: lines.txt } }
      - { id: out, type: destination, plugin: builtin:file, settings: { path: ${id}.txt } }
`;
fixture.write('lines.txt', 'a\nb\nc\n');
fixture.write('copy.yaml', `version: "2.2"\npipelines:\n${copying('copy')}`);
fixture.write('two.yaml', `version: "2.2"\npipelines:\n${copying('one')}${copying('other')}`);
/** Nothing here is measured for long, however slow the machine is. */
const short = ['--warm-up', '0', '--seconds', '90000', '--repeat', '1'];

function reportOf(out: string): BenchReport {
  return JSON.parse(out);
}

test('two pipelines with an end are run in turn from start to end: rows, queues, threads by name, state, ratio, picture', async () => {
  const options = ['--against', 'other.yaml', ...short, '--workers', '2', '--json', '--chart', 'pair.svg'];
  const { code, out, err } = await millrace(['bench', 'finite.yaml', ...options], { folder, secondsMax });
  assert.is(code, 0, err);
  assert.equal(
    err.split('\n').filter((line) => /^(warming up|run )/.test(line)),
    ['run 1 of 1: other.yaml', 'run 1 of 1: finite.yaml'],
  );
  const { files, against, workers } = reportOf(out);
  assert.is(workers, 2);
  assert.equal(
    files.map(({ file, kind, runs, rowsIn }) => [file, kind, runs, rowsIn]),
    [
      ['finite.yaml', 'whole', 1, 2000],
      ['other.yaml', 'whole', 1, 3000],
    ],
  );
  assert.ok((against?.rowsInPerSecond.median ?? 0) > 0);
  const [file] = files;
  assert.equal([file?.rowsInPerSecond.noisePercent, file?.stateRows], [null, 10]);
  const [input, output] = file?.connectors ?? [];
  assert.equal([input?.endpoint, input?.direction, input?.records], ['t.rows', 'input', 2000]);
  assert.equal([output?.endpoint, output?.direction], ['v.out', 'output']);
  assert.ok((output?.records ?? 0) >= 10, 'each bucket came out');
  const engine = file?.threads.find(({ name }) => name === 'engine');
  assert.equal(engine?.actors, ['engine']);
  assert.ok((engine?.cpuMs ?? 0) > 0 && (engine?.heapBytesMax ?? 0) > 1e6);
  for (const name of ['main', 'control', 'intake', 'other']) {
    assert.ok(
      file?.threads.some((thread) => thread.name === name),
      name,
    );
  }
  const svg = readFileSync(fixture.path('pair.svg'), 'utf8');
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  for (const text of ['finite.yaml', 'other.yaml', 'Throughput', 'engine', 'p99']) assert.ok(svg.includes(text), text);
});

test('an endless pipeline is measured for a while, beside a file of Conduit, which is copied to its end', async () => {
  const options = ['--against', 'copy.yaml', '--warm-up', '0', '--seconds', '0.5', '--repeat', '1'];
  const { code, out, err } = await millrace(['bench', 'endless.yaml', ...options], { folder, secondsMax });
  assert.is(code, 0, err);
  assert.match(out, /^endless.yaml: 1 run of \d+\.\d s after the warm-up\n {2}in +[\d,]+ rows\/s .*\n {2}out /);
  assert.match(out, /\n {2}t\.rows +in +[\d,]+ .*\n {2}v\.out +out +[\d,]+ /);
  assert.match(out, /\n {2}engine +[\d,]+ .* engine\n/);
  assert.match(out, /\ncopy.yaml: 1 run /);
  assert.match(out, /\n {2}copy:in +in +[\d,]+ .*\n {2}copy:out +out +[\d,]+ /);
});

test('a signal ends the run under way; nothing of it stays, and what is done is reported', async () => {
  const options = ['--warm-up', '600', '--seconds', '600', '--json', '--chart', 'never.svg'];
  const bench = new CliProcess(['bench', 'endless.yaml', ...options], { folder, secondsMax });
  await bench.until((_out, err) => err.includes('warming up'));
  bench.kill('SIGINT');
  const { code, out, err } = await bench.exit;
  assert.is(code, 130, err);
  assert.match(err, 'SIGINT: ends the run under way; once more ends at once');
  assert.equal([reportOf(out).interrupted, reportOf(out).files], [true, []]);
  assert.not.ok(existsSync(fixture.path('never.svg')));
});

test('what cannot be measured is refused with its place and the nearest name', async () => {
  fixture.write('wrong.yaml', made('{ limit: 10 }').replace('name: datagen', 'name: datagne'));
  fixture.write('empty.yaml', 'program: CREATE TABLE t (x INT);\n');
  fixture.write(
    'gone.yaml',
    `program: CREATE TABLE t (x INT);
inputs:
  rows: { stream: t, transport: { name: file_input, config: { path: nowhere.csv } }, format: { name: csv } }
`,
  );
  const refused: readonly (readonly [string, number, RegExp])[] = [
    ['wrong.yaml', 2, /wrong\.yaml has 1 problem:\nerror .*wrong\.yaml:5:\d+.*did you mean "datagen"/],
    ['empty.yaml', 2, /config\.no_inputs: empty\.yaml has no input connector/],
    ['gone.yaml', 1, /pipeline\.connectors_failed: .*t\.rows.*\n(?:.*\n)* +because .*nowhere\.csv/],
  ];
  for (const [file, code, message] of refused) {
    const ended = await millrace(['bench', file], { folder, secondsMax });
    assert.match(ended.err, message);
    assert.is(ended.code, code, ended.err);
    assert.is(ended.out, '');
  }
});

test('how it is called is looked at before anything runs', async () => {
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['finite.yaml', '--agianst', 'x.yaml'], /cli\.usage.*did you mean "--against"/],
    [['finite.yaml', '--repeat', '0'], /cli\.usage.*--repeat must be a number of runs/],
    [['finite.yaml', '--workers', '65'], /cli\.usage.*--workers must be from 1 to 64, not "65"/],
    [['finite.yaml', '--seconds', 'ten'], /cli\.usage.*--seconds must be a number of seconds, not "ten"/],
    [[fixture.path('two.yaml')], /cli\.usage.*two\.yaml has 2 pipelines that run/],
    [[fixture.path('copy.yaml'), '--workers', '2'], /cli\.usage.*--workers is of pipelines with SQL/],
    [[fixture.path('finite.yaml'), '--against', 'missing.yaml'], /config\.unreadable_file: cannot read missing\.yaml/],
    [['finite.yaml', '--chart', 'no/dir/x.svg'], /cli\.unwritable_file: cannot write no\/dir\/x\.svg/],
    [[], /1 operand expected, 0 given/],
  ];
  for (const [args, message] of refused) {
    let said = '';
    const code = await runCli(['bench', ...args], {
      version: '0',
      packageFolder: '',
      environment: {},
      terminalColumns: null,
      out: (text) => assert.unreachable(text),
      err: (text) => {
        said += text;
      },
      loadValidation: async () => ({ compile: compileProgram, compilerFor, validate: validatePipeline, registry }),
    });
    assert.is(code, 2);
    assert.match(said, message);
  }
});

test.run();
