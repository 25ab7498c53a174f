// The commands against a server: `millrace serve` as a process of its own, one for the file. Commands that read or wait are processes too.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { pollPause } from '../poll-pause.ts';
import { called } from './called-command.ts';
import { type CliOptions, CliProcess, type Exit, jsonLines, millrace, secondsOfFileMax } from './cli-process.ts';

const fixture = new Fixture();
const folder = fixture.folder;
const adminKey = 'admin-key-of-the-tests-of-the-command-line';
const program = `
CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, customer VARCHAR) WITH (
  'materialized' = 'true',
  'connectors' = '[{"name": "made", "transport": {"name": "datagen", "config": {"plan": [{"rate": 1, "limit": 1000000}]}}}]'
);
CREATE MATERIALIZED VIEW totals AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer;
CREATE TABLE people (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR) WITH ('materialized' = 'true');
`;
let server: CliProcess;
let url = '';

const options = (): CliOptions => ({ folder, environment: { MILLRACE_URL: url, MILLRACE_API_KEY: adminKey } });
const call = (args: readonly string[]): Promise<Exit> => called(args, options());

async function request(method: string, path: string, body?: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const reply = await fetch(`${url}/v0${path}`, { method, headers, ...init });
  if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
}

/** The command again and again, until what it prints fulfils `holds`. */
async function until(args: readonly string[], holds: (out: string) => boolean): Promise<string> {
  for (;;) {
    const { out } = await call(args);
    if (holds(out)) return out;
    await pollPause();
  }
}

test.before(async () => {
  const environment = { MILLRACE_ADMIN_KEY: adminKey };
  server = new CliProcess(['serve', '--port', '0', '--data', 'data'], {
    folder,
    environment,
    secondsMax: secondsOfFileMax,
  });
  await server.until((out) => out.includes('millrace serve: http'));
  url = /millrace serve: (\S+)/.exec(server.out)?.[1] ?? '';
  const definition = { description: '', program_config: {}, runtime_config: {} };
  await request('PUT', '/pipelines/sales', { ...definition, name: 'sales', program_code: program });
  await request('PUT', '/pipelines/idle', { ...definition, name: 'idle', program_code: 'CREATE TABLE t (a INT);' });
  assert.is((await call(['start', 'sales'])).out, 'sales is running\n');
});

test.after(async () => {
  server.kill('SIGTERM');
  await server.exit;
  fixture.cleanUp();
});

test('ps lists the pipelines by name', async () => {
  const { code, out } = await millrace(['ps'], options());
  assert.is(code, 0);
  const lines = out.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^name +status +since +desired +program +errors$/);
  assert.match(lines[2] ?? '', /^idle +Stopped/);
  assert.match(lines[3] ?? '', /^sales +Running +(\d+[ms] ?)+ +Running +Success +0$/);
  const json = jsonLines((await call(['ps', '--json'])).out);
  assert.equal(
    json.map((pipeline) => [pipeline['name'], pipeline['deployment_status']]),
    [
      ['idle', 'Stopped'],
      ['sales', 'Running'],
    ],
  );
});

test('status shows counters and connectors of a pipeline that runs, and less of one that is stopped', async () => {
  // A pipeline runs before its connectors are open.
  const out = await until(['status', 'sales'], (text) => /^orders\.made +input +running +\d+ +/m.test(text));
  assert.match(out, /^pipeline {2}sales\nstatus {4}Running for /);
  assert.is((await call(['status', 'sales'])).code, 0);
  const [json = {}] = jsonLines((await call(['status', 'idle', '--json'])).out);
  assert.is(json['stats'], null);
  const [running = {}] = jsonLines((await call(['status', 'sales', '--json'])).out);
  assert.type(running['stats'], 'object');
});

test('pause and resume of a pipeline; when resume ends, it runs', async () => {
  assert.equal(await call(['pause', 'sales']), { code: 0, signal: null, out: 'sales is paused\n', err: '' });
  await until(['status', 'sales'], (out) => /^status +Paused/m.test(out));
  const resumed = await call(['resume', 'sales', '--json']);
  assert.equal(jsonLines(resumed.out), [{ pipeline: 'sales', connector: null, status: 'running' }]);
  assert.match((await call(['status', 'sales'])).out, /^status +Running/m);
});

test('pause and resume of a connector', async () => {
  assert.is((await call(['pause', 'sales', 'orders.made'])).out, 'sales: input orders.made is paused\n');
  await until(['status', 'sales'], (out) => /^orders\.made +input +paused/m.test(out));
  assert.is((await call(['resume', 'sales', 'orders.made'])).out, 'sales: input orders.made is running\n');
  assert.match((await call(['status', 'sales'])).out, /^orders\.made +input +running/m);
});

test('a name that does not exist is answered with the nearest one', async () => {
  const pipeline = await call(['status', 'salse']);
  assert.is(pipeline.code, 1);
  assert.match(pipeline.err, /^error server\.refused: there is no pipeline "salse" .*did you mean "sales"\?/);
  const connector = await call(['pause', 'sales', 'orders.mode']);
  assert.is(connector.code, 1);
  assert.match(connector.err, /^error server\.unknown_connector: .*did you mean "orders\.made"\?/);
  const action = await call(['api-key', 'crate', 'x']);
  assert.is(action.code, 2);
  assert.match(action.err, /did you mean "create"\?/);
});

test('a pipeline that is stopped is not resumed', async () => {
  const { code, err } = await call(['resume', 'idle']);
  assert.is(code, 1);
  assert.match(err, /^error server\.refused: /);
});

test('a pipeline is created, started, stopped and deleted; each command ends when that is so', async () => {
  writeFileSync(join(folder, 'made.sql'), 'CREATE TABLE t (x INT);');
  writeFileSync(join(folder, 'wrong.sql'), 'CREATE VIEW v AS SELECT * FROM nowhere;');
  assert.is((await call(['create', 'made', 'made.sql'])).out, 'made is created\n');
  assert.is((await call(['start', 'made', '--paused'])).out, 'made is paused\n');
  assert.is((await call(['stop', 'made'])).out, 'made is stopped\n');
  assert.equal(jsonLines((await call(['start', 'made', '--json'])).out), [{ pipeline: 'made', status: 'running' }]);
  const refused = await call(['delete', 'made']);
  assert.is(refused.code, 1);
  assert.match(refused.err, /not fully stopped/);
  assert.is((await call(['delete', 'made', '--force'])).out, 'made is deleted\n');
  assert.is((await call(['create', 'made', 'made.sql', '--start'])).out, 'made is running\n');
  assert.is((await call(['stop', 'made', '--force'])).code, 0);
  assert.match((await call(['delete', 'made'])).err, /not cleared \(POST …\/clear, or millrace delete --force\)/);
  assert.is((await call(['delete', 'made', '--force'])).code, 0);
  const wrong = await call(['create', 'wrong', 'wrong.sql']);
  assert.is(wrong.code, 1);
  assert.match(wrong.err, /^error server\.program_refused: [\s\S]*Object 'nowhere' not found/);
  assert.not.match((await call(['ps'])).out, /wrong|made/);
});

test('logs ends by itself, with --follow on a signal', async () => {
  const { code, out } = await call(['logs', 'sales']);
  assert.is(code, 0);
  assert.match(out, /pipeline is Running/);
  assert.ok(jsonLines((await call(['logs', 'sales', '--json'])).out).every((line) => typeof line['line'] === 'string'));
  const environment = { MILLRACE_API_KEY: adminKey };
  const following = new CliProcess(['logs', 'sales', '--follow', '--url', url], { folder, environment });
  await following.until((text) => text.includes('pipeline is Running'));
  following.kill('SIGINT');
  assert.is((await following.exit).code, 0);
});

test('API keys are made, used, listed and revoked', async () => {
  const made = await call(['api-key', 'create', 'reader', '--scopes', 'read']);
  assert.is(made.code, 0);
  const key = made.out.trim();
  assert.is((await call(['ps', '--api-key', key])).code, 0);
  const denied = await call(['pause', 'sales', '--api-key', key]);
  assert.is(denied.code, 1);
  assert.match(denied.err, /status 403/);
  assert.match((await call(['api-key', 'list'])).out, /^reader +read +all$/m);
  assert.ok(jsonLines((await call(['api-key', 'list', '--json'])).out).some((row) => row['name'] === 'reader'));
  assert.match((await call(['api-key', 'revoke', 'raeder'])).err, /did you mean "reader"\?/);
  assert.is((await call(['api-key', 'revoke', 'reader'])).out, 'API key reader is revoked\n');
  const gone = await call(['ps', '--api-key', key]);
  assert.is(gone.code, 1);
  assert.match(gone.err, /^error server\.unauthorized: [\s\S]*--api-key or MILLRACE_API_KEY/);
  assert.is((await call(['api-key', 'create', 'x', '--scopes', 'raed'])).code, 2);
});

test('no server: its address and how to start one', async () => {
  const { code, err } = await call(['ps', '--url', 'http://127.0.0.1:1']);
  assert.is(code, 1);
  assert.match(
    err,
    /^error server\.unreachable: no server answers at http:\/\/127\.0\.0\.1:1: [\s\S]*`millrace serve`/,
  );
});

test('too few and too many operands are refused', async () => {
  const { code, err } = await call(['pause']);
  assert.is(code, 2);
  assert.match(err, /1 to 2 operands expected, 0 given/);
  assert.is((await call(['ps', 'more'])).code, 2);
});

test('query inserts and reads, as a table, as JSON and into a file', async () => {
  const inserted = await call(['query', 'sales', "INSERT INTO people VALUES (1, 'Ann'), (2, 'Bob')"]);
  assert.is(inserted.code, 0, inserted.err);
  const select = 'SELECT id, name FROM people ORDER BY id';
  assert.match((await call(['query', 'sales', select])).out, /Ann[\s\S]*Bob/);
  assert.equal(jsonLines((await call(['query', 'sales', select, '--json'])).out), [
    { id: 1, name: 'Ann' },
    { id: 2, name: 'Bob' },
  ]);
  assert.is((await call(['query', 'sales', select, '--format', 'csv', '--output', 'people.csv'])).out, '');
  assert.ok(fixture.lines('people.csv').some((line) => line === '1,Ann'));
  assert.is((await call(['query', 'sales', select, '--format', 'parquet'])).code, 2);
  assert.is((await call(['query', 'sales', 'SELECT nothing FROM people'])).code, 1);
});

test('the SQL shell reads statements from a pipe and goes on after an error', async () => {
  const input = `\\d people
INSERT INTO people
VALUES (3, 'Eve');
SELECT wrong FROM people;
SELECT name FROM people WHERE id = 3;
\\nothing
\\q
SELECT 'unread';
`;
  const { code, out } = await millrace(['sql', 'sales'], { ...options(), input });
  assert.is(code, 0);
  assert.match(out, /id +BIGINT +NOT NULL/);
  assert.match(out, /error server\.refused/);
  assert.match(out, /Eve/);
  assert.match(out, /there is no command \\nothing/);
  assert.not.match(out, /unread/);
});

test.run();
