// `millrace profile` of a file: the operators with their rows, and the picture.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { circuitSvg } from '../../actors/gateway/cli/circuit-svg.ts';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { CliProcess, millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const { folder } = fixture;

fixture.write(
  'made.yaml',
  `program: |
  CREATE TABLE t (id BIGINT, n INT);
  CREATE MATERIALIZED VIEW v AS SELECT n, COUNT(*) AS c FROM t GROUP BY n;
inputs:
  rows: { stream: t, transport: { name: datagen, config: { plan: [{ limit: 500 }] } } }
`,
);

test('a file is run to its end and its operators are listed and drawn', async () => {
  const { code, out, err } = await millrace(['profile', 'made.yaml', '--json', '--svg', 'made.svg'], { folder });
  assert.is(code, 0, err);
  const operators: Record<string, unknown>[] = JSON.parse(out);
  const aggregate = operators.find(({ operator }) => operator === 'aggregate');
  assert.equal([aggregate?.['relation'], aggregate?.['rowsIn'], aggregate?.['stateRows']], ['v', 500, 500]);
  const svg = readFileSync(fixture.path('made.svg'), 'utf8');
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.match(svg, 'aggregate · v');
  const table = await millrace(['profile', 'made.yaml'], { folder });
  assert.match(table.out, /^id +operator +relation +rows in +rows out/);
});

test('the hottest operator is the reddest, and texts are escaped', () => {
  const shared = { relation: 'v', rowsIn: 1, rowsOut: 1, stateRows: 0, stateBytes: 0 };
  const svg = circuitSvg(
    [
      { ...shared, id: 0, operator: 'table', detail: '', inputs: [], micros: 0 },
      { ...shared, id: 1, operator: 'map', detail: '#0 < 5 & #1', inputs: [0], micros: 900 },
    ],
    'a <b>',
  );
  assert.equal(
    [...svg.matchAll(/hsl\(12, 90%, (\d+)%\)/g)].map(([, light]) => light),
    ['97', '55'],
  );
  assert.match(svg, '#0 &lt; 5 &amp; #1');
  assert.match(svg, 'a &lt;b&gt;');
  assert.is([...svg.matchAll(/<path /g)].length, 1);
});

test('what has no end is profiled until a signal, a failure is told with its cause, a folder that is missing before the run', async () => {
  fixture.write('endless.yaml', readFileSync(fixture.path('made.yaml'), 'utf8').replace('limit: 500', 'rate: 1000'));
  const endless = new CliProcess(['profile', 'endless.yaml', '--json'], { folder });
  await endless.until((_, err) => err.includes('profile: running'));
  endless.kill('SIGINT');
  const { code, out, err } = await endless.exit;
  assert.is(code, 0, err);
  assert.ok(JSON.parse(out).length >= 2);
  const made = readFileSync(fixture.path('made.yaml'), 'utf8');
  fixture.write(
    'gone.yaml',
    made.replace(
      /transport: .*/,
      'transport: { name: file_input, config: { path: gone.csv } }, format: { name: csv } }',
    ),
  );
  const gone = await millrace(['profile', 'gone.yaml'], { folder });
  assert.is(gone.code, 1);
  assert.match(gone.err, /pipeline\.connectors_failed.*\n.*\n {2}because file\.not_found: .*gone\.csv/);
  assert.not.match(gone.err, 'runtime.unexpected');
  const nowhere = await millrace(['profile', 'made.yaml', '--svg', 'no/dir/made.svg'], { folder });
  assert.is(nowhere.code, 2);
  assert.match(nowhere.err, /cli\.unwritable_file: cannot write no\/dir\/made\.svg: there is no such folder/);
});

test.run();
