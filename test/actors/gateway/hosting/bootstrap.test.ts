// A pipeline goes on from a checkpoint although its program or its connectors have changed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

const table = `CREATE TABLE t (x INT) WITH ('materialized' = 'true');\n`;
const sum = `CREATE MATERIALIZED VIEW s AS SELECT SUM(x) AS total FROM t;\n`;
const largest = `CREATE MATERIALIZED VIEW m AS SELECT MAX(x) AS most FROM t;\n`;
const inputs = `CREATE TABLE t (x INT) WITH ('materialized' = 'true', 'connectors' = '[{"name": "five", "transport":
  {"name": "datagen", "config": {"plan": [{"limit": 5}]}}}]');\n`;

class Served {
  readonly #server: TestServer;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async ask(method: string, path: string, body?: unknown): Promise<Response> {
    const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    return await fetch(`${this.#server.url}/v0/pipelines${path}`, { method, ...init });
  }

  async shown(): Promise<Record<string, unknown>> {
    // SAFETY: a descriptor.
    return (await (await this.ask('GET', '/p?selector=status')).json()) as Record<string, unknown>;
  }

  async until(status: string): Promise<Record<string, unknown>> {
    for (;;) {
      const shown = await this.shown();
      if (shown['deployment_status'] === status) return shown;
      if (shown['deployment_desired_status'] === 'Stopped' && shown['deployment_status'] === 'Stopped') {
        assert.is(status, 'Stopped', JSON.stringify(shown['deployment_error']));
      }
      await pollPause();
    }
  }

  async begin(program: string): Promise<void> {
    await this.ask('POST', '', { name: 'p', program_code: program });
    await this.start('allow');
    await this.until('Running');
  }

  start(policy: string): Promise<Response> {
    return this.ask('POST', `/p/start?bootstrap_policy=${policy}`);
  }

  /** Stops with a checkpoint and gives it another program. */
  async change(program: string): Promise<void> {
    await this.ask('POST', '/p/stop?force=false');
    await this.until('Stopped');
    const edited = await this.ask('PATCH', '/p', { program_code: program });
    assert.is(edited.status, 200, await edited.text());
  }

  async push(...values: readonly number[]): Promise<void> {
    const rows = values.map((x) => JSON.stringify({ x })).join('\n');
    const pushed = await this.ask('POST', '/p/ingress/t?format=json&update_format=raw&wait=processed', rows);
    assert.is(pushed.status, 200, await pushed.text());
  }

  async query(sql: string): Promise<string> {
    return (await (await this.ask('GET', `/p/query?format=json&sql=${encodeURIComponent(sql)}`)).text()).trim();
  }
}

async function withPipeline(run: (served: Served) => Promise<void>): Promise<void> {
  const server = await startTestServer();
  try {
    await run(new Served(server));
  } finally {
    await server.close();
  }
}

test('a new view is computed from what the tables held, and the one that was there goes on', () =>
  withPipeline(async (served) => {
    await served.begin(table + sum);
    await served.push(1, 2, 3);
    await served.change(table + sum + largest);
    await served.start('allow');
    await served.until('Running');
    assert.is(await served.query('SELECT most FROM m'), '{"most":3}');
    await served.push(4);
    assert.is(await served.query('SELECT total, most FROM s, m'), '{"total":10,"most":4}');
  }));

test('a start waits for approval and shows what has changed, as a diff has foretold; a stop ends the wait', () =>
  withPipeline(async (served) => {
    await served.begin(table + sum);
    await served.push(5);
    await served.ask('POST', '/p/stop?force=false');
    await served.until('Stopped');
    const changed = table + largest;
    const foretold: unknown = await (await served.ask('POST', '/p/diff', { program_code: changed })).json();
    assert.equal(Object(foretold).program_diff, {
      added_tables: [],
      removed_tables: [],
      modified_tables: [],
      added_views: ['m'],
      removed_views: ['s'],
      modified_views: [],
    });
    await served.change(changed);
    await served.start('await_approval');
    const waiting = await served.until('AwaitingApproval');
    assert.equal(Object(waiting['deployment_runtime_status_details']).approval_diff, foretold);
    await served.ask('POST', '/p/stop?force=false');
    await served.until('Stopped');
    assert.is((await served.ask('POST', '/p/approve')).status, 400);
    await served.start('await_approval');
    await served.until('AwaitingApproval');
    assert.is((await served.ask('POST', '/p/approve')).status, 200);
    await served.until('Running');
    assert.is(await served.query('SELECT most FROM m'), '{"most":5}');
    assert.is((await served.ask('POST', '/p/diff', { program_code: 'CREATE VIEW' })).status, 400);
  }));

test('changes are refused where the policy says so, and where rows have not been kept', () =>
  withPipeline(async (served) => {
    const plain = `CREATE TABLE t (x INT);\n`;
    await served.begin(plain + sum);
    await served.push(1);
    await served.change(plain + sum + largest);
    await served.start('reject');
    const rejected = (await served.until('Stopped'))['deployment_error'];
    assert.is(Object(rejected).error_code, 'bootstrap.rejected');
    await served.start('allow');
    const impossible = (await served.until('Stopped'))['deployment_error'];
    assert.match(Object(impossible).message, /table t, which is not materialized/);
    await served.ask('PATCH', '/p', { program_code: plain + sum });
    await served.start('reject');
    await served.until('Running');
    assert.is(await served.query('SELECT total FROM s'), '{"total":1}');
  }));

test('a table that is not kept is read again from a materialized view that shows all of it', () =>
  withPipeline(async (served) => {
    const plain = `CREATE TABLE t (x INT);\n`;
    const whole = 'CREATE MATERIALIZED VIEW copy AS SELECT * FROM t;\n';
    await served.begin(plain + whole);
    await served.push(1, 2, 2);
    await served.change(plain + whole.replace('copy', 'renamed') + sum);
    await served.start('allow');
    await served.until('Running');
    assert.is(await served.query('SELECT COUNT(*) AS n FROM renamed'), '{"n":3}');
    await served.push(4);
    assert.is(await served.query('SELECT total FROM s'), '{"total":9}');
  }));

test('a connector that is added brings its rows, one that has ended does not bring them again', () =>
  withPipeline(async (served) => {
    await served.begin(table + sum);
    await served.push(100);
    await served.change(inputs + sum);
    await served.start('await_approval');
    const waiting = await served.until('AwaitingApproval');
    assert.equal(Object(waiting['deployment_runtime_status_details']).approval_diff.added_input_connectors, ['t.five']);
    await served.ask('POST', '/p/approve');
    await served.until('Running');
    while ((await served.query('SELECT COUNT(*) AS n FROM t')) !== '{"n":6}') await pollPause();
    await served.change(inputs + sum + largest);
    await served.start('allow');
    await served.until('Running');
    assert.is(await served.query('SELECT COUNT(*) AS n FROM t'), '{"n":6}');
    assert.is(await served.query('SELECT total, most FROM s, m'), '{"total":110,"most":100}');
  }));

test.run();
