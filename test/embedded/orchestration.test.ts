// Labels, start_after, pauses and failures with real files and threads.
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { content, Fixture, rejects, stateOf, statusWhere } from './pipeline-fixture.ts';

const program = `
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
  CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10,2));
  CREATE MATERIALIZED VIEW spend AS
    SELECT u.name, SUM(o.amount) AS total FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.name;
  CREATE MATERIALIZED VIEW order_count AS SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM orders;
`;

const fixture = new Fixture();
test.after(() => fixture.cleanUp());

const csv = { name: 'csv' };
const raw = { name: 'json', config: { update_format: 'raw' } };

function fileInput(path: string): object {
  return { name: 'file_input', config: { path } };
}

function fileOutput(path: string): object {
  return { name: 'file_output', config: { path } };
}

fixture.write('users.csv', '1,Alice,30\n2,Bob,25\n');
fixture.write('orders.json', '{"id":1,"user_id":1,"amount":10.50}\n{"id":2,"user_id":2,"amount":5}\n');
const manyOrders = 200_000;
fixture.write(
  'many.json',
  Array.from({ length: manyOrders }, (_, id) => `{"id":${id},"user_id":${1 + (id % 2)},"amount":1.25}`).join('\n'),
);

test('a dependant starts after its dimension, and everything reaches the output file', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: {
          stream: 'users',
          connector_config: { labels: ['dimension'], transport: fileInput('users.csv'), format: csv },
        },
        orders: {
          stream: 'orders',
          connector_config: { start_after: ['dimension'], transport: fileInput('orders.json'), format: raw },
        },
      },
      outputs: { spend: { stream: 'spend', transport: fileOutput('spend.ndjson'), format: { name: 'json' } } },
    }),
  );
  assert.equal(pipeline.startOrder(), [['users.users'], ['orders.orders']]);
  await pipeline.startPaused();
  const orders = pipeline.status.connectors.find((connector) => connector.endpoint === 'orders.orders');
  assert.is(orders?.state, 'waiting');
  assert.equal(orders?.waitingFor, ['dimension']);
  await pipeline.resume();
  await pipeline.connectorEnded('users', 'users');
  await pipeline.waitForCompletion();
  const { endOfInput, totalRecords, state } = await pipeline.inputConnectorStats('users', 'users');
  assert.equal([endOfInput, totalRecords, state], [true, 2, 'ended']);
  assert.equal(
    content(fixture.lines('spend.ndjson')),
    new Map(
      [
        ['{"name":"Alice","total":10.50}', 1],
        ['{"name":"Bob","total":5.00}', 1],
      ].map(([row, count]) => [JSON.stringify(JSON.parse(String(row))), Number(count)]),
    ),
  );
  const output = await pipeline.outputConnectorStats('spend', 'spend');
  assert.is(output.transmittedRecords, 2);
  await pipeline.stop();
});

test('pausing in the middle of a file loses no row and doubles none', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      stepRowsMax: 10_000,
      inputs: { many: { stream: 'orders', transport: fileInput('many.json'), format: raw, max_queued_records: 5_000 } },
    }),
  );
  await pipeline.startPaused();
  const changes = pipeline.listen('order_count');
  await pipeline.resume();
  const first = await changes.next();
  assert.not.ok(first.done);
  await pipeline.pauseConnector('orders', 'many');
  const held = await pipeline.query('SELECT n FROM order_count');
  await pipeline.pause();
  await pipeline.resume();
  assert.ok(['paused', 'ended'].includes(stateOf(pipeline.status, 'orders.many') ?? ''));
  assert.equal(await pipeline.query('SELECT n FROM order_count'), held, 'no further row enters a step');
  await pipeline.resumeConnector('orders', 'many');
  await changes.close();
  await pipeline.waitForCompletion();
  assert.equal(await pipeline.query('SELECT * FROM order_count'), [{ n: manyOrders, ids: manyOrders }]);
  await pipeline.stop();
});

test('a connector that starts paused and waits for labels needs both to be lifted', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: { stream: 'users', labels: ['dimension'], transport: fileInput('users.csv'), format: csv },
        orders: {
          stream: 'orders',
          start_after: 'dimension',
          paused: true,
          transport: fileInput('orders.json'),
          format: raw,
        },
      },
    }),
  );
  await pipeline.start();
  await pipeline.connectorEnded('users', 'users');
  const status = await statusWhere(pipeline, (now) => stateOf(now, 'orders.orders') !== 'waiting');
  assert.is(stateOf(status, 'orders.orders'), 'paused');
  await pipeline.resumeConnector('orders', 'orders');
  await pipeline.waitForCompletion();
  assert.equal(await pipeline.query('SELECT n FROM order_count'), [{ n: 2 }]);
  await pipeline.stop();
});

test('a connector that waits starts at once when it is resumed by hand', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: { stream: 'users', labels: ['d'], paused: true, transport: fileInput('users.csv'), format: csv },
        orders: { stream: 'orders', start_after: ['d'], transport: fileInput('orders.json'), format: raw },
      },
    }),
  );
  await pipeline.start();
  assert.is(stateOf(pipeline.status, 'orders.orders'), 'waiting');
  await pipeline.resumeConnector('orders', 'orders');
  await pipeline.connectorEnded('orders', 'orders');
  assert.is(stateOf(pipeline.status, 'users.users'), 'paused');
  await pipeline.stop();
});

test('a connector that cannot open fails alone; completion names it and those that wait for it in vain', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: { stream: 'users', labels: ['d'], transport: fileInput('missing.csv'), format: csv },
        orders: { stream: 'orders', transport: fileInput('orders.json'), format: raw },
        waits: { stream: 'orders', start_after: ['d'], transport: fileInput('orders.json'), format: raw },
        fails: {
          stream: 'orders',
          start_after: ['d'],
          on_dependency_failure: 'fail',
          transport: fileInput('orders.json'),
          format: raw,
        },
        goes: {
          stream: 'orders',
          start_after: ['d'],
          on_dependency_failure: 'continue',
          transport: fileInput('orders.json'),
          format: raw,
        },
      },
    }),
  );
  await pipeline.start();
  const error = await rejects(pipeline.waitForCompletion(), 'pipeline.connectors_failed');
  assert.equal(error.fields['failed'], ['users.users', 'orders.fails']);
  assert.equal(error.fields['stuck'], ['orders.waits']);
  assert.equal(await pipeline.query('SELECT n FROM order_count'), [{ n: 4 }]);
  await rejects(pipeline.connectorEnded('users', 'users'), 'connector.failed');
  assert.ok((await pipeline.inputConnectorStats('users', 'users')).error?.message.includes('missing.csv'));
  await pipeline.stop();
});

test('rows that the parser refused are counted and listed, and do not keep a dependant waiting', async () => {
  fixture.write('bad.csv', '1,Alice,30\nx,Bob,25\n3,Carol,40\n');
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: { stream: 'users', labels: ['d'], transport: fileInput('bad.csv'), format: csv },
        orders: { stream: 'orders', start_after: ['d'], transport: fileInput('orders.json'), format: raw },
      },
    }),
  );
  await pipeline.start();
  await pipeline.waitForCompletion();
  const stats = await pipeline.inputConnectorStats('users', 'users');
  assert.equal([stats.numParseErrors, stats.parseErrors.length, stats.parseErrors[0]?.record], [1, 1, 2]);
  assert.equal(await pipeline.query('SELECT COUNT(*) AS n FROM users'), [{ n: 2 }]);
  await pipeline.stop();
});

test('connectors come and go while the pipeline runs, validated as a whole', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: {
        users: { stream: 'users', labels: ['d'], paused: true, transport: fileInput('users.csv'), format: csv },
      },
    }),
  );
  await pipeline.start();
  const unknown = { stream: 'orders', start_after: ['e'], transport: fileInput('orders.json'), format: raw };
  const refused = await rejects(pipeline.addConnector('input', 'orders', unknown), 'pipeline.invalid');
  assert.match(refused.message, "label 'e'");
  const orders = { ...unknown, start_after: ['d'] };
  assert.is(await pipeline.addConnector('input', 'orders', orders), 'orders.orders');
  await statusWhere(pipeline, (now) => stateOf(now, 'orders.orders') === 'waiting');
  await rejects(pipeline.addConnector('input', 'orders', orders), 'pipeline.invalid');
  await rejects(pipeline.removeConnector('users', 'users'), 'connector.unknown_label');
  const output = { stream: 'order_count', transport: fileOutput('late.ndjson'), format: { name: 'json' } };
  await pipeline.addConnector('output', 'late', output);
  await pipeline.resumeConnector('users', 'users');
  await pipeline.waitForCompletion();
  assert.equal(content(fixture.lines('late.ndjson')), new Map([['{"n":2,"ids":2}', 1]]));
  await pipeline.removeConnector('order_count', 'late');
  await pipeline.removeConnector('users', 'users');
  assert.equal(
    pipeline.status.connectors.map((connector) => connector.endpoint),
    ['orders.orders'],
  );
  await pipeline.stop();
});

test('an output buffer without a time limit keeps nothing from completion', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: { orders: { stream: 'orders', transport: fileInput('many.json'), format: raw } },
      outputs: {
        count: {
          stream: 'order_count',
          enable_output_buffer: true,
          transport: fileOutput('buffered.ndjson'),
          format: { name: 'json' },
        },
        // Of this one no change is left to be sent in the last step.
        spend: {
          stream: 'spend',
          enable_output_buffer: true,
          transport: fileOutput('buffered-spend.ndjson'),
          format: { name: 'json' },
        },
      },
    }),
  );
  await pipeline.start();
  const token = await pipeline.inputJson('users', [{ id: 1, name: 'Alice' }]);
  await pipeline.waitForCompletion({ timeoutMs: 100_000 });
  await pipeline.completed(token);
  assert.equal(content(fixture.lines('buffered.ndjson')), new Map([[`{"n":${manyOrders},"ids":${manyOrders}}`, 1]]));
  await pipeline.stop();
});

test('an output that cannot open fails alone', async () => {
  mkdirSync(fixture.path('folder'));
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: { orders: { stream: 'orders', transport: fileInput('orders.json'), format: raw } },
      outputs: {
        good: { stream: 'order_count', transport: fileOutput('good.ndjson'), format: { name: 'json' } },
        bad: { stream: 'order_count', transport: fileOutput('folder'), format: { name: 'json' } },
      },
    }),
  );
  await pipeline.start();
  const error = await rejects(pipeline.waitForCompletion(), 'pipeline.connectors_failed');
  assert.equal(error.fields['failed'], ['order_count.bad']);
  assert.equal(content(fixture.lines('good.ndjson')), new Map([['{"n":2,"ids":2}', 1]]));
  await pipeline.stop();
});

test('a listener that does not read leaves the source throttled, and loses nothing once it does', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      stepRowsMax: 2_000,
      inputs: { many: { stream: 'orders', transport: fileInput('many.json'), format: raw, max_queued_records: 2_000 } },
    }),
  );
  await pipeline.startPaused();
  const changes = pipeline.listen('orders', { queuedRowsMax: 2_000 });
  await pipeline.resume();
  await statusWhere(pipeline, (now) => stateOf(now, 'orders.many') === 'throttled');
  let rows = 0;
  let steps = 0;
  for await (const chunk of changes) {
    assert.is(chunk.sequenceNumber, steps++);
    rows += chunk.rows.length;
    if (rows === manyOrders) break;
  }
  assert.is(rows, manyOrders);
  await pipeline.waitForCompletion();
  await pipeline.stop();
});

test('two hundred idle connectors take no more threads than cores + 4', async () => {
  const idle = Array.from({ length: 100 }, (_, i) => i);
  fixture.write('empty.json', '');
  const following = { name: 'file_input', config: { path: 'empty.json', follow: true } };
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: Object.fromEntries(idle.map((i) => [`in${i}`, { stream: 'orders', transport: following, format: raw }])),
      outputs: Object.fromEntries(
        idle.map((i) => [`out${i}`, { stream: 'spend', transport: { name: 'null_output' } }]),
      ),
    }),
  );
  await pipeline.start();
  await statusWhere(pipeline, ({ connectors }) => connectors.every((connector) => connector.state === 'running'));
  const { threads } = await pipeline.stats();
  // The control thread is not among those that it counts.
  assert.ok(threads.length + 1 <= availableParallelism() + 4, threads.map((thread) => thread.name).join());
  await pipeline.stop();
});

test('a graceful stop writes everything that was read', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: fixture.folder,
      inputs: { many: { stream: 'orders', transport: fileInput('many.json'), format: raw } },
      outputs: { out: { stream: 'orders', transport: fileOutput('orders.ndjson'), format: { name: 'json' } } },
    }),
  );
  await pipeline.start();
  // A state that is short need not be seen.
  const begun = ['running', 'throttled', 'ended'];
  await statusWhere(pipeline, (now) => begun.includes(stateOf(now, 'orders.many') ?? ''));
  await pipeline.stop();
  const lines = fixture.lines('orders.ndjson');
  // How far it came is a matter of time; whole rows, in order, none twice.
  const ids = lines.map((line) => JSON.parse(line).insert.id);
  assert.equal(ids, [...ids.keys()]);
});

test.run();
