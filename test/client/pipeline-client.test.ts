// The client in Node against a real server, with the network cut and the server restarted in between.
import { from } from 'rxjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientError, connect, type PipelineClient } from '../../client.ts';
import { type ServedPipeline, servePipeline, until } from './served-pipeline.ts';

interface Tables {
  readonly orders: { id: number | bigint; customer: string; amount: number | string };
  readonly totals: { customer: string; n: number; total: number };
  readonly large: { id: number | bigint; customer: string };
  readonly customers: { customer: string };
}

let served: ServedPipeline;
let client: PipelineClient<Tables>;
/** As often as it takes: a server that starts on a slow machine takes its time. */
const retry = { initialMs: 20, maxMs: 200, attemptsMax: 10_000 };

test.before(async () => {
  served = await servePipeline('shop');
  client = connect<Tables>({ url: served.proxy.url, pipeline: 'shop', retry });
  await client.start();
});

test.after(async () => {
  client.close();
  await served.close();
});

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof ClientError && error.code === code;

async function push(id: number | bigint, customer: string, amount: number): Promise<void> {
  await client.completed(await client.inputJson('orders', [{ id, customer, amount }]), { timeoutMs: 100_000 });
}

test('rows go in, a token completes, a query gives 64-bit integers as they are', async () => {
  await push(9007199254740993n, 'Ada', 12.5);
  assert.equal(await client.query("SELECT id FROM orders WHERE customer = 'Ada'"), [{ id: 9007199254740993n }]);
  assert.is((await client.status()).state, 'running');
  assert.ok('global_metrics' in (await client.stats()));
});

test('what the server refuses is a coded error', async () => {
  const untyped = connect({ url: served.proxy.url, pipeline: 'shop', retry });
  await untyped.inputJson('no_such_table', [{ id: 1 }]).then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.ok(error instanceof ClientError);
      assert.is(error.status, 404);
      assert.not(error.retryable);
    },
  );
  const listener = client.listen('large', { sendSnapshot: true });
  await listener.next().then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(error instanceof ClientError),
  );
  await client.query('SELECT * FROM nowhere').then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.ok(error instanceof ClientError && error.status === 400);
    },
  );
});

test('a listener goes on where it was when the network comes back', async () => {
  const states: string[] = [];
  const listener = client.listen('large', { onConnection: ({ state }) => states.push(state) });
  await listener.ready;
  await push(1, 'Grace', 200);
  const first = await listener.next();
  assert.equal(first.value?.rows, [{ id: 1, customer: 'Grace' }]);
  assert.equal(first.value?.weights, [1]);
  const second = listener.next();
  served.proxy.cut();
  await until('reconnecting', () => states.includes('reconnecting'));
  served.proxy.mend();
  await push(2, 'Grace', 300);
  const { value } = await second;
  assert.equal(value?.rows, [{ id: 2, customer: 'Grace' }]);
  assert.is(value?.sequenceNumber, (first.value?.sequenceNumber ?? 0) + 1);
  assert.is(value?.reset, null);
  await listener.close();
  assert.is((await listener.next()).done, true);
});

test('changes$ is taken by rxjs', async () => {
  const seen: unknown[] = [];
  const changes = client.changes$('large');
  const states: string[] = [];
  const subscription = from(client.changes$('large', { onConnection: ({ state }) => states.push(state) })).subscribe(
    ({ rows }) => seen.push(...rows),
  );
  await until('attached', () => states.includes('connected'));
  await push(3, 'Rob', 400);
  await until('the row', () => seen.length === 1);
  assert.equal(seen, [{ id: 3, customer: 'Rob' }]);
  subscription.unsubscribe();
  assert.is(typeof changes.subscribe, 'function');
});

test('a live view keeps duplicates apart and applies updates', async () => {
  const live = client.live('customers');
  await live.ready;
  assert.is(live.snapshots, 1);
  await push(4, 'Rob', 1);
  await until('two Robs', () => live.rows().filter(({ customer }) => customer === 'Rob').length === 2);
  await push(4, 'Ada', 1);
  await until('one Rob', () => live.rows().filter(({ customer }) => customer === 'Rob').length === 1);
  assert.is(live.rows().filter(({ customer }) => customer === 'Ada').length, 2);
  await live.close();
  assert.is(live.state, 'ended');
});

test('after a restart of the server a live view takes a snapshot and says why', async () => {
  const live = client.live('totals');
  const reasons: (string | null)[] = [];
  live.onChange(({ snapshot, reason }) => snapshot && reasons.push(reason));
  await live.ready;
  assert.equal(reasons, ['requested']);
  served.proxy.cut();
  await served.restart();
  served.proxy.mend();
  await until('taken anew', () => live.snapshots === 2);
  assert.equal(reasons, ['requested', 'incarnation_changed']);
  await push(10, 'Edsger', 5);
  await until('the copy is the view', async () => {
    const rows = await client.query('SELECT customer, n FROM totals');
    const sort = (list: readonly { readonly customer?: unknown; readonly n?: unknown }[]): string =>
      JSON.stringify(list.map(({ customer, n }) => `${customer} ${n}`).sort());
    return sort(rows) === sort(live.rows()) && sort(rows).includes('Edsger');
  });
  await live.close();
});

test('a view that is not materialized cannot be continued after a restart: the loss is told', async () => {
  const listener = client.listen('large');
  const patient = client.listen('large', { onLoss: 'continue' });
  await Promise.all([listener.ready, patient.ready]);
  const failed = listener.next().then(
    () => assert.unreachable(),
    (error: unknown) => error,
  );
  const told = patient.next();
  served.proxy.cut();
  await served.restart();
  served.proxy.mend();
  assert.ok(isCode('client.changes_lost')(await failed));
  const { value } = await told;
  assert.is(value?.reset, 'incarnation_changed');
  assert.is(value?.snapshot, false);
  await patient.close();
});

test('a listener that cannot reach the server gives up in the end', async () => {
  const listener = client.listen('large', { retry: { initialMs: 5, maxMs: 10, attemptsMax: 3 } });
  await listener.ready;
  served.proxy.cut();
  const error = await listener.next().then(
    () => assert.unreachable(),
    (reason: unknown) => reason,
  );
  served.proxy.mend();
  assert.ok(isCode('client.gave_up')(error));
});

test('waiting calls take a signal and a time limit', async () => {
  await client.pause();
  await client.inputJson('orders', [{ id: 20 }], { timeoutMs: 100 }).then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(isCode('client.timed_out')(error)),
  );
  const aborted = client.inputJson('orders', [{ id: 21 }], { signal: AbortSignal.abort(new Error('enough')) });
  await aborted.then(
    () => assert.unreachable(),
    (error: unknown) => assert.is(String(error), 'Error: enough'),
  );
  await client.resume();
});

test('listeners end when the pipeline is stopped', async () => {
  const live = client.live('totals');
  await live.ready;
  const listener = client.listen('large');
  await listener.ready;
  await client.stop({ force: true });
  assert.is((await listener.next()).done, true);
  await live.closed;
  assert.is(live.state, 'ended');
});

test.run();
