// Calls between threads: results, errors, deadlines, signals, and what happens when the other side dies.
import { MessageChannel, Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { type Connection, connect, expose, transfer } from '../../../runtime/thread/remote.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';
import type { TrialApi } from './trial-remote.ts';

interface Side {
  worker: Worker;
  connection: Connection<TrialApi>;
  reports: unknown[];
}

const test = suite<Side>('remote');
test.before.each((side) => {
  side.reports = [];
  side.worker = new Worker(siblingModule('./trial-remote', import.meta.url));
  side.connection = connect<TrialApi>(side.worker, {
    name: 'trial',
    clock: systemClock,
    deadlineMs: 100_000,
    onReport: (report) => side.reports.push(report),
  });
});
test.after.each(async (side) => {
  await side.worker.terminate();
});

async function errorOf(promise: PromiseLike<unknown>): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, MillraceError);
    return error as MillraceError;
  }
  throw new Error('was not rejected');
}

test('a call returns what the other side returns', async ({ connection }) => {
  assert.is(await connection.proxy.add(1, 2), 3);
});

test('buffers come back transferred and ports go out transferred', async ({ connection }) => {
  const filled = await connection.proxy.fill(100_000);
  assert.is(filled.length, 100_000);
  assert.is(filled[99_999], 7);
  const { port1, port2 } = new MessageChannel();
  const heard = new Promise((resolve) => port1.once('message', resolve));
  await connection.proxy.answerOn(transfer({ port: port2 }, [port2]));
  assert.is(await heard, 'hello');
});

test('reports arrive in order with the answers', async ({ connection, reports }) => {
  for (let i = 0; i < 20; i++) {
    await connection.proxy.report(i);
    assert.is(reports.length, i + 1);
  }
});

test('coded errors arrive as they were, others with the code for the unexpected', async ({ connection }) => {
  const coded = await errorOf(connection.proxy.refuse());
  assert.is(coded.code, 'trial.failure');
  assert.equal(coded.fields, { depth: 0, big: -1n });
  assert.is((coded.cause as MillraceError).message, 'plain');
  const plain = await errorOf(connection.proxy.refuseText());
  assert.is(plain.code, 'runtime.unexpected');
  assert.is(plain.message, 'not coded');
});

test('a call ends at its deadline', async ({ connection }) => {
  const error = await errorOf(connection.call((api) => api.never(), { deadlineMs: 20 }));
  assert.is(error.code, 'thread.call_timeout');
  assert.is(await connection.call((api) => api.add(1, 1), { deadlineMs: 100_000 }), 2);
});

test('a call ends with the reason of its signal, before or after it began', async ({ connection }) => {
  const controller = new AbortController();
  const calling = connection.call((api) => api.never(), { signal: controller.signal });
  controller.abort('enough');
  assert.is(await calling.catch((reason: unknown) => reason), 'enough');
  const late = connection.call((api) => api.add(1, 2), { signal: controller.signal });
  assert.is(await late.catch((reason: unknown) => reason), 'enough');
});

test('every pending call and every later one is rejected when the thread dies', async ({ connection }) => {
  const pending = [errorOf(connection.proxy.never()), errorOf(connection.proxy.never())];
  await errorOf(connection.proxy.exit(3));
  for (const error of await Promise.all(pending)) {
    assert.is(error.code, 'thread.gone');
    assert.equal(error.fields, { thread: 'trial', exitCode: 3 });
  }
  assert.is((await errorOf(connection.proxy.add(1, 2))).code, 'thread.gone');
});

test('releasing a connection lets the thread end by itself', async ({ connection, worker }) => {
  assert.is(await connection.proxy.add(1, 2), 3);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  connection.release();
  assert.is(await exited, 0);
});

test('releasing a connection rejects the calls that wait for their answers', async ({ connection }) => {
  const pending = errorOf(connection.proxy.never());
  connection.release();
  assert.is((await pending).code, 'thread.gone');
});

test('over a port, the end that is closed rejects the calls of the other', async () => {
  const { port1, port2 } = new MessageChannel();
  const exposed = expose({ never: () => new Promise(() => {}) }, port1);
  const options = { name: 'port', clock: systemClock, deadlineMs: 100_000 };
  const { proxy } = connect<{ never(): Promise<void> }>(port2, options);
  const pending = errorOf(proxy.never());
  exposed.close();
  assert.is((await pending).code, 'thread.gone');
});

test('errors of those who use comlink themselves stay what they were', async () => {
  const comlink = await import('comlink');
  const { port1, port2 } = new MessageChannel();
  const endpoint = (port: typeof port1): Parameters<typeof comlink.wrap>[0] => port as never;
  comlink.expose({ refuse: () => { throw new RangeError('theirs'); } }, endpoint(port1)); // biome-ignore format: short
  const proxy = comlink.wrap<{ refuse(): void }>(endpoint(port2));
  const error = await Promise.resolve(proxy.refuse()).catch((thrown: unknown) => thrown);
  assert.instance(error, Error);
  assert.not.instance(error, MillraceError);
  assert.is((error as Error).name, 'RangeError');
  port1.close();
});

test.run();
