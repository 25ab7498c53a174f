// `millrace run` as a user starts it: a process, a pipeline file, signals, exit codes.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { content, Fixture } from '../embedded/pipeline-fixture.ts';
import { pollPause } from '../poll-pause.ts';
import { CliProcess, jsonLines, millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;
const binary = fileURLToPath(new URL('../../main.js', import.meta.url));

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const control = /[\u0000-\u0009\u000b-\u001f\u007f]/;

const shop = `program: |
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10,2));
  CREATE MATERIALIZED VIEW spend AS SELECT u.name, SUM(o.amount) AS total FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.name;
inputs:
  users:
    stream: users
    connector_config:
      labels: ["dimension"]
      transport: { name: file_input, config: { path: users.csv } }
      format: { name: csv }
  orders:
    stream: orders
    connector_config:
      start_after: ["dimension"]
      transport: { name: file_input, config: { path: orders.json } }
      format: { name: json, config: { update_format: raw } }
outputs:
  spend:
    stream: spend
    connector_config:
      transport: { name: file_output, config: { path: spend.ndjson } }
      format: { name: json }
`;

fixture.write('users.csv', '1,Alice,30\n2,Bob,25\n');
fixture.write(
  'orders.json',
  '{"id":1,"user_id":1,"amount":10.50}\n{"id":2,"user_id":2,"amount":5}\n{"id":3,"user_id":1,"amount":0.25}\n{"id":4,"user_id":9,"amount":1}\n',
);

/** A view of everything in `t`, and a file that gets it. */
const copyProgram = `program: |
  CREATE TABLE t (x BIGINT);
  CREATE MATERIALIZED VIEW v AS SELECT x FROM t;
outputs:
  copy: { stream: v, transport: { name: file_output, config: { path: "\${env:COPY}" } }, format: { name: json } }
`;

test('a pipeline file runs to its end: exit 0, the views, the output file, no control characters', async () => {
  fixture.write('shop.yaml', shop);
  const { code, out, err } = await millrace(['run', 'shop.yaml'], { folder });
  assert.is(code, 0, err);
  assert.equal(fixture.lines('spend.ndjson').sort(), [
    '{"insert":{"name":"Alice","total":10.75}}',
    '{"insert":{"name":"Bob","total":5.00}}',
  ]);
  assert.match(out, /^spend\nname {3}total\n----- {2}-----\n/m);
  assert.match(out, 'Alice  10.75');
  assert.match(out, /^6 rows \(.*\) in .* s: /m);
  assert.match(err, /^users\.users +100% +2 rows .* ended$/m);
  assert.match(err, /^orders\.orders +100% +4 rows .* ended$/m);
  assert.not.match(out + err, control);
  assert.not.match(err, 'replaced');
  const again = await millrace(['run', 'shop.yaml'], { folder });
  assert.match(again.err, /^info: connector spend\.spend: .*spend\.ndjson: replaced \d+ bytes$/m);
});

test('--json prints one object a line and a final summary with the views; three stages fill one table in turn', async () => {
  // A stage that came too early would leave its row in the table after the deletion of the stage before.
  fixture.write('stage1.json', '{"insert":{"id":1,"x":1}}\n');
  fixture.write('stage2.json', '{"delete":{"id":1}}\n{"insert":{"id":2,"x":20}}\n');
  fixture.write('stage3.json', '{"insert":{"id":2,"x":21}}\n{"insert":{"id":1,"x":11}}\n');
  const input = (stage: number, fields: string): string =>
    `  stage${stage}: { stream: t, ${fields}, transport: { name: file_input, config: { path: "\${env:STAGE}${stage}.json" } }, format: { name: json } }\n`;
  fixture.write(
    'stages.yaml',
    `program: |
  CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, x BIGINT);
  CREATE MATERIALIZED VIEW v AS SELECT id, x FROM t ORDER BY x DESC;
inputs:
${input(3, 'start_after: [second, first]')}${input(2, 'labels: [second], start_after: first')}${input(1, 'labels: [first]')}`,
  );
  const { code, out, err } = await millrace(['run', '--json', 'stages.yaml'], {
    folder,
    environment: { STAGE: 'stage' },
  });
  assert.is(code, 0, err);
  assert.is(err, '');
  const events = jsonLines(out);
  assert.ok(events.every((event) => typeof event['event'] === 'string'));
  const summary = events.at(-1);
  assert.is(summary?.['event'], 'summary');
  assert.equal(summary?.['views'], [
    {
      view: 'v',
      columns: ['id', 'x'],
      rows: [
        { id: 2, x: 21 },
        { id: 1, x: 11 },
      ],
      totalRows: 2,
    },
  ]);
  assert.ok(events.some((event) => event['event'] === 'status'));
});

test('two dimension tables come before the fact table', async () => {
  fixture.write('cities.csv', '1,Berlin\n2,Paris\n');
  fixture.write('visits.csv', '1,1\n1,2\n2,2\n3,1\n');
  const csv = (name: string, path: string, fields: string): string =>
    `  ${name}: { stream: ${name}, ${fields}, transport: { name: file_input, config: { path: ${path} } }, format: { name: csv } }\n`;
  fixture.write(
    'visits.yaml',
    `program: |
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE TABLE cities (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);
  CREATE TABLE visits (user_id BIGINT, city_id BIGINT);
  CREATE MATERIALIZED VIEW seen AS
    SELECT u.name AS person, c.name AS city, COUNT(*) AS n FROM visits v
    JOIN users u ON u.id = v.user_id JOIN cities c ON c.id = v.city_id GROUP BY u.name, c.name
    ORDER BY u.name, c.name;
inputs:
${csv('visits', 'visits.csv', 'start_after: [people, places]')}${csv('users', 'users.csv', 'labels: [people]')}${csv('cities', 'cities.csv', 'labels: [places]')}`,
  );
  const { code, out, err } = await millrace(['run', '--json', 'visits.yaml'], { folder });
  assert.is(code, 0, err);
  const events = jsonLines(out);
  const summary = events.at(-1);
  assert.equal(summary?.['views'], [
    {
      view: 'seen',
      columns: ['person', 'city', 'n'],
      rows: [
        { person: 'Alice', city: 'Berlin', n: 1 },
        { person: 'Alice', city: 'Paris', n: 1 },
        { person: 'Bob', city: 'Paris', n: 1 },
      ],
      totalRows: 3,
    },
  ]);
  // While a dimension is not through, the facts wait for it and say for what.
  for (const event of events) {
    if (event['event'] !== 'status') continue;
    const states = new Map(connectorsOf(event).map((connector) => [connector.endpoint, connector]));
    const isThrough = states.get('users.users')?.state === 'ended' && states.get('cities.cities')?.state === 'ended';
    const visits = states.get('visits.visits');
    if (visits?.state === 'waiting') assert.ok(visits.waitingFor.length > 0);
    else assert.ok(isThrough, JSON.stringify(event));
  }
});

test('with --control a connector that starts paused is resumed by hand, and the run ends with it', async () => {
  fixture.write('numbers.csv', '1\n2\n3\n');
  fixture.write(
    'control.yaml',
    `${copyProgram}inputs:
  later: { stream: t, paused: true, transport: { name: file_input, config: { path: numbers.csv } }, format: { name: csv } }
`,
  );
  const run = new CliProcess(['run', 'control.yaml', '--control'], {
    folder,
    environment: { COPY: 'control.ndjson' },
    isFed: true,
  });
  run.feed('status\nresum t.later\nresume t.late\npause t.later\n');
  await run.until((_, err) => /t\.later is paused\n[\s\S]*is paused\n/.test(err));
  assert.match(run.err, /run\.unknown_command: there is no command "resum"[\s\S]*resume/);
  assert.match(run.err, /run\.unknown_connector: there is no connector "t\.late"[\s\S]*t\.later/);
  run.feed('resume t.later\n');
  const { code, err } = await run.exit;
  assert.is(code, 0, err);
  assert.match(err, 't.later is resumed');
  assert.is(fixture.lines('control.ndjson').length, 3);
});

test('a connector that starts paused keeps the run going until SIGTERM, which drains and exits 0', async () => {
  fixture.write('numbers.csv', '1\n2\n3\n');
  fixture.write(
    'paused.yaml',
    `${copyProgram}inputs:
  some: { stream: t, transport: { name: file_input, config: { path: numbers.csv } }, format: { name: csv } }
  later: { stream: t, paused: true, transport: { name: file_input, config: { path: numbers.csv } }, format: { name: csv } }
`,
  );
  const run = new CliProcess(['run', '--json', 'paused.yaml'], { folder, environment: { COPY: 'paused.ndjson' } });
  await run.until((out) => statesIn(out).get('t.some') === 'ended' && statesIn(out).get('t.later') === 'paused');
  run.kill('SIGTERM');
  const { code, out, err } = await run.exit;
  assert.is(code, 0, err);
  assert.is(fixture.lines('paused.ndjson').length, 3);
  const events = jsonLines(out);
  assert.ok(events.some((event) => event['event'] === 'draining' && event['signal'] === 'SIGTERM'));
  assert.is(events.at(-1)?.['event'], 'summary');
});

/** Half a minute's worth at the rate below: a run is over before it is through. */
const manyRows = 12_000_000;

test('SIGINT drains in the middle: every row that was read is in the file, whose last line is complete', async () => {
  fixture.write(
    'many.yaml',
    `${copyProgram}inputs:
  many: { stream: t, transport: { name: datagen, config: { plan: [{ limit: ${manyRows}, rate: 400000 }] } } }
`,
  );
  const run = new CliProcess(['run', '--json', 'many.yaml'], { folder, environment: { COPY: 'many.ndjson' } });
  await run.until((out) => statesIn(out).get('t.many') === 'running' || statesIn(out).get('t.many') === 'throttled');
  await fileHas('many.ndjson', 1);
  run.kill('SIGINT');
  const { code, out, err } = await run.exit;
  assert.is(code, 0, err);
  const text = readFileSync(fixture.path('many.ndjson'), 'utf8');
  assert.ok(text.endsWith('}\n'), 'the last line is complete');
  const summary = jsonLines(out).at(-1);
  assert.is(summary?.['event'], 'summary');
  // SAFETY: what the summary of a run holds.
  const { stats, views } = summary as unknown as {
    readonly stats: {
      readonly inputs: readonly { readonly totalRecords: number; readonly bufferedRecords: number }[];
      readonly outputs: readonly { readonly transmittedRecords: number }[];
    };
    readonly views: readonly { readonly totalRows: number }[];
  };
  const read = stats.inputs[0]?.totalRecords;
  assert.is(fixture.lines('many.ndjson').length, read, 'every row that was read');
  assert.is(views[0]?.totalRows, read, 'the summary tells what the file holds');
  assert.is(stats.outputs[0]?.transmittedRecords, read);
  assert.is(stats.inputs[0]?.bufferedRecords, 0);
  assert.ok(Number(read) < manyRows, 'it was in the middle');
});

test('a second signal ends the run at once with 130', async () => {
  // An output that nobody reads cannot be drained.
  execFileSync('mkfifo', [fixture.path('pipe')]);
  fixture.write(
    'stuck.yaml',
    `${copyProgram}inputs:
  many: { stream: t, transport: { name: datagen, config: { plan: [{ limit: 50000000 }] } } }
`,
  );
  const run = new CliProcess(['run', 'stuck.yaml'], { folder, environment: { COPY: fixture.path('pipe') } });
  // Opened for reading and writing, so that the other side finds a reader, which reads nothing.
  const pipe = openSync(fixture.path('pipe'), 'r+');
  await run.until((_out, err) => /throttled/.test(err));
  run.kill('SIGINT');
  await run.until((_out, err) => err.includes('SIGINT: draining; once more ends at once\n'));
  // What comes right behind the first one is the same wish.
  let hasEnded = false;
  const ended = run.exit.finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    run.kill('SIGINT');
    await pollPause();
  }
  const { signal } = await ended;
  closeSync(pipe);
  // A shell calls it 130.
  assert.is(signal, 'SIGINT');
});

test('a failed connector: the others go on to their end, exit 1, and the reason is told', async () => {
  fixture.write(
    'failing.yaml',
    `${copyProgram}inputs:
  good: { stream: t, transport: { name: file_input, config: { path: numbers.csv } }, format: { name: csv } }
  bad: { stream: t, labels: [bad], transport: { name: file_input, config: { path: nowhere.csv } }, format: { name: csv } }
  after: { stream: t, start_after: bad, transport: { name: file_input, config: { path: numbers.csv } }, format: { name: csv } }
`,
  );
  appendFileSync(fixture.path('numbers.csv'), 'x\n');
  const { code, out, err } = await millrace(['run', 'failing.yaml'], { folder, environment: { COPY: 'good.ndjson' } });
  assert.is(code, 1, err);
  assert.equal(content(fixture.lines('good.ndjson')).size, 3);
  assert.match(out, /^t\.bad failed: file\.not_found: there is no file .*nowhere\.csv$/m);
  assert.match(out, /^t\.after was not started: it waits for bad, which failed$/m);
  assert.match(out, /^t\.good: 1 rows refused$/m);
  assert.match(err, /^t\.good record 4: .*: x$/m);
  assert.not.match(out + err, control);
});

test('a reader that goes away ends the run as a signal does: drained, exit 0', async () => {
  const run = new CliProcess(['run', '--json', 'many.yaml'], { folder, environment: { COPY: 'unread.ndjson' } });
  await run.until((out) => out !== '');
  run.closeOut();
  const { code, err } = await run.exit;
  assert.is(code, 0, err);
  assert.is(err, '');
  const text = readFileSync(fixture.path('unread.ndjson'), 'utf8');
  assert.ok(text === '' || text.endsWith('}\n'), 'the last line is complete');
});

test('an unset environment variable and a bad option are refused with exit 2 before anything runs', async () => {
  const [unset, option] = await Promise.all([
    millrace(['run', 'paused.yaml'], { folder }),
    millrace(['run', 'paused.yaml', '--rows', 'many'], { folder }),
  ]);
  assert.is(unset.code, 2);
  assert.match(unset.err, /^error config\.unset_variable: paused\.yaml:\d+:\d+ .*COPY/m);
  assert.is(unset.out, '');
  assert.is(option.code, 2);
  assert.match(option.err, /^error cli\.usage: .*--rows.*"many"/m);
});

interface ConnectorLine {
  readonly endpoint: string;
  readonly state: string;
  readonly waitingFor: readonly string[];
}

function connectorsOf(event: Readonly<Record<string, unknown>>): readonly ConnectorLine[] {
  // SAFETY: what a status event of a run holds.
  return event['connectors'] as readonly ConnectorLine[];
}

/** The latest state of every connector that `--json` has told so far. */
function statesIn(out: string): Map<string, string> {
  const complete = out.slice(0, out.lastIndexOf('\n') + 1);
  const status = jsonLines(complete).findLast((event) => event['event'] === 'status');
  if (status === undefined) return new Map();
  return new Map(connectorsOf(status).map(({ endpoint, state }) => [endpoint, state]));
}

/** Resolves once the file has so many bytes. */
async function fileHas(name: string, bytes: number): Promise<void> {
  const deadline = performance.now() + 100_000;
  for (;;) {
    const size = statSync(fixture.path(name), { throwIfNoEntry: false })?.size ?? 0;
    if (size >= bytes) return;
    if (performance.now() > deadline) throw new Error(`${name} has only ${size} bytes`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('results that cannot be written, as on a full disk, end a run in order, with a message and exit code 1', async () => {
  if (!existsSync('/dev/full')) return;
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [binary, 'help'], { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  assert.is(code, 1);
  assert.match(err, /^error: what is printed cannot be written: ENOSPC[^\n]*\n$/);
});

test('a server that is away is told of while it is tried again', async () => {
  fixture.write(
    'away.yaml',
    `program: CREATE TABLE t (x INT);
inputs:
  in: { stream: t, transport: { name: url_input, config: { path: 'http://127.0.0.1:9/rows.csv', max_retries: 1 } }, format: { name: csv } }
`,
  );
  const run = new CliProcess(['run', 'away.yaml'], { folder });
  await run.until((_, err) => /warn: connector t\.in: .*ECONNREFUSED.* \(attempt 1\)/.test(err));
  run.kill('SIGINT');
  await run.exit;
});

test.run();
