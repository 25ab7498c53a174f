// Actors on threads: messages, failures, ends. The process has to end by itself: nothing here calls exit.
import { MessageChannel, threadId } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorRef, actorId } from '../../../runtime/actor/actor.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { pollPause } from '../../poll-pause.ts';
import type { TrialArguments, TrialMessage } from './trial-behaviours.ts';
import { makeTrial, type Trial } from './trial-system.ts';

const test = suite<{ trial: Trial }>('actor system');
test.before.each((context) => {
  context.trial = makeTrial();
});
test.after.each(async ({ trial }) => {
  await trial.system.shutdown();
  assert.equal(trial.system.threads(), []);
});

let spawned = 0;
function spawn(
  trial: Trial,
  args: TrialArguments = {},
  where: { readonly heat?: 'hot' | 'quiet'; readonly thread?: string } = {},
): Promise<ActorRef<TrialMessage>> {
  const id = actorId(`trial:${++spawned}`);
  return trial.system.spawn<TrialMessage>({ id, behaviour: 'trial', args, heat: 'quiet', ...where });
}

async function errorOf(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, MillraceError);
    return error as MillraceError;
  }
  throw new Error('was not rejected');
}

test('an actor answers from its own thread, or from this one when it is placed here', async ({ trial }) => {
  const [there, here] = await Promise.all([spawn(trial, {}, { heat: 'hot' }), spawn(trial, {}, { thread: 'here' })]);
  for (const ref of [there, here]) {
    assert.equal(await ref.ask({ kind: 'echo', value: { a: [1n, 'b'] } }), { a: [1n, 'b'] });
  }
  assert.is(await here.ask({ kind: 'where' }), threadId);
  assert.is.not(await there.ask({ kind: 'where' }), threadId);
  assert.is(there.thread, 'hot-1');
});

test('a thread that was prepared takes its first actor, and one that never gets an actor ends with the system', async ({
  trial,
}) => {
  trial.system.prepare('ready', 'trial');
  trial.system.prepare('idle', 'nothing of that name');
  assert.equal(trial.system.threads(), [
    { name: 'ready', actors: [] },
    { name: 'idle', actors: [] },
  ]);
  const ref = await spawn(trial, {}, { thread: 'ready' });
  assert.is(ref.thread, 'ready');
  assert.is(await ref.ask({ kind: 'echo', value: 1 }), 1);
  await ref.stop();
  assert.equal(trial.system.threads(), [{ name: 'idle', actors: [] }]);
});

test('buffers and ports in messages and answers are transferred', async ({ trial }) => {
  for (const where of [{ heat: 'hot' }, { thread: 'here' }] as const) {
    const ref = await spawn(trial, {}, where);
    const given = new ArrayBuffer(16);
    const answer = await ref.ask<ArrayBuffer>({ kind: 'echo', value: given }, { transfer: [given] });
    assert.is(given.byteLength, 0);
    assert.is(answer.byteLength, 16);
    const got = await ref.ask<ArrayBuffer>({ kind: 'give', bytes: 1_000 });
    assert.is(got.byteLength, 1_000);
  }
});

test('a coded error keeps code, fields, place, suggestion and causes across a thread', async ({ trial }) => {
  for (const where of [{ heat: 'hot' }, { thread: 'here' }] as const) {
    const error = await errorOf((await spawn(trial, {}, where)).ask({ kind: 'reject' }));
    assert.is(error.code, 'trial.failure');
    assert.equal(error.fields, { depth: 1, big: 2n ** 62n });
    assert.is(error.suggestion, 'depths');
    assert.is(error.retry, 'later');
    assert.instance(error.cause, MillraceError);
    assert.equal((error.cause as MillraceError).place, { file: 'deep.sql', line: 3 });
    assert.is((error.cause as MillraceError).code, 'trial.failure');
  }
});

test('what a start throws is what spawn rejects with, and the name is free again', async ({ trial }) => {
  const id = actorId('trial:start');
  const options = { id, behaviour: 'trial', heat: 'quiet' } as const;
  const error = await errorOf(trial.system.spawn({ ...options, args: { start: 'throw' } }));
  assert.is(error.code, 'trial.failure');
  assert.is((await trial.system.spawn({ ...options, args: {} })).id, id);
  assert.is((await errorOf(trial.system.spawn({ ...options, args: {} }))).code, 'actor.duplicate');
});

test('a start that does not end is given up at its deadline', async ({ trial }) => {
  const id = actorId('trial:hang');
  const args = { start: 'hang' };
  const error = await errorOf(trial.system.spawn({ id, behaviour: 'trial', args, heat: 'hot', deadlineMs: 300 }));
  assert.is(error.code, 'actor.timeout');
  assert.equal(trial.system.threads(), []);
});

test('the ports of an actor that could not start are closed', async ({ trial }) => {
  const { port1, port2 } = new MessageChannel();
  const closed = new Promise<void>((resolve) => port1.once('close', resolve));
  const args = { start: 'throw', port: port2 };
  await errorOf(trial.system.spawn({ id: actorId('p'), behaviour: 'trial', args, heat: 'hot', transfer: [port2] }));
  await closed;
});

test('two hundred quiet actors and one hot one take two threads', async ({ trial }) => {
  await Promise.all([spawn(trial, {}, { heat: 'hot' }), ...Array.from({ length: 200 }, () => spawn(trial))]);
  assert.equal(
    trial.system.threads().map(({ name, actors }) => [name, actors.length]),
    [
      ['hot-1', 1],
      ['quiet', 200],
    ],
  );
});

test('an unknown behaviour is refused with the nearest name', async ({ trial }) => {
  const spawning = trial.system.spawn({ id: actorId('x'), behaviour: 'trail', args: {}, heat: 'quiet' });
  const error = await errorOf(spawning);
  assert.is(error.code, 'actor.unknown_behaviour');
  assert.is(error.suggestion, 'trial');
});

test('an ask that is not answered ends at its deadline or with the reason of its signal', async ({ trial }) => {
  for (const where of [{ heat: 'hot' }, { thread: 'here' }] as const) {
    const ref = await spawn(trial, {}, where);
    assert.is((await errorOf(ref.ask({ kind: 'never' }, { deadlineMs: 20 }))).code, 'actor.timeout');
    const controller = new AbortController();
    const asking = ref.ask({ kind: 'never' }, { signal: controller.signal });
    controller.abort('enough');
    assert.is(await asking.catch((reason: unknown) => reason), 'enough');
    assert.is(await ref.ask({ kind: 'echo', value: 1 }), 1);
  }
});

test('an actor that throws dies: its requests are rejected with the cause and its supervisor is told', async ({
  trial,
}) => {
  for (const where of [{ heat: 'hot' }, { thread: 'here' }] as const) {
    const ref = await spawn(trial, {}, where);
    const owed = errorOf(ref.ask({ kind: 'never' }));
    ref.tell({ kind: 'throw' });
    const error = await owed;
    assert.is(error.code, 'actor.gone');
    assert.is((error.cause as MillraceError).code, 'trial.failure');
    await trial.until(() => trial.events.some((event) => event.kind === 'actor failed' && event.actor === ref.id));
    assert.is((await errorOf(ref.ask({ kind: 'where' }))).code, 'actor.gone');
    await ref.stop();
  }
});

test('a failed actor has released what it held before its failure is told', async ({ trial }) => {
  const ref = await spawn(trial, {}, { heat: 'hot' });
  ref.tell({ kind: 'fail' });
  await trial.until(() => trial.events.length > 0);
  assert.equal(trial.notices, [{ actor: ref.id, notice: { kind: 'stopped' } }]);
  assert.is(trial.events[0]?.kind, 'actor failed');
});

test('process.exit in a worker rejects asks at once and is told with every actor of the thread', async ({ trial }) => {
  const refs = await Promise.all([spawn(trial), spawn(trial)]);
  const owed = Promise.all(refs.map((ref) => errorOf(ref.ask({ kind: 'never' }, { deadlineMs: 60_000 }))));
  refs[0]?.tell({ kind: 'exit', code: 7 });
  for (const error of await owed) {
    assert.is(error.code, 'actor.gone');
    assert.equal((error.cause as MillraceError).fields, { thread: 'quiet', exitCode: 7 });
  }
  await trial.until(() => trial.events.length > 0);
  const [event] = trial.events;
  assert.is(event?.kind, 'thread exited');
  assert.equal(
    event?.kind === 'thread exited' ? event.actors : [],
    refs.map((ref) => ref.id),
  );
  assert.equal(trial.system.threads(), []);
});

test('an error that nobody catches ends its thread, with the error as the cause', async ({ trial }) => {
  const ref = await spawn(trial, {}, { heat: 'hot' });
  const error = await errorOf(ref.ask({ kind: 'uncaught' }));
  await trial.until(() => trial.events.length > 0);
  const [event] = trial.events;
  const cause = event?.kind === 'thread exited' ? (event.error as MillraceError).cause : undefined;
  assert.is((cause as MillraceError).code, 'trial.failure');
  assert.equal((cause as MillraceError).fields, { depth: 1, big: 2n ** 62n });
  assert.is(error.code, 'actor.gone');
});

test('an actor in an endless loop is ended by force when its stop is overdue', async ({ trial }) => {
  const ref = await spawn(trial, {}, { heat: 'hot' });
  const owed = errorOf(ref.ask({ kind: 'spin', beat: false }, { deadlineMs: 60_000 }));
  await ref.stop(100);
  assert.is((await owed).code, 'actor.gone');
  assert.equal(trial.events, [{ kind: 'actor stopped', actor: ref.id }]);
  assert.equal(trial.system.threads(), []);
});

test('an actor whose stop throws is gone, alone on its thread or not, and nobody waits for more', async ({ trial }) => {
  for (const where of [{ thread: 'alone' }, { thread: 'shared' }, { thread: 'here' }] as const) {
    const neighbour = where.thread === 'shared' ? await spawn(trial, {}, where) : null;
    const ref = await spawn(trial, { stop: 'throw' }, where);
    const waiting = errorOf(ref.ask({ kind: 'never' }));
    await ref.stop(Number.POSITIVE_INFINITY);
    assert.is((await waiting).code, 'actor.gone');
    assert.equal(
      trial.events.filter((event) => 'actor' in event && event.actor === ref.id).map(({ kind }) => kind),
      ['actor failed'],
    );
    assert.is((await neighbour?.ask({ kind: 'echo', value: 1 })) ?? 1, 1);
  }
});

test('an actor that does not stop leaves its thread, and its neighbours go on', async ({ trial }) => {
  const [stubborn, neighbour] = await Promise.all([spawn(trial, { stop: 'hang' }), spawn(trial)]);
  await stubborn.stop(50);
  assert.is(await neighbour.ask({ kind: 'echo', value: 'alive' }), 'alive');
  assert.equal(trial.system.threads(), [{ name: 'quiet', actors: [neighbour.id] }]);
});

test('an actor that does not stop does not take a neighbour with it that is at work for long', async ({ trial }) => {
  const [stubborn, neighbour] = await Promise.all([spawn(trial, { stop: 'hang' }), spawn(trial)]);
  const work = neighbour.ask({ kind: 'work', ms: 2_500 });
  await stubborn.stop(50);
  await work;
  assert.is(await neighbour.ask({ kind: 'echo', value: 'alive' }), 'alive');
  assert.equal(trial.system.threads(), [{ name: 'quiet', actors: [neighbour.id] }]);
});

test('notices come in order, before the answer that follows them', async ({ trial }) => {
  const ref = await spawn(trial, {}, { heat: 'hot' });
  for (let i = 0; i < 50; i++) {
    await ref.ask({ kind: 'notify', notice: i });
    assert.is(trial.notices.at(-1)?.notice, i);
  }
});

test('messages to oneself come in turn while others get through', async ({ trial }) => {
  const ref = await spawn(trial, {}, { thread: 'here' });
  const counting = ref.ask<number[]>({ kind: 'count to self', left: 3 });
  assert.is(await ref.ask({ kind: 'echo', value: 'through' }), 'through');
  assert.equal(await counting, [3, 2, 1, 0]);
});

test('gauges are the same memory on both sides', async ({ trial }) => {
  const ref = await spawn(trial, {}, { heat: 'hot' });
  await ref.ask({ kind: 'gauge', records: 42 });
  assert.is(ref.gauges.get('records'), 42);
});

test('an actor without answer and heartbeat is reported as stuck, one that beats is not', async () => {
  // The rounds of its watch come from here: a beat lies between two of them however little the machine gives to the thread.
  let round = (): void => {};
  const every: Clock['every'] = (_, call) => {
    round = call;
    return { cancel: () => {} };
  };
  const trial = makeTrial({ stuckMs: 600, clock: { ...systemClock, every } });
  try {
    const [busy, stuck] = await Promise.all([spawn(trial, {}, { heat: 'hot' }), spawn(trial, {}, { heat: 'hot' })]);
    busy.tell({ kind: 'spin', beat: true });
    stuck.tell({ kind: 'spin', beat: false });
    while (trial.events.length === 0) {
      const beats = busy.gauges.get('heartbeat');
      while (busy.gauges.get('heartbeat') === beats) await pollPause();
      round();
    }
    assert.equal(
      trial.events.map((event) =>
        event.kind === 'actor failed' ? [event.actor, (event.error as MillraceError).code] : [],
      ),
      [[stuck.id, 'actor.stuck']],
    );
  } finally {
    await trial.system.shutdown(100);
  }
});

test('shutdown stops in reverse order of spawning and refuses to spawn again', async ({ trial }) => {
  const refs = [
    await spawn(trial),
    await spawn(trial, {}, { heat: 'hot' }),
    await spawn(trial, {}, { thread: 'here' }),
  ];
  await trial.system.shutdown();
  assert.equal(
    trial.notices.map(({ actor }) => actor),
    refs.map(({ id }) => id).reverse(),
  );
  assert.is((await errorOf(spawn(trial))).code, 'actor.system_closed');
});

test('frames go straight from thread to thread, in order and within the bounds, behind a slow consumer', async ({
  trial,
}) => {
  const { port1, port2 } = new MessageChannel();
  const limits = { rowsMax: 1_000, bytesMax: 1 << 20 };
  const producer = await trial.system.spawn<{ kind: 'run' }>({
    id: actorId('producer'),
    behaviour: 'producer',
    args: { port: port1, limits, batches: 300, rows: 100 },
    heat: 'hot',
    transfer: [port1],
  });
  const sending = producer.ask<{ queuedRowsMost: number; waits: number; mark: number }>({ kind: 'run' });
  const consumer = await trial.system.spawn<{ kind: 'run' }>({
    id: actorId('consumer'),
    behaviour: 'consumer',
    args: { port: port2, limits },
    heat: 'hot',
    transfer: [port2],
  });
  const seen = await consumer.ask<{ rows: number; isInOrder: boolean; queuedRowsMost: number }>({ kind: 'run' });
  const sent = await sending;
  assert.is(seen.rows, 30_000);
  assert.ok(seen.isInOrder);
  assert.ok(seen.queuedRowsMost <= 1_000, `queued ${seen.queuedRowsMost}`);
  assert.ok(sent.queuedRowsMost <= 1_000, `in flight ${sent.queuedRowsMost}`);
  assert.ok(sent.waits > 10);
  assert.is(sent.mark, 1);
  await producer.stop();
  await trial.until(() => trial.notices.some(({ notice }) => (notice as { kind: string }).kind === 'closed'));
});

test('a thread that dies closes the channels of its actors', async ({ trial }) => {
  const { port1, port2 } = new MessageChannel();
  const limits = { rowsMax: 10, bytesMax: 1 << 20 };
  const args = { port: port1, limits, batches: 1_000, rows: 10 };
  const producing = {
    id: actorId('cut producer'),
    behaviour: 'producer',
    args,
    heat: 'hot',
    transfer: [port1],
  } as const;
  const producer = await trial.system.spawn<{ kind: 'run' }>(producing);
  const killer = await spawn(trial, {}, { thread: 'doomed' });
  await trial.system.spawn({
    id: actorId('cut consumer'),
    behaviour: 'consumer',
    args: { port: port2, limits },
    heat: 'quiet',
    thread: 'doomed',
    transfer: [port2],
  });
  const sending = errorOf(producer.ask({ kind: 'run' }));
  killer.tell({ kind: 'exit', code: 1 });
  assert.is((await sending).code, 'trial.failure');
});

test.run();
