// The supervisor over simulated actors: order of start and stop, labels, pauses, failures, tokens, connectors at run time.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BoundProgram } from '../../../actors/engine/messages.ts';
import { defaultDeadlines } from '../../../actors/supervisor/connector-deadlines.ts';
import { memoryJournal } from '../../../actors/supervisor/memory-journal.ts';
import type { ConnectorState } from '../../../actors/supervisor/messages.ts';
import { Supervisor } from '../../../actors/supervisor/supervisor-actor.ts';
import type { InputConnector, OutputConnector } from '../../../connectors/sdk/connector-configuration.ts';
import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { defineError, errorToData, MillraceError } from '../../../runtime/errors.ts';
import { makeLog } from '../../../runtime/log.ts';
import { SimulatedHost } from './simulated-host.ts';

const Missing = defineError('test_supervisor.missing', { help: 'None.' }, () => 'no such file');
const Busy = defineError('test_supervisor.busy', { help: 'None.', retry: 'later' }, () => 'busy');

const relation: Relation = {
  name: 't',
  schema: makeSchema([{ name: 'x', type: { kind: 'BIGINT' }, nullable: true }]),
  primaryKey: [],
};
const table = {
  relation,
  defaults: [null],
  connectors: null,
  materialized: false,
  appendOnly: false,
  source: { place: {}, text: '' },
};
const program: BoundProgram = { tables: [table], views: [] };

function input(name: string, more: Partial<InputConnector> = {}): InputConnector {
  return {
    kind: 'input',
    name,
    relation: 't',
    endpoint: `t.${name}`,
    transport: { name: 'file_input', config: {} },
    format: null,
    labels: [],
    startAfter: [],
    onDependencyFailure: 'wait',
    paused: false,
    strict: false,
    maxQueuedRecords: 1000,
    maxQueuedBytes: 1000,
    maxBatchSize: null,
    ...more,
  };
}

function output(name: string): OutputConnector {
  return {
    kind: 'output',
    name,
    relation: 't',
    endpoint: `t.${name}`,
    transport: { name: 'file_output', config: {} },
    format: null,
    labels: [],
    onFull: 'block',
    maxQueuedRecords: 1000,
    maxQueuedBytes: 1000,
    sendSnapshot: false,
    enableOutputBuffer: false,
    maxOutputBufferTimeMillis: null,
    maxOutputBufferSizeRecords: 1000,
  };
}

/** Time that the test moves. */
class TestClock implements Clock {
  #timers: { at: number; call: () => void }[] = [];
  time = 0;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
  after(ms: number, call: () => void): { cancel: () => void } {
    const timer = { at: this.time + ms, call };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }
  every(): { cancel: () => void } {
    return { cancel: () => {} };
  }
  advance(ms: number): void {
    this.time += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.time);
    this.#timers = this.#timers.filter((timer) => timer.at > this.time);
    for (const timer of due) timer.call();
  }
}

function setUp(inputs: readonly InputConnector[], outputs: readonly OutputConnector[] = []) {
  const host = new SimulatedHost();
  const clock = new TestClock();
  const supervisor = new Supervisor({
    name: 'p',
    program,
    inputs,
    outputs,
    onError: 'stop',
    stepRowsMax: 100,
    baseFolder: '/',
    decodeWorkers: 1,
    incarnation: 'run-1',
    fingerprint: '',
    restore: null,
    host,
    clock,
    log: makeLog(
      'test',
      () => clock.time,
      () => {},
    ),
    random: () => 0,
    compileQuery: () => ({
      query: { kind: 'values', schema: { fields: [], fingerprint: 0 }, rows: [] },
      displayOrder: [],
    }),
    defaultsOf: () => [null],
    extend: (_, key, definition) => ({ ...input(key), ...(definition as object) }),
    shrink: () => {},
    relay: null,
    journal: memoryJournal(),
    deadlines: defaultDeadlines,
    acknowledgesCheckpoints: false,
    revive: () => null,
  });
  const state = (endpoint: string): ConnectorState | undefined =>
    supervisor.status.connectors.find((connector) => connector.endpoint === endpoint)?.state;
  const finish = async (endpoint: string, step = 1): Promise<void> => {
    host.notify('engine', { kind: 'input finished', endpoint, step });
    await settle();
  };
  return { host, clock, supervisor, state, finish };
}

/** Lets everything run that does not wait for a timer. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

async function rejects(promise: Promise<unknown>, code: string): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, MillraceError);
    // SAFETY: checked above.
    assert.is((error as MillraceError).code, code);
    return error as MillraceError;
  }
  return assert.unreachable(`expected ${code}`) as never;
}

test('starts the engine, opens outputs, attaches them, and only then opens inputs', async () => {
  const { host, supervisor } = setUp([input('a')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  assert.equal(host.log, [
    'engine spawn',
    'destination:t.o spawn',
    'destination:t.o prepare',
    'destination:t.o open',
    'engine attach output t.o',
    'engine attach input t.a',
    'source:t.a spawn',
    'source:t.a prepare',
    'source:t.a open',
  ]);
});

test('a pipeline that starts paused opens no input before it is resumed', async () => {
  const { host, supervisor, state } = setUp([input('a')]);
  await supervisor.start({ paused: true });
  await settle();
  assert.is(state('t.a'), 'paused');
  assert.not.ok(host.log.includes('source:t.a spawn'));
  await supervisor.resume();
  await settle();
  assert.is(state('t.a'), 'running');
});

test('a dependant is opened when the engine has finished the last of its dependencies', async () => {
  const { host, supervisor, state, finish } = setUp([
    input('fact', { startAfter: ['dim'] }),
    input('a', { labels: ['dim'] }),
    input('b', { labels: ['dim'] }),
  ]);
  await supervisor.start({ paused: false });
  await settle();
  assert.equal(supervisor.status.connectors[0]!.waitingFor, ['dim']);
  // The end of the source is not enough: its rows may still be on their way.
  host.notify('source:t.a', { kind: 'source ended' });
  host.notify('source:t.b', { kind: 'source ended' });
  await settle();
  assert.is(state('t.fact'), 'waiting');
  await finish('t.a');
  assert.is(state('t.fact'), 'waiting');
  await finish('t.b', 2);
  assert.is(state('t.fact'), 'running');
});

test('pauseConnector holds the engine first, then the source; resume goes the other way round', async () => {
  const { host, supervisor, state } = setUp([input('a')]);
  await supervisor.start({ paused: false });
  await settle();
  host.log.length = 0;
  await supervisor.pauseConnector('t.a');
  assert.equal(host.log, ['engine hold input t.a', 'source:t.a pause']);
  assert.is(state('t.a'), 'paused');
  await supervisor.pause();
  await supervisor.resume();
  await settle();
  assert.is(state('t.a'), 'paused', 'a pause by the user stays');
  await supervisor.resumeConnector('t.a');
  assert.is(state('t.a'), 'running');
});

test('a connector that cannot open is failed, the others go on, and completion tells of it', async () => {
  const { host, supervisor, state, finish } = setUp([
    input('bad', { labels: ['l'] }),
    input('good'),
    input('behind', { startAfter: ['l'] }),
  ]);
  host.answers.set('source:t.bad open', new Missing({}));
  await supervisor.start({ paused: false });
  await settle();
  assert.is(state('t.bad'), 'failed');
  assert.is(supervisor.status.connectors[0]!.error?.code, 'test_supervisor.missing');
  assert.is(state('t.good'), 'running');
  assert.ok(supervisor.status.connectors[2]!.stuck);
  const all = supervisor.allCompleted(new AbortController().signal);
  await finish('t.good', 3);
  host.notify('engine', { kind: 'step completed', step: 3 });
  assert.equal(await all, { failed: ['t.bad'], stuck: ['t.behind'] });
  await rejects(supervisor.connectorEnded('input', 't.bad', new AbortController().signal), 'connector.failed');
  await rejects(supervisor.resumeConnector('t.bad'), 'connector.failed');
});

test('a failure to open that may pass is tried again later, a bounded number of times', async () => {
  const { host, clock, supervisor, state } = setUp([input('a')]);
  for (const attempt of ['', '#2', '#3', '#4']) host.answers.set(`source:t.a${attempt} open`, new Busy({}));
  await supervisor.start({ paused: false });
  await settle();
  for (const [restarts, delay] of [500, 1000, 2000].entries()) {
    assert.is(state('t.a'), 'recovering');
    assert.is(supervisor.status.connectors[0]!.restarts, restarts + 1);
    clock.advance(delay - 1);
    await settle();
    const before = host.log.filter((line) => line.endsWith(' spawn')).length;
    clock.advance(1);
    await settle();
    assert.is(host.log.filter((line) => line.endsWith(' spawn')).length, before + 1);
  }
  assert.is(state('t.a'), 'failed');
});

test('completion waits until the outputs have confirmed the last step', async () => {
  const { host, supervisor, finish } = setUp([input('a')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  let isDone = false;
  const all = supervisor.allCompleted(new AbortController().signal).then(() => {
    isDone = true;
  });
  await finish('t.a', 3);
  assert.not.ok(isDone);
  host.notify('engine', { kind: 'step completed', step: 2 });
  await settle();
  assert.not.ok(isDone);
  host.notify('engine', { kind: 'step completed', step: 3 });
  await all;
});

test('a token is complete when the step that took its mark is confirmed', async () => {
  const { host, supervisor } = setUp([]);
  await supervisor.start({ paused: false });
  const { endpoint } = await supervisor.openIngress('t', { rowsMax: 10, bytesMax: 10 });
  const { mark, token } = supervisor.nextMark(endpoint);
  const waiting = supervisor.tokenCompleted(token, new AbortController().signal);
  host.notify('engine', { kind: 'mark stepped', endpoint, mark, step: 5 });
  host.notify('engine', { kind: 'step completed', step: 5 });
  await waiting;
  const giveUp = new AbortController();
  const never = supervisor.tokenCompleted(supervisor.nextMark(endpoint).token, giveUp.signal);
  giveUp.abort(new Busy({}));
  await rejects(never, 'test_supervisor.busy');
  await rejects(supervisor.tokenCompleted('nonsense!', giveUp.signal), 'token.malformed');
});

test('when the engine dies the pipeline fails with the cause, and whoever waits is told', async () => {
  const { host, supervisor, state } = setUp([input('a')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  const waiting = supervisor.allCompleted(new AbortController().signal);
  host.die('engine', new Missing({}));
  const error = await rejects(waiting, 'pipeline.failed');
  assert.is(errorToData(error).causes[0]?.code, 'pipeline.engine_lost');
  assert.is(errorToData(error).causes[0]?.causes[0]?.code, 'test_supervisor.missing');
  await settle();
  assert.is(supervisor.status.state, 'failed');
  assert.is(state('t.a'), 'stopped');
  assert.ok(host.isStopped);
  await supervisor.stop({ force: false, timeoutMs: 1000 });
  assert.is(supervisor.status.state, 'stopped');
});

test('when a source or destination dies its connector fails and the others go on', async () => {
  const { host, supervisor, state } = setUp([input('a'), input('b')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  host.die('source:t.a', new Missing({}));
  host.die('destination:t.o', new Missing({}));
  await settle();
  assert.equal([state('t.a'), state('t.b'), state('t.o')], ['failed', 'running', 'failed']);
  assert.is(supervisor.status.state, 'running');
  assert.ok(host.log.includes('engine detach output t.o'));
});

test('a graceful stop closes inputs, drains the engine, flushes outputs, and ends everything', async () => {
  const { host, supervisor, state } = setUp([input('a')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  host.log.length = 0;
  const stopping = supervisor.stop({ force: false, timeoutMs: 60_000 });
  await settle();
  assert.is(supervisor.status.state, 'draining');
  host.notify('destination:t.o', { kind: 'destination ended' });
  await stopping;
  assert.equal(host.log, [
    'source:t.a finish',
    'source:t.a errors',
    'source:t.a replay points',
    'source:t.a stop',
    'engine drain',
    'engine detach output t.o',
    'destination:t.o errors',
    'destination:t.o stop',
    'engine stop',
  ]);
  assert.equal([state('t.a'), state('t.o')], ['stopped', 'ended']);
  assert.ok(host.isStopped);
  await supervisor.stop({ force: true, timeoutMs: 1 });
});

test('a stop says what it waits for and until when, and a second one with force ends it at once', async () => {
  const { host, supervisor, state } = setUp([input('a')], [output('o')]);
  await supervisor.start({ paused: false });
  await settle();
  const stopping = supervisor.stop({ force: false, timeoutMs: 60_000 });
  await settle();
  const awaited = supervisor.status.connectors.map(({ endpoint, awaited: call }) => [endpoint, call?.call ?? null]);
  assert.equal(awaited, [
    ['t.a', null],
    ['t.o', 'drain'],
  ]);
  const drain = supervisor.status.connectors[1]?.awaited;
  assert.is((drain?.until ?? 0) - (drain?.since ?? 0), 60_000);
  await supervisor.stop({ force: true, timeoutMs: 60_000 });
  // The first one is no failure: somebody wanted it so.
  await stopping;
  assert.equal([state('t.a'), state('t.o')], ['stopped', 'stopped']);
  assert.ok(host.isStopped);
  assert.equal(
    supervisor.status.connectors.map(({ awaited: call }) => call),
    [null, null],
  );
});

test('calls that do not fit the state are refused with what to do', async () => {
  const { supervisor } = setUp([input('a')]);
  await rejects(supervisor.pause(), 'pipeline.not_started');
  await supervisor.start({ paused: false });
  await rejects(supervisor.start({ paused: false }), 'pipeline.already_started');
  const unknown = await rejects(supervisor.pauseConnector('t.b'), 'connector.unknown');
  assert.is(unknown.suggestion, 't.a');
  await supervisor.stop({ force: true, timeoutMs: 1 });
  const stopped = await rejects(supervisor.resume(), 'pipeline.stopped');
  assert.match(stopped.help, 'Pipeline.open');
  await rejects(supervisor.start({ paused: false }), 'pipeline.stopped');
});

test('a connector that is added waits for its labels like any other', async () => {
  const { supervisor, state, finish } = setUp([input('a', { labels: ['l'] })]);
  await supervisor.start({ paused: false });
  await settle();
  assert.is(await supervisor.addConnector('input', 'b', { startAfter: ['l'] }), 't.b');
  await settle();
  assert.is(state('t.b'), 'waiting');
  await finish('t.a');
  assert.is(state('t.b'), 'running');
});

test('a connector whose label is waited for cannot be removed; without dependants it can', async () => {
  const { host, supervisor, state } = setUp([input('a', { labels: ['l'] }), input('b', { startAfter: ['l'] })]);
  await supervisor.start({ paused: false });
  await settle();
  await rejects(supervisor.removeConnector('input', 't.a'), 'connector.unknown_label');
  await supervisor.removeConnector('input', 't.b');
  await supervisor.removeConnector('input', 't.a');
  assert.is(state('t.a'), undefined);
  assert.ok(host.log.includes('engine detach input t.a'));
});

test('back-pressure shows as a state of its own', async () => {
  const { host, supervisor, state } = setUp([input('a')]);
  await supervisor.start({ paused: false });
  await settle();
  host.gauges.get('source:t.a')!.set('throttled', 1);
  assert.is((await supervisor.inputStats('t.a')).state, 'throttled');
  await supervisor.pauseConnector('t.a');
  assert.is(state('t.a'), 'paused');
  await supervisor.resumeConnector('t.a');
  host.gauges.get('source:t.a')!.set('throttled', 0);
  assert.is((await supervisor.inputStats('t.a')).state, 'running');
});

test.run();
