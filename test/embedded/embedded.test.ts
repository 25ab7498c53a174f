// The embedded API from end to end on real threads: push, listen, query, tokens, statistics, errors, stop.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Changes, ConnectorUnknown, MillraceError, Pipeline, PipelineInvalid } from '../../index.ts';
import { Fixture, rejects } from './pipeline-fixture.ts';

const program = `
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE MATERIALIZED VIEW user_stats AS SELECT COUNT(*) AS n, SUM(age) AS ages FROM users;
  CREATE VIEW adults AS SELECT id, name FROM users WHERE age >= 18;
`;

interface Tables {
  users: { id: number | bigint; name: string | null; age: number | null };
  user_stats: { n: number; ages: number | null };
  adults: { id: number; name: string | null };
}

const fixture = new Fixture();
test.after(() => fixture.cleanUp());

async function next<Row>(changes: AsyncIterator<Changes<Row>>): Promise<Changes<Row>> {
  const { done, value } = await changes.next();
  assert.not.ok(done, 'there are more changes');
  return value;
}

test('rows that are pushed are listened to, queried and counted', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program }));
  assert.is(pipeline.status.state, 'created');
  await pipeline.startPaused();
  assert.is(pipeline.status.state, 'paused');
  const changes = pipeline.listen('adults');
  await pipeline.resume();
  assert.is(pipeline.status.state, 'running');
  const token = await pipeline.inputJson('users', [
    { id: 1, name: 'Alice', age: 30 },
    { id: 2, name: 'Bob', age: 12 },
  ]);
  assert.match(token, /^[A-Za-z0-9_-]+$/);
  await pipeline.completed(token);
  assert.equal(await pipeline.query('SELECT * FROM user_stats'), [{ n: 2, ages: 42 }]);
  assert.equal(await next(changes), { sequenceNumber: 0, rows: [{ id: 1, name: 'Alice' }], weights: [1] });

  await pipeline.completed(await pipeline.inputJson('users', [{ id: 2, name: 'Bob', age: 18 }]));
  assert.equal(await next(changes), { sequenceNumber: 1, rows: [{ id: 2, name: 'Bob' }], weights: [1] });
  const removal = [{ delete: { id: 1 } }];
  await pipeline.completed(await pipeline.inputJson('users', removal, { updateFormat: 'insert_delete' }));
  assert.equal(await next(changes), { sequenceNumber: 2, rows: [{ id: 1, name: 'Alice' }], weights: [-1] });
  assert.equal(await pipeline.query('SELECT * FROM user_stats'), [{ n: 1, ages: 18 }]);

  const stats = await pipeline.stats();
  assert.is(stats.engine?.processedRecords, 4);
  assert.ok(stats.threads.some((thread) => thread.actors.includes('engine')));
  await pipeline.stop();
  assert.is(pipeline.status.state, 'stopped');
  assert.equal(await changes.next(), { done: true, value: undefined });
});

test('integers beyond what is safe arrive as bigint, or all of them where that was asked for', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program, integers: 'bigint' }));
  await pipeline.start();
  const big = 9_007_199_254_740_993n;
  await pipeline.completed(await pipeline.inputJson('users', [{ id: big, name: null, age: 20 }]));
  assert.equal(await pipeline.query('SELECT id FROM users'), [{ id: big }]);
  await pipeline.stop();
});

test('changes$ emits steps, and its end ends the listener', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program }));
  await pipeline.start();
  const seen: unknown[] = [];
  const first = new Promise<void>((resolve) => {
    const subscription = pipeline.changes$('adults').subscribe(({ rows }) => {
      seen.push(...rows);
      subscription.unsubscribe();
      resolve();
    });
  });
  await pipeline.completed(await pipeline.inputJson('users', [{ id: 1, name: 'A', age: 20 }]));
  await first;
  await pipeline.completed(await pipeline.inputJson('users', [{ id: 2, name: 'B', age: 20 }]));
  assert.equal(seen, [{ id: 1, name: 'A' }]);
  await pipeline.stop();
});

test('foreachChunk calls back for each step and tells of a callback that throws', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program }));
  await pipeline.start();
  const chunk = await pipeline.foreachChunk('adults', ({ rows }) => {
    if (rows.length > 1) throw new Error('too many for me');
  });
  await pipeline.completed(await pipeline.inputJson('users', [{ id: 1, name: 'A', age: 20 }]));
  await pipeline.completed(
    await pipeline.inputJson('users', [
      { id: 2, name: 'B', age: 20 },
      { id: 3, name: 'C', age: 20 },
    ]),
  );
  try {
    await chunk.closed;
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'too many for me');
  }
  await pipeline.stop();
});

test('a push into a paused pipeline waits, and goes through at once with force', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program }));
  await pipeline.startPaused();
  const row = { id: 1, name: 'A', age: 20 };
  const waited = await rejects(pipeline.inputJson('users', [row], { timeoutMs: 50 }), 'embedded.push_waited');
  assert.match(waited.help, 'force');
  await pipeline.completed(await pipeline.inputJson('users', [row], { force: true }));
  assert.equal(await pipeline.query('SELECT n FROM user_stats'), [{ n: 1 }]);
  const waiting = pipeline.inputJson('users', [{ id: 2, name: 'B', age: 20 }]);
  await pipeline.resume();
  await pipeline.completed(await waiting);
  assert.equal(await pipeline.query('SELECT n FROM user_stats'), [{ n: 2 }]);
  await pipeline.stop();
});

test('a push with a row that does not fit takes nothing and says which row', async () => {
  const pipeline = await fixture.track(Pipeline.open({ program }));
  await pipeline.start();
  const rows = [{ id: 1 }, { id: 'one' }, { name: 'no id' }];
  const error = await rejects(pipeline.inputJson('users', rows), 'push.rows_refused');
  assert.is(error.fields['numProblems'], 2);
  await rejects(pipeline.inputJson('user', [{ id: 1 }]), 'embedded.unknown_relation');
  assert.equal(await pipeline.query('SELECT n FROM user_stats'), [{ n: 0 }]);
  await rejects(pipeline.inputJson('users', [{ id: () => 1 }]), 'embedded.not_plain_data');
  // What a caller without a type checker may pass.
  const one: unknown = { id: 1 };
  await rejects(pipeline.inputJson('users', one as never), 'embedded.push_malformed');
  const format: unknown = 'debezium';
  await rejects(pipeline.inputJson('users', [], { updateFormat: format as never }), 'embedded.push_malformed');
  await pipeline.stop();
});

test('every problem of a definition is told at once, with code and nearest name', async () => {
  const opening = Pipeline.open({
    program: 'CREATE TABLE t (x BIGINT); CREATE VIEW v AS SELECT y FROM t;',
    inputs: { a: { stream: 'tt', transport: { name: 'file_inptu', config: { path: 'a' } }, format: { name: 'csv' } } },
  });
  const error = await rejects(opening, 'pipeline.invalid');
  assert.instance(error, PipelineInvalid);
  // SAFETY: the fields of PipelineInvalid.
  const problems = error.fields['problems'] as { code: string; suggestion?: string }[];
  assert.equal(
    problems.map(({ code, suggestion }) => [code, suggestion]),
    [
      ['sql.unknown_column', 'x'],
      ['config.unknown_transport', 'file_input'],
    ],
  );
  await rejects(Pipeline.open({ file: 'no-such-file.yaml' }), 'config.unreadable_file');
});

test('calls that do not fit the state are refused with the call to make', async () => {
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program }));
  await rejects(pipeline.pause(), 'pipeline.not_started');
  await rejects(pipeline.query('SELECT * FROM user_stats'), 'pipeline.not_started');
  await pipeline.start();
  await rejects(pipeline.startPaused(), 'pipeline.already_started');
  const unknown = await rejects(pipeline.pauseConnector('users', 'users'), 'connector.unknown');
  assert.instance(unknown, ConnectorUnknown);
  await rejects(pipeline.completed('nonsense!'), 'token.malformed');
  await rejects(pipeline.query('SELECT nothing FROM user_stats'), 'sql.unknown_column');
  await pipeline.stop();
  await pipeline.stop();
  const stopped = await rejects(pipeline.query('SELECT * FROM user_stats'), 'embedded.closed');
  assert.match(stopped.help, 'Pipeline.open');
});

test('whoever waits can give up by signal or time-out, and everybody is told when the pipeline stops', async () => {
  const inputs = { wait: { stream: 'users', paused: true, transport: datagen(1), format: undefined } };
  const pipeline = await fixture.track(Pipeline.open<Tables>({ program, inputs }));
  await pipeline.start();
  await rejects(pipeline.waitForCompletion({ timeoutMs: 20 }), 'embedded.timed_out');
  const abort = new AbortController();
  const given = pipeline.connectorEnded('users', 'wait', { signal: abort.signal });
  abort.abort(new Error('enough'));
  try {
    await given;
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'enough');
  }
  const pending = rejects(pipeline.waitForCompletion(), 'pipeline.stopped');
  await pipeline.stop();
  await pending;
});

test('a failing expression fails the pipeline with view, expression and a sample row', async () => {
  const failing = 'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT 10 / x AS q FROM t;';
  const pipeline = await fixture.track(Pipeline.open({ program: failing }));
  await pipeline.start();
  const changes = pipeline.listen('v');
  await pipeline.completed(await pipeline.inputJson('t', [{ x: 5 }]));
  const token = await pipeline.inputJson('t', [{ x: 1 }, { x: 0 }]);
  const error = await rejects(pipeline.completed(token), 'pipeline.failed');
  assert.ok(error.cause instanceof MillraceError);
  assert.is(pipeline.status.state, 'failed');
  assert.equal((await next(changes)).rows, [{ q: 2 }], 'nothing of the failed step is let out');
  await rejects(changes.next(), 'embedded.listener_gone');
  await pipeline.stop();
});

test('two pipelines live in one process and do not see each other', async () => {
  const [one, two] = await Promise.all([
    fixture.track(Pipeline.open<Tables>({ program })),
    fixture.track(Pipeline.open<Tables>({ program })),
  ]);
  await Promise.all([one.start(), two.start()]);
  await one.completed(await one.inputJson('users', [{ id: 1, name: 'A', age: 1 }]));
  await two.completed(
    await two.inputJson('users', [
      { id: 1, name: 'B', age: 2 },
      { id: 2, name: 'C', age: 3 },
    ]),
  );
  assert.equal(await one.query('SELECT n FROM user_stats'), [{ n: 1 }]);
  assert.equal(await two.query('SELECT n FROM user_stats'), [{ n: 2 }]);
  const token = await one.inputJson('users', []);
  await rejects(two.completed(token), 'token.foreign');
  await one.stop();
  assert.equal(await two.query('SELECT n FROM user_stats'), [{ n: 2 }]);
  await two.stop();
});

test('a program says what it declares', async () => {
  const pipeline = await fixture.track(Pipeline.open({ program }));
  assert.equal(
    pipeline.tables().map(({ name, primaryKey }) => ({ name, primaryKey })),
    [{ name: 'users', primaryKey: ['id'] }],
  );
  assert.equal(
    pipeline.views().map(({ name, kind }) => ({ name, kind })),
    [
      { name: 'user_stats', kind: 'materialized' },
      { name: 'adults', kind: 'view' },
    ],
  );
  await pipeline.stop();
});

function datagen(limit: number): object {
  return { name: 'datagen', config: { plan: [{ limit }] } };
}

test('a token that is waited for is completed by a graceful stop', async () => {
  const pipeline = await Pipeline.open({
    program: 'CREATE TABLE t (id BIGINT); CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n FROM t;',
    outputs: { sink: { stream: 'v', transport: { name: 'null_output' } } },
  });
  await pipeline.start();
  const completed = pipeline.completed(await pipeline.inputJson('t', [{ id: 1 }]));
  await Promise.all([completed, pipeline.stop()]);
});

test.run();
